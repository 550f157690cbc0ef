"""Tenants, their clocks, and what a reset leaves."""

from __future__ import annotations

import pytest

from mockpush.errors import LimitError, NotFoundError
from mockpush.protocol.clock import Clock
from mockpush.protocol.events import EventKind
from mockpush.storage.base import Keep, TenantSummary

START = 1_800_000_000.0


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
    await bench.storage.record(bench.record(1, tenant="b"))
    await bench.storage.record(bench.record(1, tenant="c"))
    assert await bench.storage.tenants() == [
        TenantSummary("b", 1, 1, 2),
        TenantSummary("a", 0, 0, 0),
        TenantSummary("c", 0, 0, 1),
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
        bench.storage.record(bench.record(1, tenant="b")),
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
    (frozenset({Keep.REQUESTS}), (0, 0, 2, Clock())),
    (frozenset({Keep.CLOCK}), (0, 0, 0, Clock(5))),
    (frozenset(Keep), (1, 1, 2, Clock(5))),
]


@pytest.mark.parametrize(("keep", "left"), KEPT)
async def test_a_reset_forgets_all_but_what_is_to_be_kept(bench, keep, left):
    storage = bench.storage
    await bench.add(held=True, expires_at=START + 100)
    message = await bench.push(topic="a")
    await storage.record(bench.record(await bench.arrive()))
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
    await bench.add("after")
    assert await bench.arrive("after") == 2


async def test_after_a_reset_the_same_subscription_can_be_made_and_its_topic_is_free(bench):
    await bench.add(held=True)
    await bench.push(topic="a")
    await bench.storage.reset("t", keep=frozenset(), now=START)
    await bench.add(held=True)
    await bench.push(topic="a")
    assert await bench.states() == {"m2": "pending"}
