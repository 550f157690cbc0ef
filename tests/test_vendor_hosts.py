"""The hosts of the vendors in this process: names, connections, and nothing of it afterwards."""

from __future__ import annotations

import asyncio
import asyncio.proactor_events
import errno
import ipaddress
import os
import socket
import ssl
from types import SimpleNamespace

import aiohttp
import httpx
import pytest
import requests
import respx
import uvloop
from aiohttp.resolver import AsyncResolver

from mockpush import Server, vendor_hosts
from mockpush.profiles import PROFILES
from mockpush.vendor_hosts import STAND_INS, answered_at

HOSTS = tuple(host for profile in PROFILES.values() for host in profile.hosts)
FCM = "fcm.googleapis.com"
URL = f"https://{FCM}/fcm/send/nobody"
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]

pytestmark = pytest.mark.usefixtures("kept_in")


@pytest.fixture(scope="module")
def server():
    with Server().running() as running, running.trusted():
        yield running


@pytest.fixture
def answered(server):
    with answered_at(server.https_url, HOSTS):
        yield server


def in_loop(factory, coroutine):
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(coroutine)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


# Names


@pytest.mark.parametrize("host", [FCM, FCM.upper(), FCM + ".", FCM.encode(), "web.push.apple.com"])
def test_a_name_resolves_to_one_public_address(answered, host):
    found = socket.getaddrinfo(host, "https", type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    [(family, kind, _, _, (address, port))] = found
    assert (family, kind, port) == (socket.AF_INET, socket.SOCK_STREAM, 443)
    assert ipaddress.ip_address(address).is_global
    assert socket.gethostbyname(host) == address
    assert socket.gethostbyname_ex(host)[2] == [address]


def test_every_stand_in_is_a_public_address():
    for family, address in STAND_INS.items():
        assert ipaddress.ip_address(address).is_global
        assert socket.inet_pton(family, address)


def test_there_is_no_address_of_another_family(answered):
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(FCM, 443, socket.AF_INET6)


@pytest.mark.parametrize("loop", LOOPS)
def test_names_resolve_in_event_loops(answered, loop):
    async def resolve(host):
        return await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)

    assert [each[4][0] for each in in_loop(loop, resolve(FCM))] == [STAND_INS[socket.AF_INET]]
    assert [each[4][0] for each in in_loop(loop, resolve("127.0.0.1"))] == ["127.0.0.1"]


async def test_the_resolver_of_aiodns_is_not_asked(answered, monkeypatch):
    resolver = AsyncResolver.__new__(AsyncResolver)  # without aiodns it cannot be made
    [found] = await resolver.resolve(FCM, 443)
    assert (found["hostname"], found["host"]) == (FCM, STAND_INS[socket.AF_INET])
    assert found.keys() == aiohttp.abc.ResolveResult.__annotations__.keys()

    async def getaddrinfo(host, **_):
        asked.append(host)
        return SimpleNamespace(nodes=[])

    asked = []
    resolver._resolver = SimpleNamespace(getaddrinfo=getaddrinfo)
    error = SimpleNamespace(DNSError=OSError)
    monkeypatch.setattr(aiohttp.resolver, "aiodns", SimpleNamespace(error=error))
    with pytest.raises(OSError, match="lookup failed"):
        await resolver.resolve("example.com", 443)
    assert asked == ["example.com"]


def test_aiohttp_keeps_no_address_from_before_or_for_afterwards(server):
    async def cached() -> list[set]:
        seen = []
        async with aiohttp.ClientSession() as session:
            cache = session.connector._cached_hosts
            cache.add((FCM, 443), [{"host": "192.0.2.1", "port": 443}])
            with answered_at(server.https_url, HOSTS):
                seen.append((FCM, 443) in cache)
                async with session.post(URL) as answer:
                    seen.append(answer.status)
                seen.append((FCM, 443) in cache)
            seen.append((FCM, 443) in cache)
        return seen

    assert asyncio.run(cached()) == [False, 404, True, False]


def test_patterns_are_covered_and_nothing_beside_them(answered):
    assert socket.gethostbyname("db5p.notify.windows.com") == STAND_INS[socket.AF_INET]
    assert socket.gethostbyname("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize("host", ["windows.com", "notify.windows.com", "fcm.googleapis.com.test"])
def test_other_names_are_asked_for_as_ever(answered, kept_in, host):
    for resolve in (socket.gethostbyname, lambda name: socket.getaddrinfo(name, 443)):
        with pytest.raises(kept_in, match=host):
            resolve(host)


# Connections


@pytest.mark.parametrize("port", [80, 8443])
def test_other_ports_of_a_vendor_refuse(answered, port):
    with pytest.raises(ConnectionRefusedError, match="443 only"):
        socket.create_connection((FCM, port))
    for host in (FCM, STAND_INS[socket.AF_INET]):
        with socket.socket() as sock:
            assert sock.connect_ex((host, port)) == errno.ECONNREFUSED


@pytest.mark.parametrize("host", [FCM, STAND_INS[socket.AF_INET]])
def test_a_socket_connects_by_name_and_by_address(answered, host):
    for connect in (socket.socket.connect, socket.socket.connect_ex):
        with socket.socket() as sock:
            assert not connect(sock, (host, 443))
            assert sock.getpeername() == ("127.0.0.1", port_of(answered.https_url))


def test_connect_ex_refuses_as_ever(answered):
    with socket.socket() as closed, socket.socket() as sock:
        closed.bind(("127.0.0.1", 0))
        assert sock.connect_ex(closed.getsockname()) == errno.ECONNREFUSED


@pytest.mark.parametrize("loop", LOOPS)
def test_loops_shake_hands_for_the_name(answered, loop):
    async def certificate_names(**options):
        context = ssl.create_default_context()
        _, writer = await asyncio.open_connection(FCM, 443, ssl=context, **options)
        names = {name for _, name in writer.get_extra_info("peercert")["subjectAltName"]}
        writer.close()
        await writer.wait_closed()
        return names

    assert set(HOSTS) <= in_loop(loop, certificate_names())
    with pytest.raises(ssl.SSLCertVerificationError):
        in_loop(loop, certificate_names(server_hostname="example.com"))


@pytest.mark.parametrize("loop", LOOPS)
def test_loops_connect_to_other_places_as_ever(answered, loop):
    async def connect():
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(answered.url))
        peer = writer.get_extra_info("peername")
        writer.close()
        await writer.wait_closed()
        return peer

    assert in_loop(loop, connect()) == ("127.0.0.1", port_of(answered.url))


