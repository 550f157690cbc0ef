"""How browsers are to be started, in the control API."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import subprocess

import httpx
import pytest
from jeepney import DBusAddress, Parser, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from mockpush.options import ServiceOptions
from mockpush.protocol.notifications import Appearance
from mockpush.server import Server
from mockpush.service import PushService


@pytest.fixture
async def server():
    async with Server() as server:
        yield server


async def launch(server: Server, path: str, *, url: str | None = None) -> dict:
    async with httpx.AsyncClient(verify=server.ssl_context) as client:
        answer = await client.get(f"{url or server.url}/_mockpush/v1/browsers/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def flags(launched: dict) -> dict[str, str]:
    return dict(each.removeprefix("--").partition("=")[::2] for each in launched["args"])


async def test_chromium_is_pointed_at_the_service(server):
    launched = await launch(server, "chromium/launch?user_agent=shop")
    assert launched["user_agent"] == "shop"
    given = flags(launched)
    assert given["gcm-checkin-url"] == f"{server.url}/ua/shop/gcm/checkin"
    assert given["gcm-registration-url"] == f"{server.url}/ua/shop/gcm/register3"
    port = server.https_url.rpartition(":")[2]
    assert given["gcm-mcs-endpoint"] == f"https://127.0.0.1:{port}"
    assert launched["preferences"] == {"profile.default_content_setting_values.notifications": 1}


async def test_chromium_trusts_the_key_that_is_shown_to_it(server, run_openssl):
    port = int(server.https_url.rpartition(":")[2])
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
    given = flags(await launch(server, "chromium/launch"))
    assert given["ignore-certificate-errors-spki-list"] == run_openssl(pem)


@pytest.fixture
def run_openssl():
    def pin(pem: str) -> str:
        """Made by other means: the SubjectPublicKeyInfo is cut out of the certificate."""
        import base64
        import hashlib

        der = ssl.PEM_cert_to_DER_cert(pem)
        # The head of every SubjectPublicKeyInfo on P-256 (RFC 5480), and its 65 octets.
        head = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
        at = der.index(head)
        return base64.b64encode(hashlib.sha256(der[at : at + len(head) + 65]).digest()).decode()

    return pin


async def test_only_names_of_this_machine_are_resolved_unless_others_are_said(server):
    rules = flags(await launch(server, "chromium/launch"))["host-resolver-rules"]
    assert rules.startswith("MAP * ~NOTFOUND , EXCLUDE localhost")
    more = flags(await launch(server, "chromium/launch?hosts=shop.test,%20cdn.test"))
    assert more["host-resolver-rules"].endswith("EXCLUDE shop.test, EXCLUDE cdn.test")
    assert "host-resolver-rules" not in flags(await launch(server, "chromium/launch?hosts=*"))


async def test_pages_get_endpoints_of_the_service_unless_told_otherwise(server):
    launched = await launch(server, "chromium/launch")
    assert f'"{server.https_url}"' in launched["init_script"]
    native = await launch(server, "chromium/launch?endpoints=native")
    assert native["init_script"] == ""


async def test_they_get_those_that_the_service_gives_out():
    async with Server(endpoint_origin="https://push.example") as server:
        launched = await launch(server, "chromium/launch")
        assert '"https://push.example"' in launched["init_script"]
    async with Server(endpoint_origin="listener") as server:
        assert f'"{server.url}"' in (await launch(server, "chromium/launch"))["init_script"]


async def test_the_service_is_where_the_caller_reaches_it(server):
    url = server.url.replace("127.0.0.1", "localhost")
    given = flags(await launch(server, "chromium/launch", url=url))
    assert given["gcm-checkin-url"] == f"{url}/ua/chromium/gcm/checkin"


@pytest.mark.parametrize("origin", ["https://push.example", "http://web:8030", None, "listener"])
@pytest.mark.parametrize("kind", ["chromium", "firefox"])
async def test_wherever_endpoints_are_browsers_come_to_the_ports_of_the_service(kind, origin):
    async with Server(endpoint_origin=origin) as server:
        by_name = server.url.replace("127.0.0.1", "localhost")
        for url in (server.url, server.https_url):
            launched = await launch(server, f"{kind}/launch", url=url)
            if kind == "firefox":
                websocket = by_name if url == server.https_url else server.url
                assert launched["preferences"]["dom.push.serverURL"] == (
                    websocket.replace("http", "ws") + "/ua/firefox"
                )
            else:
                given = flags(launched)
                assert given["gcm-mcs-endpoint"].rpartition(":")[2] == port_of(server.https_url)
                assert port_of(
                    given["gcm-checkin-url"].removesuffix("/ua/chromium/gcm/checkin")
                ) == (port_of(server.url))


def port_of(origin: str) -> str:
    return origin.rpartition(":")[2]


async def ask(server: Server, path: str, **fields: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        url = f"{server.url}/_mockpush/v1/browsers/{path}"
        return await client.get(url, headers=fields)


async def test_a_browser_on_another_machine_comes_by_the_name_that_was_used():
    async with Server(hostnames=["push.test"]) as server:
        host = f"Push.Test:{port_of(server.url)}"
        given = flags((await ask(server, "chromium/launch", Host=host)).json())
        https = port_of(server.https_url)
    assert given["gcm-mcs-endpoint"] == f"https://push.test:{https}"
    assert given["host-resolver-rules"].endswith("EXCLUDE push.test")


async def test_behind_mapped_ports_the_origin_of_endpoints_says_where_https_is():
    async with Server(endpoint_origin="https://localhost:18031") as server:
        given = flags((await ask(server, "chromium/launch", Host="localhost:18030")).json())
    assert given["gcm-mcs-endpoint"] == "https://127.0.0.1:18031"
    assert given["gcm-checkin-url"] == "http://localhost:18030/ua/chromium/gcm/checkin"


@pytest.mark.parametrize("origin", [None, "http://web:8030", "listener"])
async def test_without_it_nobody_knows_and_the_answer_says_how(origin):
    async with Server(endpoint_origin=origin) as server:
        for host in ("localhost:18030", "localhost"):
            refused = await ask(server, "chromium/launch", Host=host)
            assert refused.status_code == 409
            assert "--endpoint-origin" in refused.json()["detail"]


async def test_behind_the_proxy_endpoints_are_the_vendors(server):
    service = PushService(ServiceOptions(vendor_hosts=True))
    async with Server(service, proxy_port=0) as server:
        launched = await launch(server, "chromium/launch")
    assert "ORIGIN" not in launched["init_script"]
    assert '"https://fcm.googleapis.com"' in launched["init_script"]


async def test_a_browser_elsewhere_keeps_its_own_desktop(server):
    """Only on this machine the service's can be reached."""
    for client, server_, given in (
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("172.17.0.2", "172.17.0.2", True),
        ("172.17.0.1", "172.17.0.2", False),
    ):
        transport = From(server.app, client, server_)
        async with httpx.AsyncClient(transport=transport) as caller:
            launched = await caller.get(f"{server.url}/_mockpush/v1/browsers/chromium/launch")
        assert ("DBUS_SESSION_BUS_ADDRESS" in launched.json()["env"]) is given


