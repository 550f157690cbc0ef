"""Messages on their way: claimed, released, acknowledged, expired."""

from __future__ import annotations

import pytest

from mockpush.protocol.delivery import Delivery
from mockpush.protocol.model import SubscriptionState

START = 1_800_000_000.0
ALL_AT_ONCE = Delivery(window=None)


async def test_messages_are_delivered_in_order_of_arrival_as_many_as_the_window_allows(bench):
    await bench.add(held=True)
    first, second, third = [(await bench.push(topic=topic)).id for topic in "cab"]
    window = Delivery(window=2)
    assert await bench.claim(delivery=window) == [first, second]
    assert await bench.claim(delivery=window) == []
    await bench.storage.acknowledge(second, now=START)
    assert await bench.claim(delivery=window) == [third]
    assert await bench.claim(delivery=Delivery(window=1)) == []
    assert await bench.states() == {first: "delivered", second: "acknowledged", third: "delivered"}


async def test_without_a_window_all_are_delivered(bench):
    await bench.add(held=True)
    pushed = [(await bench.push()).id for _ in range(5)]
    assert await bench.claim(delivery=ALL_AT_ONCE) == pushed
    assert await bench.claim(delivery=ALL_AT_ONCE) == []


async def test_what_is_released_is_delivered_again_in_its_old_place(bench):
    await bench.add(held=True)
    first, second = [(await bench.push()).id for _ in range(2)]
    await bench.claim()
    events = await bench.storage.release("t", "s", now=START + 1)
    assert [(event.kind, event.message, event.at) for event in events] == [
        ("message.released", first, START + 1)
    ]
    assert await bench.claim(delivery=ALL_AT_ONCE) == [first, second]
    assert list(await bench.storage.release("t", "s", now=START)) != []
    assert list(await bench.storage.release("t", "s", now=START)) == []


@pytest.mark.parametrize(
    ("ttl", "now", "step"), [(0, START, "dropped"), (60, START + 60, "expired")]
)
async def test_what_cannot_be_delivered_again_ends_when_it_is_released(bench, ttl, now, step):
    await bench.add(held=True)
    message = await bench.push(ttl=ttl)
    await bench.claim()
    await bench.storage.expire("t", until=now)
    assert await bench.states() == {message.id: "delivered"}
    events = await bench.storage.release("t", "s", now=now)
    assert [event.kind for event in events] == ["message.released", f"message.{step}"]
    assert await bench.states() == {message.id: step}


async def test_what_is_delivered_is_acknowledged_and_what_is_pending_is_cancelled(bench):
    await bench.add(held=True)
    delivered, pending = await bench.push(), await bench.push()
    await bench.claim()
    storage = bench.storage
    assert list(await storage.cancel(delivered.id, now=START)) == []
    assert list(await storage.acknowledge(pending.id, now=START)) == []
    acknowledged = await storage.acknowledge(delivered.id, now=START + 1)
    cancelled = await storage.cancel(pending.id, now=START + 2)
    assert [(event.kind, event.at) for event in (*acknowledged, *cancelled)] == [
        ("message.acknowledged", START + 1),
        ("message.cancelled", START + 2),
    ]
    assert list(await storage.acknowledge(delivered.id, now=START)) == []
    assert list(await storage.cancel(pending.id, now=START)) == []


async def test_everything_expires_in_the_order_of_its_time(bench):
    await bench.add("s", online=False)
    await bench.add("short", online=False, expires_at=START + 20)
    late, early = await bench.push(ttl=30), await bench.push(ttl=10)
    lost = await bench.push("short", ttl=25)
    later = await bench.push(ttl=31)
    events = await bench.storage.expire("t", until=START + 30)
    assert [(event.kind, event.message, event.at - START) for event in events] == [
        ("message.expired", early.id, 10),
        ("subscription.expired", None, 20),
        ("message.dropped", lost.id, 20),
        ("message.expired", late.id, 30),
    ]
    assert await bench.states() == {
        late.id: "expired",
        early.id: "expired",
        lost.id: "dropped",
        later.id: "pending",
    }
    assert (await bench.storage.subscription("t", "short")).state is SubscriptionState.EXPIRED
    assert list(await bench.storage.expire("t", until=START + 30)) == []


async def test_the_order_of_time_survives_when_many_are_closed_early(bench):
    await bench.add(online=False)
    messages = [await bench.push(ttl=1 + number * 7919 % 1000) for number in range(400)]
    for number, message in enumerate(messages):
        if number % 4:
            await bench.storage.cancel(message.id, now=START)
    times = [event.at for event in await bench.storage.expire("t", until=START + 1000)]
    assert times == sorted(message.expires_at for message in messages[::4])


async def test_a_message_is_not_claimed_after_its_time_even_if_nobody_has_expired_it(bench):
    await bench.add(held=True)
    early, late = await bench.push(ttl=10), await bench.push(ttl=60)
    assert await bench.claim(delivery=ALL_AT_ONCE, now=START + 10) == [late.id]
    assert (await bench.states())[early.id] == "expired"


async def test_what_is_delivered_does_not_expire(bench):
    await bench.add(held=True)
    message = await bench.push(ttl=10)
    await bench.claim()
    assert list(await bench.storage.expire("t", until=START + 100)) == []
    await bench.storage.acknowledge(message.id, now=START + 100)
    assert await bench.states() == {message.id: "acknowledged"}


async def test_what_was_released_before_its_time_still_expires(bench):
    await bench.add(held=True)
    message = await bench.push(ttl=10)
    await bench.claim()
    await bench.storage.release("t", "s", now=START + 5)
    await bench.storage.expire("t", until=START + 10)
    assert await bench.states() == {message.id: "expired"}


async def test_the_next_expiry_is_known(bench):
    storage = bench.storage
    await bench.add(online=False, expires_at=START + 100)
    assert await storage.next_expiry("t") == START + 100
    await bench.push(ttl=60)
    await bench.push(ttl=30)
    await bench.push(ttl=0)
    assert await storage.next_expiry("t") == START + 30
    await storage.expire("t", until=START + 30)
    assert await storage.next_expiry("t") == START + 60
    await storage.expire("t", until=START + 100)
    assert await storage.next_expiry("t") is None
