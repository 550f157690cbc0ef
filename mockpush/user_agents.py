"""User agents that gateways connect: who they are, whether they are there, what they hold.

A gateway speaks the protocol of one kind of browser. It tells here who comes and goes, and gives a
`Link` by which messages reach the one that is there: nobody else is woken by them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

from mockpush.errors import NotFoundError
from mockpush.origins import reached_origin
from mockpush.protocol.delivery import Delivery, Report
from mockpush.protocol.model import Holder, Subscription, SubscriptionState
from mockpush.protocol.records import PushMessage
from mockpush.protocol.user_agents import (
    MAX_CHANGES,
    Refusal,
    SubscriptionChange,
    UserAgent,
    UserAgentKind,
)
from mockpush.real_clock import real_time
from mockpush.storage.base import Storage

DEFAULT_TENANT: Final = "default"


class Link(Protocol):
    """The connection to a user agent, as its gateway gives it."""

    @property
    def ready(self) -> bool:
        """Whether a message that has just come may be sent at once; otherwise `look` finds it."""

    def send(self, message: PushMessage, holder: Holder) -> None:
        """Sends a message, which is delivered from now on."""

    async def look(self) -> None:
        """There may be something to `claim`; returns when that is sent, or will be when it can."""

    def taken_back(self) -> None:
        """What was sent and not acknowledged is pending again."""

    def close(self) -> None:
        """Another connection has taken over."""

    def lose_identity(self) -> None:
        """All its subscriptions have expired; who can learn that, does."""


class Shown(Protocol):
    """What is needed of all notifications (`notifications.Notifications`)."""

    async def forget_shown_by(self, user_agent: str) -> None:
        """Forgets those of a user agent."""

    def expect(self, user_agent: str, *, told: bool) -> None:
        """Whether its driver will tell of each, too."""


class Service(Protocol):
    """What is needed of the push service."""

    storage: Storage
    origins: tuple[str, ...]

    @property
    def notifications(self) -> Shown:
        """Of all user agents."""

    async def now(self, tenant: str) -> float:
        """The time on the tenant's clock."""

    async def subscribe(
        self,
        tenant: str,
        *,
        profile: str,
        application_server_key: bytes | None,
        origin: str | None,
        also_at: tuple[str, ...],
        online: bool,
        holder: Holder,
    ) -> Subscription:
        """A new subscription."""

    async def end_subscription(
        self, subscription: Subscription, *, state: SubscriptionState
    ) -> None:
        """Expires or removes it."""

    async def connection_made(self, subscription: Subscription) -> None:
        """Its user agent is back."""

    async def connection_lost(self, subscription: Subscription) -> None:
        """Its user agent is gone."""


