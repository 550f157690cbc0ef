"""An ASGI application behind uvicorn's protocols, both of them, on both event loops."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import queue
import socket
import ssl
import sys
import threading

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mockpush import asgi, connections
from mockpush.errors import ConfigurationError
from mockpush.event_loop import SteadyEventLoop, new_event_loop
from mockpush.web_server import WebServer

FOREVER = 30
"""Seconds after which a wait has failed."""


async def read_body(receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def answer(send, content: bytes, status: int = 200) -> None:
    headers = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def echo(scope, receive, send):
    """Answers with what it was given."""
    if scope["type"] == "http":
        body = await read_body(receive)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen = {"path": scope["path"], "scheme": scope["scheme"], "headers": headers}
        await answer(send, json.dumps({**seen, "body": body.decode()}).encode())


class EchoTalk:
    """Says over a WebSocket whatever it hears."""

    subprotocol = "echo"
    max_size = 1000
    broken = (1009, "too much")

    def opened(self, socket) -> None:
        self.socket = socket

    def received(self, text) -> None:
        self.socket.send("no text" if text is None else text)

    def pinged(self) -> None: ...

    def answered(self) -> None:
        self.socket.close(1000, "thank you")

    def writable(self) -> None: ...

    def lost(self) -> None: ...


class EchoTalks:
    def takes(self, path: str) -> bool:
        return path == "/"

    def begin(self, path: str) -> EchoTalk:
        return EchoTalk()


echo.web_sockets = EchoTalks()


class Client:
    """One connection, spoken to in octets."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.file = sock.makefile("rb")

    def send(self, *parts: bytes) -> None:
        self.sock.sendall(b"".join(parts))

    def answer(self) -> tuple[bytes, dict[bytes, bytes], bytes]:
        status = self.file.readline().rstrip()
        headers = {}
        while line := self.file.readline().rstrip():
            name, _, value = line.partition(b": ")
            headers[name] = value
        return status, headers, self.file.read(int(headers.get(b"content-length", 0)))

    def close(self) -> None:
        self.file.close()
        self.sock.close()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.fixture
def connect():
    clients = []

    def open_(server: WebServer, *, tls: bool = False) -> Client:
        port = port_of(server.https_url if tls else server.url)
        sock = socket.create_connection(("127.0.0.1", port), timeout=FOREVER)
        if tls:
            sock = server.ssl_context.wrap_socket(sock, server_hostname="localhost")
        clients.append(Client(sock))
        return clients[-1]

    yield open_
    for client in clients:
        client.close()


@pytest.fixture(params=["httptools", "h11"])
def http(request):
    return request.param


@pytest.fixture(params=[new_event_loop, SteadyEventLoop])
def serve(request, http):
    """Start a server for the test, with this HTTP implementation, on this event loop."""
    servers = []

    def start(app, **options) -> WebServer:
        server = WebServer(app, http=http, **options)
        server.start_in_thread(loop_factory=request.param)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop_thread()


@pytest.fixture
def reports():
    return queue.Queue()


@pytest.fixture
def serve_echo(serve, reports):
    return lambda: serve(echo, on_foreign=lambda what, at, detail: reports.put((what, at, detail)))


def request(method=b"GET", target=b"/", *lines: bytes, body: bytes = b"") -> bytes:
    length = [b"content-length: %d" % len(body)] if body else []
    head = [b"%b %b HTTP/1.1" % (method, target), b"host: localhost", *lines, *length]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@pytest.mark.parametrize(("tls", "scheme"), [(False, "http"), (True, "https")])
def test_one_application_is_behind_both_ports(serve_echo, connect, tls, scheme):
    client = connect(serve_echo(), tls=tls)
    for path in ("/first", "/second"):  # on one connection
        client.send(request(b"POST", path.encode(), body=b"hello"))
        status, headers, body = client.answer()
        assert status == b"HTTP/1.1 200 OK"
        assert (json.loads(body)["path"], json.loads(body)["scheme"]) == (path, scheme)
        assert json.loads(body)["body"] == "hello"
        assert b"date" in headers
        assert b"server" not in headers


def test_the_date_is_the_real_one_and_moves_on(serve_echo, connect, monkeypatch):
    monkeypatch.setattr(asgi, "DATE_INTERVAL", 0)
    monkeypatch.setattr(asgi, "real_time", iter(range(0, 10**9, 86400)).__next__)
    client = connect(serve_echo())
    dates = set()
    while len(dates) < 2:
        client.send(request())
        _, headers, _ = client.answer()
        dates.add(headers[b"date"])
    assert all(date.endswith(b" 00:00:00 GMT") for date in dates)


