"""The CONNECT proxy: what it answers for, what it lets through, and what it makes of the rest."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import ssl
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import httpx
import pytest
import requests

from mockpush import Server, errors, proxy
from mockpush.event_loop import SteadyEventLoop, new_event_loop
from mockpush.proxy import MAX_HEAD, Route, Routes, Target
from mockpush.web_server import WebServer

FOREVER = 30
VENDORS = ("fcm.googleapis.com", "*.notify.windows.com")
FCM = "https://fcm.googleapis.com/fcm/send/nobody"

pytestmark = pytest.mark.usefixtures("kept_in")


@pytest.fixture(scope="module")
def server():
    with Server(proxy_port=0, proxy_allow=["*.allowed.test"]).running() as running:
        yield running


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def journal(server: Server) -> list[tuple[str, str]]:
    return [(entry.kind, entry.detail.get("target")) for entry in server.service.journal.entries()]


def say(server: Server, *parts: bytes, then_close: bool = False) -> bytes:
    """All that the proxy answers to these octets, each part in a packet of its own."""
    with socket.create_connection(("127.0.0.1", port_of(server.proxy_url)), FOREVER) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            sock.sendall(part)
        if then_close:
            sock.shutdown(socket.SHUT_WR)
        answer = b""
        while data := sock.recv(65536):
            answer += data
        return answer


def connect_line(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


def read_head(sock: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        octet = sock.recv(1)
        if not octet:
            break
        head += octet
    return head


@contextmanager
def tunnel(server: Server, target: str, *, first: bytes = b""):
    """A socket that speaks through a tunnel; `first` is sent without waiting for the answer."""
    with socket.create_connection(("127.0.0.1", port_of(server.proxy_url)), FOREVER) as sock:
        sock.sendall(connect_line(target) + first)
        assert read_head(sock).startswith(b"HTTP/1.1 200 ")
        yield sock


# The hosts of the vendors


@pytest.mark.parametrize("host", ["fcm.googleapis.com", "web.push.apple.com", "a.push.apple.com"])
def test_a_tunnel_to_a_vendor_ends_in_the_service(server, host):
    context = ssl.create_default_context(cafile=server.ca_file)
    with (
        tunnel(server, f"{host}:443") as sock,
        context.wrap_socket(sock, server_hostname=host) as tls,
    ):
        tls.sendall(f"POST /x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
        assert tls.recv(20).startswith(b"HTTP/1.1 404 ")


def test_real_clients_reach_the_service(server):
    answer = requests.post(FCM, proxies={"https": server.proxy_url}, verify=server.ca_file)
    assert answer.status_code == 404
    with httpx.Client(proxy=server.proxy_url, verify=server.ssl_context) as client:
        assert client.post(FCM).status_code == 404


def test_octets_behind_the_head_belong_to_the_tunnel(server):
    """A client may begin with TLS before it has the answer."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=server.ca_file)
    tls = context.wrap_bio(incoming, outgoing, server_hostname="fcm.googleapis.com")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with tunnel(server, "fcm.googleapis.com:443", first=outgoing.read()) as sock:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(sock.recv(65536))
    assert tls.getpeercert()


def test_the_head_may_come_in_pieces(server):
    head = connect_line("nobody.test:443")
    answer = say(server, *(head[i : i + 7] for i in range(0, len(head), 7)))
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_a_client_that_does_not_trust_the_certificate_is_in_the_journal(server):
    with pytest.raises(requests.exceptions.SSLError):
        requests.post(FCM, proxies={"https": server.proxy_url})
    requests.get(f"{server.url}/livez")
    assert "failed_handshake" in {kind for kind, _ in journal(server)}


def test_the_control_api_does_not_answer_to_the_name_of_a_vendor(server):
    answer = requests.get(
        "https://fcm.googleapis.com/_mockpush/v1/tenants",
        proxies={"https": server.proxy_url},
        verify=server.ca_file,
    )
    assert answer.status_code == 403


# All other hosts


