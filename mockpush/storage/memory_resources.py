"""Storage in memory: subscription sets and receipt subscriptions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from mockpush.errors import NotFoundError
from mockpush.protocol.delivery import Delivery, Step
from mockpush.protocol.events import Event, EventKind
from mockpush.protocol.model import (
    MessageState,
    Subscription,
    SubscriptionSet,
    SubscriptionState,
    Urgency,
)
from mockpush.protocol.receipts import Receipt, ReceiptSubscription
from mockpush.protocol.records import PushMessage
from mockpush.storage.base import Events, Limits
from mockpush.storage.tenant import Tenant


class Resources:
    """The part of `MemoryStorage` about what monitoring requests watch beside subscriptions."""

    _limits: Limits
    _tenants: dict[str, Tenant]

    @abstractmethod
    async def expire(self, tenant: str, *, until: float) -> Events: ...

    @abstractmethod
    async def end_subscription(
        self,
        tenant: str,
        subscription_id: str,
        *,
        state: SubscriptionState,
        gone_status: int | None,
        now: float,
    ) -> Events: ...

    # Subscription sets

    async def subscription_set(self, set_id: str) -> SubscriptionSet | None:
        tenant = self._tenant_with_set(set_id)
        return (
            None
            if tenant is None
            else SubscriptionSet(set_id, tenant.name, _members(tenant, set_id))
        )

    async def end_set(self, set_id: str, *, state: SubscriptionState, now: float) -> Events:
        tenant = self._tenant_with_set(set_id)
        if tenant is None:
            return []
        events: list[Event] = []
        for each in tenant.sets.members(set_id):
            events += await self.end_subscription(
                tenant.name, each, state=state, gone_status=None, now=now
            )
        tenant.sets.remove(set_id)
        return [*events, tenant.emit(now, EventKind.SET_REMOVED, detail=set_id)]

    async def claim_from_set(
        self, set_id: str, *, delivery: Delivery, now: float, lowest: Urgency | None = None
    ) -> Sequence[PushMessage]:
        tenant = self._tenant_with_set(set_id)
        if tenant is None:
            raise NotFoundError(f"there is no subscription set {set_id!r}")
        await self.expire(tenant.name, until=now)
        return claim(tenant, _members(tenant, set_id), delivery, now, lowest)

    async def departed(self, set_id: str) -> bool:
        tenant = self._tenant_with_set(set_id)
        return tenant is not None and tenant.sets.departed(set_id)

    def _tenant_with_set(self, set_id: str) -> Tenant | None:
        return next((each for each in self._tenants.values() if set_id in each.sets), None)

    # Receipts

    async def open_receipts(self, subscription: ReceiptSubscription) -> Events:
        tenant = self._tenants.get(subscription.tenant)
        if tenant is None:
            raise NotFoundError(f"there is no tenant {subscription.tenant!r}")
        if tenant.receipts.get(subscription.id) is not None:
            return []
        now = subscription.created_at
        events: list[Event] = []
        if len(tenant.receipts) >= self._limits.receipt_subscriptions:
            events += _close(tenant, tenant.receipts.oldest(), now)
        tenant.receipts.open(subscription, most=self._limits.messages)
        return [*events, tenant.emit(now, EventKind.RECEIPTS_OPENED, detail=subscription.id)]

    async def receipt_subscription(self, receipt_id: str) -> ReceiptSubscription | None:
        found = (each.receipts.get(receipt_id) for each in self._tenants.values())
        return next((each for each in found if each is not None), None)

    async def close_receipts(self, receipt_id: str, *, now: float) -> Events:
        found = await self.receipt_subscription(receipt_id)
        return [] if found is None else _close(self._tenants[found.tenant], receipt_id, now)

    async def take_receipts(self, receipt_id: str, *, limit: int | None) -> Sequence[Receipt]:
        found = await self.receipt_subscription(receipt_id)
        return [] if found is None else self._tenants[found.tenant].receipts.take(receipt_id, limit)

    async def put_back_receipts(self, receipt_id: str, receipts: Sequence[Receipt]) -> None:
        found = await self.receipt_subscription(receipt_id)
        if found is not None:
            tenant = self._tenants[found.tenant]
            tenant.receipts.put_back(receipt_id, receipts)
            tenant.notify(tenant.name)


def claim(
    tenant: Tenant,
    subscriptions: Sequence[Subscription],
    delivery: Delivery,
    now: float,
    lowest: Urgency | None,
) -> Sequence[PushMessage]:
    """Delivers the oldest pending messages to present user agents, as many as the window allows."""
    queues = [tenant.queues[each.id] for each in subscriptions if each.online]
    waiting = [message for queue in queues for message in queue.values()]
    pending = [message for message in waiting if message.state is MessageState.PENDING]
    on_their_way = 0 if delivery.acknowledge == "batch" else len(waiting) - len(pending)
    if lowest is not None:
        pending = _wanted(tenant, pending, lowest, now)
    if len(queues) > 1:
        pending.sort(key=lambda message: message.request)
    topics = [each for each in pending if each.topic is not None] if delivery.topics_first else []
    pending, window = (topics, delivery.topics_first) if topics else (pending, delivery.window)
    claimed = pending if window is None else pending[: max(0, window - on_their_way)]
    for message in claimed:
        tenant.step(message, Step.DELIVER, now)
    return claimed


def _wanted(
    tenant: Tenant, pending: Sequence[PushMessage], lowest: Urgency, now: float
) -> list[PushMessage]:
    """The messages that are urgent enough; what cannot wait for another request is dropped."""
    wanted = []
    for message in pending:
        urgency = message.inspection.urgency
        if (urgency or Urgency.NORMAL).at_least(lowest):
            wanted.append(message)
        elif message.ttl == 0:
            tenant.step(message, Step.DROP, now, f"TTL 0 and less urgent than {lowest}")
    return wanted


def _members(tenant: Tenant, set_id: str) -> tuple[Subscription, ...]:
    return tuple(tenant.subscriptions[each] for each in tenant.sets.members(set_id))


def _close(tenant: Tenant, receipt_id: str, now: float) -> list[Event]:
    tenant.receipts.close(receipt_id)
    return [tenant.emit(now, EventKind.RECEIPTS_CLOSED, detail=receipt_id)]
