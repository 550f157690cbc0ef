"""User agents that speak Mozilla's push protocol, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import ssl

import pytest
from py_vapid import Vapid02
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mockpush.options import ServiceOptions
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_encode
from mockpush.server import Server
from mockpush.service import PushService

from .browser import Browser, Site


@pytest.fixture
def options() -> ServiceOptions:
    return ServiceOptions()


@pytest.fixture
async def site(options):
    async with Server(PushService(options)) as server:
        site = Site(server)
        async with site.sender:
            yield site


# Hello


async def test_a_new_user_agent_gets_an_identity(site):
    async with site.open() as browser:
        answer = await browser.hello()
    assert re.fullmatch("[0-9a-f]{32}", answer.pop("uaid"))
    assert answer == {
        "messageType": "hello",
        "status": 200,
        "use_webpush": True,
        "broadcasts": {},
    }


async def test_the_subprotocol_is_agreed_upon_if_it_is_offered_and_compression_never_is(site):
    url = site.server.url.replace("http", "ws", 1)
    async with connect(url, subprotocols=["chat", "push-notification"]) as socket:
        assert socket.subprotocol == "push-notification"
        assert "sec-websocket-extensions" not in socket.response.headers
    async with connect(url, subprotocols=["chat"]) as socket:
        assert socket.subprotocol is None


async def test_it_is_there_on_the_tls_port_too(site):
    url = site.server.https_url.replace("http", "ws", 1)
    async with connect(url, ssl=site.server.ssl_context) as socket:
        browser = Browser(socket)
        await browser.hello()
        _, endpoint = await browser.register()
        await site.push(endpoint, b"x")
        assert (await browser.hear())["data"] == "eA"


async def test_whoever_only_said_hello_is_unknown_the_next_time(site):
    async with site.connect() as browser:
        uaid = browser.uaid
    async with site.connect(uaid) as browser:
        assert browser.uaid != uaid


async def test_whoever_has_registered_is_known_also_without_channels(site):
    async with site.connect() as browser:
        uaid = browser.uaid
        channel, _ = await browser.register()
        await browser.ask("unregister", channelID=channel)
    async with site.connect(uaid) as browser:
        assert browser.uaid == uaid


@pytest.mark.parametrize("uaid", ["", "nonsense", "0" * 32])
async def test_an_unknown_identity_is_replaced(site, uaid):
    async with site.connect(uaid) as browser:
        assert browser.uaid not in ("", uaid)


async def test_of_two_connections_of_a_user_agent_the_older_is_closed(site):
    async with site.connect() as older:
        _, endpoint = await older.register()
        async with site.connect(older.uaid) as newer:
            assert newer.uaid == older.uaid
            assert await older.closed() == (1011, "SM")
            await site.push(endpoint, b"x")
            assert (await newer.hear())["data"] == "eA"


async def test_the_older_connection_is_closed_also_when_its_identity_is_another(site):
    async with (
        site.connect(path="/ua/fox") as older,
        site.connect(path="/ua/fox") as newer,
    ):
        assert newer.uaid != older.uaid
        assert await older.closed() == (1011, "SM")
        [known] = (await site.api("/user-agents"))["items"]
        assert (known["id"], known["device"]) == ("fox", newer.uaid)


async def test_too_many_user_agents_are_turned_away(options):
    from mockpush.storage.base import Limits

    limited = ServiceOptions(limits=Limits(user_agents=1))
    async with Server(PushService(limited)) as server:
        site = Site(server)
        async with site.sender, site.connect() as first, site.open() as second:
            await second.say("hello")
            assert await second.closed() == (1011, "SM")
            await first.register()


# Names and tenants


@pytest.mark.parametrize("name", ["fox", "a%2Cb", "x" * 128])
async def test_a_path_names_the_user_agent(site, name):
    async with site.connect(path=f"/ua/{name}") as browser:
        assert (await site.api(f"/user-agents/{name}"))["device"] == browser.uaid


@pytest.mark.parametrize("name", ["", "a%20b", "a%2Fb", "x" * 129])
async def test_a_name_is_printable_and_short(site, name):
    with pytest.raises(InvalidStatus, match="404"):
        async with site.connect(path=f"/ua/{name}"):
            pass


async def test_each_browser_has_its_own_path(site):
    await site.api("/user-agents/one", "PATCH", json={"tenant": "first"})
    async with site.connect(path="/ua/one") as one, site.connect(path="/ua/two") as two:
        listed = (await site.api("/user-agents?online=true"))["items"]
        assert [(each["id"], each["device"]) for each in listed] == [
            ("one", one.uaid),
            ("two", two.uaid),
        ]
        await one.register()
        await two.register()
        [first] = (await site.api("/subscriptions?tenant=first"))["items"]
        [second] = (await site.api("/subscriptions"))["items"]
        assert (first["user_agent"], second["user_agent"]) == ("one", "two")


async def test_a_subscription_is_opaque_and_of_the_mozilla_profile(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
        assert endpoint.startswith(f"{site.server.https_url}/wpush/v1/")
        [subscription] = (await site.api("/subscriptions"))["items"]
    assert subscription["endpoint"] == endpoint
    assert subscription["profile"] == "mozilla"
    assert (subscription["managed"], subscription["keys"]) == (False, None)


async def test_the_tenant_is_that_of_the_time_of_the_subscription(site):
    async with site.connect(path="/ua/fox") as browser:
        endpoints = []
        for tenant in ("a", "b"):
            await site.api("/user-agents/fox", "PATCH", json={"tenant": tenant})
            endpoints.append((await browser.register())[1])
        for endpoint in endpoints:
            await site.push(endpoint, endpoint[-1].encode())
        heard = await browser.notifications(2)
        assert len({each["channelID"] for each in heard}) == 2
        for tenant in ("a", "b"):
            assert len((await site.api(f"/messages?tenant={tenant}"))["items"]) == 1


async def test_with_endpoint_origin_listener_the_endpoint_is_where_the_user_agent_is():
    async with Server(endpoint_origin="listener") as server:
        site = Site(server)
        async with site.sender, site.connect() as browser:
            assert (await browser.register())[1].startswith(f"{server.url}/wpush/")
            url = server.https_url.replace("http", "ws", 1)
            async with connect(url, ssl=server.ssl_context) as socket:
                secure = Browser(socket)
                await secure.hello()
                assert (await secure.register())[1].startswith(f"{server.https_url}/wpush/")


async def test_with_another_endpoint_origin_so_has_the_endpoint():
    async with Server(endpoint_origin="https://push.example:444") as server:
        site = Site(server)
        async with site.sender, site.connect() as browser:
            assert (await browser.register())[1].startswith("https://push.example:444/wpush/")


# Channels


async def test_an_endpoint_with_a_key_wants_that_key(site):
    vapid = Vapid02()
    vapid.generate_keys()
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point = vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    async with site.connect() as browser:
        key = base64.urlsafe_b64encode(point).decode()
        assert key.endswith("=")
        _, endpoint = await browser.register(key=key)
        assert "/wpush/v2/" in endpoint
        assert (await site.push(endpoint)).status_code == 401
        fields = vapid.sign({"sub": "mailto:me@example.com", "aud": site.server.https_url})
        assert (await site.push(endpoint, **fields)).status_code == 201
        stranger = Vapid02()
        stranger.generate_keys()
        fields = stranger.sign({"sub": "mailto:me@example.com", "aud": site.server.https_url})
        assert (await site.push(endpoint, **fields)).status_code == 401
        await browser.notifications(1)
        await browser.heard_nothing()


@pytest.mark.parametrize("key", ["", "nonsense", "AAAA", base64url_encode(b"\4" + bytes(64))])
async def test_a_key_that_is_none_gives_no_endpoint(site, key):
    async with site.connect() as browser:
        channel = "01234567-89ab-cdef-0123-456789abcdef"
        assert await browser.ask("register", channelID=channel, key=key) == {
            "messageType": "register",
            "channelID": channel,
            "status": 400,
            "pushEndpoint": "Failed to generate endpoint",
        }


async def test_without_room_there_is_no_endpoint():
    from mockpush.storage.base import Limits

    options = ServiceOptions(limits=Limits(subscriptions=1))
    async with Server(PushService(options)) as server:
        site = Site(server)
        async with site.sender, site.connect() as browser:
            await browser.register()
            answer = await browser.ask("register", channelID="01234567-89ab-cdef-0123-456789abcdef")
            assert (answer["status"], answer["pushEndpoint"]) == (500, "")


async def test_a_user_agent_has_so_many_channels_and_no_more(site, monkeypatch):
    monkeypatch.setattr("mockpush.gateways.autopush_connection.MAX_CHANNELS", 1)
    async with site.connect() as browser:
        await browser.register()
        answer = await browser.ask("register", channelID="01234567-89ab-cdef-0123-456789abcdef")
        assert answer["status"] == 500


async def test_a_subscription_is_refused_on_demand(site):
    async with site.connect(path="/ua/fox") as browser:
        await site.api("/user-agents/fox/refuse", "POST")
        answer = await browser.ask("register", channelID="01234567-89ab-cdef-0123-456789abcdef")
        assert (answer["status"], answer["pushEndpoint"]) == (500, "")
        assert (await browser.register())[1]


async def test_a_channel_that_is_registered_again_has_two_endpoints(site):
    async with site.connect() as browser:
        channel = "01234567-89ab-cdef-0123-456789abcdef"
        endpoints = [
            (await browser.ask("register", channelID=channel))["pushEndpoint"] for _ in range(2)
        ]
        assert len(set(endpoints)) == 2
        for endpoint in endpoints:
            assert (await site.push(endpoint)).status_code == 201
        assert [each["channelID"] for each in await browser.notifications(2)] == [channel] * 2
        await browser.ask("unregister", channelID=channel)
        for endpoint in endpoints:
            assert (await site.push(endpoint)).status_code == 410


async def test_a_channel_that_was_never_there_is_gone_too(site):
    async with site.connect() as browser:
        channel = "01234567-89ab-cdef-0123-456789abcdef"
        for code in (None, 200, 201, 202):
            assert await browser.ask("unregister", channelID=channel, code=code) == {
                "messageType": "unregister",
                "channelID": channel,
                "status": 200,
            }


async def test_of_a_subscription_that_expires_the_browser_hears_nothing(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
        [subscription] = (await site.api("/subscriptions"))["items"]
        await site.api(f"/subscriptions/{subscription['id']}/expire", "POST")
        gone = await site.push(endpoint)
        assert (gone.status_code, gone.headers["cache-control"]) == (410, "max-age=86400")
        await browser.heard_nothing()


async def test_who_is_forgotten_gets_a_new_identity_at_once(site):
    async with site.connect(path="/ua/fox") as browser:
        _, endpoint = await browser.register()
        await site.api("/user-agents/fox/forget", "POST")
        assert await browser.closed() == (1011, "SM")
        assert (await site.push(endpoint)).status_code == 410
    async with site.connect(browser.uaid, path="/ua/fox") as again:
        assert again.uaid != browser.uaid


# Messages


async def test_a_message_is_relayed_as_it_is(site):
    async with site.connect() as browser:
        channel, endpoint = await browser.register()
        body = secrets.token_bytes(100)
        accepted = await site.push(endpoint, body, Topic="t", Urgency="high")
        assert accepted.status_code == 201
        heard = await browser.hear()
        assert heard.pop("version") == accepted.headers["location"].rpartition("/")[2]
        assert heard == {
            "messageType": "notification",
            "channelID": channel,
            "data": base64url_encode(body),
            "headers": {"encoding": "aes128gcm"},
        }


async def test_the_draft_coding_is_relayed_with_its_fields(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
        dh = base64url_encode(generate_key_pair()[1])
        accepted = await site.push(
            endpoint,
            b"x" * 5624,
            Content_Encoding="aesgcm",
            Encryption='salt="AAAAAAAAAAAAAAAAAAAAAA=="',
            Crypto_Key=f"dh={dh}=;p256ecdsa={dh}",
        )
        assert accepted.status_code == 201
        assert (await browser.hear())["headers"] == {
            "encoding": "aesgcm",
            "encryption": "salt=AAAAAAAAAAAAAAAAAAAAAA",
            "crypto_key": f"dh={dh}",
        }


@pytest.mark.parametrize(("size", "status"), [(5630, 201), (5631, 413)])
async def test_bodies_may_have_5630_octets(site, size, status):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
        assert (await site.push(endpoint, bytes(size))).status_code == status


@pytest.mark.parametrize("scheme", ["Bearer", "WebPush"])
async def test_tokens_of_the_drafts_are_taken(site, scheme):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from py_vapid import Vapid01

    vapid = Vapid01()
    vapid.generate_keys()
    point = vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    async with site.connect() as browser:
        _, endpoint = await browser.register(key=base64url_encode(point))
        fields = vapid.sign({"sub": "mailto:me@example.com", "aud": site.server.https_url})
        token = fields["Authorization"].partition(" ")[2]
        accepted = await site.push(
            endpoint, Authorization=f"{scheme} {token}", Crypto_Key=fields["Crypto-Key"]
        )
        assert accepted.status_code == 201


async def test_codes_and_failures_are_in_the_timeline(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
        await site.push(endpoint, b"x")
        await browser.acknowledge(heard := await browser.hear())
        await browser.say("nack", version=heard["version"], code=302)
        await browser.heard_nothing()
        assert await site.timeline() == [
            ("accepted", None),
            ("delivered", None),
            ("decrypted", None),
            ("dispatched", None),
            ("acknowledged", "100: delivered"),
            ("rejected", "302: the promise of waitUntil was rejected"),
        ]
        await site.push(endpoint, b"x")
        await browser.acknowledge(await browser.hear(), code=101)
        await browser.heard_nothing()
        assert (await site.timeline())[2:] == [
            ("not_decrypted", None),
            ("acknowledged", "101: decryption error"),
        ]
        await site.push(endpoint)
        await browser.acknowledge(await browser.hear(), code=100)
        await browser.heard_nothing()
        assert ("decrypted", None) not in await site.timeline()
        await site.push(endpoint)
        await browser.acknowledge(await browser.hear(), code=77)
        await browser.heard_nothing()
        assert (await site.timeline())[2:] == [("acknowledged", "77")]


async def test_nobody_reports_about_messages_of_others(site):
    async with site.connect() as browser, site.connect() as other:
        _, endpoint = await browser.register()
        await site.push(endpoint)
        heard = await browser.hear()
        await other.acknowledge(heard)
        await other.say("nack", version=heard["version"], code=301)
        await other.say("nack", version="nonsense", code=301)
        await other.heard_nothing()
        assert [event for event, _ in await site.timeline()] == ["accepted", "delivered"]


async def test_what_is_not_acknowledged_comes_again_and_what_is_kept_for_nobody_does_not(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
        for ttl in ("0", "60", "60"):
            await site.push(endpoint, TTL=ttl)
        _, second, third = await browser.notifications(3)
        await browser.acknowledge(third)
        await browser.heard_nothing()
    await site.gone(browser.uaid)
    assert await site.states() == ["dropped", "pending", "acknowledged"]
    async with site.connect(browser.uaid) as browser:
        assert await browser.notifications(1) == [second]
        await browser.acknowledge(second, code=102)
        await browser.heard_nothing()
    assert await site.states() == ["dropped", "acknowledged", "acknowledged"]


async def test_messages_of_one_topic_both_reach_who_is_there_and_only_the_last_who_is_not(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
        for _ in range(2):
            await site.push(endpoint, Topic="t")
        _, second = await browser.notifications(2)
    await site.gone(browser.uaid)
    async with site.connect(browser.uaid) as browser:
        assert await browser.notifications(1) == [second]
        await browser.heard_nothing()


async def test_what_waits_comes_in_batches_topics_first(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
    await site.gone(browser.uaid)
    for number in range(21):
        await site.push(endpoint, str(number).encode())
    for topic in "abb":
        await site.push(endpoint, topic.encode(), Topic=topic)

    def texts(heard):
        return [base64.urlsafe_b64decode(each["data"] + "==").decode() for each in heard]

    async with site.connect(browser.uaid) as browser:
        topics = await browser.notifications(2)
        assert texts(topics) == ["a", "b"]
        await browser.acknowledge(topics[0])
        await browser.heard_nothing()
        await browser.acknowledge(topics[1])
        batch = await browser.notifications(10)
        assert texts(batch) == [str(number) for number in range(10)]
        await browser.acknowledge(*batch[:9])
        await browser.heard_nothing()
    await site.gone(browser.uaid)
    async with site.connect(browser.uaid) as browser:
        again = await browser.notifications(10)
        assert texts(again) == texts(batch)
        await browser.acknowledge(*again)
        last = await browser.notifications(10)
        await site.push(endpoint, b"direct")
        [direct] = await browser.notifications(1)
        assert texts([direct]) == ["direct"]
        await browser.acknowledge(*last)
        await browser.heard_nothing()
        await browser.acknowledge(direct)
        assert texts(await browser.notifications(1)) == ["20"]


async def test_what_has_expired_does_not_come(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
    await site.gone(browser.uaid)
    for ttl in ("60", "7200"):
        await site.push(endpoint, TTL=ttl)
    await site.api("/clock", "POST", json={"advance": "1h"})
    async with site.connect(browser.uaid) as browser:
        await browser.notifications(1)
        await browser.heard_nothing()


async def test_whoever_finds_more_than_the_limit_loses_everything():
    async with Server(PushService(ServiceOptions(message_limit=12))) as server:
        site = Site(server)
        async with site.sender:
            async with site.connect() as browser:
                _, endpoint = await browser.register()
            await site.gone(browser.uaid)
            for _ in range(13):
                await site.push(endpoint)
            async with site.connect(browser.uaid) as browser:
                await browser.acknowledge(*await browser.notifications(10))
                assert await browser.closed() == (1000, "SM")
            assert (await site.push(endpoint)).status_code == 410
            async with site.connect(browser.uaid) as again:
                assert again.uaid != browser.uaid


async def test_who_is_away_gets_nothing_until_it_is_back_and_its_connection_stays(site):
    async with site.connect(path="/ua/fox") as browser:
        _, endpoint = await browser.register()
        await site.push(endpoint, b"a")
        [unacknowledged] = await browser.notifications(1)
        await site.api("/user-agents/fox/offline", "POST")
        await site.push(endpoint, b"b")
        await site.push(endpoint, b"c", TTL="0")
        await browser.heard_nothing()
        assert await site.states() == ["pending", "pending", "dropped"]
        await site.api("/user-agents/fox/online", "POST")
        heard = await browser.notifications(2)
        assert heard[0] == unacknowledged
        await browser.acknowledge(*heard)
        await browser.heard_nothing()
        assert await site.states() == ["acknowledged", "acknowledged", "dropped"]


async def test_three_browsers_get_their_own(site):
    async with site.connect() as one, site.connect() as two, site.connect() as three:
        browsers = [one, two, three]
        channels = [await each.register() for each in browsers]
        for _, endpoint in channels * 3:
            assert (await site.push(endpoint)).status_code == 201
        for browser, (channel, _) in zip(browsers, channels, strict=True):
            heard = await browser.notifications(3)
            assert {each["channelID"] for each in heard} == {channel}
            await browser.heard_nothing()


# Around it


async def test_pings_are_answered(site):
    async with site.connect() as browser:
        assert await browser.ask() == {}
        await (await browser.socket.ping())
        await browser.say("ping")
        assert await browser.closed() == (1011, "SM")


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_other_upgrades_are_ordinary_requests(http):
    from mockpush.http.app import App
    from mockpush.web_server import WebServer

    async with WebServer(App(PushService()), http=http) as server:
        url = server.url.replace("http", "ws", 1)
        async with connect(f"{url}/ua/fox?x=1") as socket:
            await Browser(socket).hello()
        for path in ("/push/x", "/ua/", "/ua/a/b", "/nothing", "/_mockpush/v1"):
            with pytest.raises(InvalidStatus, match=r"HTTP (404|405|200)"):
                await connect(url + path)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(
            b"GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-version: 13\r\n\r\n"
        )
        assert b" 400 " in await reader.readline()
        await reader.read()
        writer.close()


@pytest.mark.parametrize("path", ["/push/" + "0" * 32, "/notif/" + "0" * 32])
async def test_how_mozillas_servers_talk_among_each_other_is_not_public(site, path):
    assert (await site.sender.put(site.server.url + path)).status_code == 404


async def test_a_message_can_be_deleted_again_and_again(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
    await site.gone(browser.uaid)
    accepted = await site.push(endpoint)
    path = "/m/" + accepted.headers["location"].rpartition("/")[2]
    for _ in range(2):
        assert (await site.sender.delete(site.server.url + path)).status_code == 204
    async with site.connect(browser.uaid) as browser:
        await browser.heard_nothing()


async def test_a_server_that_stops_says_goodbye():
    async with Server() as server:
        socket = await connect(server.url.replace("http", "ws", 1))
        await Browser(socket).hello()
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd.code == 1001


async def test_an_untrusted_certificate_is_no_connection(site):
    url = site.server.https_url.replace("http", "ws", 1)
    with pytest.raises(ssl.SSLError):
        await connect(url, ssl=ssl.create_default_context())
