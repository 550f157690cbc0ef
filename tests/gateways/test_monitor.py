"""Monitoring by long poll: one request at a time for each subscription."""

from __future__ import annotations

import asyncio

import pytest

from mockpush.gateways.watching import LONGEST_WAIT


async def states(service):
    return [message.state for message in await service.storage.messages("default")]


async def presence(service, agent):
    return (await service.storage.held_subscription(agent.id)).online


async def test_a_monitor_gets_a_message_as_soon_as_it_comes(agent):
    monitor = agent.monitor("wait=30")
    await monitor.settle()
    assert not monitor.task.done()
    await agent.push(b"now")
    await monitor.end()
    assert (monitor.status, monitor.body) == (200, b"now")
    assert monitor.headers["preference-applied"] == "wait=30"


async def test_without_a_preference_it_waits(agent):
    monitor = agent.monitor(None)
    await monitor.settle()
    assert not monitor.task.done()
    await agent.push(b"now")
    await monitor.end()
    assert monitor.body == b"now"
    assert "preference-applied" not in monitor.headers


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=0", "wait=0"),
        ("WAIT = 0", "wait=0"),
        ('wait="0"', "wait=0"),
        ("respond-async, wait=0;x=y", "wait=0"),
        ("wait=0, wait=30", "wait=0"),
        ("wait=soon, wait=0", "wait=0"),
    ],
)
async def test_the_preference_is_read_in_every_form(agent, prefer, applied):
    monitor = await agent.monitor(prefer).end()
    assert (monitor.status, monitor.headers["preference-applied"]) == (204, applied)


@pytest.mark.parametrize("prefer", ["wait=99999", "wait=999999999"])
async def test_the_wait_is_bounded(agent, prefer):
    monitor = agent.monitor(prefer)
    await monitor.settle()
    await agent.push()
    await monitor.end()
    assert monitor.headers["preference-applied"] == f"wait={LONGEST_WAIT}"


@pytest.mark.parametrize("prefer", ["wait", "wait=", "wait=-1", "waiting=0", "wait=" + "9" * 5000])
async def test_what_is_no_preference_is_ignored(agent, prefer):
    monitor = agent.monitor(prefer)
    await monitor.settle()
    await agent.push()
    await monitor.end()
    assert monitor.status == 200
    assert "preference-applied" not in monitor.headers


async def test_it_ends_with_204_when_the_service_closes(agent, service):
    monitor = agent.monitor()
    await monitor.settle()
    await service.close()
    await monitor.end()
    assert monitor.status == 204
    assert await presence(service, agent) is True


# One monitor at a time


async def test_a_new_monitor_takes_over(agent):
    first = agent.monitor()
    await first.settle()
    second = agent.monitor()
    await first.end()
    assert first.status == 204
    await agent.push(b"1")
    await second.end()
    assert second.body == b"1"


async def test_of_many_monitors_the_last_gets_the_message(agent):
    monitors = [agent.monitor() for _ in range(10)]
    await monitors[0].settle()
    await agent.push(b"1")
    for monitor in monitors:
        await monitor.end()
    assert [monitor.status for monitor in monitors] == [204] * 9 + [200]


@pytest.mark.parametrize("steps", range(12))
async def test_a_message_that_comes_as_a_monitor_takes_over_is_not_answered_twice(
    agent, service, monkeypatch, steps
):
    first = agent.monitor()
    await first.settle()
    at_take_over = []
    connection_made = service.connection_made

    async def take_over(subscription):
        at_take_over.append(first.status)
        await connection_made(subscription)

    monkeypatch.setattr(service, "connection_made", take_over)
    push = asyncio.ensure_future(agent.push(b"1"))
    for _ in range(steps):
        await asyncio.sleep(0)
    second = agent.monitor()
    await push
    await first.end()
    await second.end()
    assert at_take_over == [200 if first.status == 200 else 0]
    assert second.body == b"1"
    assert await states(service) == ["delivered"]


async def test_monitors_of_other_subscriptions_are_left_alone(subscribe):
    one, other = await subscribe(), await subscribe()
    first = one.monitor()
    await first.settle()
    await (await other.monitor("wait=0").end()).settle()
    assert not first.task.done()
    await one.push(b"1")
    assert (await first.end()).body == b"1"
