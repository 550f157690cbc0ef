"""The report as JSON."""

import json

from mockpush import __version__
from mockpush.harness.cases import CASES
from mockpush.harness.evidence import Evidence, Push, Unanswered
from mockpush.harness.jobs import Hello, SendResult
from mockpush.harness.report.document import document, dump, listed, ready
from mockpush.harness.senders.registry import READY
from mockpush.harness.verdict import Problem, Report, Verdict
from mockpush.protocol.findings import Level

PROBLEM = Problem(level=Level.MUST, section="RFC 8030, Section 5.2", text="no TTL", request="r1")


def of(*results):
    hello = Hello(name="scripted", version="1", ops=("send",), language=None)
    report = Report(sender=hello, profile="rfc", strict=True, results=results, seconds=1.23456)
    return json.loads(dump(document(report)))


def test_the_run_as_a_whole(case_result):
    whole = of(case_result(), case_result(verdict=Verdict.FAILED))
    cases = whole.pop("cases")
    assert whole == {
        "format": 1,
        "mockpush": __version__,
        "sender": {"name": "scripted", "version": "1", "ops": ["send"], "language": None},
        "profile": "rfc",
        "strict": True,
        "seconds": 1.235,
        "exit_code": 1,
        "counts": {"failed": 1, "warning": 0, "info": 0, "passed": 1, "skipped": 0},
    }
    assert [case["verdict"] for case in cases] == ["passed", "failed"]


def test_a_case(case_result):
    (case,) = of(case_result(verdict=Verdict.FAILED, reason="no TTL", problems=(PROBLEM,)))["cases"]
    assert case == {
        "id": "rfc8030/5.2/ttl-present",
        "requirement": "Every push message has a TTL.",
        "level": "must",
        "section": "RFC 8030, Section 5.2",
        "verdict": "failed",
        "reason": "no TTL",
        "problems": [
            {
                "level": "must",
                "section": "RFC 8030, Section 5.2",
                "text": "no TTL",
                "expected": None,
                "actual": None,
                "hint": None,
                "code": None,
                "request": "r1",
            }
        ],
        "evidence": {"jobs": [], "log": ""},
        "reproduce": "mockpush check -k rfc8030/5.2/ttl-present --sender pywebpush",
        "seconds": 0.25,
    }


def test_evidence_holds_the_job_the_result_and_what_arrived(case_result, send_job, request_record):
    job = send_job(payload=b"x" * 3000)
    result = SendResult(ok=False, status=410, gone=True)
    push = Push(job=job, result=result, requests=(request_record(id="r1"),), messages=())
    (case,) = of(case_result(evidence=Evidence(jobs=(push,), log="oops")))["cases"]
    assert case["evidence"]["log"] == "oops"
    (shown,) = case["evidence"]["jobs"]
    assert shown["job"] == job.as_json()
    assert (shown["result"]["status"], shown["error"], shown["messages"]) == (410, None, [])
    assert shown["requests"] == [
        {
            "id": "r1",
            "method": "POST",
            "target": "/push/x",
            "http_version": "1.1",
            "headers": [["TTL", "60"]],
            "body": {"base64": "", "size": 0},
            "status": 400,
            "codes": ["vapid.absent"],
        }
    ]


def test_evidence_of_a_job_without_a_result_says_why(case_result, send_job):
    evidence = Evidence(jobs=(Unanswered(job=send_job(), error="it died"),))
    (case,) = of(case_result(evidence=evidence))["cases"]
    (shown,) = case["evidence"]["jobs"]
    assert (shown["result"], shown["error"], shown["requests"]) == (None, "it died", [])


def test_a_case_in_the_list():
    first = CASES[0]
    assert json.loads(dump(listed(first))) == {
        "id": first.id,
        "requirement": first.requirement,
        "level": first.level,
        "section": first.section,
    }


def test_a_ready_sender_in_the_list():
    sender = READY["pywebpush"]
    assert ready(sender) == {
        "name": "pywebpush",
        "language": "Python",
        "version": sender.version,
        "install": "pip install 'mockpush[harness]'",
    }
