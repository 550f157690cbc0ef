"""Receipt subscriptions: what becomes of messages is kept until somebody takes it, once."""

from __future__ import annotations

import asyncio

import pytest

from mockpush.errors import NotFoundError
from mockpush.protocol.receipts import Receipt, ReceiptSubscription
from mockpush.storage.base import Keep

START = 1_800_000_000.0


async def opened(bench, name="r", *, tenant="t", at=START):
    return await bench.storage.open_receipts(ReceiptSubscription(name, tenant, at))


async def take(bench, name="r", limit=None) -> list[Receipt]:
    return list(await bench.storage.take_receipts(name, limit=limit))


@pytest.fixture
async def ready(bench):
    """A storage with a held subscription `s` and a receipt subscription `r`."""
    await bench.add(held=True)
    await opened(bench)
    return bench


async def test_a_receipt_subscription_is_found_by_its_id_in_whatever_tenant(ready):
    assert await ready.storage.receipt_subscription("r") == ReceiptSubscription("r", "t", START)
    assert await ready.storage.receipt_subscription("x") is None
    assert list(await opened(ready, at=START + 9)) == []
    [event] = await opened(ready, "x", at=START + 1)
    assert (event.kind, event.detail, event.at) == ("receipts.opened", "x", START + 1)


async def test_there_is_none_without_its_tenant(bench):
    with pytest.raises(NotFoundError):
        await opened(bench)


async def acknowledged(bench, message):
    await bench.claim()
    await bench.storage.acknowledge(message.id, now=START)


ENDS = {
    "acknowledged": (204, acknowledged),
    "cancelled": (410, lambda bench, message: bench.storage.cancel(message.id, now=START)),
    "expired": (410, lambda bench, _: bench.storage.expire("t", until=START + 60)),
    "dropped": (410, lambda bench, _: bench.end()),
    "replaced": (None, lambda bench, _: bench.push(topic="a")),
}


@pytest.mark.parametrize("state", ENDS)
async def test_each_end_of_a_message_has_its_receipt(ready, state):
    status, end = ENDS[state]
    message = await ready.push(topic="a", receipt="r")
    assert await take(ready) == []
    await end(ready, message)
    assert (await ready.states())[message.id] == state
    assert await take(ready) == ([] if status is None else [Receipt(message.id, status)])
    assert await take(ready) == []


async def test_what_is_received_at_once_has_a_receipt_at_once(bench):
    await bench.add()
    await opened(bench)
    message = await bench.push(receipt="r")
    assert await take(bench) == [Receipt(message.id, 204)]


async def test_what_is_lost_while_delivered_is_410_when_that_shows(ready):
    message = await ready.push(receipt="r", ttl=10)
    await ready.claim()
    await ready.storage.expire("t", until=START + 10)
    assert await take(ready) == []
    await ready.storage.release("t", "s", now=START + 10)
    assert await take(ready) == [Receipt(message.id, 410)]


async def test_what_is_forgotten_before_it_is_delivered_is_410(ready):
    messages = [await ready.push(receipt=name) for name in ("r", None)]
    await acknowledged(ready, messages[0])
    waiting = await ready.push(receipt="r")
    await ready.storage.forget_messages("t", lambda message: True)
    assert await take(ready) == [Receipt(messages[0].id, 204), Receipt(waiting.id, 410)]


async def test_receipts_wait_in_order_and_each_goes_where_it_was_asked_for(ready):
    await opened(ready, "other")
    names = ["r", "other", "r", None, "r"]
    sent = [await ready.push(receipt=name) for name in names]
    for message in sent:
        await ready.storage.cancel(message.id, now=START)
    ids = [message.id for message, name in zip(sent, names, strict=True) if name == "r"]
    assert [each.message for each in await take(ready, limit=2)] == ids[:2]
    assert [each.message for each in await take(ready)] == ids[2:]
    assert [each.message for each in await take(ready, "other")] == [sent[1].id]


async def test_what_could_not_be_delivered_is_put_back_in_front(ready):
    for _ in range(3):
        message = await ready.push(receipt="r")
        await ready.storage.cancel(message.id, now=START)
    taken = await take(ready, limit=2)
    await ready.storage.put_back_receipts("r", taken)
    await ready.storage.put_back_receipts("r", [])
    await ready.storage.put_back_receipts("unknown", taken)
    assert [each.message for each in await take(ready)] == ["m1", "m2", "m3"]


async def test_what_is_put_back_is_waited_for(ready):
    message = await ready.push(receipt="r")
    await ready.storage.cancel(message.id, now=START)
    taken = await take(ready)
    task = asyncio.ensure_future(ready.storage.changed("t", timeout=10))
    await asyncio.sleep(0)
    await ready.storage.put_back_receipts("r", taken)
    assert await task is True


async def test_a_closed_one_is_gone_with_its_receipts(ready):
    message = await ready.push(receipt="r")
    waiting = await ready.push(receipt="r")
    await ready.storage.cancel(message.id, now=START)
    [event] = await ready.storage.close_receipts("r", now=START + 1)
    assert (event.kind, event.detail, event.at) == ("receipts.closed", "r", START + 1)
    assert await ready.storage.receipt_subscription("r") is None
    assert await take(ready) == []
    assert await ready.storage.cancel(waiting.id, now=START)
    assert await ready.storage.close_receipts("r", now=START) == []


@pytest.mark.parametrize("keep", [frozenset(), frozenset({Keep.SUBSCRIPTIONS})])
async def test_a_reset_keeps_them_with_the_subscriptions(ready, keep):
    await ready.storage.reset("t", keep=keep, now=START)
    assert bool(await ready.storage.receipt_subscription("r")) is bool(keep)


async def test_a_tenant_takes_them_with_it(ready):
    await ready.storage.delete_tenant("t")
    assert await ready.storage.receipt_subscription("r") is None


async def test_the_oldest_gives_way_at_the_limit(make):
    bench = make(receipt_subscriptions=2)
    await bench.add()
    for name in "abc":
        events = await opened(bench, name)
    assert [(event.kind, event.detail) for event in events] == [
        ("receipts.closed", "a"),
        ("receipts.opened", "c"),
    ]
    there = [name for name in "abc" if await bench.storage.receipt_subscription(name)]
    assert there == ["b", "c"]


async def test_a_receipt_subscription_keeps_the_newest_receipts(make):
    bench = make(messages=2)
    await bench.add()
    await opened(bench)
    for _ in range(4):
        await bench.push(receipt="r")
    taken = await take(bench)
    assert [each.message for each in taken] == ["m3", "m4"]
    await bench.push(receipt="r")
    await bench.storage.put_back_receipts("r", taken)
    assert [each.message for each in await take(bench)] == ["m4", "m5"]
