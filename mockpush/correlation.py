"""Correlation: findings that need other requests or subscriptions of the tenant.

It runs after the answer, when somebody looks, and never changes it. A rule states facts that the
history proves, for accepted requests as for refused ones; one that explains another finding runs
only where that stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from mockpush.history import Earlier, History, http_date, retry_after
from mockpush.misidentification import (
    explain_audience,
    explain_expiry,
    explain_key,
    explain_lifetime,
    explain_signature,
)
from mockpush.protocol.delivery import NOBODY_THERE
from mockpush.protocol.findings import Finding
from mockpush.protocol.records import PushMessage, RequestRecord

_TOLERANCE: Final = 0.1
"""Seconds by which two readings of clocks may disagree."""


def correlate(
    history: History, *, record: RequestRecord | None, message: PushMessage | None
) -> tuple[Finding, ...]:
    """What the history adds to a request (`record`, if it is still known) and its `message`."""
    found: list[Finding] = []
    if record is not None:
        codes = frozenset(record.inspection.codes)
        for rule in _RULES:
            if not rule.explains or not rule.explains.isdisjoint(codes):
                found += rule.find(record, history)
    if message is not None:
        found += _lost_at_once(message)
    return tuple(found)


def _same_encryption(record: RequestRecord, history: History) -> Iterator[Finding]:
    """The sender took again what RFC 8188 and RFC 8291 want to be new for each message."""
    salted = history.with_same_salt(record)
    if salted and (earlier := history.with_same_nonce(record)):
        yield Finding("reuse.nonce", "a new salt and a new key pair", _as_in(earlier))
        return
    if salted:
        yield Finding("reuse.salt", "16 new random octets", _as_in(salted))
    if earlier := history.with_same_sender_key(record):
        yield Finding("reuse.key", "a new key pair", _as_in(earlier))


def _as_in(earlier: RequestRecord) -> str:
    return f"the same as in request {earlier.id}, with another body"


def _gone_before(record: RequestRecord, history: History) -> Iterator[Finding]:
    gone = history.answered_gone(record)
    if gone is not None:
        times = "once" if gone.times == 1 else f"{gone.times} times"
        yield Finding(
            "subscription.not_removed",
            f"no push after the answer {gone.first.status} to request {gone.first.id}",
            f"another push; it was answered 404 or 410 {times} before",
        )


def _not_awaited(record: RequestRecord, history: History) -> Iterator[Finding]:
    asked = history.asked_to_wait(record)
    if asked is None or (wait := _wait(asked)) is None:
        return
    elapsed = _elapsed(asked.last, record)
    if elapsed + _TOLERANCE < wait:
        answer = f"the answer {asked.last.status} to request {asked.last.id}"
        yield Finding(
            "retry_after.not_awaited",
            f"after {wait:.0f} s, as {answer} said",
            f"after {max(0.0, elapsed):.{0 if elapsed >= 2 else 1}f} s",
        )


def _wait(asked: Earlier) -> float | None:
    """Seconds from the last answer's request on; None for what is neither seconds nor a date."""
    text = (retry_after(asked.last) or b"").strip()
    if text.isdigit():
        return float(text[:9])
    until = http_date(text)
    if until is None:
        return None
    # Dates are in real time. A clock that the test has set gives a longer or a shorter wait; the
    # shorter one counts, so that nobody is blamed for that.
    request = asked.last.request
    return until - max(request.received_at, request.token_time)


def _elapsed(earlier: RequestRecord, later: RequestRecord) -> float:
    """Seconds between two requests, on the clock that has moved more: the test may have put forward
    the service's, or its own."""
    return max(
        later.request.received_at - earlier.request.received_at,
        later.request.token_time - earlier.request.token_time,
    )


def _lost_at_once(message: PushMessage) -> Iterator[Finding]:
    if message.steps and message.steps[-1].detail == NOBODY_THERE:
        yield Finding("ttl.zero.dropped", "a TTL above 0, or a user agent that is there", "TTL: 0")


class _Rule(NamedTuple):
    """What finds, and the codes that it explains; none: it looks at every request."""

    find: Callable[[RequestRecord, History], Iterator[Finding]]
    explains: frozenset[str] = frozenset()


_RULES: Final = (
    _Rule(explain_audience, frozenset(("vapid.aud.mismatch",))),
    _Rule(explain_key, frozenset(("vapid.key.mismatch",))),
    _Rule(explain_signature, frozenset(("vapid.signature.invalid",))),
    _Rule(explain_expiry, frozenset(("vapid.exp.past",))),
    _Rule(explain_lifetime, frozenset(("vapid.exp.too_far", "vapid.nbf.future"))),
    _Rule(_same_encryption),
    _Rule(_gone_before),
    _Rule(_not_awaited),
)
