"""Events as Server-Sent Events."""

from __future__ import annotations

import asyncio
import json

import pytest

from mockpush.http import events
from mockpush.storage.base import Limits
from mockpush.storage.memory import MemoryStorage

PATH = "/_mockpush/v1/events"


def read_events(parts: bytes):
    """The events of a stream, as a browser's parser reads them."""
    found = []
    for block in parts.decode().split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.split("\n") if line[:1] not in ("", ":")
        )
        if "data" in fields:
            found.append({**fields, "data": json.loads(fields["data"])})
    return found


async def receive(exchange, count):
    found = []
    while len(found) < count:
        found += read_events(await exchange.part())
    assert len(found) == count
    return found


async def test_what_happens_is_told_as_it_happens(api, push, open_exchange, check_schema):
    subscription = await api.create()
    stream = open_exchange("GET", PATH)
    assert (await stream.part()).startswith(b": ")
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in stream.headers
    await push(subscription)
    told = await receive(stream, 4)
    kinds = ["message.accepted", "message.delivered", "message.acknowledged", "request"]
    assert [event["event"] for event in told] == kinds
    assert [event["data"]["kind"] for event in told] == kinds
    message = await api.json("/messages/latest")
    assert {event["data"]["message"] for event in told} == {message["id"]}
    assert {event["data"]["subscription"] for event in told} == {subscription["id"]}
    assert told[3]["data"]["request"] == message["request"]
    assert told[3]["data"]["detail"] == "201"
    document = await api.document()
    for event in told:
        schema = {"$ref": "#/components/schemas/Event"}
        assert not check_schema(event["data"], schema, document)


async def test_a_new_stream_begins_with_what_happens_next(api, open_exchange):
    await api.create()
    stream = open_exchange("GET", PATH)
    await stream.part()
    newer = await api.create()
    [event] = await receive(stream, 1)
    assert event["data"]["subscription"] == newer["id"]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_stream_goes_on_after_the_last_event(api, open_exchange, how):
    subscriptions = [await api.create() for _ in range(3)]
    stream = open_exchange("GET", PATH + "?since=e0")
    await stream.part()
    told = await receive(stream, 3)
    last = told[0]["id"]
    again = (
        open_exchange("GET", PATH, Last_Event_ID=last)
        if how == "header"
        else open_exchange("GET", f"{PATH}?since={last}")
    )
    await again.part()
    assert await receive(again, 2) == told[1:]
    assert [event["data"]["subscription"] for event in told] == [
        each["id"] for each in subscriptions
    ]


async def test_the_header_of_a_reconnection_wins_over_the_query(api, open_exchange):
    for _ in range(3):
        await api.create()
    stream = open_exchange("GET", PATH + "?since=e0", Last_Event_ID="e2")
    await stream.part()
    assert [event["id"] for event in await receive(stream, 1)] == ["e3"]


async def test_since_a_time_includes_what_happened_at_that_time(api, open_exchange):
    await api.post("/clock", json={"freeze": True})
    await api.create()
    advanced = await api.post("/clock", json={"advance": "1h"})
    newer = await api.create()
    stream = open_exchange("GET", f"{PATH}?since={advanced.json()['now']}")
    await stream.part()
    told = await receive(stream, 2)
    assert [event["event"] for event in told] == ["clock.advanced", "subscription.created"]
    assert told[1]["data"]["subscription"] == newer["id"]


async def test_an_event_of_another_life_of_the_tenant_makes_everything_news(api, open_exchange):
    await api.create()
    stream = open_exchange("GET", PATH, Last_Event_ID="e4711")
    await stream.part()
    assert [event["id"] for event in await receive(stream, 1)] == ["e1"]


async def test_none_is_lost_or_doubled_between_replay_and_what_is_new(api, open_exchange):
    streams = []
    for _ in range(10):
        await api.create()
        streams.append(open_exchange("GET", PATH + "?since=e0"))
        await api.create()
    for stream in streams:
        await stream.part()
        told = await receive(stream, 20)
        assert [event["id"] for event in told] == [f"e{number}" for number in range(1, 21)]


async def test_numbers_go_on_after_a_reset(api, open_exchange):
    await api.create()
    stream = open_exchange("GET", PATH)
    await stream.part()
    await api.post("/reset")
    [event] = await receive(stream, 1)
    assert (event["event"], event["id"]) == ("tenant.reset", "e2")


async def test_it_can_be_narrowed(api, push, open_exchange):
    subscription, other = await api.create(), await api.create()
    query = f"kind=message.accepted&subscription={subscription['id']}"
    stream = open_exchange("GET", f"{PATH}?{query}")
    await stream.part()
    await push(other)
    await stream.settle()
    assert stream.parts.empty()
    await push(subscription)
    [event] = await receive(stream, 1)
    assert event["data"]["subscription"] == subscription["id"]


async def test_tenants_are_told_their_own(api, open_exchange):
    stream = open_exchange("GET", PATH, Mockpush_Tenant="other")
    await stream.part()
    await api.create()
    await api.post("/subscriptions?tenant=other", json={"id": "ours"})
    [event] = await receive(stream, 1)
    assert event["data"]["subscription"] == "ours"


