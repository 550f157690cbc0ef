"""What storage must do: whole operations, each atomic, each returning the events that it caused.

Times are seconds since the epoch on the tenant's clock and always parameters. A tenant comes into
being with its first subscription, request or clock; reading a tenant that is not there finds
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from mockpush.faults import Fault, Push
from mockpush.protocol.clock import Clock
from mockpush.protocol.delivery import Delivery, Report
from mockpush.protocol.events import Event, EventKind
from mockpush.protocol.model import Subscription, SubscriptionSet, SubscriptionState, Urgency
from mockpush.protocol.notifications import Notification
from mockpush.protocol.receipts import Receipt, ReceiptSubscription
from mockpush.protocol.records import PushMessage, RequestRecord
from mockpush.protocol.user_agents import UserAgent

Events = Iterable[Event]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be kept. `tenants`, `user_agents` and `notifications` in all,
    `notifications_each` of one user agent, the others in each tenant.

    Over the limit, subscriptions, pending messages, fault plans and user agents are refused with a
    `LimitError`;
    messages that are no longer pending, requests, events, receipt subscriptions and notifications
    give way, oldest first.
    There are at most as many subscription sets as subscriptions, and each receipt subscription
    keeps at most as many receipts as there may be messages.
    """

    tenants: int = 4096
    subscriptions: int = 100_000
    messages: int = 100_000
    requests: int = 1_000
    events: int = 10_000
    receipt_subscriptions: int = 10_000
    faults: int = 1_000
    user_agents: int = 10_000
    notifications: int = 10_000
    notifications_each: int = 1_000


@dataclass(frozen=True, slots=True)
class TenantSummary:
    """What a tenant holds."""

    name: str
    subscriptions: int
    messages: int
    requests: int


class Keep(StrEnum):
    """What a reset can leave in place."""

    SUBSCRIPTIONS = "subscriptions"
    MESSAGES = "messages"
    """needs `subscriptions`"""
    REQUESTS = "requests"
    FAULTS = "faults"
    CLOCK = "clock"


class Arrival(NamedTuple):
    """What a request meets at a push resource.

    `number` counts the requests of the tenant, `due` is when the next thing in it expires, `faulty`
    says whether there are fault plans.
    """

    subscription: Subscription
    clock: Clock
    due: float | None
    number: int
    faulty: bool


