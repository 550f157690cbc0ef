"""Connections that are no HTTP, behind both of uvicorn's protocols and on both event loops."""

from __future__ import annotations

import asyncio
import queue
import socket

import pytest

from mockpush.event_loop import SteadyEventLoop, new_event_loop
from mockpush.web_server import WebServer

FOREVER = 30
"""Seconds after which a wait has failed."""


class Loud(asyncio.Protocol):
    """Says everything again in capitals."""

    def __init__(self, connections: set) -> None:
        self.connections = connections

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)

    def shutdown(self) -> None:
        self.transport.write(b"bye")
        self.transport.close()


class App:
    other_protocols = {b")": Loud}  # noqa: RUF012

    async def __call__(self, scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def reports():
    return queue.Queue()


@pytest.fixture(params=["httptools", "h11"])
def http(request):
    return request.param


@pytest.fixture(params=[new_event_loop, SteadyEventLoop])
def server(request, http, reports):
    server = WebServer(App(), http=http, on_foreign=lambda what, *_: reports.put(what))
    server.start_in_thread(loop_factory=request.param)
    yield server
    server.stop_thread()


@pytest.fixture
def connect(server):
    clients = []

    def connect(*, tls: bool) -> socket.socket:
        url = server.https_url if tls else server.url
        client = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), FOREVER)
        if tls:
            client = server.ssl_context.wrap_socket(client, server_hostname="localhost")
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.mark.parametrize("tls", [True, False])
def test_the_first_octet_decides_who_speaks(connect, reports, tls):
    client = connect(tls=tls)
    client.sendall(b")hello")
    assert client.recv(100) == b")HELLO"
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")  # it stays what it is
    assert client.recv(100) == b"GET / HTTP/1.1\r\n\r\n"
    client.close()
    assert reports.empty()


@pytest.mark.parametrize("tls", [True, False])
def test_only_the_first_octet_does(connect, tls):
    client = connect(tls=tls)
    for _ in range(2):
        client.sendall(b"GET /) HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 204")
    client.sendall(b")hello\r\n\r\n")
    assert client.recv(1000).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("tls", [True, False])
def test_they_end_with_the_server(connect, server, tls):
    client = connect(tls=tls)
    client.sendall(b")")
    assert client.recv(100) == b")"
    server.stop_thread()
    assert client.recv(100) == b"bye"
    assert client.recv(100) == b""