def test_a_connection_of_uvloop_that_fails_leaves_no_socket(answered):
    async def connect():
        await asyncio.open_connection(FCM, 80)

    with pytest.raises(ConnectionRefusedError):
        in_loop(uvloop.new_event_loop, connect())


async def test_the_loop_of_windows_connects_here(answered):
    places = []

    async def connect(sock, address):
        places.append(address)

    loop = SimpleNamespace(_proactor=SimpleNamespace(connect=connect))
    sock_connect = asyncio.proactor_events.BaseProactorEventLoop.sock_connect
    with socket.socket() as sock:
        await sock_connect(loop, sock, (STAND_INS[socket.AF_INET], 443))
        await sock_connect(loop, sock, ("127.0.0.1", 443))
    assert places == [("127.0.0.1", port_of(answered.https_url)), ("127.0.0.1", 443)]


def test_a_service_on_ipv6_alone_is_reached():
    with (
        Server(host="::1").running() as server,
        server.trusted(),
        answered_at(server.https_url, HOSTS),
    ):
        assert socket.getaddrinfo(FCM, 443)[0][4][0] == STAND_INS[socket.AF_INET6]
        assert requests.post(URL).status_code == 404


def test_a_proxy_of_the_environment_is_not_asked(server, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "internal.example")
    monkeypatch.delenv("no_proxy", raising=False)
    with answered_at(server.https_url, HOSTS):
        assert requests.post(URL).status_code == httpx.post(URL).status_code == 404
        assert "internal.example" in os.environ["NO_PROXY"].split(",")
        with pytest.raises(requests.exceptions.ProxyError):
            requests.post("https://example.com/")
    assert os.environ["NO_PROXY"] == "internal.example"
    assert "no_proxy" not in os.environ


# Afterwards


def places() -> dict[str, object]:
    """What stands at each place that is changed."""
    found = {}
    for seam in vendor_hosts._SEAMS:
        assert seam.owner is not None  # all the libraries are here, and have what we change
        found[f"{seam.module}.{seam.place}"] = vars(seam.owner).get(seam.place.split(".")[-1])
    return found


def test_everything_is_as_it_was(server):
    before, environ = places(), dict(os.environ)

    def fail():
        with answered_at(server.https_url, HOSTS):
            inside.update(places())
            raise ZeroDivisionError

    inside = {}
    with pytest.raises(ZeroDivisionError):
        fail()
    assert all(inside[name] is not before[name] for name in before)
    assert places() == before
    assert dict(os.environ) == environ


def test_a_library_that_has_changed_is_left_alone(server, monkeypatch):
    monkeypatch.delattr(respx.mocks.Mocker, "handler")
    with answered_at(server.https_url, HOSTS):
        assert requests.post(URL).status_code == 404
        assert not hasattr(respx.mocks.Mocker, "handler")


def test_a_library_that_is_not_loaded_is_not_imported(run_python):
    program = """
from mockpush import Server
from mockpush.event_loop import SteadyEventLoop
import sys
server = Server()
server.start_in_thread(loop_factory=SteadyEventLoop)
from mockpush.vendor_hosts import answered_at
with server.trusted(), answered_at(server.https_url, ["*.push.apple.com"]):
    from urllib.request import urlopen
    from urllib.error import HTTPError
    try:
        urlopen("https://web.push.apple.com/nobody", b"")
    except HTTPError as error:
        print(error.code)
server.stop_thread()
print(sorted({"aiohttp", "uvloop", "respx", "httpx", "requests"} & set(sys.modules)))
"""
    assert run_python(program) == "404\n[]\n"


@pytest.mark.parametrize("make", [requests.Session, httpx.Client])
def test_no_connection_of_a_pool_leads_here_afterwards(server, kept_in, make):
    with make() as client:
        with answered_at(server.https_url, HOSTS):
            assert client.post(URL).status_code == 404
        with pytest.raises(kept_in, match=FCM):
            client.post(URL)
        with answered_at(server.https_url, HOSTS):
            assert client.post(URL).status_code == 404


@pytest.mark.parametrize("loop", LOOPS)
def test_no_connection_of_a_pool_in_an_event_loop_leads_here_afterwards(server, loop):
    async def push():
        async with aiohttp.ClientSession() as session, asyncio.timeout(10):
            with answered_at(server.https_url, HOSTS):
                async with session.post(URL) as answer:
                    assert answer.status == 404
                    await answer.read()
                [[(protocol, _)]] = session.connector._conns.values()
                assert protocol.is_connected()
            # aiohttp itself gives it up after 15 seconds
            while protocol.is_connected():  # noqa: ASYNC110 - the loop has to see that it was cut
                await asyncio.sleep(0)

    in_loop(loop, push())
