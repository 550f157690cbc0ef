"""Subscriptions as browsers, guides and databases hand them over (W3C Push API, RFC 8291)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import count
from typing import Final

from mockpush.client.push_subscription import PushSubscription
from mockpush.protocol.findings import Level
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_decode, base64url_encode

from ..case import MESSAGE, Ask, CaseTable
from ..trial import Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

_OF_MEMBERS: Final = "RFC 8291, Section 2.1; W3C Push API, Section 8"
_IN_2001: Final = 1_000_000_000_000
_IN_2096: Final = 4_000_000_000_000
"""Milliseconds since the epoch."""


@TABLE.judged(
    "rfc8291/2.1/standard-base64",
    "Keys in standard base64 with padding, as guides write them, are understood.",
    level=Level.INFORMATION,
)
def standard_base64(trial: Trial) -> Iterator[Problem]:
    target = _with_marks(trial)
    keys = {name: _standard(text) for name, text in target["keys"].items()}
    yield from _arrives(trial, target, keys=keys)


@TABLE.judged(
    "rfc8291/2.1/unknown-members",
    "Members of a subscription that nobody knows are ignored.",
    section=_OF_MEMBERS,
    level=Level.INFORMATION,
)
def unknown_members(trial: Trial) -> Iterator[Problem]:
    target = trial.subscription
    keys = {**target["keys"], "mlkem": "AAAA"}
    yield from _arrives(trial, target, keys=keys, options={"userVisibleOnly": True}, id=7)


@TABLE.judged(
    "rfc8291/2.1/expiration-time",
    "A subscription is pushed to with an expirationTime to come, or none.",
    section=_OF_MEMBERS,
    level=Level.INFORMATION,
)
def expiration_time(trial: Trial) -> Iterator[Problem]:
    target = trial.subscription
    yield from _arrives(trial, target, expirationTime=_IN_2096)
    bare = {name: target[name] for name in ("endpoint", "keys")}
    yield from trial.compare_payload(trial.send(Ask(), subscription=bare), MESSAGE)


@TABLE.judged(
    "rfc8291/2.1/expiration-time-is-over",
    "A subscription whose expirationTime is over is pushed to, or reported as failed.",
    section=_OF_MEMBERS,
)
def expiration_time_is_over(trial: Trial) -> Iterator[Problem]:
    given = {**trial.subscription, "expirationTime": _IN_2001}
    push = trial.attempt(Ask(), subscription=given)
    if push.result.ok and not push.requests:
        yield trial.problem(
            "the sender reports success, though it sent nothing",
            expected="a push, or an error",
            actual="success",
        )


def _arrives(trial: Trial, target: PushSubscription, **members: object) -> Iterator[Problem]:
    """Problems if no message arrives when the sender is given other `members` for `target`."""
    push = trial.send(Ask(), to=target, subscription={**target, **members})
    yield from trial.compare_payload(push, MESSAGE)


def _with_marks(trial: Trial) -> PushSubscription:
    """A subscription whose keys have characters that only one alphabet has."""
    pairs = (generate_key_pair() for _ in count())
    private_key, point = next(pair for pair in pairs if {"-", "_"} <= {*base64url_encode(pair[1])})
    keys = {"p256dh": point, "auth": b"\xfb\xff" * 8, "private_key": private_key}
    return trial.control.subscribe(
        keys={name: base64url_encode(value) for name, value in keys.items()}
    )


def _standard(text: str) -> str:
    return base64.b64encode(base64url_decode(text)).decode()
