"""Messages as user agents get them, and their resources (RFC 8030, Sections 5 and 6)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from mockpush.protocol.model import MessageState


async def states(service):
    return [message.state for message in await service.storage.messages("default")]


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
    for _ in range(3):
        answer = await agent.monitor().end()
        received.append(answer.body)
        deleted = await http.delete(answer.headers["content-location"])
        assert deleted.status_code == 204
    assert received == [b"1", b"2", b"3"]


async def test_what_is_not_acknowledged_is_delivered_again(agent, service):
    await agent.push(b"1")
    await agent.push(b"2")
    first, again = await agent.monitor().end(), await agent.monitor().end()
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
