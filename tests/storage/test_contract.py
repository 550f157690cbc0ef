"""The contract of storage: what every implementation must do, racing clients included."""

from __future__ import annotations

import asyncio
import itertools
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from mockpush.errors import InvalidRequestError, LimitError, NotFoundError
from mockpush.profiles import PROFILES
from mockpush.protocol.clock import Clock
from mockpush.protocol.delivery import RFC8030, Delivery
from mockpush.protocol.events import EventKind
from mockpush.protocol.headers import NO_PARAMETERS
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Judgement
from mockpush.protocol.model import MessageState, PushRequest, Subscription, SubscriptionState
from mockpush.protocol.records import PushMessage, RequestRecord, WireAnswer
from mockpush.storage.base import Keep, Limits, Storage, TenantSummary
from mockpush.storage.memory import MemoryStorage

STORAGES: dict[str, Callable[[Limits], Storage]] = {"memory": MemoryStorage}
"""Every implementation, to be made with its limits."""

START = 1_800_000_000.0
ALL_AT_ONCE = Delivery(window=None)
NOTHING = Inspection(
    (), 0, None, None, None, None, None, None, NO_PARAMETERS, restricted=False, managed=False
)


def subscription(name: str = "s", tenant: str = "t", **options) -> Subscription:
    return Subscription(
        id=name,
        token=f"token-{tenant}-{name}",
        tenant=tenant,
        profile="rfc",
        endpoint=f"https://localhost/push/token-{tenant}-{name}",
        origins=("https://localhost",),
        created_at=START,
        **options,
    )


class Bench:
    """A storage and the shortest ways to use it."""

    def __init__(self, make: Callable[[Limits], Storage], **limits: int) -> None:
        self.storage = make(Limits(**limits))
        self._numbers = itertools.count(1)

    async def add(self, name: str = "s", **options) -> Subscription:
        added = subscription(name, **options)
        await self.storage.add_subscription(added)
        return added

    def message(self, to="s", *, topic=None, ttl=60, at=START, tenant="t") -> PushMessage:
        number = next(self._numbers)
        inspection = replace(NOTHING, topic=topic)
        return PushMessage(f"m{number}", tenant, to, number, b"", inspection, ttl, at, at + ttl)

    async def push(self, to="s", *, delivery=RFC8030, **options) -> PushMessage:
        message = self.message(to, **options)
        await self.storage.accept(message, delivery)
        return message

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
        return [(each.kind.partition(".")[2], each.message) for each in events if each.message]


@pytest.fixture(params=STORAGES)
def make(request):
    """Make a bench with these limits."""
    return partial(Bench, STORAGES[request.param])


@pytest.fixture
def bench(make):
    return make()


# Tenants and clocks


async def test_of_a_tenant_that_is_not_there_nothing_is_found_and_none_is_made(bench):
    storage = bench.storage
    assert await storage.clock("t") == Clock()
    assert await storage.subscription("t", "s") is None
    assert await storage.subscription_at("token") is None
    assert await storage.held_subscription("s") is None
    assert await storage.message("m") is None
    assert await storage.next_expiry("t") is None
    for found in (
        storage.subscriptions("t"),
        storage.messages("t"),
        storage.requests("t"),
        storage.events("t"),
        storage.expire("t", until=START),
        storage.reset("t", keep=frozenset(), now=START),
        storage.acknowledge("m", now=START),
        storage.cancel("m", now=START),
    ):
        assert list(await found) == []
    assert not await storage.delete_tenant("t")
    assert await storage.forget_messages("t", lambda message: True) == 0
    assert await storage.forget_requests("t") == 0
    assert not await storage.changed("t", timeout=0)
    assert await storage.tenants() == []


@pytest.mark.parametrize(
    "operation",
    [
        lambda bench: bench.presence(online=False),
        lambda bench: bench.end(),
        lambda bench: bench.claim(),
        lambda bench: bench.storage.release("t", "s", now=START),
        lambda bench: bench.push(),
    ],
)
async def test_what_needs_a_subscription_says_that_there_is_none(bench, operation):
    with pytest.raises(NotFoundError, match="'s'"):
        await operation(bench)
    await bench.add("other")
    with pytest.raises(NotFoundError, match="'s'"):
        await operation(bench)
    assert await bench.states() == {}


async def test_tenants_are_listed_with_what_they_hold(bench):
    await bench.add(tenant="b")
    await bench.storage.set_clock("a", Clock(5), kind=EventKind.CLOCK_ADVANCED, now=START)
    await bench.push(tenant="b")
    await bench.storage.record(record(1, tenant="b"))
    assert await bench.storage.next_request("c") == 1
    assert await bench.storage.tenants() == [
        TenantSummary("b", 1, 1, 1),
        TenantSummary("a", 0, 0, 0),
        TenantSummary("c", 0, 0, 0),
    ]


