"""Receipts on the way of a push: the receipt subscription that it names, or a new one."""

from __future__ import annotations

from typing import Final
from urllib.parse import urljoin, urlsplit

from mockpush.protocol.findings import Finding
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.model import Subscription, new_token
from mockpush.protocol.receipts import ReceiptSubscription
from mockpush.protocol.records import PushMessage
from mockpush.storage.base import Storage

PATH: Final = "/r/"
"""In front of the id of a receipt subscription."""


async def find_receipts(
    storage: Storage, inspection: Inspection, subscription: Subscription
) -> str:
    """The id of the receipt subscription that a request names, else of one to be opened.

    One that is not there, or belongs to another tenant, is a finding (RFC 8030, Section 5.1).
    """
    asked = inspection.head.receipt
    if asked is None or asked.subscription is None:
        return new_token()
    own_id = _id(asked.subscription, subscription)
    found = await storage.receipt_subscription(own_id)
    if found is None or found.tenant != subscription.tenant:
        expected = "the URL that a 202 gave, or none"
        finding = Finding("receipt.subscription.unknown", expected, asked.subscription[:200])
        inspection.findings += (finding,)
    return own_id


async def open_receipts(storage: Storage, message: PushMessage, receipt: str) -> None:
    """Sees to it that the receipt subscription of a message to be accepted is there."""
    await storage.open_receipts(ReceiptSubscription(receipt, message.tenant, message.received_at))


def _id(url: str, subscription: Subscription) -> str:
    """The id in the URL of a receipt subscription, relative ones too; empty if it is none."""
    try:
        parts = urlsplit(urljoin(subscription.endpoint, url))
    except ValueError:
        return ""
    ours = f"{parts.scheme}://{parts.netloc}".lower() in subscription.origins
    return parts.path.removeprefix(PATH) if ours and parts.path.startswith(PATH) else ""
