"""Delivery receipts (RFC 8030, Sections 5.1 and 6.3): what a request asks for, what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mockpush.protocol.findings import Finding
from mockpush.protocol.headers import Lines, parse_prefer, shown
from mockpush.protocol.links import RECEIPT, linked
from mockpush.protocol.model import MessageState

DELIVERED: Final = 204
GONE: Final = 410

STATUS: Final[Mapping[MessageState, int]] = {
    MessageState.ACKNOWLEDGED: DELIVERED,
    MessageState.EXPIRED: GONE,
    MessageState.DROPPED: GONE,
    MessageState.CANCELLED: GONE,
}
"""The receipt of a message that ends so (Section 6.3); one that is replaced has none (5.4)."""


class ReceiptRequest(NamedTuple):
    """What a push says about receipts: the receipt subscription in its Link, as it was written."""

    wanted: bool
    subscription: str | None


class Receipt(NamedTuple):
    """What became of the message of this id: 204 acknowledged, 410 never will be."""

    message: str
    status: int


@dataclass(frozen=True, slots=True)
class ReceiptSubscription:
    """A resource that an application server monitors for receipts (RFC 8030, Section 5.1)."""

    id: str
    tenant: str
    created_at: float = field(compare=False)


def read_receipt(fields: Mapping[bytes, Lines], findings: list[Finding]) -> ReceiptRequest | None:
    """What the request says about receipts; None if nothing."""
    if b"push-receipt" in fields:
        actual = f"Push-Receipt: {shown(fields[b'push-receipt'][0])}"
        findings.append(Finding("receipt.draft", "Prefer: respond-async", actual))
    wanted = parse_prefer(fields.get(b"prefer"), findings).respond_async
    subscription = linked(b",".join(fields.get(b"link", ())).decode("latin-1"), RECEIPT)
    if wanted:
        findings.append(Finding("receipt.requested", "nothing", "Prefer: respond-async"))
    elif subscription is None:
        return None
    else:
        actual = shown(subscription.encode("latin-1"))
        findings.append(Finding("receipt.not_requested", "Prefer: respond-async", actual))
    return ReceiptRequest(wanted, subscription)
