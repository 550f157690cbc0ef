"""Push services that must take every push: a case for each, which all pushes of the run decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from mockpush.client.records import Request
from mockpush.protocol.encryption import OVERHEAD
from mockpush.protocol.findings import Finding, Level
from mockpush.protocol.headers import parse_topic, parse_ttl
from mockpush.protocol.inspection import SAFE_BODY

from .evidence import Evidence, FanOut, Push
from .jobs import SendJob
from .keeping import NotifyJob
from .verdict import CaseResult, Problem, Verdict, heaviest, worst

DOCUMENT: Final = "vendors"
"""What the ids of these cases begin with: `vendors/apple`."""
SECTION: Final = "--require"


def judged_by(name: str, results: Iterable[CaseResult], *, reproduce: str) -> CaseResult:
    """What a push service would have said of all pushes of these cases.

    What a case asked for is not the sender's doing, such as a TTL of 0; nor is a refusal by the
    service itself, which is a matter of the case.
    """
    pushes = list(_pushes(results))
    mistakes = _mistakes(name, pushes)
    problems = tuple(_problem(name, each, len(pushes)) for each in mistakes)
    decisive = heaviest(problems)
    nothing = None if pushes else "there was no push to judge"
    return CaseResult(
        id=f"{DOCUMENT}/{name}",
        requirement=f"The push service {name} would have taken every push.",
        level=Level.MUST,
        section=SECTION,
        verdict=worst(problems) if pushes else Verdict.SKIPPED,
        reason=nothing if decisive is None else str(decisive),
        problems=problems,
        evidence=Evidence(jobs=tuple({id(each.push): each.push for each in mistakes}.values())),
        reproduce=reproduce,
        seconds=0.0,
    )


@dataclass(slots=True)
class _Mistake:
    """What the push service objects to, the first push and its request that show it, how many."""

    objection: dict[str, Any]
    push: Push | FanOut
    request: Request
    count: int = 0


def _pushes(results: Iterable[CaseResult]) -> Iterator[tuple[Push | FanOut, Request]]:
    """Every request that the service did not refuse, with the push that it belongs to.

    Where a redirection led is no place that the push was made for.
    """
    for result in results:
        for job in result.evidence.jobs:
            if isinstance(job, (Push, FanOut)):
                yield from ((job, each) for each in job.requests if _counts(each, job))


def _counts(request: Request, push: Push | FanOut) -> bool:
    if isinstance(push, FanOut):
        return not request.senders_fault
    return not request.senders_fault and request.subscription == push.requests[0].subscription


def _mistakes(name: str, pushes: Iterable[tuple[Push | FanOut, Request]]) -> list[_Mistake]:
    found: dict[str, _Mistake] = {}
    for push, request in pushes:
        asked = _asked_for(push.job)
        for objection in request.objections.get(name, ()):
            code = objection["finding"]["code"]
            if code not in asked:
                found.setdefault(code, _Mistake(objection, push, request)).count += 1
    return list(found.values())


def _asked_for(job: SendJob | NotifyJob) -> frozenset[str]:
    """The codes that follow from what the sender was asked to send."""
    findings: list[Finding] = []
    parse_ttl([str(job.ttl).encode()], findings)
    parse_topic(None if job.topic is None else [job.topic.encode()], findings)
    too_large = {"body.too_large"} if len(job.payload or b"") + OVERHEAD > SAFE_BODY else set()
    return frozenset({finding.code for finding in findings} | too_large)


def _problem(name: str, mistake: _Mistake, total: int) -> Problem:
    """The mistake, with the vendor's word for it and how often it was made."""
    finding = mistake.objection["finding"]
    status, word = mistake.objection["status"], mistake.objection["reason"]
    answer = f"{status} {word}" if word else str(status)
    return Problem(
        level=Level.MUST,
        section=finding["section"],
        text=f"{finding['text']} ({name} answers {answer}, {mistake.count} of {total} pushes)",
        expected=finding["expected"],
        actual=finding["actual"],
        hint=finding["hint"],
        code=finding["code"],
        request=mistake.request.id,
    )