class From(httpx.ASGITransport):
    """Requests of a client with this address to a server with that."""

    def __init__(self, app, client: str, server: str) -> None:
        async def addressed(scope, receive, send) -> None:
            await app({**scope, "client": (client, 1), "server": (server, 2)}, receive, send)

        super().__init__(addressed)


@pytest.mark.parametrize("hosts", ["http://shop.test", "shop.test:80", "shop test", "a,b/c"])
async def test_names_that_are_none_are_refused(server, hosts):
    refused = await ask(server, f"chromium/launch?hosts={hosts}")
    assert (refused.status_code, "is no name of a host" in refused.json()["detail"]) == (400, True)


async def test_nothing_in_a_name_ends_the_script(server):
    host = f"a'b.localhost:{port_of(server.url)}"
    script = (await ask(server, "chromium/launch", Host=host)).json()["init_script"]
    assert f'"http://{host}/_mockpush/v1/user-agents/chromium"' in script


async def test_firefox_is_pointed_at_the_service(server):
    launched = await launch(server, "firefox/launch?user_agent=a%25b")
    assert (launched["args"], launched["init_script"]) == ([], "")
    preferences = launched["preferences"]
    assert preferences["dom.push.serverURL"] == server.url.replace("http", "ws") + "/ua/a%25b"
    assert preferences["dom.push.connection.enabled"] is True
    assert launched["env"]["MOZ_REMOTE_SETTINGS_DEVTOOLS"] == "1"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("safari/launch", 404),
        ("chromium/launch?user_agent=a%20b", 400),
        ("chromium/launch?endpoints=mine", 400),
        ("chromium/launch?tenant=t", 400),
    ],
)
async def test_what_there_is_not_is_explained(api, path, status):
    assert (await api.get(f"/browsers/{path}")).status_code == status


