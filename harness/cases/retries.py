"""When an application tries again, how often, and when it had better not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from mockpush.client.faults import FaultMembers
from mockpush.client.push_subscription import PushSubscription
from mockpush.client.records import Request
from mockpush.protocol.findings import Level
from mockpush.protocol.model import MessageState

from ..audience import Audience, AudienceTable, to
from ..verdict import Problem
from .answers import same
from .reports import ENOUGH, PAUSE, REPEATS, hurried
from .waiting import earliest

TABLE: Final = AudienceTable()

RETRY_AFTER: Final = 1
"""Seconds: the shortest that Retry-After can say, since an application may wait within its job."""
LINGER: Final = 0.9
"""Seconds in which a retry in the background, which Retry-After forbids, is waited for."""
RETRIES: Final = REPEATS
"""As often may one message be tried again."""

_THROTTLED: Final[tuple[FaultMembers, ...]] = (
    {"status": 429, "retry_after": RETRY_AFTER},
    {"status": 503, "retry_after": RETRY_AFTER},
    {"status": 429, "retry_after": {"date": 2 * RETRY_AFTER}},
)
"""Dates have whole seconds: one of a second may be over at once."""
_REFUSED: Final = (400, 401, 403, 404, 410, 413)


@TABLE.of_audience(
    "waits-for-retry-after",
    "After 429 and 503 nothing is tried again before Retry-After, in seconds or as a date.",
    level=Level.SHOULD,
    section="RFC 8030, Section 8.4; RFC 9110, Section 10.2.3",
)
def waits_for_retry_after(audience: Audience) -> Iterator[Problem]:
    everybody = _each_fails(audience, *_THROTTLED)
    push = audience.notify()
    requests = audience.later(push, within=LINGER)
    for each in everybody:
        own = to(requests, each)
        for asked, again in pairwise(own[:2]):
            if again.received_at < earliest(asked):
                yield _too_early(audience, asked, again, "nothing before Retry-After")


@TABLE.of_audience(
    "pauses-before-it-retries",
    "After 429, 500, 502 and 503 there is a pause before a message is tried again.",
    level=Level.PRACTICE,
    section="RFC 9110, Section 15.6.4",
)
def pauses(audience: Audience) -> Iterator[Problem]:
    failures: list[FaultMembers] = [{"status": status} for status in (429, 500, 502, 503)]
    everybody = _each_fails(audience, *failures)
    push = audience.notify()
    requests = audience.later(push, within=PAUSE)
    for each in everybody:
        for asked, again in hurried(to(requests, each)):
            yield _too_early(audience, asked, again, f"a pause of at least {PAUSE} s")


@TABLE.of_audience(
    "not-repeated-as-it-was",
    "What was refused (400, 401, 403, 404, 410, 413) is not sent again as it was.",
    level=Level.PRACTICE,
    section="RFC 9110, Section 15.5",
)
def not_repeated(audience: Audience) -> Iterator[Problem]:
    refusals: list[FaultMembers] = [{"status": status} for status in _REFUSED]
    everybody = _each_fails(audience, *refusals, times=ENOUGH)
    push = audience.notify()
    for each in everybody:
        own = tuple(to(push.requests, each))
        if len(own) > 2 or same(own):
            yield audience.trial.problem(
                f"the application repeats a push that was answered {own[0].status}",
                expected="no repetition, or one with another token or a smaller body",
                actual=f"{len(own)} requests",
                hint="It is refused again, and again: report the error.",
                request=own[-1],
            )


@TABLE.of_audience(
    "retries-end",
    f"A message is tried again at most {RETRIES} times, and then reported as failed.",
    level=Level.PRACTICE,
    section="RFC 9110, Section 15.6.4",
)
def retries_end(audience: Audience) -> Iterator[Problem]:
    failures: list[FaultMembers] = [
        {"status": status, "retry_after": RETRY_AFTER} for status in (500, 503)
    ]
    everybody = _each_fails(audience, *failures, times=ENOUGH)
    push = audience.notify()
    for each in everybody:
        if len(own := to(push.requests, each)) > RETRIES + 1:
            yield audience.trial.problem(
                "a message is tried again and again",
                expected=f"at most {RETRIES} retries",
                actual=f"{len(own) - 1} retries",
                request=own[-1],
            )
    yield from audience.untrue(push)


@TABLE.of_audience(
    "not-sent-twice",
    "A message whose answer is lost is not delivered twice.",
    level=Level.SHOULD,
    section="RFC 9110, Section 9.2.2",
)
def not_sent_twice(audience: Audience) -> Iterator[Problem]:
    away = audience.subscribe(online=False)
    audience.trial.control.faults.add(kind="reset_midway", times=1)
    push = audience.notify()
    away.online()
    delivered = [each for each in away.messages if each.state is MessageState.ACKNOWLEDGED]
    if len(delivered) > 1:
        yield audience.trial.problem(
            "a message is delivered twice, since its answer was lost",
            expected="one notification",
            actual=f"{len(delivered)} of them",
            hint="A push whose answer is late or lost may have been accepted: try it again only "
            "with a Topic, so that the second replaces the first.",
            request=push.requests[-1],
        )


def _each_fails(
    audience: Audience, *failures: FaultMembers, times: int = 1
) -> list[PushSubscription]:
    """A subscription for each of these faults, which it meets so many times."""
    everybody = [audience.subscribe() for _ in failures]
    for failure, each in zip(failures, everybody, strict=True):
        audience.trial.control.faults.add(times=times, match={"subscription": each}, **failure)
    return everybody


def _too_early(audience: Audience, asked: Request, again: Request, expected: str) -> Problem:
    apart = (again.received_at - asked.received_at).total_seconds()
    return audience.trial.problem(
        "the application tries again too early",
        expected=expected,
        actual=f"another request {apart:.3f} s after a {asked.status}",
        hint="Whoever does not wait is throttled for longer.",
        request=again,
    )
