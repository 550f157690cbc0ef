"""Subscription sets: who is in them, and that they begin and end as a whole."""

from __future__ import annotations

import pytest

from mockpush.errors import InvalidRequestError, NotFoundError
from mockpush.protocol.delivery import RFC8030, Delivery
from mockpush.protocol.model import SubscriptionState, Urgency
from mockpush.storage.base import Keep

START = 1_800_000_000.0
ALL_AT_ONCE = Delivery(window=None)


async def members(bench, set_id="g") -> list[str] | None:
    found = await bench.storage.subscription_set(set_id)
    return None if found is None else [each.id for each in found.members]


async def join(bench, name: str, set_id="g", **options):
    added = bench.subscription(name, set_id=set_id, held=True, **options)
    await bench.storage.add_subscription(added, joins=True)


async def claim(bench, set_id="g", *, delivery=ALL_AT_ONCE, now=START, lowest=None) -> list[str]:
    found = await bench.storage.claim_from_set(set_id, delivery=delivery, now=now, lowest=lowest)
    return [message.id for message in found]


@pytest.fixture
async def pair(bench):
    """A storage with two subscriptions in one set, and one outside."""
    await bench.add("a", set_id="g", held=True)
    await join(bench, "b")
    await bench.add("other", set_id="h", held=True)
    return bench


async def test_a_set_has_its_members_in_order_and_its_tenant(pair):
    assert await members(pair) == ["a", "b"]
    assert await members(pair, "h") == ["other"]
    assert (await pair.storage.subscription_set("g")).tenant == "t"
    assert await members(pair, "unknown") is None


async def test_only_a_set_that_is_there_can_be_joined(bench):
    with pytest.raises(InvalidRequestError, match="no such subscription set"):
        await join(bench, "a")
    assert await bench.storage.subscriptions("t") == []


async def test_sets_of_other_tenants_cannot_be_joined(pair):
    with pytest.raises(InvalidRequestError):
        await join(pair, "c", tenant="u")


@pytest.mark.parametrize("state", [SubscriptionState.EXPIRED, SubscriptionState.REMOVED])
async def test_who_ends_leaves_and_the_set_stays_even_without_members(pair, state):
    await pair.end("a", state=state)
    assert await members(pair) == ["b"]
    await pair.end("b", state=state)
    assert await members(pair) == []
    await join(pair, "c")
    assert await members(pair) == ["c"]


async def test_who_expires_by_time_leaves(bench):
    await bench.add("a", set_id="g", expires_at=START + 10)
    await bench.storage.expire("t", until=START + 10)
    assert await members(bench) == []


async def test_that_somebody_has_left_is_told_once(pair):
    departed = pair.storage.departed
    assert await departed("g") is False
    await pair.end("a")
    await pair.end("b")
    assert [await departed("g"), await departed("g"), await departed("h")] == [True, False, False]
    await join(pair, "c")
    await pair.end("c")
    await pair.end("c")
    assert [await departed("g"), await departed("g")] == [True, False]
    await pair.storage.end_set("g", state=SubscriptionState.REMOVED, now=START)
    assert [await departed("g"), await departed("unknown")] == [False, False]


@pytest.mark.parametrize("state", [SubscriptionState.EXPIRED, SubscriptionState.REMOVED])
async def test_the_end_of_a_set_is_the_end_of_its_members(pair, state):
    await pair.push("a")
    events = await pair.storage.end_set("g", state=state, now=START + 1)
    kinds = [event.kind for event in events]
    ended = f"subscription.{state}"
    assert kinds == [ended, "message.dropped", ended, "set.removed"]
    assert events[-1].detail == "g"
    assert {event.at for event in events} == {START + 1}
    assert await members(pair) is None
    states = {each.id: each.state for each in await pair.storage.subscriptions("t")}
    assert states == {"a": state, "b": state, "other": "active"}
    assert await pair.storage.end_set("g", state=state, now=START) == []


async def test_messages_of_a_set_come_in_order_of_arrival(pair):
    sent = [(await pair.push(name)).id for name in ("b", "a", "b", "other", "a")]
    assert await claim(pair) == [each for each in sent if each != sent[3]]


async def test_the_window_is_that_of_the_whole_set(pair):
    first, second = (await pair.push("b")).id, (await pair.push("a")).id
    assert await claim(pair, delivery=RFC8030) == [first]
    assert await claim(pair, delivery=RFC8030) == []
    await pair.storage.acknowledge(first, now=START)
    assert await claim(pair, delivery=RFC8030) == [second]


async def test_who_is_offline_gets_nothing(pair):
    await pair.presence("a", online=False)
    await pair.push("a")
    here = await pair.push("b")
    assert await claim(pair) == [here.id]


async def test_nothing_comes_after_its_time(pair):
    await pair.push("a", ttl=10)
    assert await claim(pair, now=START + 10) == []


async def test_nothing_comes_from_a_set_that_is_not_there(pair):
    with pytest.raises(NotFoundError):
        await claim(pair, "unknown")


async def test_only_what_is_urgent_enough_is_claimed(pair):
    sent = {
        urgency: await pair.push("a", ttl=ttl, urgency=urgency)
        for urgency, ttl in ((Urgency.LOW, 60), (Urgency.VERY_LOW, 0), (Urgency.HIGH, 0))
    }
    assert await claim(pair, lowest=Urgency.NORMAL) == [sent[Urgency.HIGH].id]
    assert list((await pair.states()).values()) == ["pending", "dropped", "delivered"]
    found = await pair.storage.claim("t", "a", delivery=ALL_AT_ONCE, now=START, lowest=Urgency.LOW)
    assert [message.id for message in found] == [sent[Urgency.LOW].id]


@pytest.mark.parametrize("keep", [frozenset(), frozenset({Keep.SUBSCRIPTIONS})])
async def test_a_reset_keeps_sets_with_their_members(pair, keep):
    await pair.storage.reset("t", keep=keep, now=START)
    assert await members(pair) == (["a", "b"] if keep else None)


async def test_empty_sets_give_way_at_the_limit_oldest_first(make):
    bench = make(subscriptions=2)
    for name in "abcd":
        await bench.add(name, set_id=f"set-{name}")
        await bench.end(name)
    there = [name for name in "abcd" if await members(bench, f"set-{name}") is not None]
    assert there == ["c", "d"]


async def test_a_forgotten_subscription_is_in_no_set(make):
    bench = make(subscriptions=1)
    await bench.add("a", set_id="g")
    await bench.end("a")
    await bench.add("b", set_id="g")
    assert await members(bench) == ["b"]
