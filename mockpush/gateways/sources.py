"""What monitoring requests watch: a subscription, a subscription set, a receipt subscription."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from mockpush.errors import NotFoundError
from mockpush.gateways.pushed import Pushed, push_message, push_receipt
from mockpush.protocol.delivery import Delivery
from mockpush.protocol.model import Subscription, SubscriptionSet, SubscriptionState, Urgency
from mockpush.protocol.receipts import Receipt, ReceiptSubscription
from mockpush.protocol.records import PushMessage
from mockpush.service import PushService

PROFILE: Final = "rfc"
"""The profile of the subscriptions that user agents make here."""


class Source(Protocol):
    """A resource that is monitored; its methods raise `NotFoundError` when it is gone.

    `id` is its own, `rivals` are the ids of the resources that bring some of the same.
    """

    tenant: str
    id: str
    rivals: tuple[str, ...]

    async def connect(self) -> None:
        """A monitoring request has come."""

    async def begin(self) -> None:
        """It has taken over from those before."""

    async def look(self, *, at_once: bool) -> Sequence[Pushed] | None:
        """The oldest, or with `at_once` everything, that has not been delivered.

        None: nothing yet. Empty: there is a reason to end the request.
        """

    async def undo(self, pushed: Sequence[Pushed]) -> None:
        """What `look` gave has not been sent."""

    async def disconnect(self) -> None:
        """The client went away."""


class Messages(ABC):
    """The push messages of some subscriptions of one user agent, in order of arrival.

    Nothing below the urgency `lowest` is delivered (RFC 8030, Section 6).
    """

    def __init__(
        self, service: PushService, tenant: str, own_id: str, lowest: Urgency | None
    ) -> None:
        self.service = service
        self.tenant = tenant
        self.id = own_id
        self.rivals: tuple[str, ...] = ()
        self.lowest = lowest
        self._was_online = False

    @abstractmethod
    async def members(self) -> Sequence[Subscription]:
        """The active subscriptions."""

    @abstractmethod
    async def claim(self, delivery: Delivery) -> Sequence[PushMessage]:
        """Delivers what is pending."""

    async def shrank(self) -> bool:
        """Whether the user agent is to hear that a subscription has ended."""
        return False

    async def connect(self) -> None:
        for each in await self.members():
            await self.service.connection_made(each)

    async def begin(self) -> None:
        now = await self.service.now(self.tenant)
        for each in await self.members():
            await self.service.storage.release(self.tenant, each.id, now=now)

    async def look(self, *, at_once: bool) -> Sequence[Pushed] | None:
        if self._went_offline(await self.members()) or (not at_once and await self.shrank()):
            return []
        delivery = self.service.profiles[PROFILE].delivery
        claimed = await self.claim(replace(delivery, window=None) if at_once else delivery)
        find = self.service.storage.subscription
        return [
            push_message(each, owner)
            for each in claimed
            if (owner := await find(self.tenant, each.subscription))
        ] or None

    def _went_offline(self, members: Sequence[Subscription]) -> bool:
        """Whether the user agent has gone since the last look."""
        was_online, self._was_online = self._was_online, any(each.online for each in members)
        return bool(members) and was_online and not self._was_online

    async def undo(self, pushed: Sequence[Pushed]) -> None:  # noqa: B027 - as it says
        """Nothing to do: what is not acknowledged is given back when the next request begins."""

    async def disconnect(self) -> None:
        for each in await self.members():
            await self.service.connection_lost(each)


class OfSubscription(Messages):
    """The messages of one subscription (RFC 8030, Section 6)."""

    def __init__(
        self, service: PushService, held: Subscription, lowest: Urgency | None = None
    ) -> None:
        super().__init__(service, held.tenant, held.id, lowest)
        self.rivals = () if held.set_id is None else (held.set_id,)

    async def members(self) -> Sequence[Subscription]:
        return [await held_subscription(self.service, self.id)]

    async def claim(self, delivery: Delivery) -> Sequence[PushMessage]:
        now = await self.service.now(self.tenant)
        return await self.service.storage.claim(
            self.tenant, self.id, delivery=delivery, now=now, lowest=self.lowest
        )


class OfSet(Messages):
    """The messages of the members of a set (RFC 8030, Section 6.1)."""

    def __init__(
        self, service: PushService, found: SubscriptionSet, lowest: Urgency | None = None
    ) -> None:
        super().__init__(service, found.tenant, found.id, lowest)
        self.rivals = tuple(each.id for each in found.members)

    async def members(self) -> Sequence[Subscription]:
        return (await subscription_set(self.service, self.id)).members

    async def shrank(self) -> bool:
        return await self.service.storage.departed(self.id)

    async def claim(self, delivery: Delivery) -> Sequence[PushMessage]:
        now = await self.service.now(self.tenant)
        return await self.service.storage.claim_from_set(
            self.id, delivery=delivery, now=now, lowest=self.lowest
        )


class Receipts:
    """The receipts of the messages that name a receipt subscription (RFC 8030, Section 6.3)."""

    rivals: tuple[str, ...] = ()

    def __init__(self, service: PushService, found: ReceiptSubscription) -> None:
        self.service = service
        self.tenant = found.tenant
        self.id = found.id

    async def connect(self) -> None:
        """Application servers are not online or offline."""

    async def begin(self) -> None:
        """There is nothing to give back: a receipt is not acknowledged."""

    async def look(self, *, at_once: bool) -> Sequence[Pushed] | None:
        storage = self.service.storage
        if await storage.receipt_subscription(self.id) is None:
            raise NotFoundError("there is no such receipt subscription")
        receipts = await storage.take_receipts(self.id, limit=None if at_once else 1)
        return [push_receipt(each) for each in receipts] or None

    async def undo(self, pushed: Sequence[Pushed]) -> None:
        receipts = [Receipt(each.message, each.status) for each in pushed]
        await self.service.storage.put_back_receipts(self.id, receipts)

    async def disconnect(self) -> None:
        """Nothing changes."""


async def held_subscription(service: PushService, own_id: str) -> Subscription:
    """The subscription if a user agent holds it and it is active (RFC 8030, Section 7.3)."""
    found = await service.storage.held_subscription(own_id)
    if found is None or found.state is not SubscriptionState.ACTIVE:
        state = "there is no such subscription" if found is None else f"it is {found.state}"
        raise NotFoundError(f"{state}: subscribe again")
    return found


async def subscription_set(service: PushService, own_id: str) -> SubscriptionSet:
    """The subscription set of this id."""
    found = await service.storage.subscription_set(own_id)
    if found is None:
        raise NotFoundError("there is no such subscription set: subscribe again")
    return found
