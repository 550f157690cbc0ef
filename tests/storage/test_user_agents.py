"""User agents that gateways connect: what storage knows of them, and how their messages go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockpush.errors import LimitError, NotFoundError
from mockpush.protocol.delivery import AUTOPUSH, Delivery, Report
from mockpush.protocol.model import NO_TENANT, Holder
from mockpush.protocol.user_agents import UserAgent, UserAgentKind
from mockpush.storage.base import Keep

START = 1_800_000_000.0
ALL_AT_ONCE = Delivery(window=None)


def agent(name="fox", **options) -> UserAgent:
    return UserAgent(name, "t", START, kind=UserAgentKind.FIREFOX, **options)


async def hold(bench, name="s", *, device="d", user_agent="fox", **options):
    return await bench.add(
        name, held=True, holder=Holder(user_agent, device, f"channel of {name}"), **options
    )


async def claim(bench, delivery, *, tenant="t", now=START) -> list[str]:
    claimed = await bench.storage.claim_held(tenant, "d", delivery=delivery, now=now)
    return [each.id for each in claimed]


async def test_they_are_kept_in_the_order_in_which_they_came(bench):
    first = await bench.storage.keep_user_agent(agent("a"))
    second = await bench.storage.keep_user_agent(agent("b"))
    changed = await bench.storage.keep_user_agent(replace(first, tenant="other"))
    assert await bench.storage.user_agents() == [changed, second]
    assert await bench.storage.user_agent("a") == changed
    assert first.sequence < second.sequence


async def test_one_is_found_by_its_device(bench):
    kept = await bench.storage.keep_user_agent(agent(device="d"))
    assert await bench.storage.user_agent_with("d") == kept
    kept = await bench.storage.keep_user_agent(replace(kept, device="e"))
    assert await bench.storage.user_agent_with("d") is None
    assert await bench.storage.user_agent_with("e") == kept
    await bench.storage.forget_user_agent("fox")
    assert await bench.storage.user_agent_with("e") is None
    assert await bench.storage.user_agent("fox") is None


async def test_forgetting_one_that_is_not_there_is_nothing(bench):
    await bench.storage.forget_user_agent("nobody")
    assert await bench.storage.user_agents() == []


async def test_a_device_passes_on_with_its_subscriptions(bench):
    await bench.storage.keep_user_agent(agent("a", device="d", known=True))
    await hold(bench, user_agent="a")
    await bench.storage.keep_user_agent(agent("b", device="d", known=True))
    before = await bench.storage.user_agent("a")
    assert (before.device, before.known) == (None, False)
    [held] = await bench.storage.held_by("d")
    assert held.holder == Holder("b", "d", "channel of s")
    assert await bench.storage.subscription("t", "s") == held


async def test_one_whose_id_was_the_device_is_gone_when_that_passes_on(bench):
    await bench.storage.keep_user_agent(agent("d", device="d"))
    kept = await bench.storage.keep_user_agent(agent("b", device="d"))
    assert [each.id for each in await bench.storage.user_agents()] == [kept.id]


async def test_their_number_is_limited(make):
    bench = make(user_agents=1)
    kept = await bench.storage.keep_user_agent(agent("a"))
    with pytest.raises(LimitError, match=r"1 user agents already.*--max-user-agents"):
        await bench.storage.keep_user_agent(agent("b"))
    await bench.storage.keep_user_agent(kept)


async def test_who_waits_hears_of_a_change(bench):
    from asyncio import ensure_future, sleep

    waiting = ensure_future(bench.storage.changed(NO_TENANT, timeout=None))
    await sleep(0)
    await bench.storage.keep_user_agent(agent())
    assert await waiting


async def test_a_device_holds_subscriptions_in_any_tenant_as_long_as_they_are_there(bench):
    await hold(bench, "a")
    await hold(bench, "b", tenant="u")
    await hold(bench, "c", device="other")
    assert [each.id for each in await bench.storage.held_by("d")] == ["a", "b"]
    await bench.end("a")
    assert [each.state for each in await bench.storage.held_by("d")] == ["expired", "active"]
    await bench.storage.delete_tenant("u")
    assert [each.id for each in await bench.storage.held_by("d")] == ["a"]
    await bench.storage.reset("t", keep=frozenset({Keep.CLOCK}), now=START)
    assert await bench.storage.held_by("d") == []


async def test_all_subscriptions_of_a_device_are_claimed_together_in_order_of_arrival(bench):
    await hold(bench, "a")
    await hold(bench, "b")
    await hold(bench, "c", device="other")
    pushed = [(await bench.push(to)).id for to in "abcba"]
    assert await claim(bench, Delivery(window=2)) == [pushed[0], pushed[1]]
    assert await claim(bench, Delivery(window=2)) == []
    assert await claim(bench, ALL_AT_ONCE) == [pushed[3], pushed[4]]


async def test_nothing_is_claimed_that_has_expired_or_whose_subscription_has_ended(bench):
    await hold(bench, "a")
    await hold(bench, "b")
    await bench.push("a", ttl=1)
    await bench.push("b")
    await bench.end("b")
    assert await claim(bench, ALL_AT_ONCE, now=START + 1) == []


async def test_a_tenant_that_is_gone_has_nothing_to_claim(bench):
    with pytest.raises(NotFoundError):
        await claim(bench, ALL_AT_ONCE, tenant="gone")


async def test_topics_go_first_in_a_batch_of_their_own(bench):
    delivery = Delivery(window=3, topics_first=2, acknowledge="batch")
    await hold(bench)
    plain, a, b, c = [(await bench.push(topic=topic)).id for topic in (None, "a", "b", "c")]
    assert await claim(bench, delivery) == [a, b]
    assert await claim(bench, delivery) == [c]
    assert await claim(bench, delivery) == [plain]


async def test_batches_are_as_mozillas(bench):
    await hold(bench)
    topics = [(await bench.push(topic=f"t{number}")).id for number in range(12)]
    plain = [(await bench.push()).id for _ in range(11)]
    batches = [await claim(bench, AUTOPUSH) for _ in range(4)]
    assert batches == [topics[:11], topics[11:], plain[:10], plain[10:]]


async def test_one_message_is_delivered_out_of_turn_and_once(bench):
    await hold(bench)
    first, second = [(await bench.push()).id for _ in range(2)]
    events = await bench.storage.deliver("t", second, now=START + 1)
    assert [(each.kind, each.message, each.at) for each in events] == [
        ("message.delivered", second, START + 1)
    ]
    assert list(await bench.storage.deliver("t", second, now=START + 2)) == []
    assert list(await bench.storage.deliver("gone", first, now=START)) == []
    assert await bench.states() == {first: "pending", second: "delivered"}


@pytest.mark.parametrize("how", ["release", "presence"])
async def test_of_one_topic_only_the_newest_waits_again_when_the_user_agent_goes(bench, how):
    await hold(bench)
    first, second, other = [(await bench.push(topic=topic)).id for topic in "aab"]
    assert (await bench.states())[first] == "replaced"
    await claim(bench, ALL_AT_ONCE)
    third = (await bench.push(topic="a")).id
    await bench.storage.deliver("t", third, now=START)
    if how == "release":
        await bench.storage.release("t", "s", now=START)
    else:
        await bench.presence(online=False)
    states = await bench.states()
    assert (states[second], states[third], states[other]) == ("replaced", "pending", "pending")


async def test_what_the_acknowledgement_says_is_in_the_timeline(bench):
    await hold(bench)
    message = await bench.push()
    await claim(bench, ALL_AT_ONCE)
    events = await bench.storage.acknowledge(message.id, now=START, detail="code 100")
    assert [each.detail for each in events] == ["code 100"]
    assert message.timeline[-1].detail == "code 100"


@pytest.mark.parametrize("held", [True, False])
async def test_a_report_changes_no_state_and_may_come_late(bench, held):
    await bench.add(held=held)
    message = await bench.push()
    await bench.claim()
    await bench.storage.acknowledge(message.id, now=START)
    events = await bench.storage.report(
        message.id, Report.NOTIFICATION_SHOWN, now=START + 5, detail="2 new"
    )
    assert [(each.kind, each.at, each.detail) for each in events] == [
        ("message.notification_shown", START + 5, "2 new")
    ]
    assert message.state == "acknowledged"
    assert [(entry.step, entry.at) for entry in message.timeline] == [
        ("accepted", START),
        ("delivered", START),
        ("acknowledged", START),
        ("notification_shown", START + 5),
    ]
    assert list(await bench.storage.report("nobody", Report.COMPLETED, now=START)) == []
