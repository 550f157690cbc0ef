"""What a report says, as plain values: all formats show these, and JSON can be read back.

A `Report` of the runner holds what was alive in the run; a `RunRecord` holds what is told of it.
No private key of the run is in it, wherever the sender may have put one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, cast

from mockpush import __version__
from mockpush.client.records import Request
from mockpush.protocol.findings import Level

from ..baseline import fixed
from ..evidence import Answered, Evidence, FanOut, Push, Seen, Unanswered
from ..jobs import Hello, SendJob
from ..keeping import SubscribeJob
from ..verdict import CaseResult, Problem, Report, Verdict, heaviest
from .secrets import has, secrets, without

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body: its octets in base64, and how many there are; None if a private key is in it."""

    base64: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """A request as it came, the status of its answer, and the codes of what was found in it."""

    id: str
    method: str
    target: str
    http_version: str
    headers: tuple[tuple[str, str], ...]
    body: Body
    status: int | None
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRecord:
    """What a sender answered to a job, whichever it was; None: it said nothing of this."""

    ok: bool
    status: int | None = None
    gone: bool | None = None
    retry_after: float | str | None = None
    error: str | None = None
    unsupported: str | None = None
    sent: int | None = None
    failed: int | None = None
    endpoints: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job and what came of it. `result` is None if the sender gave none; `error` says why."""

    job: Json
    result: ResultRecord | None
    error: str | None
    requests: tuple[RequestRecord, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """All that a case saw. `log` is the end of what the sender wrote to standard error."""

    jobs: tuple[JobRecord, ...]
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """A case and its verdict; `requirement` is the section that asks for what `title` says.

    `reason` says why it did not pass, `expected` and `actual` are those of the problem that
    decided. `known`: it failed, and the baseline lists it.
    """

    id: str
    title: str
    level: Level
    requirement: str
    verdict: Verdict
    known: bool
    reason: str | None
    expected: str | None
    actual: str | None
    problems: tuple[Problem, ...]
    evidence: EvidenceRecord
    reproduce: str
    duration_ms: int

    @property
    def document(self) -> str:
        """The first part of the id: `rfc8030`."""
        return self.id.partition("/")[0]

    @property
    def section(self) -> str:
        """What stands between the first and the last part of the id: `5.2`, or nothing."""
        return "/".join(self.id.split("/")[1:-1])

    @property
    def slug(self) -> str:
        """The last part of the id: `ttl-present`."""
        return self.id.rpartition("/")[2]

    @property
    def fails(self) -> bool:
        """Whether it fails the run."""
        return self.verdict is Verdict.FAILED and not self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRecord:
    """What a baseline made of the run: the failures that it lists, those of them that are none."""

    known: tuple[str, ...]
    fixed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run: one sender, and every case. `started_at` is in ISO 8601."""

    mockpush: str
    sender: Hello
    profile: str
    strict: bool
    started_at: str
    duration_ms: int
    exit_code: int
    baseline: BaselineRecord | None
    cases: tuple[CaseRecord, ...]

    @property
    def name(self) -> str:
        """The sender with its version."""
        return " ".join(filter(None, (self.sender.name, self.sender.version)))

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many cases have each verdict."""
        return {each: sum(case.verdict is each for case in self.cases) for each in Verdict}

    @property
    def known(self) -> int:
        """How many failures were known."""
        return sum(case.known for case in self.cases)

    def of(self, *verdicts: Verdict) -> list[CaseRecord]:
        """The cases of these verdicts, in the order of the verdicts."""
        return [case for each in verdicts for case in self.cases if case.verdict is each]


def recorded(report: Report) -> RunRecord:
    """What there is to tell of a run."""
    return RunRecord(
        mockpush=__version__,
        sender=report.sender,
        profile=report.profile,
        strict=report.strict,
        started_at=report.started.isoformat(timespec="seconds"),
        duration_ms=_ms(report.seconds),
        exit_code=report.exit_code,
        baseline=_baseline(report),
        cases=tuple(
            case_record(each, known=report.known or frozenset()) for each in report.results
        ),
    )


def _baseline(report: Report) -> BaselineRecord | None:
    if report.known is None:
        return None
    return BaselineRecord(
        known=tuple(sorted(report.known & report.failed)),
        fixed=tuple(fixed(report.known, report.results)),
    )


def case_record(result: CaseResult, *, known: frozenset[str] = frozenset()) -> CaseRecord:
    """What there is to tell of a case; `known` are the failures that a baseline lists."""
    decisive = heaviest(result.problems)
    keys = _private_keys(result.evidence)
    record = CaseRecord(
        id=result.id,
        title=result.requirement,
        level=result.level,
        requirement=result.section,
        verdict=result.verdict,
        known=result.verdict is Verdict.FAILED and result.id in known,
        reason=result.reason,
        expected=decisive.expected if decisive else None,
        actual=decisive.actual if decisive else None,
        problems=result.problems,
        evidence=_evidence(result.evidence, keys),
        reproduce=result.reproduce,
        duration_ms=_ms(result.seconds),
    )
    return without(record, keys)


def _private_keys(evidence: Evidence) -> frozenset[str]:
    """Those that the sender was given in this case."""
    jobs = (each.job for each in evidence.jobs)
    pairs = (each.vapid for each in jobs if isinstance(each, (SendJob, SubscribeJob)))
    return frozenset(word for vapid in pairs for word in secrets(vapid))


def _evidence(evidence: Evidence, keys: frozenset[str]) -> EvidenceRecord:
    return EvidenceRecord(jobs=tuple(_job(each, keys) for each in evidence.jobs), log=evidence.log)


def _job(each: Seen, keys: frozenset[str]) -> JobRecord:
    done = each if isinstance(each, (Push, FanOut)) else None
    requests = () if isinstance(each, Answered) else each.requests
    return JobRecord(
        job=each.job.shown(),
        result=None if isinstance(each, Unanswered) else ResultRecord(**asdict(each.result)),
        error=each.error if isinstance(each, Unanswered) else None,
        requests=tuple(_request(request, keys) for request in requests),
        messages=tuple(message.id for message in done.messages) if done else (),
    )


def _request(request: Request, keys: frozenset[str]) -> RequestRecord:
    return RequestRecord(
        id=request.id,
        method=request.method,
        target=request.target,
        http_version=request.http_version,
        headers=request.headers.lines,
        body=_body(request.raw["body"], keys),
        status=request.status,
        codes=tuple(request.codes),
    )


def _body(body: Json, keys: frozenset[str]) -> Body:
    leaks = has(body["base64"], keys)
    return Body(base64=None if leaks else body["base64"], size=body["size"])


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def summary(record: RunRecord) -> Json:
    """How many cases there are, how many of each verdict, and how many failures were known."""
    counts = {str(verdict): count for verdict, count in record.counts.items()}
    return {"cases": len(record.cases), **counts, "known": record.known}


def members(record: object) -> Json:
    """The members of a record, and of those in it."""
    return asdict(cast("Any", record))
