"""When an application tries again, how often, and when it had better not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from mockpush.client.records import Request
from mockpush.protocol.findings import Level
from mockpush.protocol.model import MessageState

from ..audience import Audience, AudienceTable, to
from ..verdict import Problem

TABLE: Final = AudienceTable()

RETRY_AFTER: Final = 1
"""Seconds: the shortest that Retry-After can say, since an application may wait within its job."""
SLACK: Final = 0.05
"""Seconds that a timer may be early, and clocks may differ."""
PAUSE: Final = 0.2
"""Seconds below which a retry only adds to what the push service cannot bear already."""
RETRIES: Final = 5
"""As often may one message be tried again."""


@TABLE.of_audience(
    "waits-for-retry-after",
    "After 429 and 503 nothing is tried again before Retry-After, and failures are told.",
    level=Level.SHOULD,
    section="RFC 8030, Section 8.4; RFC 9110, Section 10.2.3",
)
def waits_for_retry_after(audience: Audience) -> Iterator[Problem]:
    faults = audience.trial.control.faults
    everybody = [audience.subscribe() for _ in (429, 503)]
    for status, each in zip((429, 503), everybody, strict=True):
        faults.add(status=status, retry_after=RETRY_AFTER, times=1, subscription=each)
    push = audience.notify()
    for each in everybody:
        yield from _too_early(audience, to(push, each), RETRY_AFTER, f"Retry-After: {RETRY_AFTER}")
    yield from audience.untrue(push)


@TABLE.of_audience(
    "pauses-before-it-retries",
    "After a 503 without Retry-After there is a pause before the message is tried again.",
    level=Level.PRACTICE,
    section="RFC 9110, Section 15.6.4",
)
def pauses(audience: Audience) -> Iterator[Problem]:
    subscription = audience.subscribe()
    audience.trial.control.faults.add(status=503, times=1)
    push = audience.notify()
    yield from _too_early(audience, to(push, subscription), PAUSE, "a pause")
    yield from audience.untrue(push)


@TABLE.of_audience(
    "retries-end",
    f"A message is tried again at most {RETRIES} times, and then reported as failed.",
    level=Level.PRACTICE,
    section="RFC 9110, Section 15.6.4",
)
def retries_end(audience: Audience) -> Iterator[Problem]:
    audience.subscribe()
    audience.trial.control.faults.add(status=503, retry_after=RETRY_AFTER)
    push = audience.notify()
    if len(push.requests) > RETRIES + 1:
        yield audience.trial.problem(
            "a message is tried again and again",
            expected=f"at most {RETRIES} retries",
            actual=f"{len(push.requests) - 1} retries",
            request=push.requests[-1],
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


def _too_early(
    audience: Audience, requests: Sequence[Request], least: float, asked: str
) -> Iterator[Problem]:
    """A problem if one request follows another sooner than `least` seconds."""
    for earlier, later in pairwise(requests):
        apart = (later.received_at - earlier.received_at).total_seconds()
        if apart < least - SLACK:
            yield audience.trial.problem(
                "the application tries again too early",
                expected=f"{asked}, so at least {least:g} s",
                actual=f"{apart:.3f} s",
                hint="Whoever does not wait is throttled for longer.",
                request=later,
            )
            return