async def test_tenants_share_nothing(bench):
    await bench.add(tenant="a")
    await bench.add(tenant="b", held=True)
    message = await bench.push(tenant="b")
    assert list(await bench.storage.messages("a")) == []
    assert (await bench.storage.subscription("a", "s")).tenant == "a"
    assert (await bench.storage.subscription("b", "s")).tenant == "b"
    assert (await bench.storage.message(message.id)).tenant == "b"
    assert [event.kind for event in await bench.storage.events("a")] == ["subscription.created"]


async def test_the_number_of_tenants_is_limited(make):
    bench = make(tenants=1)
    await bench.add(tenant="a")
    for operation in (
        bench.add(tenant="b"),
        bench.storage.next_request("b"),
        bench.storage.set_clock("b", Clock(), kind=EventKind.CLOCK_FROZEN, now=START),
    ):
        with pytest.raises(LimitError) as caught:
            await operation
        assert caught.value.setting == "max_tenants"
    await bench.storage.delete_tenant("a")
    await bench.add(tenant="b")


async def test_a_deleted_tenant_is_forgotten_as_a_whole(bench):
    await bench.add(held=True)
    message = await bench.push()
    assert await bench.storage.delete_tenant("t")
    assert await bench.storage.tenants() == []
    assert await bench.storage.subscription_at("token-t-s") is None
    assert await bench.storage.held_subscription("s") is None
    assert await bench.storage.message(message.id) is None
    await bench.add()
    assert await bench.states() == {}


async def test_a_clock_is_kept_and_setting_it_is_an_event(bench):
    clock = Clock(60, START)
    events = await bench.storage.set_clock("t", clock, kind=EventKind.CLOCK_FROZEN, now=START)
    assert [(event.kind, event.at) for event in events] == [("clock.frozen", START)]
    assert await bench.storage.clock("t") == clock
    assert await bench.storage.clock("other") == Clock()


KEPT = [
    (frozenset(), (0, 0, 0, Clock())),
    (frozenset({Keep.SUBSCRIPTIONS}), (1, 0, 0, Clock())),
    (frozenset({Keep.MESSAGES}), (0, 0, 0, Clock())),
    (frozenset({Keep.SUBSCRIPTIONS, Keep.MESSAGES}), (1, 1, 0, Clock())),
    (frozenset({Keep.REQUESTS}), (0, 0, 1, Clock())),
    (frozenset({Keep.CLOCK}), (0, 0, 0, Clock(5))),
    (frozenset(Keep), (1, 1, 1, Clock(5))),
]


@pytest.mark.parametrize(("keep", "left"), KEPT)
async def test_a_reset_forgets_all_but_what_is_to_be_kept(bench, keep, left):
    storage = bench.storage
    await bench.add(held=True, expires_at=START + 100)
    message = await bench.push(topic="a")
    await storage.record(record(await storage.next_request("t")))
    await storage.set_clock("t", Clock(5), kind=EventKind.CLOCK_ADVANCED, now=START)
    last = (await storage.events("t"))[-1].sequence
    events = await storage.reset("t", keep=keep, now=START)
    assert [event.kind for event in events] == ["tenant.reset"]
    assert events[0].sequence == last + 1
    subscriptions, messages, requests, clock = left
    assert await storage.tenants() == [TenantSummary("t", subscriptions, messages, requests)]
    assert await storage.clock("t") == clock
    assert (await storage.subscription_at("token-t-s") is not None) == bool(subscriptions)
    assert (await storage.held_subscription("s") is not None) == bool(subscriptions)
    assert (await storage.message(message.id) is not None) == bool(messages)
    assert (await storage.next_expiry("t") is not None) == bool(subscriptions)
    assert await storage.next_request("t") == 2


async def test_after_a_reset_the_same_subscription_can_be_made_and_its_topic_is_free(bench):
    await bench.add(held=True)
    await bench.push(topic="a")
    await bench.storage.reset("t", keep=frozenset(), now=START)
    await bench.add(held=True)
    await bench.push(topic="a")
    assert await bench.states() == {"m2": "pending"}


# Subscriptions


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
        await bench.storage.add_subscription(replace(subscription(), token="other"))
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


# Accepting


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


# Delivering


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


# Expiring


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


# The journal and the events


def record(number: int, *, tenant: str = "t", at: float = START) -> RequestRecord:
    request = PushRequest("POST", "/push/x", [], b"", at, at)
    judgement = Judgement(PROFILES["rfc"], PROFILES["rfc"].success)
    return RequestRecord(
        number, tenant, "s", f"m{number}", request, NOTHING, judgement, WireAnswer(201, ())
    )


async def test_requests_are_numbered_and_recorded(bench):
    storage = bench.storage
    for expected in (1, 2, 3):
        assert await storage.next_request("t") == expected
        events = await storage.record(record(expected))
        assert [
            (each.kind, each.subscription, each.message, each.request, each.detail)
            for each in events
        ] == [("request", "s", f"m{expected}", expected, "201")]
    assert await storage.next_request("other") == 1
    assert [each.id for each in await storage.requests("t")] == [1, 2, 3]
    assert [each.id for each in await storage.requests("t", after=1)] == [2, 3]
    assert await storage.forget_requests("t") == 3
    assert list(await storage.requests("t")) == []
    assert await storage.next_request("t") == 4


