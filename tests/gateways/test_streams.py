"""Everything at once (`Prefer: wait=0`), and as it comes (Server-Sent Events)."""

from __future__ import annotations

import asyncio
import base64

import pytest

from mockpush.gateways import watching

EVENTS = "text/event-stream"


async def states(service):
    return [message.state for message in await service.storage.messages("default")]


async def presence(service, agent):
    return (await service.storage.held_subscription(agent.id)).online


@pytest.fixture
async def stream(agent):
    stream = agent.monitor(None, accept=EVENTS)
    await stream.settle()
    yield stream
    stream.disconnect()
    await stream.end()


def bodies(stream) -> list[bytes]:
    return [base64.b64decode(data["body"]) for kind, data in stream.events if kind == "message"]


# Everything at once


async def test_all_undelivered_messages_come_at_once(agent, service):
    sent = [b"1", b"\r\n--\0\xff\r\n" * 100, b""]
    for body in sent:
        await agent.push(body, Topic="secret", Urgency="high", Content_Type="a/b")
        await agent.push(body, Content_Type="a/b", TTL="0")
    answer = await agent.poll()
    messages = await service.storage.messages("default")
    open_ones = [message for message in messages if message.state == "delivered"]
    assert [part.body for part in answer.parts] == [sent[0], sent[1], sent[2], sent[2]]
    assert answer.headers["preference-applied"] == "wait=0"
    for part, message in zip(answer.parts, open_ones, strict=True):
        assert part.status == 200
        assert part.headers["content-location"] == f"/m/{message.id}"
        assert part.headers["link"] == f'<{agent.endpoint}>; rel="urn:ietf:params:push"'
        assert part.headers["content-encoding"] == "aes128gcm"
        assert part.headers["content-type"] == "a/b"
        assert part.headers["last-modified"]
        assert not {"topic", "urgency"} & set(part.headers)


async def test_all_of_them_come_again_until_they_are_acknowledged(agent, http):
    for body in (b"1", b"2", b"3"):
        await agent.push(body)
    for _ in range(2):
        parts = (await agent.poll()).parts
        assert [part.body for part in parts] == [b"1", b"2", b"3"]
    await http.delete(parts[1].headers["content-location"])
    assert [part.body for part in (await agent.poll()).parts] == [b"1", b"3"]


async def test_one_that_is_alone_is_the_answer_itself(agent):
    await agent.push(b"1")
    answer = await agent.poll()
    assert (answer.status, answer.body) == (200, b"1")
    assert answer.headers["content-location"]


# As it comes


async def test_a_stream_brings_messages_as_they_come(agent, stream, service):
    assert (stream.status, stream.headers["content-type"]) == (
        200,
        "text/event-stream; charset=utf-8",
    )
    assert stream.headers["cache-control"] == "no-store"
    await agent.push(b"\0\xff", Content_Type="a/b")
    await agent.push(b"2")
    await stream.settle()
    assert bodies(stream) == [b"\0\xff", b"2"]
    message, _ = await service.storage.messages("default")
    kind, data = stream.events[0]
    assert (kind, data["url"], data["status"]) == ("message", f"/m/{message.id}", 200)
    headers = dict(data["headers"])
    assert headers["content-type"] == "a/b"
    assert headers["link"] == f'<{agent.endpoint}>; rel="urn:ietf:params:push"'
    assert "last-modified" in headers
    assert await states(service) == ["delivered", "delivered"]


async def test_what_waited_comes_first(agent):
    await agent.push(b"1")
    stream = agent.monitor("wait=1", accept=f"text/html, {EVENTS}")
    await agent.push(b"2")
    await stream.settle()
    assert bodies(stream) == [b"1", b"2"]
    assert stream.headers["preference-applied"] == "wait=1"
    stream.disconnect()
    await stream.end()


async def test_a_stream_ends_after_the_wait_that_was_asked_for(agent, service, monkeypatch):
    waits = []

    async def wait(tenant, look, *, timeout):
        waits.append(timeout)
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 1e12)
        return await look()

    monkeypatch.setattr(service, "wait", wait)
    stream = await agent.monitor("wait=5", accept=EVENTS).end()
    monkeypatch.undo()
    assert 0 < waits[0] <= 5
    assert len(waits) == 1
    assert stream.body.endswith(b": still here\n\n")


async def test_a_comment_shows_that_the_stream_lives(agent, monkeypatch):
    monkeypatch.setattr(watching, "KEEP_ALIVE", 0.001)
    stream = agent.monitor(None, accept=EVENTS)
    while b": still here\n\n" not in stream.body:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    stream.disconnect()
    await stream.end()


