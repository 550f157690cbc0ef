"""What the tests of formats share: runs as records, one of them full of what formats stumble on."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from mockpush.harness.evidence import Evidence, Push
from mockpush.harness.jobs import Hello, SendResult
from mockpush.harness.report.record import RunRecord, recorded
from mockpush.harness.verdict import Problem, Report, Verdict
from mockpush.protocol.findings import Level

HOSTILE = (
    "\x1b[2J\r\n::error::x % ]]> </style></pre></details><img src=x onerror=alert(1)> "
    "``` | `a` @team <!-- \ud800 \ufffe \u202e"
)
"""What controls terminals, workflows and pages, if somebody lets it."""


@pytest.fixture
def report() -> Callable[..., Report]:
    """A report of these results."""

    def make(*results, known=None, seconds=1.23456, **sender) -> Report:
        about = {"name": "scripted", "version": "1.2", "ops": ("send",), "language": "Go", **sender}
        return Report(
            sender=Hello(**about),
            profile="rfc",
            strict=False,
            results=results,
            seconds=seconds,
            started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            known=None if known is None else frozenset(known),
        )

    return make


@pytest.fixture
def record(report) -> Callable[..., RunRecord]:
    """The record of a run with these results."""
    return lambda *results, **given: recorded(report(*results, **given))


@pytest.fixture
def failed(case_result, send_job, request_record) -> Callable[..., object]:
    """A case that failed, with a problem, its request, and what the sender logged."""

    def make(**given) -> object:
        problem = Problem(
            level=Level.MUST,
            section="RFC 8292, Section 2",
            text="aud is not the origin",
            expected="https://localhost:1",
            actual="https://localhost",
            hint="Add the port.",
            code="vapid.aud.port_missing",
            request="r2",
        )
        pushes = tuple(
            Push(
                job=send_job(ttl=ttl),
                result=SendResult(ok=True, status=201),
                requests=(
                    request_record(
                        id=f"r{ttl}", body={"base64": "AAECAwQFBgcICQoLDA0ODxAR", "size": 18}
                    ),
                ),
                messages=(),
            )
            for ttl in (1, 2, 3)
        )
        members = {
            "id": "rfc8292/2/aud-is-origin",
            "verdict": Verdict.FAILED,
            "reason": str(problem),
            "problems": (problem,),
            "evidence": Evidence(jobs=pushes, log="Traceback\n\tKeyError: 'x'\n"),
            "reproduce": "mockpush check -k rfc8292/2/aud-is-origin -- node 'x y.js'",
        }
        return case_result(**{**members, **given})

    return make


@pytest.fixture
def words() -> str:
    """See `HOSTILE`."""
    return HOSTILE


@pytest.fixture
def hostile(failed, send_job, request_record) -> object:
    """A failed case in which all words that are not ours are `HOSTILE`."""
    problem = Problem(
        level=Level.MUST,
        section="RFC 8030, Section 5",
        text=HOSTILE,
        expected=HOSTILE,
        actual=HOSTILE,
        hint=HOSTILE,
    )
    push = Push(
        job=send_job(topic=HOSTILE),
        result=SendResult(ok=False, error=HOSTILE),
        requests=(request_record(method=HOSTILE, target=HOSTILE, headers=[[HOSTILE, HOSTILE]]),),
        messages=(),
    )
    return failed(
        reason=HOSTILE,
        problems=(problem,),
        evidence=Evidence(jobs=(push,), log=HOSTILE),
        reproduce=HOSTILE,
    )


@pytest.fixture
def mixed(record, case_result, failed):
    """A run with a case of every kind."""
    return record(
        case_result(),
        case_result(id="rfc8030/5.4/topic", verdict=Verdict.SKIPPED, reason="no option"),
        failed(id="rfc8292/2/token", verdict=Verdict.WARNING),
        failed(),
        failed(id="rfc8292/2/known"),
        known=["rfc8292/2/known", "rfc8030/5.2/ttl-present"],
    )
