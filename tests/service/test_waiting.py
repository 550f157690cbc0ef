"""Waits: they end as soon as there is a result, in time, when something expires, and at the end."""

from __future__ import annotations

import asyncio

from mockpush.protocol.model import SubscriptionState


class Look:
    """What is awaited, and how often it was looked for."""

    def __init__(self, service, subscription) -> None:
        self._service = service
        self._id = subscription.id
        self.times = 0

    async def __call__(self) -> str | None:
        self.times += 1
        found = await self._service.storage.subscription("default", self._id)
        return None if found.state is SubscriptionState.ACTIVE else found.state.value


def waiting(service, look, *, timeout=60) -> asyncio.Task:
    return asyncio.ensure_future(service.wait("default", look, timeout=timeout))


async def settled() -> None:
    """Until all that can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_is_there_is_returned_at_once(service, sender):
    subscription = await sender.subscribe()
    await service.end_subscription(subscription, state=SubscriptionState.REMOVED)
    look = Look(service, subscription)
    assert await service.wait("default", look, timeout=0) == "removed"
    assert look.times == 1


async def test_a_wait_looks_again_only_when_something_happens(service, sender):
    subscription = await sender.subscribe()
    look = Look(service, subscription)
    task = waiting(service, look)
    await settled()
    assert look.times == 1
    await sender.subscribe("other")
    await settled()
    assert look.times == 1
    await sender.subscribe()
    await settled()
    assert look.times == 2
    assert not task.done()
    await service.end_subscription(subscription, state=SubscriptionState.REMOVED)
    assert await task == "removed"
    assert look.times == 3


async def test_a_wait_for_nothing_ends_in_time(service, sender):
    look = Look(service, await sender.subscribe())
    for timeout in (0, -1, 0.001):
        assert await service.wait("default", look, timeout=timeout) is None


async def test_a_wait_wakes_by_itself_when_something_expires(service, sender):
    expires_at = await service.now("default") + 0.02
    look = Look(service, await sender.subscribe(expires_at=expires_at))
    assert await waiting(service, look) == "expired"
    assert look.times >= 2


async def test_a_wait_under_a_frozen_clock_ends_when_the_clock_is_put_forward(service, sender):
    await service.freeze("default")
    expires_at = await service.now("default") + 0.01
    look = Look(service, await sender.subscribe(expires_at=expires_at))
    assert await service.wait("default", look, timeout=0.03) is None
    task = waiting(service, look)
    await settled()
    await service.advance("default", 1)
    assert await task == "expired"


async def test_all_waits_end_when_the_service_closes(service, sender):
    look = Look(service, await sender.subscribe())
    tasks = [waiting(service, look) for _ in range(3)]
    await settled()
    assert not service.closing
    await service.close()
    assert await asyncio.gather(*tasks) == [None] * 3
    assert service.closing
    assert await service.wait("default", look, timeout=60) is None


async def test_a_wait_in_a_tenant_that_is_not_there_makes_none(service):
    async def look() -> None:
        return None

    assert await service.wait("nowhere", look, timeout=0.001) is None
    assert await service.storage.tenants() == []


async def test_a_service_can_be_opened_again_under_other_origins(service, sender):
    await service.close()
    service.open(("https://push.test",))
    assert not service.closing
    look = Look(service, await sender.subscribe())
    task = waiting(service, look)
    await settled()
    assert not task.done()
    made = await sender.subscribe()
    assert made.endpoint.startswith("https://push.test/")
    await service.close()
    assert await task is None
