"""Push messages on their way to a browser, over TLS."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mockpush.gateways import gcm_device
from mockpush.protocol.delivery import GCM

SUBTYPE = "wp:http://localhost:1/#A-V2"


def properties(message) -> dict[str, str]:
    return {each.key: each.value for each in message.app_data}


async def test_a_message_arrives_with_all_that_the_browser_needs(browser, service, until):
    token = await browser.register()
    wire = await browser.connect()
    assert (await browser.push(token, b"\x00\xffbody")).status_code == 201
    message = await wire.message()
    [kept] = await service.storage.messages("default")
    assert message.from_ == browser.sender
    assert message.category == "org.chromium.linux"
    assert properties(message) == {"subtype": SUBTYPE, "content-encoding": "aes128gcm"}
    assert message.raw_data == b"\x00\xffbody"
    assert message.persistent_id == kept.id
    assert message.immediate_ack
    assert message.ttl == 60
    assert kept.state == "delivered"
    wire.acknowledge()
    await wire.settle()
    assert [each.step for each in kept.timeline] == ["accepted", "delivered", "acknowledged"]


async def test_the_draft_coding_arrives_with_its_parameters(browser):
    token = await browser.register()
    wire = await browser.connect()
    await browser.push(
        token,
        Content_Encoding="aesgcm",
        Encryption="salt=c2FsdHNhbHRzYWx0c2FsdA",
        Crypto_Key=f"dh={browser.sender};p256ecdsa={browser.sender}",
    )
    assert properties(await wire.message()) == {
        "subtype": SUBTYPE,
        "content-encoding": "aesgcm",
        "encryption": "salt=c2FsdHNhbHRzYWx0c2FsdA",
        "crypto-key": f"dh={browser.sender}",
    }


async def test_without_a_payload_there_is_neither_data_nor_coding(browser):
    token = await browser.register()
    wire = await browser.connect()
    await browser.push(token, b"")
    message = await wire.message()
    assert properties(message) == {"subtype": SUBTYPE}
    assert not message.HasField("raw_data")


@pytest.mark.parametrize("prefix", ["/fcm/send/", "/wp/", "/preprod/wp/"])
@pytest.mark.parametrize("origin", [None, "https://fcm.googleapis.com", "https://jmt17.google.com"])
async def test_every_endpoint_that_chromium_makes_of_the_token_is_taken(browser, prefix, origin):
    token = await browser.register()
    answer = await browser.push(token, prefix=prefix, origin=origin)
    assert answer.status_code == 201, answer.text
    refused = await browser.push(token, prefix=prefix, origin="https://example.com")
    assert refused.status_code == 403


async def test_messages_wait_for_the_browser_and_come_in_order(browser, messages):
    token = await browser.register()
    bodies = [b"%d" % each for each in range(5)]
    for body in bodies:
        await browser.push(token, body)
    assert set((await messages()).values()) == {"pending"}
    wire = await browser.connect()
    assert [(await wire.message()).raw_data for _ in bodies] == bodies
    wire.acknowledge()
    await wire.settle()
    assert set((await messages()).values()) == {"acknowledged"}


async def test_of_one_topic_only_the_last_waits_and_what_has_expired_does_not_come(
    browser, service, messages
):
    token = await browser.register()
    await browser.push(token, b"1", topic="t")
    await browser.push(token, b"2", topic="t", ttl=7200)
    await browser.push(token, b"3")
    await service.advance("default", 3600)
    wire = await browser.connect()
    assert (await wire.message()).raw_data == b"2"
    await wire.settle()
    assert await messages() == {b"1": "replaced", b"2": "delivered", b"3": "expired"}


async def test_what_is_not_acknowledged_comes_again_with_the_next_connection(browser):
    token = await browser.register()
    wire = await browser.connect()
    for body in (b"1", b"2", b"3"):
        await browser.push(token, body)
    first = await wire.message()
    wire.acknowledge()
    assert [(await wire.message()).raw_data for _ in "23"] == [b"2", b"3"]
    await wire.settle()
    wire.cut()
    wire = await browser.connect()
    assert [(await wire.message()).raw_data for _ in "23"] == [b"2", b"3"]
    await wire.settle()
    assert first.persistent_id not in wire.ids


async def test_what_the_next_login_names_as_received_does_not_come_again(browser, messages):
    token = await browser.register()
    wire = await browser.connect()
    for body in (b"1", b"2"):
        await browser.push(token, body)
    first = (await wire.message()).persistent_id
    await wire.message()
    wire.cut()
    wire = await browser.connect(first, "of somebody else")
    assert (await wire.message()).raw_data == b"2"
    await wire.settle()
    assert await messages() == {b"1": "acknowledged", b"2": "delivered"}


async def test_the_same_after_the_browser_was_away_for_long(
    browser, messages, service, until, monkeypatch
):
    monkeypatch.setattr(gcm_device, "RECONNECT", 0)
    token = await browser.register()
    wire = await browser.connect()
    for body in (b"1", b"2"):
        await browser.push(token, body)
    first = (await wire.message()).persistent_id
    await wire.message()
    wire.cut()

    async def gone() -> bool:
        return not (await service.user_agents.find(str(browser.android_id))).connected

    await until(gone)
    assert await messages() == {b"1": "pending", b"2": "pending"}
    wire = await browser.connect(first)
    assert (await wire.message()).raw_data == b"2"
    await wire.settle()
    assert await messages() == {b"1": "acknowledged", b"2": "delivered"}


async def test_a_browser_that_is_back_at_once_loses_nothing_of_ttl_0(browser, messages):
    """Chromium drops its first connection after the login, and comes again."""
    token = await browser.register()
    wire = await browser.connect()
    await browser.push(token, b"unacknowledged", ttl=0)
    await wire.message()
    wire.cut()
    await wire.end()
    await browser.push(token, b"between", ttl=0)
    wire = await browser.connect()
    assert [(await wire.message()).raw_data for _ in "12"] == [b"unacknowledged", b"between"]
    wire.acknowledge()
    await wire.settle()
    assert set((await messages()).values()) == {"acknowledged"}


async def test_a_browser_that_is_back_in_time_stays(
    browser, new_browser, service, until, monkeypatch
):
    monkeypatch.setattr(gcm_device, "FIRST_LOGIN", 0.1)
    monkeypatch.setattr(gcm_device, "RECONNECT", 0.1)
    other = new_browser("other")
    await other.checkin()
    wire, others = await browser.connect(), await other.connect()
    wire.cut()
    await wire.end()
    await browser.connect()
    others.cut()

    async def gone() -> bool:
        return not (await service.user_agents.find("other")).connected

    await until(gone)
    assert (await service.user_agents.find(str(browser.android_id))).connected


async def test_one_that_stays_away_loses_what_has_ttl_0_and_is_shown_as_offline(
    browser, messages, service, until, monkeypatch
):
    monkeypatch.setattr(gcm_device, "RECONNECT", 0)
    token = await browser.register()
    wire = await browser.connect()
    await browser.push(token, b"1", ttl=0)
    await wire.message()
    wire.cut()

    async def gone() -> bool:
        return not (await service.user_agents.find(str(browser.android_id))).online

    await until(gone)
    await browser.push(token, b"2", ttl=0)
    assert set((await messages()).values()) == {"dropped"}
    wire = await browser.connect()
    await wire.settle()


async def test_one_that_registers_and_never_connects_is_offline_soon(
    browser, messages, service, until, monkeypatch
):
    monkeypatch.setattr(gcm_device, "FIRST_LOGIN", 0)
    token = await browser.register()
    agent = str(browser.android_id)

    async def gone() -> bool:
        return not (await service.user_agents.find(agent)).connected

    await until(gone)
    await browser.push(token, b"1", ttl=0)
    assert set((await messages()).values()) == {"dropped"}


async def test_a_new_connection_takes_over_from_the_old_one(browser, service):
    token = await browser.register()
    old = await browser.connect()
    new = await browser.connect()
    assert await old.end() == []
    await browser.push(token)
    assert (await new.message()).raw_data == b"body"
    assert (await service.user_agents.find(str(browser.android_id))).connected


async def test_offline_holds_messages_back_without_cutting_the_connection(browser, http, messages):
    token = await browser.register()
    wire = await browser.connect()
    root = f"/_mockpush/v1/user-agents/{browser.android_id}"
    assert (await http.post(f"{root}/offline")).json()["online"] is False
    await browser.push(token, b"1", topic="t")
    await browser.push(token, b"2", topic="t")
    await browser.push(token, b"3", ttl=0)
    await wire.settle()
    assert (await http.post(f"{root}/online")).json()["online"] is True
    assert (await wire.message()).raw_data == b"2"
    await wire.settle()
    assert await messages() == {b"1": "replaced", b"2": "delivered", b"3": "dropped"}


async def test_offline_survives_a_reconnect(browser, http):
    token = await browser.register()
    wire = await browser.connect()
    root = f"/_mockpush/v1/user-agents/{browser.android_id}"
    await http.post(f"{root}/offline")
    await browser.push(token, b"1")
    wire.cut()
    wire = await browser.connect()
    await wire.settle()
    await http.post(f"{root}/online")
    assert (await wire.message()).raw_data == b"1"


async def test_what_was_taken_back_and_is_acknowledged_does_not_come_again(browser, http, messages):
    token = await browser.register()
    wire = await browser.connect()
    await browser.push(token, b"1")
    await wire.message()
    root = f"/_mockpush/v1/user-agents/{browser.android_id}"
    await http.post(f"{root}/offline")
    assert await messages() == {b"1": "pending"}
    wire.acknowledge()
    await wire.settle()
    assert await messages() == {b"1": "acknowledged"}
    await http.post(f"{root}/online")
    await wire.settle()


async def test_one_that_never_acknowledges_gets_no_more_than_a_window(browser):
    assert GCM.window == 100
    token = await browser.register()
    wire = await browser.connect()
    for number in range(105):
        await browser.push(token, b"%d" % number)
    first = [(await wire.message()).raw_data for _ in range(100)]
    await wire.settle()
    wire.acknowledge()
    rest = [(await wire.message()).raw_data for _ in range(5)]
    assert first + rest == [b"%d" % number for number in range(105)]


async def test_messages_of_several_tenants_reach_one_browser(new_browser, service):
    browser = new_browser("mine")
    await browser.checkin()
    tokens = []
    for tenant in ("t", "u"):
        await service.user_agents.assign("mine", tenant)
        tokens.append(await browser.register(f"wp:http://localhost:1/#{tenant}-V2"))
    for token in tokens:
        await browser.push(token, token.encode())
    wire = await browser.connect()
    assert {(await wire.message()).raw_data.decode() for _ in tokens} == set(tokens)
    wire.acknowledge()
    await wire.settle()
    for tenant in ("t", "u"):
        [message] = await service.storage.messages(tenant)
        assert message.state == "acknowledged"


async def test_a_subscription_that_has_ended_brings_nothing(browser, http, service, messages):
    token = await browser.register()
    await browser.push(token, b"1")
    [subscription] = await service.storage.subscriptions("default")
    await http.post(f"/_mockpush/v1/subscriptions/{subscription.id}/expire")
    assert (await browser.push(token)).status_code == 410
    wire = await browser.connect()
    await wire.settle()
    assert await messages() == {b"1": "dropped"}


async def test_what_was_sent_for_a_subscription_that_has_ended_is_not_sent_again(
    browser, http, service
):
    token = await browser.register()
    wire = await browser.connect()
    await browser.push(token, b"1")
    await wire.message()
    [subscription] = await service.storage.subscriptions("default")
    await http.post(f"/_mockpush/v1/subscriptions/{subscription.id}/expire")
    wire.cut()
    wire = await browser.connect()
    await wire.settle()


async def test_after_a_reset_of_the_tenant_its_messages_do_not_come(browser, http):
    token = await browser.register()
    wire = await browser.connect()
    await browser.push(token, b"1")
    await wire.message()
    await http.post("/_mockpush/v1/reset")
    wire.cut()
    wire = await browser.connect()
    await wire.settle()
    assert await browser.register() != token


async def test_one_that_is_removed_is_there_again_on_its_connection_once_it_subscribes(
    browser, http
):
    token = await browser.register()
    wire = await browser.connect()
    removed = await http.delete(f"/_mockpush/v1/user-agents/{browser.android_id}")
    assert removed.status_code == 204
    assert (await http.get("/_mockpush/v1/user-agents")).json()["items"] == []
    assert (await browser.push(token)).status_code == 410
    again = await browser.register()
    await browser.push(again, b"2")
    assert (await wire.message()).raw_data == b"2"


async def test_browsers_stay_apart(new_browser):
    browsers = [new_browser(), new_browser("second"), new_browser("third")]
    wires, tokens = [], []
    for browser in browsers:
        await browser.checkin()
        tokens.append(await browser.register())
        wires.append(await browser.connect())
    await asyncio.gather(
        *(
            browser.push(token, f"{token} {number}".encode())
            for number in range(20)
            for browser, token in zip(browsers, tokens, strict=True)
        )
    )
    for wire, token in zip(wires, tokens, strict=True):
        bodies = {(await wire.message()).raw_data.decode() for _ in range(20)}
        assert bodies == {f"{token} {number}" for number in range(20)}
        await wire.settle()


async def test_with_endpoints_of_the_vendor_the_own_origin_is_right_all_the_same(
    server, service, browser
):
    """A test may put it in place of that which is built into Chromium."""
    service.options = replace(service.options, vendor_hosts=True)
    token = await browser.register()
    [subscription] = await service.storage.subscriptions("default")
    assert subscription.endpoint == f"https://fcm.googleapis.com/fcm/send/{token}"
    for origin in (server.https_url, server.url, "https://fcm.googleapis.com"):
        assert (await browser.push(token, origin=origin)).status_code == 201