@pytest.mark.parametrize("last", ["4711", "m1", "e-1", "e1 ", "x", "e" + "9" * 30])
async def test_a_wrong_id_is_refused_before_the_stream_begins(api, last):
    refused = await api.get("/events", headers={"Last-Event-ID": last})
    assert refused.status_code == 400
    assert "Last-Event-ID" in refused.json()["detail"]


async def test_it_ends_when_the_service_closes(api, open_exchange, service):
    stream = open_exchange("GET", PATH)
    await stream.part()
    subscription = await api.create()
    await service.close()
    [event] = await receive(stream, 1)
    assert event["data"]["subscription"] == subscription["id"]
    assert await stream.part() == b""
    await asyncio.wait_for(stream.task, 10)


async def test_a_client_that_goes_away_frees_everything(open_exchange):
    before = len(asyncio.all_tasks())
    stream = open_exchange("GET", PATH)
    await stream.part()
    stream.disconnect()
    await asyncio.wait_for(stream.task, 10)
    await stream.settle()
    assert len(asyncio.all_tasks()) == before
    assert stream.parts.empty()


async def test_a_client_that_goes_away_while_it_does_not_read_frees_everything(api, open_exchange):
    stream = open_exchange("GET", PATH)
    await stream.part()
    stream.may_send.clear()
    await api.create()
    await stream.settle()
    stream.disconnect()
    await asyncio.wait_for(stream.task, 10)


async def test_a_slow_reader_gets_everything_in_batches(api, open_exchange, monkeypatch):
    monkeypatch.setattr(events, "BATCH", 2)
    stream = open_exchange("GET", PATH)
    await stream.part()
    stream.may_send.clear()
    for _ in range(5):
        await api.create()
    await stream.settle()
    assert stream.parts.empty()
    stream.may_send.set()
    sizes = [len(read_events(await stream.part())) for _ in range(3)]
    assert sum(sizes) == 5
    assert max(sizes) == 2


@pytest.fixture
def forgetful(service):
    """A service that keeps three events."""
    service.storage = MemoryStorage(Limits(events=3))


@pytest.mark.usefixtures("forgetful")
async def test_a_reader_that_is_too_slow_is_told_what_it_missed(api, open_exchange):
    stream = open_exchange("GET", PATH)
    await stream.part()
    stream.may_send.clear()
    for _ in range(6):
        await api.create()
    stream.may_send.set()
    first = await stream.part()
    rest = await stream.part() if len(read_events(first)) == 1 else first
    assert b" events came too fast and are lost" in first + rest
    assert read_events(first + rest)[-1]["id"] == "e6"


async def test_a_comment_shows_that_a_quiet_stream_lives(open_exchange, monkeypatch):
    monkeypatch.setattr(events, "KEEP_ALIVE", 0.01)
    stream = open_exchange("GET", PATH)
    await stream.part()
    assert await stream.part() == b": still here\n\n"


LIST = {"Accept": "application/json"}


async def test_who_accepts_only_json_gets_a_list(api, push):
    subscription = await api.create()
    await push(subscription)
    page = await api.json("/events", headers=LIST)
    kinds = [event["kind"] for event in page["items"]]
    assert kinds[0] == "subscription.created"
    assert {"message.accepted", "message.acknowledged", "request"} <= set(kinds)
    assert [event["id"] for event in page["items"]] == [f"e{n + 1}" for n in range(len(kinds))]
    assert (page["next"], page["more"]) == (page["items"][-1]["id"], False)


async def test_the_list_has_pages_and_filters(api):
    ids = [(await api.create())["id"] for _ in range(3)]
    first = await api.json("/events?limit=2", headers=LIST)
    assert [event["subscription"] for event in first["items"]] == ids[:2]
    assert first["more"]
    rest = await api.json(f"/events?since={first['next']}", headers=LIST)
    assert [event["subscription"] for event in rest["items"]] == ids[2:]
    only = await api.json(f"/events?subscription={ids[1]}", headers=LIST)
    assert [event["id"] for event in only["items"]] == ["e2"]


async def test_the_ids_of_the_stream_and_of_the_list_are_the_same(api, open_exchange):
    stream = open_exchange("GET", PATH)
    await stream.part()
    await api.create()
    [event] = await receive(stream, 1)
    [listed] = (await api.json("/events", headers=LIST))["items"]
    assert event["data"] == listed
    assert event["id"] == listed["id"]


@pytest.mark.parametrize(
    "accept", ["*/*", "text/event-stream", "text/event-stream, application/json"]
)
async def test_all_others_get_the_stream(open_exchange, accept):
    stream = open_exchange("GET", PATH, Accept=accept)
    assert await stream.part() == b": the events of mockpush\n\n"


async def test_a_stream_has_no_limit(api):
    refused = await api.get("/events?limit=5")
    assert refused.status_code == 400
    assert "Accept: application/json" in refused.json()["detail"]


async def test_head_does_not_stay(api):
    answer = await asyncio.wait_for(api.head("/events"), 10)
    assert answer.headers["content-type"].startswith("text/event-stream")