async def test_the_journal_and_the_events_keep_the_newest(make):
    bench = make(requests=3, events=4)
    for number in range(1, 11):
        await bench.storage.record(record(number))
    assert [each.id for each in await bench.storage.requests("t")] == [8, 9, 10]
    assert [each.sequence for each in await bench.storage.events("t")] == [7, 8, 9, 10]


async def test_events_and_messages_can_be_read_on_from_any_point(bench):
    await bench.add(online=False)
    messages = [await bench.push() for _ in range(3)]
    events = await bench.storage.events("t")
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert list(await bench.storage.events("t", after=2)) == list(events[2:])
    assert list(await bench.storage.events("t", after=4)) == []
    after = await bench.storage.messages("t", after=messages[0].request)
    assert [each.id for each in after] == [each.id for each in messages[1:]]


async def test_what_an_operation_returns_is_what_it_wrote(bench):
    storage = bench.storage
    returned = [
        *await storage.add_subscription(subscription(held=True)),
        *await storage.accept(first := bench.message(topic="a"), RFC8030),
        *await storage.accept(second := bench.message(topic="a"), RFC8030),
        *await bench.presence(online=False),
        *await storage.cancel(second.id, now=START),
        *await storage.set_clock("t", Clock(1), kind=EventKind.CLOCK_ADVANCED, now=START),
        *await bench.end(),
        *await storage.reset("t", keep=frozenset(), now=START),
    ]
    assert first.state is MessageState.REPLACED
    assert list(await storage.events("t")) == returned


# Waiting


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
    await asyncio.gather(cancelled, return_exceptions=True)
    await bench.add()
    assert await task


# Races: two clients do the same at the same time


async def both(one, other) -> list:
    return await asyncio.gather(one, other, return_exceptions=True)


@pytest.mark.parametrize(
    "operation",
    [
        lambda bench: bench.presence(online=False),
        lambda bench: bench.end(),
        lambda bench: bench.claim(delivery=ALL_AT_ONCE),
        lambda bench: bench.storage.release("t", "s", now=START),
        lambda bench: bench.storage.acknowledge("m1", now=START),
        lambda bench: bench.storage.cancel("m2", now=START),
        lambda bench: bench.storage.expire("t", until=START + 60),
        lambda bench: bench.storage.forget_messages("t", lambda message: True),
        lambda bench: bench.storage.forget_requests("t"),
        lambda bench: bench.storage.delete_tenant("t"),
    ],
)
async def test_of_two_who_do_the_same_one_wins(bench, operation):
    await bench.add(held=True)
    await bench.push()
    await bench.claim()
    await bench.push()
    await bench.storage.record(record(1))
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
    assert await bench.storage.tenants() == [TenantSummary("t", 2, 2, 0)]
    other = make(tenants=1)
    results = await both(other.add(tenant="a"), other.add(tenant="b"))
    assert sum(isinstance(result, LimitError) for result in results) == 1


async def test_an_id_is_given_once_even_to_two_at_once(bench):
    results = await both(bench.add(), bench.add())
    assert sum(isinstance(result, InvalidRequestError) for result in results) == 1


async def test_two_requests_have_two_numbers_and_two_records(bench):
    numbers = await both(bench.storage.next_request("t"), bench.storage.next_request("t"))
    assert sorted(numbers) == [1, 2]
    await both(*(bench.storage.record(record(number)) for number in numbers))
    assert sorted(each.id for each in await bench.storage.requests("t")) == [1, 2]
    sequences = [event.sequence for event in await bench.storage.events("t")]
    assert sequences == [1, 2]


@pytest.mark.parametrize("first", [0, 1])
async def test_a_message_and_the_end_of_its_subscription_leave_nothing_open(bench, first):
    await bench.add(online=False)
    race = [bench.end(), bench.push()]
    results = await both(race[first], race[1 - first])
    assert sum(isinstance(result, NotFoundError) for result in results) == 1 - first
    assert "pending" not in (await bench.states()).values()


# Size


async def test_messages_that_come_and_go_leave_nothing_behind(make):
    bench = make(messages=50, requests=50, events=50)
    await bench.add(held=True)

    async def cycles(count: int) -> None:
        for number in range(count):
            message = await bench.push(topic=f"topic-{number}", ttl=2_419_200)
            await bench.claim()
            await bench.storage.acknowledge(message.id, now=START)

    await cycles(500)
    tracemalloc.start()
    try:
        await cycles(500)
        before = tracemalloc.get_traced_memory()[0]
        await cycles(20_000)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 50_000
    assert await bench.storage.tenants() == [TenantSummary("t", 1, 50, 0)]
