"""Storage in memory, for one event loop. No operation suspends, so each is atomic."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from mockpush.errors import InvalidRequestError, NotFoundError
from mockpush.protocol.clock import Clock
from mockpush.protocol.delivery import Delivery, Step, next_state
from mockpush.protocol.events import Event, EventKind
from mockpush.protocol.model import MessageState, Subscription, SubscriptionState, Urgency
from mockpush.protocol.notifications import Notification
from mockpush.protocol.records import PushMessage, RequestRecord
from mockpush.protocol.user_agents import UserAgent
from mockpush.storage.base import Arrival, Events, Keep, Limits, TenantSummary
from mockpush.storage.event_log import EventLog
from mockpush.storage.fault_book import FaultBook
from mockpush.storage.memory_faults import Faults
from mockpush.storage.memory_notifications import Notifications
from mockpush.storage.memory_resources import Resources, claim
from mockpush.storage.memory_user_agents import Device, UserAgents, required
from mockpush.storage.tenant import REAL_TIME, Tenant


class MemoryStorage(Resources, Faults, UserAgents, Notifications):
    """Implements `Storage`."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._tenants: dict[str, Tenant] = {}
        self._tokens: dict[str, Subscription] = {}
        self._held: dict[str, Subscription] = {}
        self._user_agents: dict[str, UserAgent] = {}
        self._devices: dict[str, Device] = {}
        self._notifications: dict[str, Notification] = {}
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}
        self._waiting_faults: set[str] = set()

    # Tenants and clocks

    async def tenants(self) -> list[TenantSummary]:
        return [
            TenantSummary(each.name, len(each.subscriptions), len(each.messages), len(each.journal))
            for each in self._tenants.values()
        ]

    async def delete_tenant(self, tenant: str) -> bool:
        found = self._tenants.pop(tenant, None)
        if found is None:
            return False
        self._forget_subscriptions(found, list(found.subscriptions.values()))
        self._waiting_faults.discard(tenant)
        self._wake(tenant)
        return True

    async def reset(self, tenant: str, *, keep: frozenset[Keep], now: float) -> Events:
        found = self._tenants.get(tenant)
        if found is None:
            return []
        if not keep >= {Keep.SUBSCRIPTIONS, Keep.MESSAGES}:
            self._forget(found, list(found.messages.values()))
        if Keep.SUBSCRIPTIONS not in keep:
            self._forget_subscriptions(found, list(found.subscriptions.values()))
            found.sets.clear()
            found.receipts.clear()
        if Keep.REQUESTS not in keep:
            found.journal.clear()
        if Keep.FAULTS not in keep:
            await self.forget_faults(tenant, lambda _: True)
        if Keep.CLOCK not in keep:
            found.clock = REAL_TIME
        found.prune_expiries()
        return [found.emit(now, EventKind.TENANT_RESET)]

    async def clock(self, tenant: str) -> Clock:
        found = self._tenants.get(tenant)
        return REAL_TIME if found is None else found.clock

    async def set_clock(self, tenant: str, clock: Clock, *, kind: EventKind, now: float) -> Events:
        found = self._tenant(tenant)
        found.clock = clock
        return [found.emit(now, kind)]

    # Subscriptions

    async def add_subscription(self, subscription: Subscription, *, joins: bool = False) -> Events:
        known = self._tenants.get(subscription.tenant)
        if joins and (known is None or subscription.set_id not in known.sets):
            raise InvalidRequestError("there is no such subscription set: without one you get one")
        tenant = self._tenant(subscription.tenant)
        if subscription.id in tenant.subscriptions:
            raise InvalidRequestError(
                f"there is a subscription {subscription.id!r} already", status=409
            )
        self._make_room_for_subscription(tenant)
        tenant.sets.join(subscription, most=self._limits.subscriptions)
        self._keep(tenant, replace(subscription, sequence=tenant.events.sequence + 1))
        tenant.queues[subscription.id] = {}
        if subscription.expires_at is not None:
            heapq.heappush(tenant.expiries, (subscription.expires_at, subscription.id))
        return [
            tenant.emit(subscription.created_at, EventKind.SUBSCRIPTION_CREATED, subscription.id)
        ]

    async def subscription(self, tenant: str, subscription_id: str) -> Subscription | None:
        found = self._tenants.get(tenant)
        return None if found is None else found.subscriptions.get(subscription_id)

    async def arrive(self, token: str) -> Arrival | None:
        subscription = self._tokens.get(token)
        if subscription is None:
            return None
        tenant = self._tenants[subscription.tenant]
        tenant.last_request += 1
        due = tenant.expiries[0][0] if tenant.expiries else None
        faulty = bool(tenant.faults.plans)
        return Arrival(subscription, tenant.clock, due, tenant.last_request, faulty)

    async def subscription_at(self, token: str) -> Subscription | None:
        return self._tokens.get(token)

    async def held_subscription(self, subscription_id: str) -> Subscription | None:
        return self._held.get(subscription_id)

    async def subscriptions(self, tenant: str) -> Sequence[Subscription]:
        found = self._tenants.get(tenant)
        return [] if found is None else list(found.subscriptions.values())

    async def set_presence(
        self, tenant: str, subscription_id: str, *, online: bool, delivery: Delivery, now: float
    ) -> Events:
        await self.expire(tenant, until=now)
        found, subscription = self._subscription(tenant, subscription_id)
        if subscription.online is online:
            return []
        self._keep(found, replace(subscription, online=online))
        kind = EventKind.SUBSCRIPTION_ONLINE if online else EventKind.SUBSCRIPTION_OFFLINE
        events = [found.emit(now, kind, subscription_id)]
        queue = list(found.queues[subscription_id].values())
        if not online:
            for message in queue:
                events += found.go_away(message, now)
        elif not subscription.held:
            for message in queue:
                events += found.deliver_at_once(message, now)
        return events

    async def end_subscription(
        self,
        tenant: str,
        subscription_id: str,
        *,
        state: SubscriptionState,
        gone_status: int | None,
        now: float,
    ) -> Events:
        found, subscription = self._subscription(tenant, subscription_id)
        ended = replace(subscription, state=state, gone_status=gone_status)
        if subscription.state is not SubscriptionState.ACTIVE:
            self._keep(found, ended)
            return []
        return self._end(found, ended, now)

    # Messages

    async def accept(
        self, message: PushMessage, record: RequestRecord, delivery: Delivery
    ) -> Events:
        tenant, subscription = self._subscription(message.tenant, message.subscription)
        if subscription.state is not SubscriptionState.ACTIVE:
            raise NotFoundError(f"the subscription {subscription.id!r} is {subscription.state}")
        topic = message.inspection.head.topic
        replaced = None if topic is None else tenant.replaced(message, delivery)
        if len(tenant.messages) >= self._limits.messages:
            self._make_room(tenant, reserve=replaced is None)
        tenant.messages[message.id] = message
        if subscription.online and not subscription.held:
            return tenant.receive_at_once(message, record)
        events = tenant.enqueue(message, replaced, delivery, online=subscription.online)
        return [*events, tenant.record(record)]

    async def claim(
        self,
        tenant: str,
        subscription_id: str,
        *,
        delivery: Delivery,
        now: float,
        lowest: Urgency | None = None,
    ) -> Sequence[PushMessage]:
        await self.expire(tenant, until=now)
        found, subscription = self._subscription(tenant, subscription_id)
        return claim(found, [subscription], delivery, now, lowest)

    async def release(self, tenant: str, subscription_id: str, *, now: float) -> Events:
        found, _ = self._subscription(tenant, subscription_id)
        events: list[Event] = []
        for message in list(found.queues[subscription_id].values()):
            if message.state is MessageState.DELIVERED:
                events += found.give_back(message, now)
        return events

    async def acknowledge(
        self, message_id: str, *, now: float, detail: str | None = None
    ) -> Events:
        return self._close(message_id, Step.ACKNOWLEDGE, now, detail)

    async def cancel(self, message_id: str, *, now: float) -> Events:
        return self._close(message_id, Step.CANCEL, now)

    async def expire(self, tenant: str, *, until: float) -> Events:
        found = self._tenants.get(tenant)
        events: list[Event] = []
        while found is not None and found.expiries and found.expiries[0][0] <= until:
            at, expired_id = heapq.heappop(found.expiries)
            message = found.messages.get(expired_id)
            subscription = found.subscriptions.get(expired_id)
            if message is not None and message.state is MessageState.PENDING:
                events += found.step(message, Step.EXPIRE, at)
            elif subscription is not None and subscription.state is SubscriptionState.ACTIVE:
                ended = replace(subscription, state=SubscriptionState.EXPIRED)
                events += self._end(found, ended, at)
        return events

    async def next_expiry(self, tenant: str) -> float | None:
        found = self._tenants.get(tenant)
        return found.expiries[0][0] if found is not None and found.expiries else None

    async def message(self, message_id: str) -> PushMessage | None:
        return self._message(message_id)

    async def messages(self, tenant: str, *, after: int = 0) -> Sequence[PushMessage]:
        found = self._tenants.get(tenant)
        if found is None:
            return []
        return [message for message in found.messages.values() if message.request > after]

    async def forget_messages(self, tenant: str, match: Callable[[PushMessage], bool]) -> int:
        found = self._tenants.get(tenant)
        if found is None:
            return 0
        forgotten = [message for message in found.messages.values() if match(message)]
        self._forget(found, forgotten)
        return len(forgotten)

    # The journal and the events

    async def record(self, record: RequestRecord) -> Events:
        return [self._tenant(record.tenant).record(record)]

    async def requests(self, tenant: str, *, after: int = 0) -> Sequence[RequestRecord]:
        found = self._tenants.get(tenant)
        return [] if found is None else [each for each in found.journal if each.id > after]

    async def forget_requests(self, tenant: str) -> int:
        found = self._tenants.get(tenant)
        if found is None:
            return 0
        count = len(found.journal)
        found.journal.clear()
        return count

    async def events(self, tenant: str, *, after: int = 0) -> Sequence[Event]:
        found = self._tenants.get(tenant)
        return [] if found is None else found.events.after(after)

    async def changed(self, tenant: str, *, timeout: float | None) -> bool:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(tenant, set()).add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._stop_waiting(tenant, waiter)
        return True

    async def wake(self) -> None:
        for tenant in list(self._waiters):
            self._wake(tenant)

    # Parts

    def _forget(self, tenant: Tenant, messages: Sequence[PushMessage]) -> None:
        for message in messages:
            if message.open and message.receipt is not None:
                tenant.receipts.note(message)
                tenant.notify(tenant.name)
            tenant.leave_queue(message)
            del tenant.messages[message.id]
        tenant.closed = deque(each for each in tenant.closed if each in tenant.messages)

    def _tenant(self, name: str) -> Tenant:
        found = self._tenants.get(name)
        if found is None:
            required(len(self._tenants), self._limits.tenants, "tenants")
            journal: deque[RequestRecord] = deque(maxlen=self._limits.requests)
            found = self._tenants[name] = Tenant(
                name,
                EventLog(self._limits.events),
                journal,
                FaultBook(self._limits.faults),
                self._wake,
            )
        return found

    def _subscription(self, tenant: str, subscription_id: str) -> tuple[Tenant, Subscription]:
        found = self._tenants.get(tenant)
        subscription = found.subscriptions.get(subscription_id) if found else None
        if found is None or subscription is None:
            raise NotFoundError(f"there is no subscription {subscription_id!r}")
        return found, subscription

    def _message(self, message_id: str) -> PushMessage | None:
        for tenant in self._tenants.values():
            message = tenant.messages.get(message_id)
            if message is not None:
                return message
        return None

    def _keep(self, tenant: Tenant, subscription: Subscription) -> None:
        tenant.subscriptions[subscription.id] = subscription
        self._tokens[subscription.token] = subscription
        if subscription.held:
            self._held[subscription.id] = subscription
        if subscription.holder is not None:
            self._hold(subscription, subscription.holder)

    def _forget_subscriptions(self, tenant: Tenant, subscriptions: Sequence[Subscription]) -> None:
        for subscription in subscriptions:
            del tenant.subscriptions[subscription.id], tenant.queues[subscription.id]
            del self._tokens[subscription.token]
            tenant.sets.leave(subscription)
            self._held.pop(subscription.id, None)
            if subscription.holder is not None:
                self._let_go(subscription, subscription.holder)

    def _make_room_for_subscription(self, tenant: Tenant) -> None:
        """Forgets the oldest subscription that has ended when the limit is reached."""
        limit = self._limits.subscriptions
        if len(tenant.subscriptions) < limit:
            return
        subscriptions = tenant.subscriptions.values()
        ended = (each for each in subscriptions if each.state is not SubscriptionState.ACTIVE)
        self._forget_subscriptions(tenant, list(islice(ended, 1)))
        required(len(tenant.subscriptions), limit, "subscriptions")

    def _end(self, tenant: Tenant, ended: Subscription, now: float) -> list[Event]:
        self._keep(tenant, ended)
        tenant.sets.leave(ended)
        expired = ended.state is SubscriptionState.EXPIRED
        kind = EventKind.SUBSCRIPTION_EXPIRED if expired else EventKind.SUBSCRIPTION_REMOVED
        events = [tenant.emit(now, kind, ended.id)]
        for message in list(tenant.queues[ended.id].values()):
            events += tenant.step(message, Step.DROP, now, f"the subscription is {ended.state}")
        return events

    def _make_room(self, tenant: Tenant, *, reserve: bool) -> None:
        """Forgets the message that was closed first when the limit is reached."""
        open_ones = tenant.open if reserve else tenant.open - 1
        required(open_ones, self._limits.messages, "messages")
        if tenant.closed:
            del tenant.messages[tenant.closed.popleft()]

    def _close(self, message_id: str, step: Step, now: float, detail: str | None = None) -> Events:
        message = self._message(message_id)
        if message is None or next_state(message.state, step) is None:
            return []
        return self._tenants[message.tenant].step(message, step, now, detail)

    def _wake(self, tenant: str) -> None:
        for waiter in self._waiters.pop(tenant, ()):
            if not waiter.done():
                waiter.set_result(None)

    def _stop_waiting(self, tenant: str, waiter: asyncio.Future[None]) -> None:
        waiters = self._waiters.get(tenant, set())
        waiters.discard(waiter)
        if not waiters:
            self._waiters.pop(tenant, None)
