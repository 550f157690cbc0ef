"""Subscriptions, and the user agents that come and go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockpush.errors import InvalidRequestError, LimitError
from mockpush.protocol.delivery import Delivery
from mockpush.protocol.model import SubscriptionState

START = 1_800_000_000.0
ALL_AT_ONCE = Delivery(window=None)


async def test_a_subscription_is_found_by_its_id_and_by_its_token(bench):
    added = await bench.add()
    assert await bench.storage.subscription("t", "s") == added
    assert await bench.storage.subscription_at(added.token) == added
    assert await bench.storage.subscription("other", "s") is None
    events = await bench.storage.events("t")
    assert [(event.kind, event.subscription, event.at) for event in events] == [
        ("subscription.created", "s", START)
    ]


async def test_only_what_a_user_agent_holds_is_found_as_held(bench):
    await bench.add("own")
    held = await bench.add("held", held=True)
    assert await bench.storage.held_subscription("own") is None
    assert await bench.storage.held_subscription("held") == held
    await bench.end("held")
    assert (await bench.storage.held_subscription("held")).state is SubscriptionState.EXPIRED


async def test_subscriptions_are_listed_oldest_first_and_numbered(bench):
    for name in "bac":
        await bench.add(name)
    await bench.presence("b", online=False)
    found = await bench.storage.subscriptions("t")
    assert [each.id for each in found] == ["b", "a", "c"]
    numbers = [each.sequence for each in found]
    assert numbers == sorted(set(numbers))


async def test_an_id_is_given_once_in_a_tenant(bench):
    await bench.add()
    with pytest.raises(InvalidRequestError) as caught:
        await bench.storage.add_subscription(replace(bench.subscription(), token="other"))
    assert caught.value.status == 409
    assert await bench.storage.subscription_at("other") is None
    await bench.add(tenant="other")


async def test_ended_subscriptions_give_way_at_the_limit_oldest_first(make):
    bench = make(subscriptions=3)
    for name in "abc":
        await bench.add(name, held=True)
    with pytest.raises(LimitError) as caught:
        await bench.add("d")
    assert (caught.value.setting, caught.value.status) == ("max_subscriptions", 503)
    assert "--max-subscriptions" in str(caught.value)
    await bench.end("c")
    await bench.end("b")
    await bench.add("d")
    assert [each.id for each in await bench.storage.subscriptions("t")] == ["a", "c", "d"]
    assert await bench.storage.subscription_at("token-t-b") is None
    assert await bench.storage.held_subscription("b") is None
    await bench.add("e")
    with pytest.raises(LimitError):
        await bench.add("f")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (SubscriptionState.EXPIRED, "subscription.expired"),
        (SubscriptionState.REMOVED, "subscription.removed"),
    ],
)
async def test_when_a_subscription_ends_its_open_messages_are_dropped(bench, state, kind):
    await bench.add(held=True)
    done, delivered, pending = [await bench.push(topic=topic) for topic in "abc"]
    await bench.claim()
    await bench.storage.acknowledge(done.id, now=START)
    await bench.claim()
    events = await bench.end(state=state, gone_status=404, now=START + 5)
    assert [(event.kind, event.message, event.at) for event in events] == [
        (kind, None, START + 5),
        ("message.dropped", delivered.id, START + 5),
        ("message.dropped", pending.id, START + 5),
    ]
    ended = await bench.storage.subscription_at("token-t-s")
    assert (ended.state, ended.gone_status) == (state, 404)
    assert await bench.states() == {
        done.id: "acknowledged",
        delivered.id: "dropped",
        pending.id: "dropped",
    }
    assert pending.timeline[-1].detail == f"the subscription is {state}"
    assert await bench.claim(delivery=ALL_AT_ONCE) == []


async def test_what_has_ended_can_only_change_its_answer(bench):
    await bench.add()
    await bench.end(gone_status=404)
    assert list(await bench.end(state=SubscriptionState.REMOVED, gone_status=410)) == []
    ended = await bench.storage.subscription("t", "s")
    assert (ended.state, ended.gone_status) == (SubscriptionState.REMOVED, 410)


async def test_a_user_agent_that_goes_takes_nothing_with_it(bench):
    await bench.add(held=True)
    kept, now_or_never = await bench.push(), await bench.push(ttl=0)
    third = await bench.push()
    assert await bench.claim(delivery=Delivery(window=2)) == [kept.id, now_or_never.id]
    events = await bench.presence(online=False)
    assert [(event.kind, event.message) for event in events] == [
        ("subscription.offline", None),
        ("message.released", kept.id),
        ("message.released", now_or_never.id),
        ("message.dropped", now_or_never.id),
    ]
    assert await bench.claim(delivery=ALL_AT_ONCE) == []
    assert list(await bench.presence(online=False)) == []
    events = await bench.presence(online=True)
    assert [event.kind for event in events] == ["subscription.online"]
    assert await bench.claim(delivery=ALL_AT_ONCE) == [kept.id, third.id]


async def test_a_message_that_is_for_now_or_never_is_dropped_with_its_user_agent(bench):
    await bench.add(held=True)
    message = await bench.push(ttl=0)
    await bench.presence(online=False)
    assert await bench.states() == {message.id: "dropped"}


async def test_who_has_no_user_agent_gets_all_of_it_on_coming_online(bench):
    await bench.add(online=False)
    messages = [await bench.push(topic=topic) for topic in ("b", "a")]
    assert set((await bench.states()).values()) == {"pending"}
    last = (await bench.storage.events("t"))[-1].sequence
    await bench.presence(online=True, now=START + 5)
    assert await bench.happened(after=last) == [
        (step, message.id) for message in messages for step in ("delivered", "acknowledged")
    ]
    assert messages[0].timeline[-1].at == START + 5


async def test_coming_online_delivers_nothing_whose_time_has_passed(bench):
    await bench.add(online=False)
    late, early = await bench.push(ttl=60), await bench.push(ttl=10)
    await bench.presence(online=True, now=START + 10)
    assert await bench.states() == {late.id: "acknowledged", early.id: "expired"}
