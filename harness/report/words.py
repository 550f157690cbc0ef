"""What all formats for people share: the words of others made harmless, and evidence as lines."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ..verdict import Problem, Verdict
from .record import (
    Body,
    CaseRecord,
    JobRecord,
    Json,
    RequestRecord,
    ResultRecord,
    RunRecord,
    members,
)

LONG: Final = 60
"""Characters of a member of a job that are shown."""
LONG_LINE: Final = 1000
"""Characters of a header field or of a line of a log that are shown."""
FIRST_OCTETS: Final = 16
"""Octets of a body that are shown."""

_ASKED: Final = ("op", "payload", "ttl", "urgency", "topic")
_SENDING: Final = ("send", "notify")
_HEADINGS: Final = {"app": "Applications"}

MARKS: Final[Mapping[Verdict, str]] = {
    Verdict.FAILED: "✗",
    Verdict.WARNING: "!",
    Verdict.INFO: "i",
    Verdict.PASSED: "✓",
    Verdict.SKIPPED: "-",
}
IN_DETAIL: Final = (Verdict.FAILED, Verdict.WARNING, Verdict.INFO)
"""The verdicts of which there is more to say, in this order."""


def clean(text: str) -> str:
    """The words of others in one line, without what would control a terminal or break a file."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def short(text: str, limit: int = LONG_LINE) -> str:
    """The beginning of what is too long."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def heading(document: str) -> str:
    """`RFC 8030` for `rfc8030`, `Applications` for `app`."""
    return _HEADINGS.get(document) or document.replace("rfc", "RFC ")


def about(record: RunRecord) -> str:
    """The sender and the push service."""
    language = f" ({record.sender.language})" if record.sender.language else ""
    return clean(f"{record.name}{language}, profile {record.profile}")


def counts(record: RunRecord) -> list[tuple[Verdict, str]]:
    """How many cases of each verdict there are, in words; none of those that there are not."""
    known = f" ({record.known} of them known)" if record.known else ""
    return [
        (verdict, f"{count} {verdict}{known if verdict is Verdict.FAILED else ''}")
        for verdict, count in record.counts.items()
        if count
    ]


def total(record: RunRecord) -> str:
    """How many cases there are, and how long they took."""
    number = len(record.cases)
    return f"{number} {'case' if number == 1 else 'cases'} in {record.duration_ms / 1000:.1f} s"


def baseline_lines(record: RunRecord) -> list[str]:
    """What the baseline made of the run, if there is anything to do about it."""
    fixed = record.baseline.fixed if record.baseline else ()
    if not fixed:
        return []
    return [
        "Known failures that are none any more; take them out with --update-baseline:",
        *(f"  {name}" for name in fixed),
    ]


def problem_lines(problem: Problem) -> Iterator[str]:
    """What is wrong, then what was expected and what came, indented."""
    yield f"{problem.level}  {clean(str(problem))}  [{problem.section}]"
    told = (("expected", problem.expected), ("actual", problem.actual), ("hint", problem.hint))
    for name, value in told:
        if value is not None:
            yield f"  {name:<8}  {clean(value)}"


def decisive(case: CaseRecord) -> list[JobRecord]:
    """The job that the first problem is about, else the last one, in a list; none if none ran."""
    jobs = case.evidence.jobs
    request = case.problems[0].request if case.problems else None
    matching = (job for job in jobs if request in [each.id for each in job.requests])
    return [next(matching, jobs[-1])] if jobs else []


def evidence_lines(jobs: Iterable[JobRecord]) -> Iterator[str]:
    """Each job, the requests that came of it, and what the sender answered."""
    for number, job in enumerate(jobs):
        if number:
            yield ""
        yield f"asked     {_brief(_asked(job.job))}"
        for request in job.requests:
            yield from request_lines(request)
        if not job.requests and job.job["op"] in _SENDING:
            yield "request   none came"
        yield f"answer    {_answer(job)}"


def request_lines(request: RequestRecord) -> Iterator[str]:
    """The request as it came; of its body only the beginning."""
    line = f"{request.method} {request.target} HTTP/{request.http_version}"
    yield f"request   {clean(short(line))}"
    for name, value in request.headers:
        yield f"          {clean(f'{name}: {short(value)}')}"
    yield f"          {_body(request.body)}"
    codes = f", {', '.join(request.codes)}" if request.codes else ""
    yield f"answered  {'nothing' if request.status is None else request.status}{codes}"


def log_lines(case: CaseRecord) -> list[str]:
    """The end of what the sender wrote to standard error."""
    return [clean(short(line)) for line in case.evidence.log.expandtabs(4).splitlines()]


def _asked(job: Json) -> Json:
    """What was asked for; where a push went, the request shows."""
    asked = {name: job[name] for name in _ASKED if job.get(name) is not None}
    if job["op"] == "subscribe":
        asked["endpoint"] = job["subscription"]["endpoint"]
    return asked


def _answer(job: JobRecord) -> str:
    if job.result is None:
        return f"none: {clean(job.error or '')}"
    return _brief(_given(job.result))


def _given(result: ResultRecord) -> Json:
    return {name: value for name, value in members(result).items() if value is not None}


def _body(body: Body) -> str:
    if not body.size:
        return "(no body)"
    if body.base64 is None:
        return f"({body.size} octets, not shown: a private key is in them)"
    octets = base64.b64decode(body.base64)
    more = "…" if len(octets) > FIRST_OCTETS else ""
    return f"({body.size} octets: {octets[:FIRST_OCTETS].hex(' ')}{more})"


def _brief(value: Json) -> str:
    """JSON in one line, long texts cut."""
    return clean(json.dumps(_cut(value), ensure_ascii=False))


def _cut(value: object) -> object:
    if isinstance(value, dict):
        return {name: _cut(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return [_cut(each) for each in value]
    return short(value, LONG) if isinstance(value, str) else value