async def test_a_service_without_ports_cannot_have_a_browser(api):
    refused = await api.get("/browsers/chromium/launch")
    assert (refused.status_code, "ports" in refused.json()["detail"]) == (409, True)


# What browsers show

GET_ID = new_method_call(message_bus, "GetId")


def connected(launched: dict) -> DBusConnection:
    """One that has said hello; it blocks."""
    return open_dbus_connection(launched["env"]["DBUS_SESSION_BUS_ADDRESS"])


async def open_desktop(launched: dict) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = launched["env"]["DBUS_SESSION_BUS_ADDRESS"]
    name = re.fullmatch(r"unix:abstract=([!-+\--~]{1,100})", address)[1]
    reader, writer = await asyncio.open_unix_connection(f"\0{name}")
    writer.write(b"\0AUTH EXTERNAL 30\r\n")
    assert (await reader.readline()).startswith(b"OK ")
    return reader, writer


async def test_notifications_come_by_a_desktop_for_each_user_agent(server):
    service: PushService = server.service
    launched = [await launch(server, f"chromium/launch?user_agent={n}") for n in "aab"]
    addresses = [each["env"]["DBUS_SESSION_BUS_ADDRESS"] for each in launched]
    assert addresses[0] == addresses[1] != addresses[2]
    reader, writer = await open_desktop(launched[0])
    place = DBusAddress("/n", "org.freedesktop.Notifications", "org.freedesktop.Notifications")
    parser = Parser()

    async def answer() -> tuple:
        while (message := parser.get_next_message()) is None:
            parser.add_data(await reader.read(4096))
        return message.body

    async def notify(title: str, replaces: int = 0) -> int:
        actions = ["0", "Go", "default", "Activate"]
        body = ("app", replaces, "", title, "", actions, {}, -1)
        writer.write(new_method_call(place, "Notify", "susssasa{sv}i", body).serialise(1))
        return (await answer())[0]

    async def shown() -> list[tuple]:
        return [(each.title, each.state) for each in await service.storage.notifications()]

    writer.write(b"BEGIN\r\n")
    first = await notify("one")
    assert await notify("two", replaces=first) == first
    assert await shown() == [("one", "replaced"), ("two", "shown")]
    [_, two] = await service.storage.notifications()
    assert two.user_agent == "a"
    await service.notifications.click(two.id, "Go")
    assert await answer() == (first, "0")
    await service.notifications.click(two.id)
    assert await answer() == (first, "default")
    await service.notifications.close(two.id)
    assert await answer() == (first, 2)

    third = await notify("three")
    writer.write(new_method_call(place, "CloseNotification", "u", (third,)).serialise(2))
    assert [await answer(), await answer()] == [(third, 3), ()]
    await notify("four")
    writer.close()
    await wait_until_closed(service, 4)
    assert {state for _, state in await shown()} == {"replaced", "closed"}


async def test_a_driver_may_announce_that_it_tells_of_notifications_too(server):
    service: PushService = server.service
    for query, known in (("&notifications=told", 0), ("&notifications=seen", 1), ("", 2)):
        await launch(server, f"chromium/launch?user_agent=a{query}")
        await service.notifications.show("a", Appearance("t"), screen=object())
        assert len(await service.storage.notifications()) == known


async def wait_until_closed(service: PushService, count: int) -> None:
    async def gone():
        states = [each.state for each in await service.storage.notifications()]
        return True if len(states) == count and "shown" not in states else None

    assert await service.wait("", gone, timeout=10)


@pytest.mark.parametrize(
    "said",
    [
        b"x" * 32,
        b"l\1\0\1" + (1 << 28).to_bytes(4, "little") + bytes(8),
        b"l\1\0\1" + bytes(8) + b"\10\0\0\0\3\3a()\0\0\0",
        b"l\1\0\1" + bytes(8) + b"\10\0\0\0\3\1s\0\xff\0\0\0",
    ],
    ids=["octets", "size", "structure", "length"],
)
async def test_who_speaks_no_dbus_is_cut_off_and_nobody_else(server, said, caplog):
    launched = await launch(server, "chromium/launch")
    with await asyncio.to_thread(connected, launched) as bystander:
        reader, writer = await open_desktop(launched)
        writer.write(b"BEGIN\r\n" + said)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        assert await asyncio.to_thread(bystander.send_and_get_reply, GET_ID)
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_desktop_is_a_bus_for_any_client(server):
    launched = await launch(server, "chromium/launch")

    def use() -> tuple:
        with connected(launched) as client:
            return client.unique_name, client.send_and_get_reply(GET_ID).body

    name, [guid] = await asyncio.to_thread(use)
    assert (name, len(guid)) == (":1.1", 32)


