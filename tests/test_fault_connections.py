"""Faults on the wire: both HTTP implementations, both event loops, plain and TLS, real clients.

Nothing here is timed: what comes late is seen to come after something else.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from pywebpush import WebPushException, webpush

from mockpush.client.control import Control
from mockpush.client.transports.http import HttpTransport
from mockpush.event_loop import SteadyEventLoop, new_event_loop
from mockpush.server import Server
from mockpush.service import PushService
from mockpush.vapid_keys import VapidKeys

FOREVER = 30
"""Seconds after which a wait has failed."""
BROKEN = (ConnectionError, ssl.SSLError, http.client.HTTPException)
"""What http.client makes of an answer that breaks off, over plain and TLS connections."""


@pytest.fixture(
    scope="module",
    params=[
        ("httptools", new_event_loop),
        ("h11", new_event_loop),
        ("httptools", SteadyEventLoop),
        ("h11", SteadyEventLoop),
    ],
    ids=lambda each: f"{each[0]}-{each[1].__name__}",
)
def server(request):
    http_implementation, loop_factory = request.param
    server = Server(PushService(), http=http_implementation)
    server.start_in_thread(loop_factory=loop_factory)
    yield server
    server.stop_thread()


@pytest.fixture
def control(server):
    with HttpTransport(server.url) as transport:
        control = Control(transport)
        control.reset()
        yield control
        control.reset()


@pytest.fixture(params=["http", "https"])
def endpoint(request, server, control) -> str:
    """Of a subscription, over plain HTTP and over TLS."""
    endpoint = control.subscribe().endpoint
    return endpoint if request.param == "https" else plain(server, endpoint)


def plain(server: Server, endpoint: str) -> str:
    return server.url + urlsplit(endpoint).path


class Connection:
    """One connection of http.client."""

    def __init__(self, server: Server, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._path = parts.path
        self._responses: list[http.client.HTTPResponse] = []
        self.http: http.client.HTTPConnection = http.client.HTTPConnection(
            parts.hostname, parts.port, timeout=FOREVER
        )
        if parts.scheme == "https":
            self.http = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=FOREVER, context=server.ssl_context
            )

    def send(self) -> None:
        self.http.request("POST", self._path, headers={"TTL": "60"})

    def response(self) -> http.client.HTTPResponse:
        response = self.http.getresponse()
        self._responses.append(response)
        return response

    def answer(self) -> tuple[int, bytes]:
        response = self.response()
        return response.status, response.read()

    def push(self) -> tuple[int, bytes]:
        self.send()
        return self.answer()

    def close(self) -> None:
        for response in self._responses:
            response.close()
        self.http.close()


@pytest.fixture
def connect(server, endpoint):
    """Opens a connection to the endpoint."""
    opened = []

    def open_() -> Connection:
        opened.append(Connection(server, endpoint))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def read_to_the_end(sock: socket.socket) -> None:
    while sock.recv(65536):
        pass


def status_of(control: Control) -> list[int | None]:
    return [request.status for request in control.requests]


# Answers


def test_an_injected_answer_leaves_the_connection_as_it_was(control, connect):
    control.fail_next(429, times=2, retry_after=120)
    connection = connect()
    statuses = []
    for _ in range(3):
        connection.send()
        response = connection.response()
        response.read()
        statuses.append((response.status, response.getheader("Retry-After")))
    assert statuses == [(429, "120"), (429, "120"), (201, None)]
    assert len(control.messages) == 1


def test_a_plan_strikes_in_the_middle_of_a_connection(control, connect):
    """Also where pushes before it were answered without ASGI."""
    connection = connect()
    assert [connection.push()[0] for _ in range(2)] == [201, 201]
    control.faults.add(delay=0.001, times=1)
    control.faults.add(kind="wrong_length", nth=2)
    assert connection.push()[0] == 201
    with pytest.raises(http.client.IncompleteRead):
        connection.push()
    assert [request.fault and request.fault["kind"] for request in control.requests] == [
        None,
        None,
        "delay",
        "wrong_length",
    ]


@pytest.mark.parametrize("status", [200, 204, 304, 418, 599])
def test_any_status_can_be_had_with_fields_and_a_body(control, connect, status):
    body = b"" if status in (204, 304) else "zu spät".encode()
    members = {"body": body.decode()} if body else {}
    control.faults.add(status=status, headers={"X-Reason": "late"}, **members)
    connection = connect()
    for _ in range(2):
        connection.send()
        response = connection.response()
        assert (response.status, response.getheader("X-Reason")) == (status, "late")
        assert response.read() == body


@pytest.mark.parametrize(
    ("status", "methods"),
    [(301, ["POST", "GET"]), (302, ["POST", "GET"]), (307, ["POST", "POST"]), (308, ["POST"] * 2)],
)
def test_a_client_that_follows_a_redirection_is_seen_to(server, control, endpoint, status, methods):
    other = control.subscribe().endpoint
    elsewhere = urlsplit(other).path
    control.faults.add(status=status, location=elsewhere, times=1)
    requests.post(endpoint, headers={"TTL": "60"}, timeout=FOREVER, verify=server.ca_file)
    assert [request.method for request in control.requests] == methods
    assert control.requests[0].fault["kind"] == "redirect"


# Damage


def test_a_reset_before_the_answer(control, connect, endpoint):
    control.faults.add(kind="reset", times=1)
    with pytest.raises(BROKEN) as broken:
        connect().push()
    if endpoint.startswith("http:"):
        assert isinstance(broken.value, ConnectionResetError)
    assert connect().push()[0] == 201
    assert status_of(control) == [None, 201]
    assert len(control.messages) == 1


@pytest.mark.parametrize("members", [{}, {"status": 503, "body": "x" * 2000}])
def test_a_reset_in_the_middle_of_the_answer(control, connect, endpoint, members):
    control.faults.add(kind="reset_midway", times=1, **members)
    connection = connect()
    connection.send()
    response = connection.response()
    assert response.status == members.get("status", 201)
    with pytest.raises(BROKEN) as broken:
        response.read()
    if endpoint.startswith("http:"):
        assert isinstance(broken.value, ConnectionResetError)
    assert len(control.messages) == (0 if members else 1)


def test_a_reset_is_one_on_the_wire_over_tls_too(server, control):
    """Seen below TLS, whose libraries hide it."""
    control.faults.add(kind="reset")
    with below_tls(server, control) as sock, pytest.raises(ConnectionResetError):
        read_to_the_end(sock)  # first come the tickets of TLS 1.3


def test_a_connection_ends_after_too_little_of_a_body_though_its_client_keeps_it_open(
    server, control
):
    """The JDK's HTTP client waits for the end of the connection, whatever TLS says before."""
    control.faults.add(kind="wrong_length", status=400, body="no")
    with below_tls(server, control) as sock:
        sock.settimeout(10)  # asyncio waits for the client for 30 s
        read_to_the_end(sock)


