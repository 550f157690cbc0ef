"""TTL: how long a push message lives (RFC 8030, Section 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.findings import Level
from mockpush.protocol.model import MessageState

from ..case import Ask, CaseTable
from ..trial import NotApplicableError, Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

DAY: Final = 24 * 3600
WEEK: Final = 7 * DAY
FOUR_WEEKS: Final = 4 * WEEK
"""The longest that all vendors keep a message."""

TABLE.free_of(
    "rfc8030/5.2/ttl-present",
    "Every push message has one TTL, a number of seconds.",
    "ttl.*",
    "!ttl.zero",
)


@TABLE.judged(
    "rfc8030/5.2/ttl-as-asked",
    "The TTL is the one that was asked for.",
)
def ttl_as_asked(trial: Trial) -> Iterator[Problem]:
    for ttl in (1, 60, WEEK, FOUR_WEEKS):
        yield from _compare(trial, ttl)


@TABLE.judged(
    "rfc8030/5.2/ttl-zero-as-asked",
    "A TTL of 0 can be asked for.",
)
def ttl_zero_as_asked(trial: Trial) -> Iterator[Problem]:
    yield from _compare(trial, 0)


@TABLE.judged(
    "rfc8030/5.2/ttl-longer-than-any",
    "A TTL that no push service keeps to is sent as it is, or refused.",
)
def longer_than_any(trial: Trial) -> Iterator[Problem]:
    for ttl in (365 * DAY, 2**32 + 60):
        push = trial.attempt(Ask(ttl=ttl))
        for request in push.requests[:1]:
            sent = request.headers.get("TTL")
            if sent != str(ttl):
                shortened = sent is not None and sent.isdecimal() and int(sent) >= FOUR_WEEKS
                yield trial.problem(
                    "the TTL is another one than was asked for",
                    expected=str(ttl),
                    actual=sent or "nothing",
                    # What push services would do themselves loses no message.
                    level=Level.PRACTICE if shortened else None,
                    request=request,
                )


def _compare(trial: Trial, ttl: int) -> Iterator[Problem]:
    push = trial.send(Ask(ttl=ttl))
    yield from trial.compare_field(push, "TTL", str(ttl))


@TABLE.judged(
    "rfc8030/5.2/expires",
    "A message whose TTL passes while the user agent is away is not delivered.",
)
def expires(trial: Trial) -> Iterator[Problem]:
    yield from _state_after(trial, ttl=60, passing="2m", state=MessageState.EXPIRED)


@TABLE.judged(
    "rfc8030/5.2/waits-for-the-user-agent",
    "A message is delivered to a user agent that comes back within the TTL.",
)
def waits(trial: Trial) -> Iterator[Problem]:
    yield from _state_after(trial, ttl=WEEK, passing="6d", state=MessageState.ACKNOWLEDGED)


@TABLE.judged(
    "rfc8030/5.2/ttl-zero-is-now-or-never",
    "A message with a TTL of 0 is not kept for a user agent that is away.",
)
def now_or_never(trial: Trial) -> Iterator[Problem]:
    yield from _state_after(trial, ttl=0, passing="1s", state=MessageState.DROPPED)


def _state_after(trial: Trial, *, ttl: int, passing: str, state: MessageState) -> Iterator[Problem]:
    """Sends to a user agent that is away and comes back when `passing` has passed."""
    away = trial.control.subscribe(online=False)
    push = trial.send(Ask(ttl=ttl), to=away)
    if push.requests[0].refused and push.requests[0].codes[0] == "ttl.zero":
        raise NotApplicableError("this push service takes no TTL of 0")
    trial.control.clock.advance(passing)
    away.online()
    actual = trial.message(push).state
    yield from trial.compare(f"the message's state after {passing}", state, actual, push=push)