# What is no request


def test_tls_on_the_plain_port_is_answered_at_once_and_reported(serve_echo, connect, reports):
    server = serve_echo()
    client = connect(server)
    with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version.number"):
        server.ssl_context.wrap_socket(client.sock, server_hostname="localhost")
    what, at, detail = reports.get(timeout=FOREVER)
    assert what == "tls_on_plain_port"
    assert detail["peer"].startswith("127.0.0.1:")
    assert at > 1_700_000_000


def test_tls_on_the_plain_port_reads_an_explanation_if_it_looks(serve_echo, connect):
    client = connect(serve_echo())
    client.send(b"\x16\x03\x01\x00\xf0\x01")
    status, _, body = client.answer()
    assert status == b"HTTP/1.1 400 Bad Request"
    assert body == b"This port speaks plain HTTP, not TLS.\n"
    assert client.file.read() == b""


def test_a_later_chunk_that_looks_like_tls_is_a_body(serve_echo, connect, reports):
    client = connect(serve_echo())
    client.send(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n")
    client.send(b"\x16\x03")
    _, _, body = client.answer()
    assert json.loads(body)["body"] == "\x16\x03"
    assert reports.empty()


def test_a_tls_connection_without_a_request_is_reported(serve_echo, connect, reports):
    client = connect(serve_echo(), tls=True)
    client.sock.unwrap().close()
    what, _, detail = reports.get(timeout=FOREVER)
    assert what == "unused_connection"
    assert detail["peer"].startswith("127.0.0.1:")


def test_an_unused_connection_that_the_server_closes_is_no_news(serve, connect, reports):
    server = serve(echo, on_foreign=lambda *report: reports.put(report))
    client = connect(server, tls=True)
    client.send(request())
    client.answer()
    unused = connect(server, tls=True)
    server.stop_thread()
    assert unused.file.read() == b""
    assert reports.empty()


# Limits and oddities of HTTP


def test_an_endless_head_is_refused(serve_echo, connect, http):
    client = connect(serve_echo())
    client.send(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
    chunk = b"x-endless: " + b"x" * 8000 + b"\r\n"
    sent = 0
    client.sock.settimeout(0)
    while True:
        try:
            begin = client.sock.recv(12)
            break
        except BlockingIOError:
            pass
        try:
            sent += client.sock.send(chunk)
        except BlockingIOError:
            pass
        except ConnectionError:
            return  # closed before the answer could be read
    assert begin in (b"HTTP/1.1 431", b"HTTP/1.1 400")
    assert sent < 100 * asgi.MAX_HEAD


def test_every_request_may_have_a_head_of_the_whole_length(serve_echo, connect, monkeypatch):
    for module in (asgi, connections):  # each for one of the implementations
        monkeypatch.setattr(module, "MAX_HEAD", 100)
    client = connect(serve_echo())
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(50):
        client.send(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
        client.send(b"x-later: piece\r\n\r\n")
        assert client.answer()[0] == b"HTTP/1.1 200 OK"


H2C = (b"connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"http2-settings: AAEAAEAA")


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_request_to_change_to_http_2_is_ignored_and_its_body_read(
    serve_echo, connect, caplog, pieces
):
    """So speaks Java's HTTP client with every request to a plain port (RFC 9110, Section 7.8)."""
    client = connect(serve_echo())
    for content in (b"hello", b"Upgrade: h2c", b"\r\nUpgrade: h2c\r\n"):
        head, blank, body = request(b"POST", b"/", *H2C, body=content).partition(b"\r\n\r\n")
        whole = head + blank + body
        split = len(head + blank) if pieces == 2 else len(whole)
        client.send(whole[:split])
        if pieces == 2:
            client.send(whole[split:])
        _, _, answered = client.answer()
        seen = json.loads(answered)
        assert seen["body"] == content.decode()
        assert seen["headers"]["upgrade"] == "h2c"
    assert not caplog.records


def test_an_answer_before_the_end_of_the_body_does_not_confuse_the_next_request(serve, connect):
    async def hasty(scope, receive, send):
        if scope["type"] == "http":
            await answer(send, b"early")

    client = connect(serve(hasty))
    for _ in range(2):
        client.send(request(b"POST", b"/", *H2C, body=b"hello")[:-5])
        assert client.answer()[2] == b"early"
        client.send(b"hello")


def test_what_is_no_http_at_all_is_refused(serve_echo, connect, caplog):
    client = connect(serve_echo())
    client.send(b"\x00\x01\x02\r\n\r\n")
    assert client.answer()[0] == b"HTTP/1.1 400 Bad Request"
    assert client.file.read() in (b"", b"Invalid HTTP request received.")  # and closed


def test_the_loggers_of_a_uvicorn_of_the_users_own_are_left_alone(serve_echo, connect, caplog):
    loggers = [logging.getLogger(f"uvicorn.{name}") for name in ("error", "access", "asgi")]
    before = [(each.level, list(each.handlers), each.propagate) for each in loggers]
    with caplog.at_level(logging.DEBUG):
        server = serve_echo()
        client = connect(server)
        client.send(request())
        client.answer()
        with websockets.sync.client.connect(server.url.replace("http", "ws")) as socket_:
            socket_.send("hello")
            assert socket_.recv(FOREVER) == "hello"
        server.stop_thread()
    assert [(each.level, list(each.handlers), each.propagate) for each in loggers] == before
    told = [each for each in caplog.records if each.levelno > logging.DEBUG]
    assert not [each for each in told if each.name.startswith("uvicorn")]


def test_an_exception_of_the_application_is_a_500_and_in_the_log(serve, connect, caplog):
    async def broken(scope, receive, send):
        raise ZeroDivisionError("the application is broken")

    client = connect(serve(broken))
    client.send(request())
    status, _, _ = client.answer()
    assert status == b"HTTP/1.1 500 Internal Server Error"
    assert "the application is broken" in caplog.text
    assert {each.name for each in caplog.records} == {"mockpush.server"}


# WebSockets


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_websockets_are_served_uncompressed(serve_echo, scheme):
    server = serve_echo()
    url = (server.https_url if scheme == "wss" else server.url).replace("http", "ws", 1)
    context = server.ssl_context if scheme == "wss" else None
    with websockets.sync.client.connect(url, ssl=context) as client:
        assert client.protocol.extensions == []  # the client offered permessage-deflate
        for message in ("one", "two"):
            client.send(message)
            assert client.recv(FOREVER) == message


def test_a_websocket_message_beyond_the_limit_ends_the_connection(serve_echo):
    server = serve_echo()
    with websockets.sync.client.connect(server.url.replace("http", "ws")) as client:
        client.send("x" * EchoTalk.max_size)
        assert client.recv(FOREVER) == "x" * EchoTalk.max_size
        client.send("x" * (EchoTalk.max_size + 1))
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(FOREVER)
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == EchoTalk.broken


def test_what_is_no_text_is_told_as_such(serve_echo):
    server = serve_echo()
    with websockets.sync.client.connect(server.url.replace("http", "ws")) as client:
        client.send(b"binary")
        assert client.recv(FOREVER) == "no text"
        client.send([b"binary", b"in", b"parts"])
        assert client.recv(FOREVER) == "no text"
        client.send(["text", " in ", "parts"])
        assert client.recv(FOREVER) == "text in parts"


def test_a_pong_is_told(serve_echo):
    server = serve_echo()
    with websockets.sync.client.connect(server.url.replace("http", "ws")) as client:
        client.pong()
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(FOREVER)
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1000, "thank you")


def test_a_websocket_where_there_is_none_is_an_ordinary_request(serve_echo):
    server = serve_echo()
    with pytest.raises(InvalidStatus, match="200"):
        websockets.sync.client.connect(server.url.replace("http", "ws") + "/elsewhere")


def test_a_request_that_is_no_handshake_is_refused(serve_echo, connect):
    client = connect(serve_echo())
    client.send(request(b"GET", b"/", b"connection: upgrade", b"upgrade: websocket"))
    assert client.answer()[0] == b"HTTP/1.1 400 Bad Request"
    assert b"Failed to open a WebSocket" in client.file.read()


def test_stopping_says_goodbye_to_websockets(serve_echo):
    server = serve_echo()
    with websockets.sync.client.connect(server.url.replace("http", "ws")) as client:
        client.send("hello")
        assert client.recv(FOREVER) == "hello"
        server.stop_thread()
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(FOREVER)
    assert caught.value.rcvd.code == 1001


@pytest.mark.parametrize("tls", [False, True])
def test_stopping_leaves_nothing_of_a_websocket_whose_client_does_not_answer(
    serve_echo, connect, tls
):
    server = serve_echo()
    client = connect(server, tls=tls)
    key = b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="
    upgrade = (b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13", key)
    client.send(request(b"GET", b"/", *upgrade))
    assert client.answer()[0] == b"HTTP/1.1 101 Switching Protocols"
    server.stop_thread()
    gc.collect()  # a socket that is left would be a warning, and so an error


# The lifespan


class Lifespan:
    def __init__(self, refuse: str = "") -> None:
        self.events = []
        self.refuse = refuse

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            while not self.events or self.events[-1] != "lifespan.shutdown":
                event = (await receive())["type"]
                self.events.append(event)
                if event == self.refuse:
                    await send({"type": f"{event}.failed", "message": "out of order"})
                    return
                scope["state"]["greeting"] = "hello from the lifespan"
                await send({"type": f"{event}.complete"})
        else:
            await answer(send, scope["state"]["greeting"].encode())


def test_there_is_one_lifespan_and_its_state_reaches_every_request(serve, connect):
    app = Lifespan()
    server = serve(app)
    for tls in (False, True):
        client = connect(server, tls=tls)
        client.send(request())
        assert client.answer()[2] == b"hello from the lifespan"
    server.stop_thread()
    assert app.events == ["lifespan.startup", "lifespan.shutdown"]


def test_an_application_that_refuses_to_start_stops_the_server_from_starting(serve, caplog):
    bound = []
    others = set(threading.enumerate())
    app = Lifespan(refuse="lifespan.startup")
    with pytest.raises(ConfigurationError, match="does not start"):
        serve(app, on_bound=bound.append)
    assert "out of order" in caplog.text
    port = port_of(bound[0][0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert "mockpush" not in {each.name for each in set(threading.enumerate()) - others}


def test_a_lifespan_that_never_ends_does_not_hold_up_the_stop(serve, caplog, monkeypatch):
    monkeypatch.setattr(asgi, "GRACE", 0.05)
    forever = asyncio.Event()

    async def endless(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await forever.wait()

    serve(endless).stop_thread()
    assert "shutdown has not ended" in caplog.text


# Stopping in the middle of something


def test_an_answer_under_way_is_finished(serve, connect, monkeypatch):
    monkeypatch.setattr(asgi, "GRACE", FOREVER)
    size = 20_000_000  # more than the system buffers
    begun, stopping = threading.Event(), threading.Event()

    async def slow(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            begun.set()
            await asyncio.to_thread(stopping.wait, FOREVER)
            await send({"type": "http.response.body", "body": bytes(size)})

    server = serve(slow, on_stop=[stopping.set])
    client = connect(server)
    client.send(request(b"GET", b"/", b"connection: close"))
    assert begun.wait(FOREVER)
    received = []
    reader = threading.Thread(target=lambda: received.append(client.file.read()))
    reader.start()
    server.stop_thread()
    reader.join()
    assert received[0].count(0) == size


async def test_a_request_that_does_not_notice_the_stop_is_cancelled():
    entered, ended = asyncio.Event(), asyncio.Event()

    async def endless(scope, receive, send):
        if scope["type"] == "http":
            entered.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    server = WebServer(endless)
    async with server:
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(server.url))
        writer.write(request())
        await entered.wait()
    assert ended.is_set()
    writer.close()


@pytest.mark.parametrize("tls", [False, True])
def test_what_never_ends_is_cut_off(serve, connect, caplog, monkeypatch, tls):
    monkeypatch.setattr(asgi, "GRACE", 0.05)
    entered = threading.Semaphore(0)
    seen = queue.Queue()

    async def endless(scope, receive, send):
        if scope["type"] == "http":
            entered.release()
            try:
                if scope["path"] == "/body":
                    seen.put((await receive())["type"])
                    seen.put((await receive())["type"])
                else:
                    await asyncio.Event().wait()
            finally:
                seen.put(f"end of {scope['path']}")

    server = serve(endless)
    half, idle, endless_, nothing = (connect(server, tls=tls) for _ in range(4))
    half.send(b"POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhalf")
    endless_.send(request(b"GET", b"/poll"))
    idle.send(b"GET / HTTP/1.1\r\nhos")
    for _ in range(2):
        assert entered.acquire(timeout=FOREVER)
    server.stop_thread()
    outcomes = {seen.get(timeout=FOREVER) for _ in range(4)}
    assert outcomes == {"http.request", "http.disconnect", "end of /body", "end of /poll"}
    for client in (half, idle, endless_, nothing):
        with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
            assert client.sock.recv(1000) == b""
    assert not caplog.records  # being cancelled by our stop is no news


# Implementations


def test_httptools_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn.protocols.http.httptools_impl", None)
    with (
        pytest.raises(ConfigurationError, match="httptools"),
        WebServer(echo, http="httptools").running(),
    ):
        pass


def test_without_httptools_h11_serves(monkeypatch, connect):
    monkeypatch.setitem(sys.modules, "uvicorn.protocols.http.httptools_impl", None)
    with WebServer(echo).running() as server:
        client = connect(server)
        client.send(request(b"POST", b"/", body=b"hello"))
        assert json.loads(client.answer()[2])["body"] == "hello"