class UserAgents:
    """All user agents of a service. They belong to no tenant, and their times are real ones."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._links: dict[str, Link] = {}
        self.by_listener = False
        """Whether endpoints get the origin by which their user agent has reached the service."""
        self.at_removal: list[Callable[[str], None]] = []
        """What is called with the id of a user agent that is removed."""

    # What people ask for

    async def all(self) -> Sequence[UserAgent]:
        """Those that are there, have been and may come back, or are expected; oldest first."""
        return await self._service.storage.user_agents()

    async def find(self, user_agent_id: str) -> UserAgent:
        """The user agent of this id; `NotFoundError`."""
        found = await self._service.storage.user_agent(user_agent_id)
        if found is None:
            raise NotFoundError(f"there is no user agent {user_agent_id!r}")
        return found

    async def assign(self, user_agent_id: str, tenant: str) -> UserAgent:
        """Its next subscriptions belong to `tenant`. One that is not there yet is expected.

        What its pages have told and what it has shown belong to the tenant before.
        """
        found = await self._service.storage.user_agent(user_agent_id)
        if found is None or found.tenant != tenant:
            await self._service.notifications.forget_shown_by(user_agent_id)
        found = found or UserAgent(user_agent_id, tenant, real_time())
        if found.tenant != tenant:
            found = replace(found, tenant=tenant, badge=None, changes=())
        return await self._keep(found)

    async def refuse(self, user_agent_id: str, refusal: Refusal, *, times: int) -> UserAgent:
        """Its next subscriptions are refused, so many `times`; also if it is not there yet."""
        found = await self._service.storage.user_agent(user_agent_id)
        found = found or UserAgent(user_agent_id, DEFAULT_TENANT, real_time())
        return await self._keep(replace(found, refusal=refusal if times else None, refusals=times))

    async def set_presence(self, user_agent_id: str, *, online: bool) -> UserAgent:
        """Holds back what comes for it, or lets it go on; its connection stays as it is."""
        found = await self.find(user_agent_id)
        if found.away is not online:
            return found
        found = await self._keep(replace(found, away=not online, since=real_time()))
        if found.device is not None and found.connected:
            await self._present(found.device, online=online)
        return found

    async def set_badge(self, user_agent_id: str, badge: int | None) -> UserAgent:
        """A page or a worker has set or cleared the badge."""
        return await self._keep(replace(await self.find(user_agent_id), badge=badge))

    async def change(self, user_agent_id: str, change: SubscriptionChange) -> UserAgent:
        """A worker has got a `pushsubscriptionchange` event."""
        found = await self.find(user_agent_id)
        changes = (*found.changes, change)[-MAX_CHANGES:]
        return await self._keep(replace(found, changes=changes))

    async def forget(self, user_agent_id: str) -> None:
        """Its subscriptions expire, and it is to get a new identity, at once if it is there."""
        found = await self.find(user_agent_id)
        if found.device is not None:
            await self.give_up(found.device)

    async def remove(self, user_agent_id: str) -> None:
        """The same, and it is not expected to come back; nor is known what it has shown."""
        await self.forget(user_agent_id)
        await self._service.storage.forget_user_agent(user_agent_id)
        await self._service.notifications.forget_shown_by(user_agent_id)
        self._service.notifications.expect(user_agent_id, told=False)
        for tell in self.at_removal:
            tell(user_agent_id)

    # What gateways tell

    async def known(self, device: str) -> bool:
        """Whether the device may come back as it is."""
        found = await self._service.storage.user_agent_with(device)
        return found is not None and found.known

    async def connect(
        self, link: Link, *, kind: UserAgentKind, device: str, name: str | None = None
    ) -> UserAgent:
        """A user agent is there; an older connection of it is closed.

        `name` is its id if it has one; otherwise that is the device. `LimitError`.
        """
        storage = self._service.storage
        before = await storage.user_agent_with(device)
        found = await storage.user_agent(name) if name is not None else before
        for each in {device, found.device if found and found.device else device}:
            await self._cut(each)
        found = found or UserAgent(name or device, DEFAULT_TENANT, 0.0)
        known = before is not None and before.known
        found = await self._keep(
            replace(found, kind=kind, device=device, known=known, connected=True, since=real_time())
        )
        self._links[device] = link
        if not found.away:
            await self._present(device, online=True)
        return found

    async def disconnect(self, link: Link, device: str) -> None:
        """The connection has ended; nothing to do if another one has taken over."""
        if self._links.get(device) is not link:
            return
        await self._cut(device)
        found = await self._service.storage.user_agent_with(device)
        if found is None:
            return
        if found.known or found.named:
            kept = device if found.known else None
            await self._keep(replace(found, device=kept, connected=False, since=real_time()))
        else:
            await self._service.storage.forget_user_agent(found.id)

    async def give_up(self, device: str) -> None:
        """The device is unknown from now on, and all its subscriptions have expired."""
        link = await self._unlink(device)
        if link is not None:
            link.lose_identity()
        for each in await self.held_by(device):
            await self._service.end_subscription(each, state=SubscriptionState.EXPIRED)
        found = await self._service.storage.user_agent_with(device)
        if found is not None and found.named:
            gone = replace(found, device=None, known=False, connected=False, since=real_time())
            await self._keep(gone)
        elif found is not None:
            await self._service.storage.forget_user_agent(found.id)

    # Subscriptions

    async def refusal(self, device: str) -> Refusal | None:
        """What the subscription that is asked for is to be refused with; it counts as refused."""
        found = await self._service.storage.user_agent_with(device)
        if found is None or found.refusal is None:
            return None
        left = found.refusals - 1
        await self._keep(replace(found, refusal=found.refusal if left else None, refusals=left))
        return found.refusal

    async def subscribe(
        self,
        device: str,
        channel: str,
        *,
        profile: str,
        application_server_key: bytes | None = None,
        reached: str | None = None,
        also_at: tuple[str, ...] = (),
    ) -> Subscription:
        """A new subscription in the tenant that the user agent is assigned to.

        `reached` is the origin by which it has reached the service, as it says itself.
        """
        found = await self._service.storage.user_agent_with(device)
        if found is None:
            raise NotFoundError(f"there is no user agent with the device {device!r}")
        origin = None
        if self.by_listener and reached is not None:
            origin = reached_origin(self._service.origins, reached)
        subscription = await self._service.subscribe(
            found.tenant,
            profile=profile,
            application_server_key=application_server_key,
            origin=origin,
            also_at=also_at,
            online=not found.away,
            holder=Holder(found.id, device, channel),
        )
        if not found.known:
            await self._keep(replace(found, known=True))
        return subscription

    async def held_by(self, device: str) -> Sequence[Subscription]:
        """The active subscriptions of a device, in whatever tenants."""
        held = await self._service.storage.held_by(device)
        return [each for each in held if each.state is SubscriptionState.ACTIVE]

    async def unsubscribe(self, device: str, channel: str) -> None:
        """Its subscriptions in this channel are removed."""
        for each in await self.held_by(device):
            if each.holder is not None and each.holder.channel == channel:
                await self._service.end_subscription(each, state=SubscriptionState.REMOVED)

    # Messages

    async def deliver(
        self, message: PushMessage, subscription: Subscription, holder: Holder
    ) -> None:
        """Sends a message that has just been accepted, if its user agent is there."""
        link = self._links.get(holder.device)
        if link is None or not subscription.online:
            return
        if link.ready:
            now = message.received_at
            await self._service.storage.deliver(message.tenant, message.id, now=now)
            link.send(message, holder)
        else:
            await link.look()

    async def claim(self, device: str, delivery: Delivery) -> Sequence[tuple[PushMessage, Holder]]:
        """Delivers what waits for it, as much as `delivery` allows, of one tenant at a time."""
        held = await self.held_by(device)
        holders = {each.id: each.holder for each in held if each.holder is not None}
        for tenant in dict.fromkeys(each.tenant for each in held):
            now = await self._service.now(tenant)
            claimed = await self._service.storage.claim_held(
                tenant, device, delivery=delivery, now=now
            )
            if claimed:
                return [(each, holders[each.subscription]) for each in claimed]
        return ()

    async def acknowledge(self, message: PushMessage, *, detail: str | None = None) -> None:
        """The user agent has the message."""
        now = await self._service.now(message.tenant)
        await self._service.storage.acknowledge(message.id, now=now, detail=detail)

    async def report(
        self, message: PushMessage, report: Report, *, detail: str | None = None
    ) -> None:
        """The user agent tells what has become of a message that it got."""
        now = await self._service.now(message.tenant)
        await self._service.storage.report(message.id, report, now=now, detail=detail)

    async def online(self, device: str) -> bool:
        """Whether messages reach the device."""
        found = await self._service.storage.user_agent_with(device)
        return found is not None and found.online

    async def look(self, device: str) -> None:
        """There may be something to claim for this device."""
        link = self._links.get(device)
        if link is not None:
            await link.look()

    # Below the surface

    async def _keep(self, user_agent: UserAgent) -> UserAgent:
        return await self._service.storage.keep_user_agent(user_agent)

    async def _present(self, device: str, *, online: bool) -> None:
        for each in await self.held_by(device):
            if online:
                await self._service.connection_made(each)
            else:
                await self._service.connection_lost(each)
        link = self._links[device]
        if online:
            await link.look()
        else:
            link.taken_back()

    async def _cut(self, device: str) -> None:
        link = await self._unlink(device)
        if link is not None:
            link.close()

    async def _unlink(self, device: str) -> Link | None:
        """Nothing reaches the device any more; the link that it had."""
        link = self._links.pop(device, None)
        if link is not None:
            for each in await self.held_by(device):
                await self._service.connection_lost(each)
        return link