async def test_who_stops_reading_is_offline_and_gets_again_what_was_not_acknowledged(
    agent, service, http
):
    stream = agent.monitor(None, accept=EVENTS)
    await agent.push(b"1")
    await agent.push(b"2")
    await stream.settle()
    await http.delete(stream.events[0][1]["url"])
    stream.disconnect()
    await stream.end()
    assert await presence(service, agent) is False
    assert await states(service) == ["acknowledged", "pending"]
    again = agent.monitor(None, accept=EVENTS)
    await again.settle()
    assert await presence(service, agent) is True
    assert bodies(again) == [b"2"]
    again.disconnect()
    await again.end()


async def test_a_stream_ends_when_another_monitor_takes_over(agent, service):
    first = agent.monitor(None, accept=EVENTS)
    await first.settle()
    second = agent.monitor()
    await first.end()
    await agent.push(b"1")
    assert bodies(first) == []
    assert (await second.end()).body == b"1"
    assert await presence(service, agent) is True


async def test_a_stream_of_a_subscription_that_ends_says_so(agent):
    stream = agent.monitor(None, accept=EVENTS)
    await stream.settle()
    await agent.unsubscribe()
    await stream.end()
    assert stream.events == [("gone", {"status": 404})]
    assert (await agent.monitor(None, accept=EVENTS).end()).status == 404


async def test_a_stream_ends_when_the_user_agent_goes_offline_or_the_service_closes(
    subscribe, service
):
    one, other = await subscribe(), await subscribe()
    streams = [each.monitor(None, accept=EVENTS) for each in (one, other)]
    await streams[1].settle()
    await one.say("offline")
    await streams[0].end()
    await service.close()
    await streams[1].end()
    assert [stream.status for stream in streams] == [200, 200]
    assert await presence(service, other) is True


async def test_a_cancelled_stream_is_one_whose_client_went_away(agent, service):
    stream = agent.monitor(None, accept=EVENTS)
    await stream.settle()
    stream.task.cancel()
    await asyncio.gather(stream.task, return_exceptions=True)
    assert await presence(service, agent) is False


async def test_who_wants_everything_now_gets_no_stream(agent):
    await agent.push(b"1")
    assert (await agent.poll(accept=EVENTS)).body == b"1"


# Urgency


@pytest.mark.parametrize(
    ("lowest", "expected"),
    [
        ("very-low", ["very-low", "low", "normal", "high", None]),
        ("low", ["low", "normal", "high", None]),
        ("normal", ["normal", "high", None]),
        ("high", ["high"]),
        ("HIGH", ["high"]),
    ],
)
async def test_nothing_below_the_urgency_of_the_request_is_delivered(agent, lowest, expected):
    for urgency in ("very-low", "low", "normal", "high", None):
        await agent.push(str(urgency).encode(), **({"Urgency": urgency} if urgency else {}))
    answer = await agent.poll(urgency=lowest)
    bodies = [part.body for part in answer.parts] if len(expected) > 1 else [answer.body]
    assert bodies == [str(each).encode() for each in expected]


async def test_what_is_less_urgent_waits_for_another_request(agent, service):
    await agent.push(b"1", Urgency="low")
    monitor = agent.monitor("wait=60", urgency="high")
    await monitor.settle()
    assert not monitor.task.done()
    await agent.push(b"2", Urgency="high")
    assert (await monitor.end()).body == b"2"
    assert await states(service) == ["pending", "delivered"]
    assert [part.body for part in (await agent.poll()).parts] == [b"1", b"2"]


async def test_what_is_less_urgent_and_cannot_wait_is_dropped(agent, service):
    await agent.push(b"1", Urgency="low", TTL="0")
    await agent.push(b"2", Urgency="high", TTL="0")
    assert (await agent.poll(urgency="high")).body == b"2"
    assert await states(service) == ["dropped", "delivered"]
    [message, _] = await service.storage.messages("default")
    assert message.timeline[-1].detail == "TTL 0 and less urgent than high"


async def test_a_set_is_filtered_too(agent):
    await agent.push(b"1", Urgency="low")
    assert (await agent.monitor_set("wait=0", urgency="high").end()).status == 204
    assert (await agent.monitor_set("wait=0", urgency="low").end()).body == b"1"


@pytest.mark.parametrize("urgency", ["low, high", "urgent", ""])
@pytest.mark.parametrize("resource", ["monitor", "monitor_set"])
async def test_an_urgency_that_is_none_is_refused(agent, urgency, resource):
    answer = await getattr(agent, resource)("wait=0", urgency=urgency).end()
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
