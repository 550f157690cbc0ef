"""Push services that ask to wait: 429 and 503 with Retry-After (RFC 8030, Section 8.4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from mockpush.client.faults import FaultMembers
from mockpush.client.headers import Headers
from mockpush.client.records import Request
from mockpush.protocol.findings import Level

from ..case import CaseTable
from ..evidence import Push
from ..trial import Trial
from ..verdict import Problem
from .reports import answered, failure, seen

TABLE: Final = CaseTable()

PAUSE: Final = 2
"""Seconds in Retry-After: short, so that a sender can wait for it within its job."""
EARLY: Final = timedelta(seconds=0.1)
"""What timers may be early."""
EARLY_FOR_DATE: Final = timedelta(seconds=0.5)
"""The same for dates, which have whole seconds only."""

_RETRY_AFTER: Final = "RFC 9110, Section 10.2.3"
_ROWS: Final[tuple[tuple[str, str, str, str | None, FaultMembers], ...]] = (
    (
        "rfc8030/8.4/429-retry-after",
        "Who is told to wait (429, Retry-After in seconds) waits, or tells the caller.",
        f"RFC 8030, Section 8.4; {_RETRY_AFTER}",
        None,
        {"status": 429, "retry_after": PAUSE},
    ),
    (
        "rfc9110/10.2.3/retry-after-is-a-date",
        "Who is told to wait (429, Retry-After as a date) waits, or tells the caller.",
        _RETRY_AFTER,
        None,
        {"status": 429, "retry_after": {"date": PAUSE}},
    ),
    (
        "rfc9110/10.2.3/406-of-wns",
        "Who is told to wait by Edge's push service, which says 406, waits or tells the caller.",
        _RETRY_AFTER,
        "wns",
        {"answer": "throttled", "retry_after": PAUSE},
    ),
    (
        "rfc9110/15.6.4/503-retry-after",
        "Who is told to wait (503, Retry-After in seconds) waits, or tells the caller.",
        f"RFC 9110, Section 15.6.4; {_RETRY_AFTER}",
        None,
        {"status": 503, "retry_after": PAUSE},
    ),
)
"""Id, requirement, section, profile of the subscription (None: that of the run), answer."""


def _declare(
    case_id: str, requirement: str, section: str, profile: str | None, answer: FaultMembers
) -> None:
    @TABLE.judged(case_id, requirement, section=section)
    def waits_or_tells(trial: Trial) -> Iterator[Problem]:
        to = trial.control.subscribe(profile=profile)
        push = answered(trial, to=to, times=1, **answer)
        yield from failure(trial, push)
        yield from _tells(trial, push)
        yield from _waits(trial, push)


for _row in _ROWS:
    _declare(*_row)


def _tells(trial: Trial, push: Push) -> Iterator[Problem]:
    result, status = push.result, push.requests[0].status
    if not result.ok and result.status != status and result.retry_after is None:
        yield trial.problem(
            "the caller cannot tell that it is to wait",
            expected=f"the status {status}, or the value of Retry-After",
            actual=seen(result),
            hint="Without it applications push again at once, and are shut out for longer.",
            level=Level.PRACTICE,
            request=push.requests[0],
        )


def _waits(trial: Trial, push: Push) -> Iterator[Problem]:
    if len(push.requests) < 2:
        return
    first, again = push.requests[:2]
    if again.received_at < earliest(first):
        yield trial.problem(
            "the sender repeats the push before the time that Retry-After names",
            expected=f"no request before {_shown(earliest(first))}",
            actual=f"one at {_shown(again.received_at)}",
            hint="Wait as long as Retry-After says, or leave it to the caller and hand it on.",
            level=Level.PRACTICE,
            request=again,
        )


def earliest(asked: Request) -> datetime:
    """From when on the push may be repeated."""
    assert asked.answer is not None
    value = Headers(asked.answer["headers"])["Retry-After"]
    if value.isdigit():
        return asked.received_at + timedelta(seconds=int(value)) - EARLY
    return parsedate_to_datetime(value) - EARLY_FOR_DATE


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]