def test_another_host_is_refused_with_the_reason_and_the_way_out(server):
    head, _, text = say(server, connect_line("example.com:443")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    for words in (b"example.com:443", b"fcm.googleapis.com", b"--proxy-allow example.com"):
        assert words in text
    assert ("refused_tunnel", "example.com:443") in journal(server)


def test_a_vendor_is_never_reached_on_another_port(server):
    answer = say(server, connect_line("fcm.googleapis.com:80"))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"port 443 only" in answer


def test_other_services_of_this_machine_are_reached(server):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def answer():
        peer, _ = listener.accept()
        with peer:
            peer.sendall(peer.recv(100).upper())
            while peer.recv(100):
                pass
            peer.sendall(b"bye")

    thread = threading.Thread(target=answer)
    thread.start()
    with listener, tunnel(server, f"localhost:{port}") as sock:
        sock.sendall(b"hello")
        assert sock.recv(100) == b"HELLO"
        sock.shutdown(socket.SHUT_WR)  # half closed: the other way is still open
        assert sock.recv(100) == b"bye"
        assert sock.recv(100) == b""
    thread.join(FOREVER)


def test_the_service_itself_is_reached_under_its_own_names(server):
    port = port_of(server.https_url)
    context = ssl.create_default_context(cafile=server.ca_file)
    with (
        tunnel(server, f"[::1]:{port}") as sock,
        context.wrap_socket(sock, server_hostname="localhost") as tls,
    ):
        tls.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert tls.recv(20).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("target", ["127.0.0.1:{port}", "sub.allowed.test:443"])
def test_a_host_that_cannot_be_reached_is_502(server, target, monkeypatch):
    async def refuse(host, port):
        raise TimeoutError if host.endswith("test") else ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(proxy.asyncio, "open_connection", refuse)
    answer = say(server, connect_line(target.format(port=1)))
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"refused" in answer or b"does not answer" in answer


@pytest.mark.parametrize("host", ["a..allowed.test", "a" * 70 + ".allowed.test"])
def test_what_cannot_be_a_name_is_502(server, host):
    assert say(server, connect_line(f"{host}:443")).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("loop", [new_event_loop, SteadyEventLoop])
@pytest.mark.parametrize("cut", ["client", "upstream"])
def test_a_tunnel_ends_when_one_side_is_reset(caplog, loop, cut):
    server = Server(proxy_port=0)
    server.start_in_thread(loop_factory=loop)
    reset = b"\1\0\0\0\0\0\0\0"
    listener = socket.create_server(("127.0.0.1", 0))
    target = f"127.0.0.1:{listener.getsockname()[1]}"
    with listener, tunnel(server, target) as sock:
        upstream, _ = listener.accept()
        sides = {"client": sock, "upstream": upstream}
        for name in ("client", "upstream"):
            sides[name].settimeout(FOREVER)
            sides[name].sendall(b"hello")
        sides[cut].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        sides.pop(cut).close()
        (other,) = sides.values()
        with suppress(ConnectionResetError):
            while other.recv(100):
                pass
        upstream.close()
    server.stop_thread()
    assert caplog.records == []


@pytest.mark.parametrize("loop", [new_event_loop, SteadyEventLoop])
def test_a_tunnel_ends_when_the_client_has_gone_and_the_other_side_goes_on(caplog, loop):
    server = Server(proxy_port=0)
    server.start_in_thread(loop_factory=loop)
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, tunnel(server, f"127.0.0.1:{listener.getsockname()[1]}") as sock:
        upstream, _ = listener.accept()
        upstream.settimeout(FOREVER)
        sock.close()

        def go_on():
            while True:
                upstream.sendall(b"more")
                for _ in range(5):  # the server sees each by itself
                    server.submit(asyncio.sleep(0)).result()

        with upstream, pytest.raises((BrokenPipeError, ConnectionResetError)):
            go_on()
    server.stop_thread()
    gc.collect()  # a task that nobody asks for its exception says so when it goes
    assert caplog.records == []


ROUTES = Routes(VENDORS, {Target("push.test", 8031)}, ("*.example.com", "exact.test"))


@pytest.mark.parametrize(
    ("host", "port", "peer", "route"),
    [
        ("fcm.googleapis.com", 443, "10.0.0.1", Route.OURS),
        ("fcm.googleapis.com.", 443, "10.0.0.1", Route.OURS),
        ("wns2-par02p.notify.windows.com", 443, "10.0.0.1", Route.OURS),
        ("push.test", 8031, "10.0.0.1", Route.OURS),
        ("push.test", 443, "127.0.0.1", Route.REFUSED),
        ("evilfcm.googleapis.com", 443, "127.0.0.1", Route.REFUSED),
        ("fcm.googleapis.com.evil.test", 443, "127.0.0.1", Route.REFUSED),
        ("a.example.com", 22, "10.0.0.1", Route.OUT),
        ("example.com", 443, "10.0.0.1", Route.REFUSED),
        ("EXACT.test.", 443, "10.0.0.1", Route.OUT),
        ("localhost", 5000, "127.0.0.1", Route.OUT),
        ("app.localhost", 5000, "::1", Route.OUT),
        ("127.9.9.9", 5000, "127.0.0.1", Route.OUT),
        ("::1", 5000, "::1", Route.OUT),
        ("localhost", 5000, "10.0.0.1", Route.REFUSED),
        ("169.254.169.254", 80, "127.0.0.1", Route.REFUSED),
    ],
)
def test_routes(host, port, peer, route):
    assert ROUTES.route(Target(host, port), peer=peer) is route


def test_allowing_everything_still_lets_no_push_out():
    routes = Routes(VENDORS, allowed=("*",))
    assert routes.route(Target("example.com", 443), peer="10.0.0.1") is Route.OUT
    assert routes.route(Target(VENDORS[0], 443), peer="10.0.0.1") is Route.OURS
    assert routes.route(Target(VENDORS[0], 8443), peer="10.0.0.1") is Route.REFUSED


# Hostile input

GARBAGE = {
    b"\x16\x03\x01\x02\x00\x01\x00": 400,
    b"\r\n\r\n": 400,
    b"\x00" * 5000: 400,
    b"SSH-2.0-OpenSSH_9\r\n": 400,
    b"CONNECT a:443\r\n\r\n": 400,
    b"CONNECT a:443 HTTP/2.0\r\n\r\n": 400,
    b"CONNECT  HTTP/1.1\r\n\r\n": 400,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\n\r\n": 405,
    b"GET http://fcm.googleapis.com/ HTTP/1.1\r\nHost: a\r\n\r\n": 405,
    b"POST http://fcm.googleapis.com/ HTTP/1.1\r\nContent-Length: 9\r\n\r\nsome body": 405,
    b"A" * (MAX_HEAD + 1): 431,
    b"CONNECT a:1 HTTP/1.1\r\n" + b"x: y\r\n" * 3000: 431,
}
TARGETS = [
    "example.com",
    ":443",
    "example.com:",
    "example.com:0",
    "example.com:65536",
    "example.com:443:443",
    "user@fcm.googleapis.com:443",
    "https://fcm.googleapis.com:443",
    "fcm.googleapis.com:443/",
    "::1:443",
    "[localhost]:443",
    "fcm.googleapis.com%00:443",
    "fcm\x00.googleapis.com:443",
    "ｆcm.googleapis.com:443",
    "example.com:٤٤٣",
    "-" * 5000 + "!:443",
]


def status_of(answer: bytes) -> int:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head
    return int(head.split()[1])


@pytest.mark.parametrize("octets", GARBAGE, ids=lambda octets: repr(octets[:30]))
def test_what_is_no_connect_is_answered_and_closed(server, octets):
    answer = say(server, octets)
    assert status_of(answer) == GARBAGE[octets]
    assert (b"allow: CONNECT" in answer) == (GARBAGE[octets] == 405)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: ascii(target[:30]))