def test_nothing_of_a_desktop_is_loaded_before_a_browser_comes(modules_loaded_by):
    loaded = modules_loaded_by(
        "import asyncio, mockpush.commands.serve\n"
        "from mockpush.server import Server\n"
        "async def serve():\n"
        "    async with Server(): pass\n"
        "asyncio.run(serve())"
    )
    assert "mockpush.http.browsers" in loaded
    assert not {"jeepney", "mockpush.gateways.desktop_connection"} & loaded


async def test_desktops_end_with_the_service():
    async with Server() as server:
        launched = await launch(server, "chromium/launch")
        reader, writer = await open_desktop(launched)
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await open_desktop(launched)


async def delete(server: Server, user_agent: str) -> None:
    async with httpx.AsyncClient() as client:
        url = f"{server.url}/_mockpush/v1/user-agents/{user_agent}"
        assert (await client.patch(url, json={"tenant": "t"})).status_code == 200
        assert (await client.delete(url)).status_code == 204


async def test_a_desktop_ends_with_its_user_agent(server):
    launched = [await launch(server, f"chromium/launch?user_agent={n}") for n in "ab"]
    await delete(server, "a")
    with pytest.raises(ConnectionRefusedError):
        await open_desktop(launched[0])
    _, writer = await open_desktop(launched[1])
    writer.close()
    again = await launch(server, "chromium/launch?user_agent=a")
    assert again["env"] != launched[0]["env"]
    await delete(server, "never-launched")


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Returns when the service has seen the end."""
    writer.write(b"BEGIN\r\n" + b"x" * 32)  # no D-Bus
    assert await reader.read() == b""
    writer.close()


async def test_a_browser_that_runs_on_keeps_its_desktop_to_the_end(server):
    launched = await launch(server, "chromium/launch?user_agent=a")
    first = await open_desktop(launched)
    await delete(server, "a")
    second = await open_desktop(launched)
    await hang_up(*first)
    await hang_up(*await open_desktop(launched))
    await hang_up(*second)
    with pytest.raises(ConnectionRefusedError):
        await open_desktop(launched)


async def test_one_that_is_launched_again_keeps_it(server):
    launched = await launch(server, "chromium/launch?user_agent=a")
    connection = await open_desktop(launched)
    await delete(server, "a")
    assert await launch(server, "chromium/launch?user_agent=a") == launched
    await hang_up(*connection)
    await hang_up(*await open_desktop(launched))


async def test_there_are_not_endlessly_many(server, monkeypatch):
    monkeypatch.setattr("mockpush.gateways.desktop_connection.MAX_DESKTOPS", 1)
    await launch(server, "chromium/launch?user_agent=a")
    async with httpx.AsyncClient() as client:
        url = f"{server.url}/_mockpush/v1/browsers/chromium/launch?user_agent=b"
        assert (await client.get(url)).status_code == 503


async def test_where_there_is_no_desktop_the_browser_keeps_its_own(server, monkeypatch):
    monkeypatch.setattr("mockpush.http.app.DESKTOPS", False)
    assert (await launch(server, "chromium/launch"))["env"] == {}


# What the script tells

PAGE = """
const told = [];
globalThis.Navigator = class { async setAppBadge() {} async clearAppBadge() {} };
globalThis.fetch = async (url, {mode, body}) => { told.push([url.split('/').pop(), mode, body]); };
%s
globalThis.fetch = () => { throw new Error('the page has a fetch of its own'); };
const page = new Navigator();
(async () => {
  for (const given of [[], [3], ['5'], [2.9], [0], [null], ['0'], [undefined]]) {
    await page.setAppBadge(...given);
  }
  await page.clearAppBadge();
  console.log(JSON.stringify(told));
})();
"""


@pytest.mark.needs_node
async def test_badges_are_told_as_the_browser_understands_them(server):
    script = (await launch(server, "chromium/launch"))["init_script"]
    command = ["node", "--eval", PAGE % script]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    told = json.loads(done.stdout)
    assert {(what, mode) for what, mode, _ in told} == {("badge", "no-cors")}
    counts = [json.loads(body).get("count") for _, _, body in told]
    assert counts == [0, 3, 5, 2, None, None, None, 0, None]
