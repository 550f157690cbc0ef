"""Messages that arrive: topics, TTL 0, limits."""

from __future__ import annotations

import pytest

from mockpush.errors import LimitError, NotFoundError
from mockpush.protocol.delivery import RFC8030, Delivery
from mockpush.protocol.model import MessageState, SubscriptionState

START = 1_800_000_000.0


async def test_a_user_agent_that_the_service_acts_for_has_each_message_at_once(bench):
    await bench.add()
    message = await bench.push(ttl=0, topic="a")
    assert await bench.happened() == [
        ("accepted", message.id),
        ("delivered", message.id),
        ("acknowledged", message.id),
    ]
    assert [(entry.at, entry.step.value) for entry in message.timeline] == [
        (START, "accepted"),
        (START, "delivered"),
        (START, "acknowledged"),
    ]
    assert await bench.storage.message(message.id) is message


@pytest.mark.parametrize(
    ("options", "ttl", "state"),
    [
        ({"held": True}, 60, "pending"),
        ({"held": True}, 0, "pending"),
        ({"held": True, "online": False}, 60, "pending"),
        ({"held": True, "online": False}, 0, "dropped"),
        ({"online": False}, 60, "pending"),
        ({"online": False}, 0, "dropped"),
    ],
)
async def test_ttl_0_is_for_those_who_are_there(bench, options, ttl, state):
    await bench.add(**options)
    message = await bench.push(ttl=ttl)
    assert await bench.states() == {message.id: state}


async def test_a_topic_replaces_the_pending_message_of_the_same_subscription(bench):
    await bench.add("s", online=False)
    await bench.add("other", online=False)
    first = await bench.push(topic="a")
    others = [await bench.push(topic="b"), await bench.push(), await bench.push("other", topic="a")]
    second = await bench.push(topic="a", at=START + 1)
    assert await bench.states() == {
        first.id: "replaced",
        **{each.id: "pending" for each in others},
        second.id: "pending",
    }
    assert first.timeline[-1] == (START + 1, "replaced", f"by {second.id}")
    third = await bench.push(topic="a")
    assert (await bench.states())[second.id] == "replaced"
    assert (await bench.states())[third.id] == "pending"
    assert await bench.happened() == [
        *[("accepted", each.id) for each in (first, *others)],
        ("accepted", second.id),
        ("replaced", first.id),
        ("accepted", third.id),
        ("replaced", second.id),
    ]


@pytest.mark.parametrize(("collapses", "state"), [(True, "replaced"), (False, "delivered")])
async def test_whether_a_topic_replaces_what_is_delivered_is_a_matter_of_delivery(
    bench, collapses, state
):
    delivery = Delivery(window=1, collapse_delivered=collapses)
    await bench.add(held=True)
    first = await bench.push(topic="a")
    await bench.claim()
    second = await bench.push(topic="a", delivery=delivery)
    assert await bench.states() == {first.id: state, second.id: "pending"}
    third = await bench.push(topic="a", delivery=delivery)
    assert await bench.states() == {first.id: state, second.id: "replaced", third.id: "pending"}


async def test_a_topic_is_free_again_once_its_message_is_closed(bench):
    await bench.add(held=True)
    first = await bench.push(topic="a")
    await bench.claim()
    await bench.storage.acknowledge(first.id, now=START)
    await bench.push(topic="a")
    assert (await bench.states())[first.id] == "acknowledged"


async def test_closing_a_delivered_message_does_not_free_the_topic_of_its_successor(bench):
    await bench.add(held=True)
    first = await bench.push(topic="a")
    await bench.claim()
    second = await bench.push(topic="a")
    await bench.storage.acknowledge(first.id, now=START)
    await bench.push(topic="a")
    assert (await bench.states())[second.id] == "replaced"


async def test_of_more_pending_messages_than_the_delivery_keeps_the_oldest_is_dropped(bench):
    delivery = Delivery(window=None, message_limit=2)
    await bench.add(online=False)
    messages = [await bench.push(delivery=delivery) for _ in range(4)]
    assert list((await bench.states()).values()) == ["dropped", "dropped", "pending", "pending"]
    assert messages[0].timeline[-1].detail == "more messages than are kept"


async def test_the_limit_of_a_delivery_counts_only_what_is_open(bench):
    delivery = Delivery(window=None, message_limit=2)
    await bench.add(held=True)
    first = await bench.push(delivery=delivery)
    await bench.claim()
    await bench.storage.acknowledge(first.id, now=START)
    for _ in range(2):
        await bench.push(delivery=delivery)
    assert "dropped" not in (await bench.states()).values()