def test_odd_targets_are_refused(server, target):
    assert status_of(say(server, connect_line(target))) == 400


def test_a_client_that_hangs_up_in_the_middle_is_forgotten(server):
    assert say(server, b"CONNECT fcm.goog", then_close=True) == b""
    assert say(server, then_close=True) == b""
    with socket.create_connection(("127.0.0.1", port_of(server.proxy_url))) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sendall(b"CONNECT fcm.goog")
    assert requests.get(f"{server.url}/livez").status_code == 200


def test_a_client_that_says_nothing_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(proxy, "HEAD_TIMEOUT", 0.01)
    with Server(proxy_port=0).running() as server:
        assert say(server) == b""
        assert say(server, b"CONNECT fcm.googleapis.com:443 HTTP/1.1\r\n") == b""


# Start and stop


def test_it_is_what_programs_find_in_their_environment(server):
    assert server.proxy_url.startswith("http://127.0.0.1:")
    names = ("HTTPS_PROXY", "https_proxy")
    assert [server.environ[name] for name in names] == [server.proxy_url] * 2
    assert server.environ["NODE_USE_ENV_PROXY"] == "1"
    assert {"localhost", "127.0.0.1"} <= set(server.environ["NO_PROXY"].split(","))
    with urllib.request.urlopen(f"{server.url}/_mockpush/v1") as answer:
        assert json.load(answer)["proxy"] == server.proxy_url


def test_without_it_there_is_no_trace_of_it():
    with Server().running() as server:
        assert server.proxy_url is None
        assert not {"HTTPS_PROXY", "https_proxy", "NODE_USE_ENV_PROXY"} & server.environ.keys()
        with urllib.request.urlopen(f"{server.url}/_mockpush/v1") as answer:
            assert json.load(answer)["proxy"] is None


def test_a_port_that_is_taken_is_one_clear_error(server):
    with pytest.raises(errors.ConfigurationError, match="--proxy-port 0"):
        Server(proxy_port=port_of(server.proxy_url)).start_in_thread()


async def test_open_tunnels_do_not_keep_it_from_stopping():
    async def app(scope, receive, send):
        """Answers nothing."""

    server = WebServer(app, proxy_port=0, certified=VENDORS)

    async def hold(reader, writer):
        cut.set_result(await reader.read())
        writer.close()

    cut = asyncio.get_running_loop().create_future()
    upstream = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = upstream.sockets[0].getsockname()[1]
    async with asyncio.timeout(FOREVER):
        await server.start()
        readers = []
        targets = (f"localhost:{port}", "fcm.googleapis.com:443")
        for line in (*map(connect_line, targets), b"CONN"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server.proxy_url))
            writer.write(line)
            if line != b"CONN":
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            readers.append((reader, writer))
        await server.stop()
        for reader, writer in readers:
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
        assert await cut == b""
    upstream.close()


async def test_a_side_that_uvloop_calls_closed_ends_the_tunnel():
    def write(_):
        raise RuntimeError("unable to perform operation; the handler is closed")

    aborted = []
    transport = SimpleNamespace(abort=lambda: aborted.append(True))
    writer = SimpleNamespace(write=write, transport=transport)
    reader = asyncio.StreamReader()
    reader.feed_data(b"more")
    await asyncio.wait_for(proxy._splice((asyncio.StreamReader(), writer), (reader, writer)), 10)
    assert aborted
