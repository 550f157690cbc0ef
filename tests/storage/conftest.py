"""A storage of each implementation, and the shortest ways to use it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from mockpush.profiles import PROFILES
from mockpush.protocol.delivery import RFC8030, Delivery
from mockpush.protocol.events import Event
from mockpush.protocol.head import Head
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Judgement
from mockpush.protocol.model import PushRequest, Subscription, SubscriptionState
from mockpush.protocol.records import PushMessage, RequestRecord, WireAnswer
from mockpush.storage.base import Limits, Storage
from mockpush.storage.memory import MemoryStorage

STORAGES: dict[str, Callable[[Limits], Storage]] = {"memory": MemoryStorage}
"""Every implementation, to be made with its limits."""

START = 1_800_000_000.0
ALL_AT_ONCE = Delivery(window=None)
NOTHING = Inspection((), Head(), None, 0, None, restricted=False, managed=False)


class Bench:
    """A storage and the shortest ways to use it."""

    def __init__(self, make: Callable[[Limits], Storage], **limits: int) -> None:
        self.storage = make(Limits(**limits))
        self._numbers = itertools.count(1)

    def subscription(self, name: str = "s", *, tenant: str = "t", **options) -> Subscription:
        token = f"token-{tenant}-{name}"
        return Subscription(
            id=name,
            token=token,
            tenant=tenant,
            profile="rfc",
            endpoint=f"https://localhost/push/{token}",
            origins=("https://localhost",),
            created_at=START,
            **options,
        )

    def record(
        self, number: int, *, tenant="t", to="s", message: str | None = None, at=START
    ) -> RequestRecord:
        request = PushRequest("POST", "/push/x", [], b"", at, at)
        judgement = Judgement(PROFILES["rfc"], PROFILES["rfc"].success)
        answer = WireAnswer(201, ())
        return RequestRecord(
            number, tenant, to, message or f"m{number}", request, NOTHING, judgement, answer
        )

    def record_of(self, message: PushMessage) -> RequestRecord:
        """The record of the request that brought it."""
        return self.record(
            message.request,
            tenant=message.tenant,
            to=message.subscription,
            message=message.id,
            at=message.received_at,
        )

    async def arrive(self, name: str = "s", *, tenant: str = "t") -> int:
        arrival = await self.storage.arrive(f"token-{tenant}-{name}")
        assert arrival is not None
        return arrival.number

    async def add(self, name: str = "s", **options) -> Subscription:
        added = self.subscription(name, **options)
        await self.storage.add_subscription(added)
        return added

    def message(
        self, to="s", *, topic=None, urgency=None, ttl=60, at=START, tenant="t", receipt=None
    ) -> PushMessage:
        number = next(self._numbers)
        inspection = replace(NOTHING, head=Head(topic=topic, urgency=urgency))
        return PushMessage(
            f"m{number}", tenant, to, number, b"", inspection, ttl, at, at + ttl, receipt=receipt
        )

    async def push(self, to="s", *, delivery=RFC8030, **options) -> PushMessage:
        message = self.message(to, **options)
        await self.accept(message, delivery)
        return message

    async def accept(self, message: PushMessage, delivery: Delivery = RFC8030) -> list[Event]:
        return [*await self.storage.accept(message, self.record_of(message), delivery)]

    async def claim(self, name="s", *, delivery=RFC8030, now=START) -> list[str]:
        found = await self.storage.claim("t", name, delivery=delivery, now=now)
        return [message.id for message in found]

    async def presence(self, name="s", *, online: bool, now=START):
        return await self.storage.set_presence("t", name, online=online, delivery=RFC8030, now=now)

    async def end(self, name="s", *, state=SubscriptionState.EXPIRED, gone_status=None, now=START):
        return await self.storage.end_subscription(
            "t", name, state=state, gone_status=gone_status, now=now
        )

    async def states(self) -> dict[str, str]:
        return {each.id: each.state.value for each in await self.storage.messages("t")}

    async def happened(self, *, after: int = 0) -> list[tuple[str, str | None]]:
        """The events of messages: kind and message."""
        events = await self.storage.events("t", after=after)
        return [
            (each.kind.removeprefix("message."), each.message)
            for each in events
            if each.kind.startswith("message.")
        ]


@pytest.fixture(params=STORAGES)
def make(request):
    """Make a bench with these limits."""
    return partial(Bench, STORAGES[request.param])


@pytest.fixture
def bench(make):
    return make()
