"""Payloads that are too long: refused before they are sent, or sent whole (RFC 8291, Section 4)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Final

from mockpush.client.push_subscription import PushSubscription
from mockpush.client.records import Request
from mockpush.protocol.inspection import Context, Payload, inspect, read_payload
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import (
    AUTH_SECRET_LENGTH,
    PushRequest,
    SubscriptionKeys,
    base64url_encode,
)

from ..case import Ask, CaseTable
from ..evidence import Push
from ..jobs import quoted
from ..trial import Trial
from ..verdict import Problem
from .reports import failure

TABLE: Final = CaseTable()

_ROWS: Final = (
    (3994, "one octet more than every push service takes"),
    (4079, "with which a record of 4096 octets is full, and rs must be greater"),
    (4080, "one octet more than a record of 4096 octets holds"),
    (4100, "more than a record of 4096 octets holds"),
    (10_000, "more than two records of 4096 octets hold"),
)
"""Octets, and what is special about them."""

_ENVELOPE: Final = ("encryption.*", "aesgcm.*")


def _declare(length: int, special: str) -> None:
    @TABLE.judged(
        f"rfc8291/4/payload-of-{length}",
        f"A payload of {length} octets is refused, or sent as one whole record.",
        codes=_ENVELOPE,
    )
    def whole_or_not_at_all(trial: Trial) -> Iterator[Problem]:
        payload = bytes(position % 251 for position in range(length))
        keys, target = _readable(trial)
        push = trial.attempt(Ask(payload=payload), to=target)
        if push.requests:
            yield from _whole(trial, push, payload, keys)
            yield from failure(trial, push)
        elif push.result.ok:
            yield trial.problem(
                "the sender reports success, though it sent nothing",
                expected=f"an error: {length} octets are {special}",
                actual="success",
            )


for _row in _ROWS:
    _declare(*_row)


def _whole(trial: Trial, push: Push, payload: bytes, keys: SubscriptionKeys) -> Iterator[Problem]:
    """Problems with what was sent, whether the push service took it or not."""
    if problems := list(trial.findings(*_ENVELOPE)):
        yield from problems
        return
    for request in push.requests:
        read = _read(request, keys)
        if read.data != payload:
            why = ", ".join(str(finding) for finding in read.findings)
            yield trial.problem(
                "what was sent is not the payload",
                expected=quoted(payload),
                actual=why or quoted(read.data),
                hint="Refuse what is too long, or send it whole and report the 413: half a message "
                "is none, and nobody is told.",
                request=request,
            )
            return


def _readable(trial: Trial) -> tuple[SubscriptionKeys, PushSubscription]:
    """A subscription of our own keys: the service does not read what it refuses."""
    private_key, p256dh = generate_key_pair()
    keys = SubscriptionKeys(p256dh, secrets.token_bytes(AUTH_SECRET_LENGTH), private_key)
    members = {
        "p256dh": base64url_encode(p256dh),
        "auth": base64url_encode(keys.auth),
        "private_key": base64url_encode(private_key),
    }
    return keys, trial.control.subscribe(keys=members)


def _read(request: Request, keys: SubscriptionKeys) -> Payload:
    """What a user agent with these keys would have made of it."""
    lines = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.lines
    ]
    pushed = PushRequest(request.method, request.target, lines, request.body, 0.0, 0.0)
    return read_payload(inspect(pushed, Context(None, (), 0.0)), request.body, keys)
