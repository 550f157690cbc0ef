"""The user agent's side of RFC 8030: nothing is lost, nothing is delivered twice without need."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from mockpush.gateways.monitor import LONGEST_WAIT
from mockpush.http.app import App
from mockpush.profiles.rfc import RFC
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import MessageState, base64url_encode
from mockpush.service import PushService

ROOT = "/_mockpush/v1"
KEY = base64url_encode(generate_key_pair()[1])
OPTIONS = "application/webpush-options+json"


async def states(service):
    return [message.state for message in await service.storage.messages("default")]


async def presence(service, agent):
    return (await service.storage.held_subscription(agent.id)).online


# Subscribing


async def test_subscribing_gives_two_urls_that_do_not_betray_each_other(http, service):
    created = await http.post("/subscribe")
    assert created.status_code == 201
    assert created.content == b""
    location, link = created.headers["location"], created.headers["link"]
    assert location.startswith("http://localhost:8030/s/")
    assert link.startswith("<https://localhost:8031/push/")
    assert link.endswith('>; rel="urn:ietf:params:push"')
    own_id = location.rpartition("/")[2]
    assert own_id not in link
    assert len(base64.urlsafe_b64decode(own_id + "==")) >= 15
    [subscription] = await service.storage.subscriptions("default")
    assert (subscription.id, subscription.held, subscription.managed) == (own_id, True, False)
    assert subscription.online is True
    assert subscription.profile == "rfc"


@pytest.mark.parametrize("host", ["push.example", "localhost:9", "ä", ""])
async def test_the_location_is_at_one_of_the_services_own_origins(http, host):
    created = await http.post("/subscribe", headers={"Host": host.encode("latin-1")})
    assert created.headers["location"].startswith("https://localhost:8031/s/")


async def test_the_subscription_belongs_to_the_tenant_that_is_named(subscribe, service):
    await subscribe(headers={"Mockpush-Tenant": "a"})
    await subscribe(params={"tenant": "b"})
    assert [tenant.name for tenant in await service.storage.tenants()] == ["a", "b"]


async def test_it_can_be_restricted_to_a_key(subscribe, http):
    body = json.dumps({"vapid": KEY, "unknown": 1})
    kind = OPTIONS.upper() + "; charset=utf-8"
    agent = await subscribe(content=body, headers={"Content-Type": kind})
    path = agent.endpoint.removeprefix("https://localhost:8031")
    assert (await http.post(path, headers={"TTL": "1"})).status_code == 401


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps({"vapid": KEY})),
        ("text/plain", "{"),
        ("", json.dumps({"vapid": KEY})),
        (OPTIONS, "{}"),
        (OPTIONS, '{"vapid": null}'),
        (OPTIONS, '{"other": "member"}'),
    ],
)
async def test_bodies_of_other_types_and_other_members_are_ignored(subscribe, kind, body):
    agent = await subscribe(content=body, headers={"Content-Type": kind})
    assert (await agent.push(b"")).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "7",
        '{"vapid": 7}',
        '{"vapid": ""}',
        '{"vapid": "AAAA"}',
        '{"vapid": "ä"}',
        "[" * 100_000,
        "\ud800",
        f'{{"vapid": "{KEY}="}}',
        f'{{"vapid": "{KEY}", "vapid": "x"}}',
    ],
)
async def test_bad_options_are_refused(http, service, body):
    content = body.encode("utf-8", "surrogatepass")
    refused = await http.post("/subscribe", content=content, headers={"Content-Type": OPTIONS})
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert await service.storage.tenants() == []


async def test_it_has_the_profile_of_rfc_8030_whatever_the_default(http, service):
    other = replace(RFC, name="other", prefix="/other/")
    service.profiles = {**service.profiles, "other": other}
    service.options = replace(service.options, profile="other")
    await http.post("/subscribe")
    [subscription] = await service.storage.subscriptions("default")
    assert subscription.profile == "rfc"


async def test_a_bad_name_of_a_tenant_is_refused(http):
    assert (await http.post("/subscribe", headers={"Mockpush-Tenant": "a/b"})).status_code == 400


# Delivery


async def test_a_message_is_delivered_as_it_was_sent(agent, service):
    await agent.push(b"\0\xff" * 100, Content_Type="application/octet-stream")
    answer = await agent.poll()
    [message] = await service.storage.messages("default")
    assert answer.status == 200
    assert answer.body == b"\0\xff" * 100
    assert answer.headers["content-encoding"] == "aes128gcm"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-location"] == f"/m/{message.id}"
    assert answer.headers["link"] == f'<{agent.endpoint}>; rel="urn:ietf:params:push"'
    assert answer.headers["content-length"] == "200"
    received = parsedate_to_datetime(answer.headers["last-modified"])
    assert received.timestamp() == int(message.received_at)
    assert message.state is MessageState.DELIVERED


async def test_what_the_user_agent_must_not_see_is_not_forwarded(agent):
    await agent.push(
        Topic="secret-topic",
        Urgency="high",
        Authorization="vapid t=secret-token, k=secret-key",
        Crypto_Key="p256ecdsa=secret-key",
        Encryption="salt=secret-salt",
    )
    answer = await agent.poll()
    assert not {"topic", "urgency", "authorization", "crypto-key", "encryption"} & set(
        answer.headers
    )
    assert "secret" not in str(answer.headers)
    assert "ttl" not in answer.headers


@pytest.mark.parametrize(
    "crypto_key", ["dh=abc;p256ecdsa=secret", "p256ecdsa=secret, dh=abc", 'keyid=a;dh="abc"']
)
async def test_the_draft_coding_keeps_its_parameters_but_not_the_servers_key(agent, crypto_key):
    await agent.push(
        Content_Encoding="aesgcm",
        Encryption="keyid=a;salt=xyz;rs=24",
        Crypto_Key=crypto_key,
        Topic="secret",
    )
    answer = await agent.poll()
    assert answer.headers["content-encoding"] == "aesgcm"
    assert answer.headers["encryption"] == "keyid=a;salt=xyz;rs=24"
    assert answer.headers["crypto-key"] == "dh=abc"
    assert "secret" not in str(answer.lines)


async def test_an_unknown_coding_is_relayed_untouched(agent):
    await agent.push(Content_Encoding="Brand-New")
    assert (await agent.poll()).headers["content-encoding"] == "Brand-New"


async def test_a_message_without_a_body_is_delivered(agent):
    await agent.push(b"")
    answer = await agent.poll()
    assert (answer.status, answer.body) == (200, b"")


async def test_there_is_nothing_there(agent):
    answer = await agent.poll()
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["preference-applied"] == "wait=0"


async def test_one_message_an_answer_in_order_and_the_next_after_the_acknowledgement(agent, http):
    for body in (b"1", b"2", b"3"):
        await agent.push(body)
    received = []
    while (answer := await agent.poll()).status == 200:
        received.append(answer.body)
        deleted = await http.delete(answer.headers["content-location"])
        assert deleted.status_code == 204
    assert received == [b"1", b"2", b"3"]


async def test_what_is_not_acknowledged_is_delivered_again(agent, service):
    await agent.push(b"1")
    await agent.push(b"2")
    first, again = await agent.poll(), await agent.poll()
    assert first.body == again.body == b"1"
    assert first.headers["content-location"] == again.headers["content-location"]
    [message, _] = await service.storage.messages("default")
    steps = [entry.step for entry in message.timeline]
    assert steps == ["accepted", "delivered", "released", "delivered"]


async def test_ttl_0_is_delivered_once(agent, service):
    await agent.push(b"1", TTL="0")
    assert (await agent.poll()).body == b"1"
    assert (await agent.poll()).status == 204
    assert await states(service) == ["dropped"]


async def test_nothing_is_delivered_after_its_time(agent, service):
    await agent.push(b"1", TTL="10")
    await service.advance("default", 10)
    assert (await agent.poll()).status == 204
    assert await states(service) == ["expired"]


async def test_only_the_last_of_a_topic_is_delivered(agent):
    await agent.push(b"1", Topic="a")
    await agent.push(b"2", Topic="a")
    assert (await agent.poll()).body == b"2"


# Message resources


async def test_an_acknowledged_message_is_gone(agent, http, service):
    pushed = await agent.push()
    await agent.poll()
    path = pushed.headers["location"].removeprefix("https://localhost:8031")
    assert (await http.delete(path)).status_code == 204
    assert await states(service) == ["acknowledged"]
    again = await http.delete(path)
    assert again.status_code == 404
    assert again.headers["content-type"] == "application/problem+json"


async def test_a_pending_message_is_cancelled(agent, http, service):
    pushed = await agent.push()
    path = pushed.headers["location"].removeprefix("https://localhost:8031")
    assert (await http.delete(path)).status_code == 204
    assert await states(service) == ["cancelled"]
    assert (await agent.poll()).status == 204


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/m/x", "DELETE"),
        ("POST", "/m/x", "DELETE"),
        ("GET", "/subscribe", "POST"),
        ("HEAD", "/s/x", "GET, DELETE"),
        ("POST", "/s/x", "GET, DELETE"),
        ("GET", "/s/x/online", "POST"),
    ],
)
async def test_other_methods_are_refused(http, method, path, allowed):
    refused = await http.request(method, path)
    assert refused.status_code == 405
    assert refused.headers["allow"] == allowed


async def test_a_head_request_takes_no_message(agent, http, service):
    await agent.push()
    await http.head(agent.path)
    assert await states(service) == ["pending"]


# Long polling


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


# Presence


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
