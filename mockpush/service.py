"""The push service: clocks, storage and profiles around the core.

`PushService` belongs to one event loop. It has no idea of HTTP beyond the values of a request and
an answer, nor of sockets; `http/` and `gateways/` speak for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from mockpush.endpoints import VENDOR, endpoint, origin_of
from mockpush.errors import InvalidRequestError, LimitError, NotFoundError
from mockpush.gate import Gate
from mockpush.history import History
from mockpush.injecting import Disturbed, FaultPlans, outcome
from mockpush.notifications import Notifications
from mockpush.options import ServiceOptions, TokenClock
from mockpush.protocol.answering import render
from mockpush.protocol.clock import Clock
from mockpush.protocol.decision import Looks, decide, refused_as_full
from mockpush.protocol.delivery import Delivery
from mockpush.protocol.events import EventKind
from mockpush.protocol.inspection import (
    READABLE,
    Context,
    Decryption,
    Payload,
    inspect,
    read_payload,
)
from mockpush.protocol.judging import Profile, judge
from mockpush.protocol.model import (
    NO_TENANT,
    Holder,
    PushRequest,
    Subscription,
    SubscriptionKeys,
    SubscriptionState,
    new_token,
)
from mockpush.protocol.payload import linted
from mockpush.protocol.records import PushMessage, RequestRecord, WireAnswer
from mockpush.real_clock import process_time, real_time
from mockpush.receipts import find_receipts, open_receipts
from mockpush.server_journal import ServerJournal
from mockpush.storage.base import Keep, Storage
from mockpush.storage.memory import MemoryStorage
from mockpush.unreadable import explain
from mockpush.user_agents import DEFAULT_TENANT as DEFAULT_TENANT
from mockpush.user_agents import UserAgents

_T = TypeVar("_T")


class PushService:
    """Accepts, keeps and delivers push messages, and explains each request.

    `origins` are those of the endpoints to be given out, the preferred one first.
    """

    def __init__(
        self, options: ServiceOptions | None = None, *, storage: Storage | None = None
    ) -> None:
        self.options = options or ServiceOptions()
        self.storage: Storage = storage or MemoryStorage(self.options.limits)
        self.profiles = self.options.profiles()
        self.gate = Gate(self.options.tables(), self.options.require)
        self.faults = FaultPlans(self.storage, self.profiles)
        self.origins: tuple[str, ...] = ("https://localhost",)
        self.journal = ServerJournal(self.options.limits.requests)
        self.user_agents = UserAgents(self)
        self.notifications = Notifications(self)
        self._lost: dict[str, None] = {}
        self._closing = False
        self._looks = Looks.of(eager=self.options.eager, refuses=self.options.refuse_undecryptable)
        self._own_time_for_tokens = self.options.token_clock == TokenClock.SERVICE

    # Clocks

    async def now(self, tenant: str) -> float:
        """The time on the tenant's clock; everything that was due by then has happened."""
        clock = await self.storage.clock(tenant)
        now = clock.now(real_time())
        due = await self.storage.next_expiry(tenant)
        if due is not None and due <= now:
            await self.storage.expire(tenant, until=now)
        return now

    async def advance(self, tenant: str, seconds: float) -> Clock:
        """Puts the clock forward, after everything that becomes due on the way has happened."""
        clock = await self.storage.clock(tenant)
        try:
            clock = clock.advanced(seconds)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
        now = clock.now(real_time())
        await self.storage.expire(tenant, until=now)
        await self.storage.set_clock(tenant, clock, kind=EventKind.CLOCK_ADVANCED, now=now)
        return clock

    async def freeze(self, tenant: str) -> Clock:
        """Stops the clock."""
        real = real_time()
        clock = (await self.storage.clock(tenant)).frozen(real)
        await self.storage.set_clock(
            tenant, clock, kind=EventKind.CLOCK_FROZEN, now=clock.now(real)
        )
        return clock

    async def resume(self, tenant: str) -> Clock:
        """Lets the clock run on from where it is."""
        real = real_time()
        clock = (await self.storage.clock(tenant)).resumed(real)
        await self.storage.set_clock(
            tenant, clock, kind=EventKind.CLOCK_RESUMED, now=clock.now(real)
        )
        return clock

    # Subscriptions

    async def subscribe(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        profile: str | None = None,
        application_server_key: bytes | None = None,
        keys: SubscriptionKeys | None = None,
        subscription_id: str | None = None,
        origin: str | None = None,
        also_at: tuple[str, ...] = (),
        expires_at: float | None = None,
        online: bool = True,
        held: bool = False,
        holder: Holder | None = None,
        set_id: str | None = None,
        joins: bool = False,
    ) -> Subscription:
        """A new subscription (RFC 8030, Section 4).

        `keys` with a private key make it managed; without keys it is opaque. `held`: a user agent
        fetches its messages; `holder`: it gets them through a gateway. It begins the set `set_id`,
        or joins it. `origin` is that of the endpoint, or `endpoints.VENDOR`; `also_at` are others
        that the user agent may show instead. `InvalidRequestError` for an unknown profile or set,
        `LimitError` at the limit.
        """
        chosen = self.profile(profile or self.options.profile)
        token = new_token()
        restricted = application_server_key is not None
        if origin is None and self.options.vendor_hosts:
            origin = VENDOR
        origin = origin_of(chosen, origin, usual=self.origins[0])
        subscription = Subscription(
            id=subscription_id or new_token(),
            token=token,
            tenant=tenant,
            profile=chosen.name,
            endpoint=endpoint(chosen, token, origin=origin, restricted=restricted),
            origins=tuple(dict.fromkeys((origin, *also_at))),
            created_at=await self.now(tenant),
            keys=keys,
            application_server_key=application_server_key,
            expires_at=expires_at,
            held=held or holder is not None,
            holder=holder,
            online=online,
            set_id=set_id,
        )
        await self.storage.add_subscription(subscription, joins=joins)
        return subscription

    def profile(self, name: str) -> Profile:
        """The profile of this name; `InvalidRequestError` names the valid ones."""
        try:
            return self.profiles[name]
        except KeyError:
            raise InvalidRequestError(
                f"there is no profile {name!r}; there is: {', '.join(self.profiles)}"
            ) from None

    async def subscription(self, tenant: str, subscription_id: str) -> Subscription:
        """The subscription of this id; `NotFoundError`."""
        await self.now(tenant)
        found = await self.storage.subscription(tenant, subscription_id)
        if found is None:
            raise NotFoundError(f"there is no subscription {subscription_id!r} in this tenant")
        return found

    async def end_subscription(
        self,
        subscription: Subscription,
        *,
        state: SubscriptionState,
        gone_status: int | None = None,
    ) -> None:
        """Expires or removes it; pushes are answered 410 or 404 from now on."""
        await self.storage.end_subscription(
            subscription.tenant,
            subscription.id,
            state=state,
            gone_status=gone_status,
            now=await self.now(subscription.tenant),
        )

    async def set_presence(self, subscription: Subscription, *, online: bool) -> None:
        """The user agent comes or goes; returns after what that delivers is delivered."""
        self._lost.pop(subscription.token, None)
        await self.storage.set_presence(
            subscription.tenant,
            subscription.id,
            online=online,
            delivery=self.delivery(subscription),
            now=await self.now(subscription.tenant),
        )

    async def connection_lost(self, subscription: Subscription) -> None:
        """The connection to the user agent broke: offline until the next `connection_made`."""
        current = await self.storage.subscription_at(subscription.token)
        if current is None or not current.online:
            return
        await self.set_presence(current, online=False)
        self._lost[current.token] = None
        if len(self._lost) > self.options.limits.subscriptions:
            del self._lost[next(iter(self._lost))]

    async def connection_made(self, subscription: Subscription) -> None:
        """The user agent is back, unless it was put offline on purpose."""
        if subscription.token in self._lost:
            await self.set_presence(subscription, online=True)

    def delivery(self, subscription: Subscription) -> Delivery:
        """How the subscription's user agent gets its messages."""
        return self.profiles[subscription.profile].delivery

    # Pushes

    async def receive(
        self,
        *,
        profile: Profile,
        token: str,
        method: str,
        target: str,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        body_size: int | None = None,
        http_version: str = "1.1",
        connected: bool = False,
    ) -> WireAnswer | Disturbed:
        """Answers one request to a push resource and writes it into the journal.

        `profile` is that of the endpoint's shape; it answers when there is no such subscription.
        `connected`: faults can be done to the connection, and are left to the caller.
        """
        arrival = await self.storage.arrive(token)
        real, token_time = real_time(), process_time()
        if arrival is None:
            request = PushRequest(method, target, headers, body, real, token_time, http_version)
            return self._refuse_stray(request, profile, body_size)
        subscription, clock, due, number, faulty = arrival
        now = clock.now(real)
        if due is not None and due <= now:
            await self.storage.expire(subscription.tenant, until=now)
            subscription = await self.storage.subscription_at(token) or subscription
        if self._own_time_for_tokens:
            token_time = now
        request = PushRequest(method, target, headers, body, now, token_time, http_version)
        inspection = inspect(
            request, Context(subscription, subscription.origins, token_time, body_size)
        )
        table = self.profiles[subscription.profile]
        receipt: str | None = None
        if inspection.head.receipt and table.receipt:
            receipt = await find_receipts(self.storage, inspection, subscription)
        record, message = decide(
            request, subscription, number, inspection, table, self._looks, receipt
        )
        if faulty:
            message = await self.faults.inject(
                record, message, subscription, real=real, connected=connected
            )
        if message is None:
            await self.storage.record(record)
        else:
            record = await self._keep(message, record, subscription)
        if self.gate.watches:
            self.gate.note(record)
        if faulty:
            return outcome(record)
        assert record.answer is not None
        return record.answer

    async def _keep(
        self, message: PushMessage, record: RequestRecord, subscription: Subscription
    ) -> RequestRecord:
        """The record of an accepted message, which is another one when there is no room for it."""
        try:
            if message.receipt is not None:
                await open_receipts(self.storage, message, message.receipt)
            await self.storage.accept(message, record, record.judgement.profile.delivery)
            if subscription.holder is not None:
                await self.user_agents.deliver(message, subscription, subscription.holder)
        except LimitError:
            record = refused_as_full(record, subscription)
            await self.storage.record(record)
        return record

    def _refuse_stray(
        self, request: PushRequest, profile: Profile, body_size: int | None
    ) -> WireAnswer:
        """There is no such subscription: the request goes into the server's own journal."""
        context = Context(None, self.origins, request.token_time, body_size)
        inspection = inspect(request, context)
        judgement = judge(inspection, profile)
        answer = render(judgement, inspection)
        self.journal.add_request(request, inspection, judgement, answer)
        return answer

    # Messages

    async def read(self, message: PushMessage) -> Payload:
        """The payload, decrypted now if nobody has looked before, with what history explains."""
        if message.payload is None or message.payload is READABLE:
            subscription = await self.storage.subscription(message.tenant, message.subscription)
            keys = None if subscription is None else subscription.keys
            message.payload = read_payload(message.inspection, message.body, keys)
        if message.payload.decryption is Decryption.OK and not message.payload.explained:
            message.payload = linted(message.payload)
        if message.payload.decryption is Decryption.FAILED and not message.payload.explained:
            others = await self.storage.subscriptions(message.tenant)
            message.payload = explain(message, message.payload, others)
        return message.payload

    async def history(self, tenant: str) -> History:
        """What the tenant knows by now, to explain its requests and messages with.

        That of `NO_TENANT` is the server's own journal.
        """
        if tenant == NO_TENANT:
            return History(self.journal.records(), (), self.profiles)
        requests = await self.storage.requests(tenant)
        return History(requests, await self.storage.subscriptions(tenant), self.profiles)

    async def reset(self, tenant: str, *, keep: frozenset[Keep] = frozenset()) -> None:
        """Empties a tenant and sets its clock back to real time, but for what is to be kept.

        Notifications go with the messages that made them.
        """
        messages = await self.storage.messages(tenant)
        await self.storage.reset(tenant, keep=keep, now=await self.now(tenant))
        await self.notifications.forget_those_of(messages)

    async def delete_tenant(self, tenant: str) -> bool:
        """Forgets a tenant and all that it holds, as `reset` does; whether there was one."""
        messages = await self.storage.messages(tenant)
        deleted = await self.storage.delete_tenant(tenant)
        await self.notifications.forget_those_of(messages)
        return deleted

    async def close_message(self, message_id: str) -> bool:
        """DELETE on a message resource: acknowledges what is delivered, cancels what is pending.

        Whether there was anything to do (RFC 8030, Section 6.2), or the profile does not ask.
        """
        message = await self.storage.message(message_id)
        if message is None:
            return False
        now = await self.now(message.tenant)
        subscription = await self.storage.subscription(message.tenant, message.subscription)
        return bool(
            await self.storage.acknowledge(message_id, now=now)
            or await self.storage.cancel(message_id, now=now)
            or (subscription and self.profiles[subscription.profile].deletes_again)
        )

    # Waiting

    async def wait(
        self, tenant: str, look: Callable[[], Awaitable[_T | None]], *, timeout: float
    ) -> _T | None:
        """Looks, and again whenever something happens in the tenant, for `timeout` real seconds.

        The first result that is not None; None at the end, or when the service closes.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            now = await self.now(tenant)
            result = await look()
            left = deadline - loop.time()
            if result is not None or left <= 0 or self._closing:
                return result
            await self.storage.changed(
                tenant, timeout=min(left, await self._until_due(tenant, now))
            )

    async def _until_due(self, tenant: str, now: float) -> float:
        """Real seconds until something expires by itself; infinite while the clock is frozen."""
        due = await self.storage.next_expiry(tenant)
        clock = await self.storage.clock(tenant)
        return float("inf") if due is None or clock.frozen_at is not None else max(0.0, due - now)

    @property
    def closing(self) -> bool:
        """Whether the service ends; waits return at once."""
        return self._closing

    def open(self, origins: tuple[str, ...]) -> None:
        """The service is reached under `origins` from now on; endpoints get the first of them."""
        self.origins = origins
        self._closing = False

    async def close(self) -> None:
        """Ends all waits; what is asked afterwards is answered without waiting."""
        self._closing = True
        self.notifications.stop()
        await self.storage.wake()