async def test_pending_messages_are_never_given_up_for_others(make):
    bench = make(messages=2)
    await bench.add(online=False)
    kept = [await bench.push(topic="a"), await bench.push()]
    events = await bench.storage.events("t")
    with pytest.raises(LimitError) as caught:
        await bench.push()
    assert caught.value.setting == "max_messages"
    assert await bench.states() == {each.id: "pending" for each in kept}
    assert await bench.storage.events("t") == events


async def written(storage) -> tuple:
    """All that is kept."""
    kept = (storage.messages, storage.requests, storage.events, storage.subscriptions)
    return (await storage.tenants(), *[list(await each("t")) for each in kept])


@pytest.mark.parametrize(
    "options", [{}, {"online": False}, {"held": True}, {"held": True, "online": False}]
)
@pytest.mark.parametrize("ttl", [0, 60])
async def test_a_message_is_written_with_its_record(bench, options, ttl):
    await bench.add(**options)
    message = bench.message(ttl=ttl)
    record = bench.record_of(message)
    events = [*await bench.storage.accept(message, record, RFC8030)]
    assert list(await bench.storage.messages("t")) == [message]
    assert list(await bench.storage.requests("t")) == [record]
    assert list(await bench.storage.events("t"))[-len(events) :] == events
    assert [events[0].kind, events[-1].kind] == ["message.accepted", "request"]
    assert (events[-1].request, events[-1].message) == (record.id, message.id)


@pytest.mark.parametrize("topic", [None, "a"])
async def test_a_message_that_cannot_be_kept_leaves_no_record_either(make, topic):
    bench = make(messages=1)
    await bench.add("full", online=False)
    await bench.add("ended")
    await bench.push("full")
    ended = {"state": SubscriptionState.REMOVED, "gone_status": None, "now": START}
    await bench.storage.end_subscription("t", "ended", **ended)
    before = await written(bench.storage)
    for to, error in (("full", LimitError), ("ended", NotFoundError), ("unknown", NotFoundError)):
        message = bench.message(to, topic=topic)
        with pytest.raises(error):
            await bench.accept(message)
        assert await written(bench.storage) == before
        assert (message.state, message.steps) == (MessageState.PENDING, ())


async def test_at_the_limit_a_message_can_still_replace_another(make):
    bench = make(messages=2)
    await bench.add(online=False)
    await bench.push(topic="a")
    other = await bench.push()
    replacing = await bench.push(topic="a")
    states = await bench.states()
    assert (states[other.id], states[replacing.id]) == ("pending", "pending")
    for _ in range(5):
        replacing = await bench.push(topic="a")
    assert len(await bench.states()) <= 3


async def test_what_is_closed_makes_room_first_closed_first(make):
    bench = make(messages=3)
    await bench.add(held=True)
    first, second, third = [await bench.push() for _ in range(3)]
    await bench.storage.cancel(third.id, now=START)
    await bench.storage.cancel(first.id, now=START)
    fourth = await bench.push()
    assert [*await bench.states()] == [first.id, second.id, fourth.id]
    fifth = await bench.push()
    assert [*await bench.states()] == [second.id, fourth.id, fifth.id]
    assert await bench.storage.message(third.id) is None
    with pytest.raises(LimitError):
        await bench.push()


async def test_forgotten_messages_leave_room(make):
    bench = make(messages=3)
    await bench.add(held=True)
    closed, kept, open_ = [await bench.push() for _ in range(3)]
    await bench.storage.cancel(closed.id, now=START)
    forgotten = {closed.id, open_.id}
    assert await bench.storage.forget_messages("t", lambda each: each.id in forgotten) == 2
    assert await bench.states() == {kept.id: "pending"}
    for _ in range(2):
        await bench.push()
    with pytest.raises(LimitError):
        await bench.push()


async def test_what_was_forgotten_is_not_in_the_way_of_what_makes_room(make):
    bench = make(messages=3)
    await bench.add(held=True)
    forgotten, closed, _ = [await bench.push() for _ in range(3)]
    await bench.storage.cancel(forgotten.id, now=START)
    await bench.storage.forget_messages("t", lambda each: each is forgotten)
    await bench.push()
    await bench.storage.cancel(closed.id, now=START)
    await bench.push()
    assert [*(await bench.states()).values()] == ["pending"] * 3


async def test_a_forgotten_message_can_no_longer_be_delivered_replaced_or_closed(bench):
    await bench.add(held=True)
    forgotten = await bench.push(topic="a")
    await bench.storage.forget_messages("t", lambda message: True)
    assert await bench.claim() == []
    assert list(await bench.storage.cancel(forgotten.id, now=START)) == []
    await bench.push(topic="a")
    assert forgotten.state is MessageState.PENDING


async def test_what_has_ended_takes_no_more_messages(bench):
    await bench.add(online=False)
    await bench.end()
    with pytest.raises(NotFoundError, match="expired"):
        await bench.push()
    assert await bench.states() == {}
