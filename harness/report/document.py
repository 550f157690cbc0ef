"""The report as JSON.

    {"format": 1,
     "mockpush": "0.1.0",
     "sender": {"name", "version", "language", "ops": ["send"]},
     "profile": "rfc", "strict": false, "seconds": 1.5, "exit_code": 0,
     "counts": {"failed": 0, "warning": 0, "info": 0, "passed": 0, "skipped": 0},
     "cases": [
       {"id", "requirement", "level", "section",
        "verdict": "failed" | "warning" | "info" | "passed" | "skipped",
        "reason": why it did not pass or was skipped, or null,
        "problems": [{"level", "section", "text", "expected", "actual", "hint", "code", "request"}],
        "evidence": {
          "jobs": [
            {"job": the job as sent,
             "result": the sender's result or null, "error": why there is none, or null,
             "requests": [{"id", "method", "target", "http_version", "headers": [[name, value]],
                           "body": {"base64", "size"}, "status", "codes": [code of a finding]}],
             "messages": [id]}],
          "log": the end of the sender's standard error},
        "reproduce": the command line that runs this case alone, "seconds": 0.1}]}

`level` is one of must, should, practice, vendor, information. Members may be added; none goes away
or changes its meaning without a new `format`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from mockpush import __version__
from mockpush.client.records import Request

from ..case import Case
from ..evidence import Evidence, Push, Unanswered
from ..senders.registry import ReadySender
from ..verdict import CaseResult, Report

FORMAT: Final = 1

Json = dict[str, Any]


def document(report: Report) -> Json:
    """The whole report."""
    return {
        "format": FORMAT,
        "mockpush": __version__,
        "sender": asdict(report.sender),
        "profile": report.profile,
        "strict": report.strict,
        "seconds": round(report.seconds, 3),
        "exit_code": report.exit_code,
        "counts": {str(verdict): count for verdict, count in report.counts.items()},
        "cases": [_result(result) for result in report.results],
    }


def listed(case: Case) -> Json:
    """A case in the list of cases."""
    return {
        "id": case.id,
        "requirement": case.requirement,
        "level": case.level,
        "section": case.section,
    }


def ready(sender: ReadySender) -> Json:
    """A sender in the list of ready ones; `version` is null if it is not installed."""
    return {
        "name": sender.name,
        "language": sender.language,
        "version": sender.version,
        "install": sender.install,
    }


def dump(value: object) -> str:
    """As text, for people to read, too."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _result(result: CaseResult) -> Json:
    return {
        "id": result.id,
        "requirement": result.requirement,
        "level": result.level,
        "section": result.section,
        "verdict": result.verdict,
        "reason": result.reason,
        "problems": [asdict(problem) for problem in result.problems],
        "evidence": _evidence(result.evidence),
        "reproduce": result.reproduce,
        "seconds": round(result.seconds, 3),
    }


def _evidence(evidence: Evidence) -> Json:
    return {"jobs": [_job(each) for each in evidence.jobs], "log": evidence.log}


def _job(each: Push | Unanswered) -> Json:
    done = each if isinstance(each, Push) else None
    return {
        "job": each.job.as_json(),
        "result": asdict(done.result) if done else None,
        "error": None if isinstance(each, Push) else each.error,
        "requests": [_request(request) for request in done.requests] if done else [],
        "messages": [message.id for message in done.messages] if done else [],
    }


def _request(request: Request) -> Json:
    copied = ("id", "method", "target", "http_version", "headers", "body")
    return {
        **{name: request.raw[name] for name in copied},
        "status": request.status,
        "codes": request.codes,
    }