class Storage(Protocol):
    """The contract; `tests/storage/` holds the test that every implementation must pass.

    No operation of one that ever `answers_at_once` suspends, but for `changed`.
    """

    def answers_at_once(self, token: str) -> bool:
        """Whether a request to this push resource waits neither for storage nor for a fault."""
        ...

    async def tenants(self) -> list[TenantSummary]:
        """All tenants, oldest first."""
        ...

    async def delete_tenant(self, tenant: str) -> bool:
        """Forgets a tenant and all it holds; whether there was one."""
        ...

    async def reset(self, tenant: str, *, keep: frozenset[Keep], now: float) -> Events:
        """Forgets all that a tenant holds but what `keep` names; counters and events go on."""
        ...

    async def clock(self, tenant: str) -> Clock:
        """The tenant's clock; real time if nobody has set it."""
        ...

    async def set_clock(self, tenant: str, clock: Clock, *, kind: EventKind, now: float) -> Events:
        """Sets the clock; `now` is the time on it."""
        ...

    async def add_subscription(self, subscription: Subscription, *, joins: bool = False) -> Events:
        """Keeps a new one; `LimitError` when there are too many, `ServiceError` for a known id.

        It begins the set that it names; with `joins` that must be there (`InvalidRequestError`).
        """
        ...

    async def subscription(self, tenant: str, subscription_id: str) -> Subscription | None:
        """The subscription of this id."""
        ...

    async def arrive(self, token: str) -> Arrival | None:
        """Counts a request to the push resource with this token, in whatever tenant."""
        ...

    async def subscription_at(self, token: str) -> Subscription | None:
        """The subscription whose endpoint has this token, in whatever tenant."""
        ...

    async def held_subscription(self, subscription_id: str) -> Subscription | None:
        """The subscription of this id that a user agent holds, in whatever tenant."""
        ...

    async def subscriptions(self, tenant: str) -> Sequence[Subscription]:
        """All subscriptions of the tenant, oldest first."""
        ...

    async def set_presence(
        self, tenant: str, subscription_id: str, *, online: bool, delivery: Delivery, now: float
    ) -> Events:
        """The user agent comes or goes.

        When it goes, what it did not acknowledge is pending again, and messages of TTL 0 are
        dropped. When one comes that nobody else acts for, its pending messages are delivered and
        acknowledged.
        """
        ...

    async def end_subscription(
        self,
        tenant: str,
        subscription_id: str,
        *,
        state: SubscriptionState,
        gone_status: int | None,
        now: float,
    ) -> Events:
        """The subscription expires or is removed; its open messages are dropped."""
        ...

    async def accept(
        self, message: PushMessage, record: RequestRecord, delivery: Delivery
    ) -> Events:
        """Keeps a message and writes the journal.

        `NotFoundError` if its subscription is not there or not active. Replaces the message of the
        same topic. Delivers at once when nobody but the service acts for the user agent.
        `LimitError`, and nothing is written, when there are too many pending messages.
        """
        ...

    async def subscription_set(self, set_id: str) -> SubscriptionSet | None:
        """The subscription set of this id, in whatever tenant."""
        ...

    async def end_set(self, set_id: str, *, state: SubscriptionState, now: float) -> Events:
        """The set and all its members expire or are removed; no event when there is none."""
        ...

    async def claim(
        self,
        tenant: str,
        subscription_id: str,
        *,
        delivery: Delivery,
        now: float,
        lowest: Urgency | None = None,
    ) -> Sequence[PushMessage]:
        """Delivers pending messages to a present user agent, as many as its window allows.

        Never one whose time has come by `now`, nor one that is less urgent than `lowest`; of the
        latter those of TTL 0 are dropped.
        """
        ...

    async def claim_from_set(
        self, set_id: str, *, delivery: Delivery, now: float, lowest: Urgency | None = None
    ) -> Sequence[PushMessage]:
        """The same for the members of a set together; `NotFoundError` if it is not there."""
        ...

    async def departed(self, set_id: str) -> bool:
        """Whether a subscription has left the set since this was asked last."""
        ...

    async def release(self, tenant: str, subscription_id: str, *, now: float) -> Events:
        """What is delivered and not acknowledged becomes pending again (TTL 0: dropped)."""
        ...

    async def acknowledge(
        self, message_id: str, *, now: float, detail: str | None = None
    ) -> Events:
        """Acknowledges a delivered message; no event when there is none."""
        ...

    async def cancel(self, message_id: str, *, now: float) -> Events:
        """Cancels a pending message; no event when there is none."""
        ...

    async def report(
        self, message_id: str, report: Report, *, now: float, detail: str | None = None
    ) -> Events:
        """Writes what the user agent tells about a message; no event when there is none."""
        ...

    async def keep_user_agent(self, user_agent: UserAgent) -> UserAgent:
        """Keeps a new state of a user agent, and wakes who waits for `NO_TENANT`.

        A device has one user agent: whoever had it before has it no more, and the subscriptions of
        the device pass on. `LimitError` when there are too many.
        """
        ...

    async def user_agent(self, user_agent_id: str) -> UserAgent | None:
        """The user agent of this id."""
        ...

    async def user_agent_with(self, device: str) -> UserAgent | None:
        """The user agent that its gateway knows as this device."""
        ...

    async def user_agents(self) -> Sequence[UserAgent]:
        """All user agents, oldest first."""
        ...

    async def forget_user_agent(self, user_agent_id: str) -> None:
        """Forgets a user agent, not its subscriptions."""
        ...

    async def keep_notification(self, notification: Notification) -> Notification:
        """Keeps a new state of a notification, and wakes who waits for `NO_TENANT`."""
        ...

    async def notification(self, notification_id: str) -> Notification | None:
        """The notification of this id."""
        ...

    async def notifications(self, *, after: int = 0) -> Sequence[Notification]:
        """The notifications behind a sequence number, oldest first."""
        ...

    async def forget_notifications(self, match: Callable[[Notification], bool]) -> int:
        """Forgets the notifications that match; how many."""
        ...

    async def held_by(self, device: str) -> Sequence[Subscription]:
        """The subscriptions of a device, those that have ended too, in whatever tenant."""
        ...

    async def deliver(self, tenant: str, message_id: str, *, now: float) -> Events:
        """Delivers this message, whatever the window; no event when it is not pending."""
        ...

    async def claim_held(
        self,
        tenant: str,
        device: str,
        *,
        delivery: Delivery,
        now: float,
        lowest: Urgency | None = None,
    ) -> Sequence[PushMessage]:
        """As `claim`, for all subscriptions of a device in this tenant together."""
        ...

    async def open_receipts(self, subscription: ReceiptSubscription) -> Events:
        """Keeps a receipt subscription unless it is there; at the limit the oldest gives way.

        `NotFoundError` if there is no such tenant. What becomes of a message that names it as its
        `receipt` is kept for it, but for being replaced.
        """
        ...

    async def receipt_subscription(self, receipt_id: str) -> ReceiptSubscription | None:
        """The receipt subscription of this id, in whatever tenant."""
        ...

    async def close_receipts(self, receipt_id: str, *, now: float) -> Events:
        """Forgets a receipt subscription and its receipts; no event when there is none."""
        ...

    async def take_receipts(self, receipt_id: str, *, limit: int | None) -> Sequence[Receipt]:
        """Takes out the oldest receipts, at most `limit`."""
        ...

    async def put_back_receipts(self, receipt_id: str, receipts: Sequence[Receipt]) -> None:
        """Puts back what could not be delivered, in front of all others."""
        ...

    async def expire(self, tenant: str, *, until: float) -> Events:
        """Everything whose time has come by `until` expires, in the order of its time."""
        ...

    async def next_expiry(self, tenant: str) -> float | None:
        """A time before which nothing expires; None if nothing ever will."""
        ...

    async def record(self, record: RequestRecord) -> Events:
        """Writes the journal."""
        ...

    async def add_fault(self, tenant: str, fault: Fault) -> Fault:
        """Keeps a plan and gives it its id; `LimitError` when there are too many."""
        ...

    async def faults(self, tenant: str) -> Sequence[Fault]:
        """The fault plans, oldest first."""
        ...

    async def forget_faults(self, tenant: str, match: Callable[[Fault], bool]) -> int:
        """Forgets fault plans; how many."""
        ...

    async def strike(self, tenant: str, push: Push, *, request: int, now: float) -> Fault | None:
        """Shows a request to every plan (`faults.meet`); the oldest that strikes, with an event."""
        ...

    async def message(self, message_id: str) -> PushMessage | None:
        """The message of this id, in whatever tenant."""
        ...

    async def messages(self, tenant: str, *, after: int = 0) -> Sequence[PushMessage]:
        """The messages of the requests after this number, oldest first."""
        ...

    async def requests(self, tenant: str, *, after: int = 0) -> Sequence[RequestRecord]:
        """The journal after this request number, oldest first."""
        ...

    async def events(self, tenant: str, *, after: int = 0) -> Sequence[Event]:
        """The events after this sequence number, oldest first."""
        ...

    async def forget_messages(self, tenant: str, match: Callable[[PushMessage], bool]) -> int:
        """Forgets messages, pending ones too; how many."""
        ...

    async def forget_requests(self, tenant: str) -> int:
        """Empties the journal; how many requests it held."""
        ...

    async def changed(self, tenant: str, *, timeout: float | None) -> bool:
        """Waits until something happens in the tenant, at most `timeout` real seconds.

        Whether it did. The tenant need not be there yet.
        """
        ...

    async def wake(self) -> None:
        """Ends every `changed` that is being awaited."""
        ...
