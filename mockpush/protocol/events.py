"""Events: what happened, in order, in one tenant."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class EventKind(StrEnum):
    """Every kind of event; `message.*` follow the steps and reports in `delivery.py`.

    Those of subscription sets and receipt subscriptions have the id of the resource as `detail`.
    """

    REQUEST = "request"
    MESSAGE_ACCEPTED = "message.accepted"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_RELEASED = "message.released"
    MESSAGE_ACKNOWLEDGED = "message.acknowledged"
    MESSAGE_EXPIRED = "message.expired"
    MESSAGE_REPLACED = "message.replaced"
    MESSAGE_DROPPED = "message.dropped"
    MESSAGE_CANCELLED = "message.cancelled"
    MESSAGE_DECRYPTED = "message.decrypted"
    MESSAGE_NOT_DECRYPTED = "message.not_decrypted"
    MESSAGE_DISPATCHED = "message.dispatched"
    MESSAGE_COMPLETED = "message.completed"
    MESSAGE_REJECTED = "message.rejected"
    MESSAGE_NOTIFICATION_SHOWN = "message.notification_shown"
    MESSAGE_NOTIFICATION_CLICKED = "message.notification_clicked"
    MESSAGE_NOTIFICATION_CLOSED = "message.notification_closed"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_EXPIRED = "subscription.expired"
    SUBSCRIPTION_REMOVED = "subscription.removed"
    SUBSCRIPTION_ONLINE = "subscription.online"
    SUBSCRIPTION_OFFLINE = "subscription.offline"
    SET_REMOVED = "set.removed"
    RECEIPTS_OPENED = "receipts.opened"
    RECEIPTS_CLOSED = "receipts.closed"
    FAULT_INJECTED = "fault.injected"
    CLOCK_ADVANCED = "clock.advanced"
    CLOCK_FROZEN = "clock.frozen"
    CLOCK_RESUMED = "clock.resumed"
    TENANT_RESET = "tenant.reset"


class Event(NamedTuple):
    """One thing that happened. `sequence` grows by one with each event of the tenant."""

    sequence: int
    at: float
    kind: EventKind
    subscription: str | None = None
    message: str | None = None
    request: int | None = None
    detail: str | None = None
