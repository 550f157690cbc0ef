"""Why a payload cannot be read: with the other subscriptions of the service to compare.

It runs after the answer, when somebody looks, and never changes the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mockpush.errors import DecryptionError
from mockpush.protocol.diagnosis import MAX_OTHERS, diagnose
from mockpush.protocol.findings import Finding
from mockpush.protocol.inspection import Decryption, Payload, draft_values
from mockpush.protocol.model import Subscription, SubscriptionKeys
from mockpush.protocol.records import PushMessage

_CODING: Final = "content_encoding."


def explain(
    message: PushMessage, payload: Payload, subscriptions: Sequence[Subscription]
) -> Payload:
    """The payload that could not be read, with the cause as its finding.

    `subscriptions` are those of the tenant; the newest managed ones are tried, since a sender that
    mixes up two rows encrypts for another subscription of the same service.
    """
    own = next((each for each in subscriptions if each.id == message.subscription), None)
    failure = _failure(message, payload)
    if own is None or own.keys is None or failure is None:
        return payload._replace(explained=True)
    salt, dh, rs = draft_values(message.inspection.parameters)
    cause = diagnose(
        DecryptionError(failure.code, expected=failure.expected, actual=failure.actual),
        message.body,
        coding=message.inspection.content_encoding or "",
        keys=own.keys,
        salt=salt,
        dh=dh,
        rs=rs,
        others=_others(own, subscriptions),
    )
    finding = Finding(cause.code, cause.expected, cause.actual, cause.detail)
    known = message.inspection.codes
    findings = () if finding.code in known else (finding,)
    return Payload(Decryption.FAILED, None, findings, explained=True)


def _failure(message: PushMessage, payload: Payload) -> Finding | None:
    """Why reading stopped: what decryption said, or that there was no coding to decrypt."""
    codings = (each for each in message.inspection.findings if each.code.startswith(_CODING))
    return next(iter(payload.findings), None) or next(codings, None)


def _others(
    own: Subscription, subscriptions: Sequence[Subscription]
) -> Iterable[tuple[str, SubscriptionKeys]]:
    newest = (each for each in reversed(subscriptions) if each.managed and each.id != own.id)
    for _, each in zip(range(MAX_OTHERS), newest, strict=False):
        if each.keys is not None:
            yield each.id, each.keys
