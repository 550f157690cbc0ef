"""User agents come and go, and subscriptions end: nothing is lost, nothing waits in vain."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from mockpush.http.app import App
from mockpush.service import PushService

ROOT = "/_mockpush/v1"


async def states(service):
    return [message.state for message in await service.storage.messages("default")]


async def presence(service, agent):
    return (await service.storage.held_subscription(agent.id)).online


async def test_a_client_that_goes_away_is_offline_until_it_monitors_again(agent, service):
    monitor = agent.monitor()
    await monitor.settle()
    assert await presence(service, agent) is True
    monitor.disconnect()
    await monitor.end()
    assert await presence(service, agent) is False
    await agent.push(b"0", TTL="0")
    await agent.push(b"1")
    assert await states(service) == ["dropped", "pending"]
    assert (await agent.poll()).body == b"1"
    assert await presence(service, agent) is True


async def test_an_answered_monitor_leaves_the_user_agent_online(agent, service):
    monitor = agent.monitor()
    await agent.push()
    await monitor.end()
    monitor.disconnect()
    await monitor.settle()
    assert await presence(service, agent) is True
    assert await states(service) == ["delivered"]


@pytest.mark.parametrize("steps", range(12))
async def test_a_message_is_not_lost_when_the_client_goes_as_it_comes(agent, service, steps):
    monitor = agent.monitor()
    await monitor.settle()
    push = asyncio.ensure_future(agent.push(b"1"))
    for _ in range(steps):
        await asyncio.sleep(0)
    monitor.disconnect()
    await push
    await monitor.end()
    delivered = monitor.status == 200
    assert await states(service) == ["delivered" if delivered else "pending"]
    assert await presence(service, agent) is delivered
    assert (await agent.poll()).body == b"1"


@pytest.mark.parametrize("steps", range(6))
async def test_a_late_disconnect_of_an_old_monitor_does_not_touch_the_new_one(
    agent, service, steps
):
    first = agent.monitor()
    await first.settle()
    second = agent.monitor()
    for _ in range(steps):
        await asyncio.sleep(0)
    first.disconnect()
    await first.end()
    await second.settle()
    assert await presence(service, agent) is True
    await agent.push(b"1")
    assert (await second.end()).body == b"1"
    assert await states(service) == ["delivered"]


async def test_a_cancelled_request_is_one_whose_client_went_away(agent, service):
    monitor = agent.monitor()
    await monitor.settle()
    monitor.task.cancel()
    await asyncio.gather(monitor.task, return_exceptions=True)
    assert await presence(service, agent) is False


async def test_an_old_monitor_that_is_cancelled_does_not_touch_the_new_one(agent, service):
    first = agent.monitor()
    await first.settle()
    second = agent.monitor()
    await asyncio.sleep(0)
    first.task.cancel()
    await asyncio.gather(first.task, return_exceptions=True)
    await second.settle()
    assert await presence(service, agent) is True
    assert not second.task.done()


async def test_offline_ends_the_monitor_and_keeps_messages(agent, service):
    monitor = agent.monitor()
    await monitor.settle()
    assert (await agent.say("offline")).status_code == 204
    await monitor.end()
    assert monitor.status == 204
    await agent.push(b"1")
    assert await states(service) == ["pending"]


async def test_offline_gives_back_what_was_not_acknowledged(agent, service):
    await agent.push(b"1")
    await agent.push(b"2", TTL="0")
    await agent.poll()
    await agent.say("offline")
    assert await states(service) == ["pending", "dropped"]


@pytest.mark.parametrize("path", ["{path}/offline", ROOT + "/subscriptions/{id}/offline"])
async def test_who_is_offline_on_purpose_gets_nothing_until_online(agent, http, service, path):
    await http.post(path.format(path=agent.path, id=agent.id))
    await agent.push(b"1")
    assert (await agent.poll()).status == 204
    assert await presence(service, agent) is False
    monitor = agent.monitor()
    await monitor.settle()
    assert not monitor.task.done()
    assert (await agent.say("online")).status_code == 204
    assert (await monitor.end()).body == b"1"


async def test_offline_on_purpose_after_a_disconnect_counts(agent, service):
    monitor = agent.monitor()
    await monitor.settle()
    monitor.disconnect()
    await monitor.end()
    await agent.say("offline")
    await agent.push(b"1")
    assert (await agent.poll()).status == 204
    assert await presence(service, agent) is False


async def test_a_disconnect_while_offline_on_purpose_changes_nothing(agent, service):
    await agent.say("offline")
    monitor = agent.monitor()
    await monitor.settle()
    monitor.disconnect()
    await monitor.end()
    await agent.push(b"1")
    assert (await agent.poll()).status == 204
    assert await presence(service, agent) is False


# The end of a subscription


async def test_unsubscribing_ends_everything(agent, http):
    monitor = agent.monitor()
    await monitor.settle()
    assert (await http.delete(agent.path)).status_code == 204
    assert (await monitor.end()).status == 404
    assert monitor.headers["content-type"] == "application/problem+json"
    assert (await http.delete(agent.path)).status_code == 404
    assert (await agent.poll()).status == 404
    for action in ("online", "offline"):
        assert (await agent.say(action)).status_code == 404


@pytest.mark.parametrize(
    "end",
    [
        ("POST", "/subscriptions/{}/expire"),
        ("DELETE", "/subscriptions/{}"),
        ("POST", "/reset"),
        ("DELETE", "/tenants/default"),
    ],
)
async def test_outstanding_monitors_of_an_ended_subscription_get_404(agent, http, end):
    monitor = agent.monitor()
    await monitor.settle()
    method, path = end
    answer = await http.request(method, ROOT + path.format(agent.id))
    assert answer.status_code < 300
    assert (await monitor.end()).status == 404
    assert (await agent.poll()).status == 404


async def test_an_ended_one_whose_client_went_away_at_the_same_time_is_no_trouble(agent, http):
    monitor = agent.monitor()
    await monitor.settle()
    monitor.disconnect()
    await http.delete(agent.path)
    await monitor.end()
    assert (await agent.poll()).status == 404


async def test_subscriptions_of_the_control_api_have_no_resource_here(http):
    created = await http.post(f"{ROOT}/subscriptions", json={"id": "known"})
    assert created.status_code == 201
    assert (await http.get("/s/known", headers={"Prefer": "wait=0"})).status_code == 404
    assert (await http.delete("/s/known")).status_code == 404


@given(name=st.text(min_size=1, max_size=20))
def test_any_other_name_is_not_found(name):
    async def ask():
        app = App(PushService())
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        for prefix in ("/s/", "/m/"):
            scope = {
                "type": "http",
                "method": "DELETE",
                "path": prefix + name,
                "query_string": b"",
                "headers": [],
            }
            await app(scope, receive, send)
        return [message["status"] for message in sent if "status" in message]

    assert asyncio.run(ask()) == [404, 404]


# Over a socket


@pytest.fixture
async def port(app):
    """The application behind uvicorn's HTTP implementation, on a free port of 127.0.0.1."""
    config = Config(app, log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: H11Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1]
    for connection in list(state.connections):
        connection.transport.abort()
    server.close()
    await asyncio.gather(*state.tasks, return_exceptions=True)
    await server.wait_closed()


async def test_a_closed_connection_takes_the_user_agent_offline(port, agent, service):
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {agent.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await writer.drain()
    # What is sent is read before the close is noticed.
    await service.wait("default", lambda: offline(service, agent, writer), timeout=10)
    assert await presence(service, agent) is False


async def offline(service, agent, writer):
    writer.close()
    return None if await presence(service, agent) else True