@contextmanager
def below_tls(server: Server, control: Control) -> Iterator[socket.socket]:
    """The TCP connection over which a push was sent with TLS, for what comes then."""
    endpoint = urlsplit(control.subscribe().endpoint)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.ssl_context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=FOREVER) as sock:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65536))
        tls.write(f"POST {endpoint.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        sock.sendall(outgoing.read())
        yield sock


@pytest.mark.parametrize("members", [{}, {"status": 503, "body": "short"}])
def test_a_length_that_promises_too_much(control, connect, members):
    control.faults.add(kind="wrong_length", times=1, **members)
    connection = connect()
    connection.send()
    response = connection.response()
    with pytest.raises(http.client.IncompleteRead) as broken:
        response.read()
    assert broken.value.partial == members.get("body", "").encode()
    assert broken.value.expected == 64


def test_header_fields_that_come_one_by_one(server, control, endpoint):
    """The first lines are there while the last has not been sent."""
    control.faults.add(kind="slow_headers", delay=3600, times=1)
    connection = Connection(server, endpoint)
    connection.send()
    first = connection.http.sock.recv(4096)
    assert first == b"HTTP/1.1 201 Created\r\n"
    connection.close()
    control.faults.add(kind="slow_headers", delay=0.01, status=418, body="tea", times=1)
    assert Connection(server, endpoint).push() == (418, b"tea")


def test_nothing_ever_comes(control, connect):
    """Other pushes are answered meanwhile, on other connections."""
    control.faults.add(kind="no_answer", times=1)
    silent = connect()
    silent.send()
    control.wait_requests(1)
    assert connect().push()[0] == 201
    silent.http.sock.setblocking(False)
    with pytest.raises((BlockingIOError, ssl.SSLWantReadError)):
        silent.http.sock.recv(1)
    assert status_of(control) == [None, 201]


def test_a_late_answer_comes_after_those_of_later_pushes(control, connect):
    control.faults.add(delay=0.2, times=1)
    late, order = connect(), []

    def wait_for_it() -> None:
        order.append(("late", late.answer()[0]))

    late.send()
    control.wait_requests(1)  # it is accepted before the delay
    assert len(control.messages) == 1
    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    order.append(("prompt", connect().push()[0]))
    waiting.join(FOREVER)
    assert order == [("prompt", 201), ("late", 201)]


def test_a_client_that_gives_up_leaves_nothing_running(server, control, connect):
    for kind in ("no_answer", "slow_headers"):
        control.faults.clear()
        control.faults.add(kind=kind, **({} if kind == "no_answer" else {"delay": 3600}))
        connection = connect()
        connection.send()
        control.wait_requests(1)
        connection.close()
    control.faults.clear()

    async def pushes_under_way() -> bool:
        tasks = (task.get_coro() for task in asyncio.all_tasks())
        return any(getattr(each, "__name__", "") == "run_asgi" for each in tasks)

    deadline = time.monotonic() + FOREVER
    while server.submit(pushes_under_way()).result():
        assert time.monotonic() < deadline


# Real clients


def test_requests_and_httpx_see_a_broken_connection(server, control, endpoint):
    control.faults.add(kind="reset_midway")
    with pytest.raises(requests.exceptions.RequestException):
        requests.post(endpoint, headers={"TTL": "60"}, timeout=FOREVER, verify=server.ca_file)
    with (
        httpx.Client(verify=server.ssl_context, timeout=FOREVER) as client,
        pytest.raises(httpx.TransportError),
    ):
        client.post(endpoint, headers={"TTL": "60"})


def test_pywebpush_reports_429_with_its_retry_after(server, control, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
    keys = VapidKeys.generate()
    subscription = control.subscribe(application_server_key=keys.public_key)
    control.fail_next("throttled", retry_after={"date": "2m"})

    def push():
        return webpush(
            dict(subscription),
            "hello",
            vapid_private_key=keys.private_key,
            vapid_claims=keys.claims(),
            ttl=60,
        )

    with pytest.raises(WebPushException) as refused:
        push()
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"].endswith(" GMT")
    assert push().status_code == 201
    (struck,) = control.refused
    assert str(struck) == f"429 by fault {struck.fault['id']} (answer)"


# The end


@pytest.mark.parametrize("kind", ["no_answer", "delay", "slow_headers"])
@pytest.mark.parametrize("implementation", ["httptools", "h11"])
def test_a_server_that_stops_does_not_wait_for_faults(implementation, kind, caplog):
    server = Server(PushService(), http=implementation)
    server.start_in_thread()
    try:
        with HttpTransport(server.url) as transport:
            control = Control(transport)
            endpoint = plain(server, control.subscribe().endpoint)
            control.faults.add(kind=kind, **({} if kind == "no_answer" else {"delay": 3600}))
            connection = Connection(server, endpoint)
            connection.send()
            control.wait_requests(1)
        grace = []
        stopping = server.submit(server.stop())
        answered = _ended(connection)
        stopping.result(FOREVER)
        grace.append(answered)
    finally:
        server.stop_thread()
    assert grace == [kind != "no_answer"]
    assert not caplog.records


def _ended(connection: Connection) -> bool:
    """Whether the connection ends with an answer, rather than without."""
    try:
        return connection.answer()[0] == 201
    except BROKEN:
        return False
    finally:
        connection.close()
