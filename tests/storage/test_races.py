"""Two clients do the same at the same time; and what comes and goes leaves nothing behind."""

from __future__ import annotations

import asyncio
import itertools
import tracemalloc

import pytest

from mockpush.errors import InvalidRequestError, LimitError, NotFoundError
from mockpush.protocol.delivery import Delivery
from mockpush.protocol.model import SubscriptionState
from mockpush.protocol.receipts import ReceiptSubscription
from mockpush.storage.base import TenantSummary

START = 1_800_000_000.0
ALL_AT_ONCE = Delivery(window=None)


async def both(one, other) -> list:
    return await asyncio.gather(one, other, return_exceptions=True)


@pytest.mark.parametrize(
    "operation",
    [
        lambda bench: bench.presence(online=False),
        lambda bench: bench.end(),
        lambda bench: bench.claim(delivery=ALL_AT_ONCE),
        lambda bench: bench.storage.release("t", "s", now=START),
        lambda bench: bench.storage.acknowledge("m2", now=START),
        lambda bench: bench.storage.cancel("m3", now=START),
        lambda bench: bench.storage.expire("t", until=START + 60),
        lambda bench: bench.storage.forget_messages("t", lambda message: True),
        lambda bench: bench.storage.forget_requests("t"),
        lambda bench: bench.storage.delete_tenant("t"),
        lambda bench: bench.storage.claim_from_set("g", delivery=ALL_AT_ONCE, now=START),
        lambda bench: bench.storage.end_set("g", state=SubscriptionState.REMOVED, now=START),
        lambda bench: bench.storage.departed("g"),
        lambda bench: bench.storage.take_receipts("r", limit=None),
        lambda bench: bench.storage.close_receipts("r", now=START),
    ],
)
async def test_of_two_who_do_the_same_one_wins(bench, operation):
    await bench.add(held=True, set_id="g")
    await bench.add("left", set_id="g")
    await bench.end("left")
    await bench.storage.open_receipts(ReceiptSubscription("r", "t", START))
    await bench.storage.cancel((await bench.push(receipt="r")).id, now=START)
    await bench.push()
    await bench.claim()
    await bench.push()
    await bench.storage.record(bench.record(1))
    won = [bool(result) for result in await both(operation(bench), operation(bench))]
    assert sorted(won) == [False, True]


async def test_two_who_acknowledge_and_cancel_do_not_both_win(bench):
    await bench.add(held=True)
    message = await bench.push()
    results = await both(bench.claim(), bench.storage.cancel(message.id, now=START))
    assert sum(map(bool, results)) == 1


async def test_two_who_claim_never_get_the_same_message(bench):
    await bench.add(held=True)
    pushed = [(await bench.push()).id for _ in range(6)]
    window = Delivery(window=4)
    first, second = await both(bench.claim(delivery=window), bench.claim(delivery=window))
    assert sorted(first + second) == pushed[:4]


async def test_two_who_take_receipts_never_get_the_same(bench):
    await bench.add()
    await bench.storage.open_receipts(ReceiptSubscription("r", "t", START))
    pushed = [(await bench.push(receipt="r")).id for _ in range(4)]
    take = bench.storage.take_receipts
    first, second = await both(take("r", limit=2), take("r", limit=2))
    assert sorted(each.message for each in (*first, *second)) == pushed


@pytest.mark.parametrize("first", [0, 1])
async def test_a_set_that_ends_as_it_is_joined_leaves_nobody_in_it(bench, first):
    await bench.add("a", set_id="g")
    joining = bench.storage.add_subscription(bench.subscription("b", set_id="g"), joins=True)
    ending = bench.storage.end_set("g", state=SubscriptionState.REMOVED, now=START)
    race = [joining, ending]
    results = await both(race[first], race[1 - first])
    refused = any(isinstance(result, InvalidRequestError) for result in results)
    states = {each.id: each.state for each in await bench.storage.subscriptions("t")}
    assert states == {"a": "removed"} | ({} if refused else {"b": "removed"})
    assert await bench.storage.subscription_set("g") is None


async def test_of_two_messages_of_a_topic_one_is_left(bench):
    await bench.add(online=False)
    await both(bench.push(topic="a"), bench.push(topic="a"))
    assert sorted((await bench.states()).values()) == ["pending", "replaced"]


async def test_the_last_place_is_given_once(make):
    bench = make(subscriptions=2, messages=2, tenants=1)
    await bench.add("s", online=False)
    await bench.push()
    for race in (
        both(bench.add("a"), bench.add("b")),
        both(bench.push(), bench.push()),
    ):
        assert sum(isinstance(result, LimitError) for result in await race) == 1
    assert await bench.storage.tenants() == [TenantSummary("t", 2, 2, 2)]
    other = make(tenants=1)
    results = await both(other.add(tenant="a"), other.add(tenant="b"))
    assert sum(isinstance(result, LimitError) for result in results) == 1


async def test_an_id_is_given_once_even_to_two_at_once(bench):
    results = await both(bench.add(), bench.add())
    assert sum(isinstance(result, InvalidRequestError) for result in results) == 1


async def test_two_requests_have_two_numbers_and_two_records(bench):
    await bench.add()
    numbers = await both(bench.arrive(), bench.arrive())
    assert sorted(numbers) == [1, 2]
    await both(*(bench.storage.record(bench.record(number)) for number in numbers))
    assert sorted(each.id for each in await bench.storage.requests("t")) == [1, 2]
    sequences = [event.sequence for event in await bench.storage.events("t")]
    assert sequences == [1, 2, 3]


@pytest.mark.parametrize("first", [0, 1])
async def test_a_message_and_the_end_of_its_subscription_leave_nothing_open(bench, first):
    await bench.add(online=False)
    race = [bench.end(), bench.push()]
    results = await both(race[first], race[1 - first])
    assert sum(isinstance(result, NotFoundError) for result in results) == 1 - first
    assert "pending" not in (await bench.states()).values()


async def growth(cycles, count: int) -> int:
    """The octets that so many cycles leave behind."""
    await cycles(500)
    tracemalloc.start()
    try:
        await cycles(500)
        before = tracemalloc.get_traced_memory()[0]
        await cycles(count)
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


async def test_messages_that_come_and_go_leave_nothing_behind(make):
    bench = make(messages=50, requests=50, events=50, receipt_subscriptions=50)
    numbers = itertools.count()
    await bench.add(held=True)

    async def cycles(count: int) -> None:
        for number in range(count):
            receipt = f"r{next(numbers) // 10}"
            await bench.storage.open_receipts(ReceiptSubscription(receipt, "t", START))
            message = await bench.push(topic=f"topic-{number}", ttl=2_419_200, receipt=receipt)
            await bench.claim()
            await bench.storage.acknowledge(message.id, now=START)

    assert await growth(cycles, 20_000) < 50_000
    assert await bench.storage.tenants() == [TenantSummary("t", 1, 50, 50)]


@pytest.mark.parametrize("others", [0, 1])
async def test_waits_that_end_in_time_leave_nothing_behind(bench, others):
    async def cycles(count: int) -> None:
        for number in range(count):
            await bench.storage.changed(f"t{number}" if not others else "t", timeout=0)

    tasks = [asyncio.ensure_future(bench.storage.changed("t", timeout=None)) for _ in range(others)]
    await asyncio.sleep(0)
    assert await growth(cycles, 2000) < 20_000
    await bench.add()
    assert await asyncio.gather(*tasks) == [True] * others
