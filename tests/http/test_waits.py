"""Waits for messages: they end as soon as they can, and say what came instead."""

from __future__ import annotations

import asyncio


async def ids(api):
    return [item["id"] for item in (await api.json("/messages"))["items"]]


async def test_a_wait_ends_as_soon_as_as_many_match(api, push):
    subscription = await api.create()
    waiting = asyncio.ensure_future(api.json("/messages?topic=a&wait=2&timeout=600"))
    for topic in ("a", "b", "a"):
        assert not waiting.done()
        await push(subscription, headers={"Topic": topic})
    page = await asyncio.wait_for(waiting, 10)
    assert page["complete"] is True
    assert "closest" not in page
    assert [item["topic"] for item in page["items"]] == ["a", "a"]


async def test_a_wait_for_what_is_there_does_not_wait(api, push):
    await push(await api.create())
    page = await asyncio.wait_for(api.json("/messages?wait=1&timeout=600"), 10)
    assert (page["complete"], len(page["items"])) == (True, 1)


async def test_a_wait_counts_more_than_a_page_holds(api, push):
    subscription = await api.create()
    waiting = asyncio.ensure_future(api.json("/messages?wait=2&limit=1&timeout=600"))
    await push(subscription)
    await push(subscription)
    page = await asyncio.wait_for(waiting, 10)
    assert (page["complete"], page["more"], len(page["items"])) == (True, True, 1)


async def test_at_the_time_out_the_closest_come_first(api, push):
    first, second = await api.create(), await api.create(online=False)
    await push(second, headers={"Topic": "y"})
    await push(second, headers={"Topic": "x"})
    await push(first, headers={"Topic": "x"})
    await push(second, headers={"Topic": "z"})
    nearest, *_, far = await ids(api)
    query = f"subscription={second['id']}&topic=y&state=acknowledged&wait=1&timeout=0"
    page = await api.json(f"/messages?{query}")
    assert page["complete"] is False
    assert page["items"] == []
    assert [len(miss["differences"]) for miss in page["closest"]] == [1, 2, 2]
    assert [miss["id"] for miss in page["closest"]][:2] == [nearest, far]
    assert page["closest"][0]["differences"] == [
        {"field": "state", "expected": "acknowledged", "actual": "pending"}
    ]


async def test_a_wait_sees_what_the_clock_does(api, push):
    subscription = await api.create(online=False)
    await push(subscription)
    waiting = asyncio.ensure_future(api.json("/messages?state=expired&wait=1&timeout=600"))
    await asyncio.sleep(0)
    await api.post("/clock", json={"advance": "61s"})
    assert (await asyncio.wait_for(waiting, 10))["complete"] is True


async def test_latest_waits_for_one(api, push):
    subscription = await api.create()
    waiting = asyncio.ensure_future(api.json("/messages/latest?wait=1&timeout=600"))
    await asyncio.sleep(0)
    await push(subscription)
    assert (await asyncio.wait_for(waiting, 10))["payload"]["text"] == "hello"


async def test_waits_end_when_the_service_closes(open_exchange, service):
    waiting = open_exchange("GET", "/_mockpush/v1/messages?wait=1&timeout=600")
    await waiting.settle()
    assert not waiting.task.done()
    await service.close()
    assert (await waiting.json())["complete"] is False


async def test_a_client_that_goes_away_does_not_wait_on(open_exchange):
    waiting = open_exchange("GET", "/_mockpush/v1/messages?wait=1&timeout=600")
    await waiting.settle()
    waiting.disconnect()
    await asyncio.wait_for(waiting.task, 10)
