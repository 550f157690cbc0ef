"""Correlation: findings that need more than the request, namely what else the service knows.

It runs after the answer, when somebody looks, and never changes the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .errors import DecryptionError
from .protocol.diagnosis import MAX_OTHERS, diagnose
from .protocol.findings import Finding
from .protocol.inspection import Decryption, Payload, draft_values
from .protocol.model import Subscription, SubscriptionKeys
from .protocol.records import PushMessage


def correlate(
    message: PushMessage, payload: Payload, subscriptions: Sequence[Subscription]
) -> Payload:
    """The payload that could not be read, with the cause as its finding.

    `subscriptions` are those of the tenant; the newest managed ones are tried, since a sender that
    mixes up two rows encrypts for another subscription of the same service.
    """
    own = next((each for each in subscriptions if each.id == message.subscription), None)
    if own is None or own.keys is None or not payload.findings:
        return Payload(payload.decryption, None, payload.findings, explained=True)
    first = payload.findings[0]
    salt, dh, rs = draft_values(message.inspection.parameters)
    cause = diagnose(
        DecryptionError(first.code, expected=first.expected, actual=first.actual),
        message.body,
        coding=message.inspection.content_encoding or "",
        keys=own.keys,
        salt=salt,
        dh=dh,
        rs=rs,
        others=_others(own, subscriptions),
    )
    finding = Finding(cause.code, cause.expected, cause.actual, cause.detail)
    return Payload(Decryption.FAILED, None, (finding,), explained=True)


def _others(
    own: Subscription, subscriptions: Sequence[Subscription]
) -> Iterable[tuple[str, SubscriptionKeys]]:
    newest = (each for each in reversed(subscriptions) if each.managed and each.id != own.id)
    for _, each in zip(range(MAX_OTHERS), newest, strict=False):
        if each.keys is not None:
            yield each.id, each.keys
