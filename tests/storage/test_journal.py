"""The journal, the events, and waiting for them."""

from __future__ import annotations

import asyncio

from mockpush.protocol.clock import Clock
from mockpush.protocol.delivery import RFC8030
from mockpush.protocol.events import EventKind
from mockpush.protocol.model import MessageState

START = 1_800_000_000.0


async def test_requests_are_numbered_and_recorded(bench):
    storage = bench.storage
    await bench.add()
    await bench.add(tenant="other")
    for expected in (1, 2, 3):
        assert await bench.arrive() == expected
        events = await storage.record(bench.record(expected))
        assert [
            (each.kind, each.subscription, each.message, each.request, each.detail)
            for each in events
        ] == [("request", "s", f"m{expected}", expected, "201")]
    assert await bench.arrive(tenant="other") == 1
    assert [each.id for each in await storage.requests("t")] == [1, 2, 3]
    assert [each.id for each in await storage.requests("t", after=1)] == [2, 3]
    assert await storage.forget_requests("t") == 3
    assert list(await storage.requests("t")) == []
    assert await bench.arrive() == 4


async def test_a_request_meets_its_subscription_the_clock_and_what_is_due(bench):
    added = await bench.add(held=True, expires_at=START + 100)
    await bench.storage.set_clock("t", Clock(5), kind=EventKind.CLOCK_ADVANCED, now=START)
    arrival = await bench.storage.arrive(added.token)
    assert (arrival.subscription.id, arrival.clock, arrival.due) == ("s", Clock(5), START + 100)
    assert await bench.storage.arrive("nowhere") is None


async def test_the_journal_and_the_events_keep_the_newest(make):
    bench = make(requests=3, events=4)
    for number in range(1, 11):
        await bench.storage.record(bench.record(number))
    assert [each.id for each in await bench.storage.requests("t")] == [8, 9, 10]
    assert [each.sequence for each in await bench.storage.events("t")] == [7, 8, 9, 10]


async def test_events_and_messages_can_be_read_on_from_any_point(bench):
    await bench.add(online=False)
    messages = [await bench.push() for _ in range(3)]
    events = await bench.storage.events("t")
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert list(await bench.storage.events("t", after=2)) == list(events[2:])
    assert list(await bench.storage.events("t", after=7)) == []
    after = await bench.storage.messages("t", after=messages[0].request)
    assert [each.id for each in after] == [each.id for each in messages[1:]]


async def test_what_an_operation_returns_is_what_it_wrote(bench):
    storage = bench.storage
    returned = [
        *await storage.add_subscription(bench.subscription(held=True)),
        *await bench.accept(first := bench.message(topic="a"), RFC8030),
        *await bench.accept(second := bench.message(topic="a"), RFC8030),
        *await bench.presence(online=False),
        *await storage.cancel(second.id, now=START),
        *await storage.set_clock("t", Clock(1), kind=EventKind.CLOCK_ADVANCED, now=START),
        *await bench.end(),
        *await storage.reset("t", keep=frozenset(), now=START),
    ]
    assert first.state is MessageState.REPLACED
    assert list(await storage.events("t")) == returned


async def waiting(bench, tenant="t", timeout=None) -> asyncio.Task[bool]:
    """A task that has begun to wait."""
    task = asyncio.ensure_future(bench.storage.changed(tenant, timeout=timeout))
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_whatever_happens_wakes_all_who_wait_for_that_tenant(bench):
    tasks = [await waiting(bench) for _ in range(3)]
    other = await waiting(bench, "other")
    await bench.add()
    assert await asyncio.gather(*tasks) == [True] * 3
    assert not other.done()
    assert await bench.storage.delete_tenant("t")
    await bench.add(tenant="other")
    assert await other


async def test_a_wait_ends_in_time(bench):
    assert not await bench.storage.changed("t", timeout=0)
    assert not await bench.storage.changed("t", timeout=0.001)


async def test_a_deleted_tenant_is_not_waited_for_and_not_made_by_waiting(bench):
    await bench.add()
    task = await waiting(bench)
    await bench.storage.delete_tenant("t")
    assert await task
    again = await waiting(bench)
    assert await bench.storage.tenants() == []
    await bench.add()
    assert await again


async def test_every_wait_can_be_ended_at_once(bench):
    tasks = [await waiting(bench, tenant) for tenant in "abab"]
    await bench.storage.wake()
    assert await asyncio.gather(*tasks) == [True] * 4


async def test_a_wait_that_is_cancelled_disturbs_nobody(bench):
    cancelled, task = await waiting(bench), await waiting(bench)
    cancelled.cancel()
    await bench.add("early")
    assert await task
    task = await waiting(bench)
    await asyncio.gather(cancelled, return_exceptions=True)
    await bench.add()
    assert await task
