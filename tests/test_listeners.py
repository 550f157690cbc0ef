"""Listening sockets and what reaches them without becoming a request."""

from __future__ import annotations

import asyncio
import errno
import functools
import inspect
import logging
import socket
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mockpush import listeners
from mockpush.errors import ConfigurationError
from mockpush.event_loop import SteadyEventLoop, new_event_loop, run
from mockpush.listeners import Acceptor, bind, peer_name
from mockpush.tls import CertificateAuthority, server_context


def available(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True


LOOPBACK = [address for address in ("127.0.0.1", "::1") if available(address)]


@pytest.fixture
def close():
    """Close these sockets after the test."""
    opened = []
    yield lambda *sockets: opened.extend(sockets) or sockets
    for sock in opened:
        sock.close()


# Binding


def test_every_loopback_address_listens_on_the_same_free_port(close):
    sockets = close(*bind("127.0.0.1", 0, flag="--port"))
    names = [sock.getsockname()[:2] for sock in sockets]
    assert names == [(address, names[0][1]) for address in LOOPBACK]
    for name in names:
        socket.create_connection(name).close()


@pytest.mark.parametrize("host", LOOPBACK)
def test_one_address_alone_can_be_bound(close, host):
    expected = LOOPBACK if host == "127.0.0.1" else [host]
    sockets = close(*bind(host, 0, flag="--port"))
    assert [sock.getsockname()[0] for sock in sockets] == expected


def test_a_host_name_is_resolved(close, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    (sock,) = close(*bind("push.test", 0, flag="--port"))
    assert sock.getsockname()[0] == "127.0.0.1"


def test_a_host_name_that_nobody_knows_is_a_configuration_error(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigurationError, match=r"--host push\.test .* not known"):
        bind("push.test", 0, flag="--port")


@pytest.mark.parametrize("holder", LOOPBACK)
def test_a_port_in_use_is_named_with_the_way_out_and_nothing_stays_bound(close, holder):
    (held, *_) = close(*bind(holder, 0, flag="--port"))
    port = held.getsockname()[1]
    with pytest.raises(ConfigurationError) as caught:
        bind("127.0.0.1", port, flag="--https-port")
    text = str(caught.value)
    assert f"port {port} of 127.0.0.1 is in use" in text
    assert "mockpush serve" in text
    assert "--https-port 0" in text
    for address in LOOPBACK:
        if not any(sock.getsockname()[0] == address for sock in (held, *_)):
            close(listeners._listen(address, port))  # the failure has released what it had


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EACCES, "above 1023"),
        (errno.EADDRNOTAVAIL, "not an address of this machine"),
        (errno.ENOBUFS, "cannot be bound: .*no buffers"),
    ],
)
def test_other_failures_say_what_to_change(monkeypatch, number, text):
    def refuse(address, port):
        raise OSError(number, "no buffers")

    monkeypatch.setattr(listeners, "_listen", refuse)
    with pytest.raises(ConfigurationError, match=text):
        bind("192.0.2.1", 80, flag="--port")


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
def test_a_machine_without_ipv6_is_served_without_it(close, monkeypatch, number):
    def listen(address, port, _listen=listeners._listen):
        if address == "::1":
            raise OSError(number, "no IPv6 here")
        return _listen(address, port)

    monkeypatch.setattr(listeners, "_listen", listen)
    (sock,) = close(*bind("localhost", 0, flag="--port"))
    assert sock.getsockname()[0] == "127.0.0.1"


def test_a_free_port_is_one_that_is_free_on_both_families(close, monkeypatch):
    refused = []

    def listen(address, port, _listen=listeners._listen):
        if port and len(refused) < 3:
            refused.append(port)
            raise OSError(errno.EADDRINUSE, "somebody has it")
        return _listen("127.0.0.1" if not port else "127.0.0.2", port)

    monkeypatch.setattr(listeners, "_listen", listen)
    first, second = close(*bind("127.0.0.1", 0, flag="--port"))
    assert first.getsockname()[1] == second.getsockname()[1]
    assert first.getsockname()[1] not in refused


# Accepting


def on_both_loops(test):
    """Run a test that is a coroutine function on uvloop (where there is one) and on asyncio's."""

    @functools.wraps(test)
    def wrapper(*, loop_factory, **fixtures):
        run(test(**fixtures), loop_factory=loop_factory)

    parameters = inspect.signature(test).parameters.values()
    extra = inspect.Parameter("loop_factory", inspect.Parameter.KEYWORD_ONLY)
    wrapper.__signature__ = inspect.Signature([*parameters, extra])
    return pytest.mark.parametrize("loop_factory", [new_event_loop, SteadyEventLoop])(wrapper)


@pytest.fixture(scope="module")
def authority():
    return CertificateAuthority.create()


@pytest.fixture
def trusting(authority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.pem.decode())


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class Delay(asyncio.Protocol):
    """Says whether TCP_NODELAY is set."""

    def connection_made(self, transport):
        sock = transport.get_extra_info("socket")
        set_ = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        transport.write(b"no delay" if set_ else b"delay")
        transport.close()


@pytest.fixture
def accepting(authority, tmp_path: Path, close):
    """An async context manager: an acceptor with its port and the queue of its reports."""

    @asynccontextmanager
    async def accept(*, tls: bool = True, protocol: type[asyncio.Protocol] = Echo):
        (sock, *_) = close(*bind("127.0.0.1", 0, flag="--port"))
        chain = authority.issue(["localhost"])
        reports = asyncio.Queue()
        acceptor = Acceptor(
            sock,
            context=server_context(chain, directory=tmp_path) if tls else None,
            protocol_factory=protocol,
            report=lambda what, detail: reports.put_nowait((what, detail)),
            logger=logging.getLogger("tested"),
        )
        acceptor.open()
        try:
            yield sock.getsockname()[1], reports, acceptor
        finally:
            await acceptor.close()

    return accept


async def connect(port, **options):
    return await asyncio.open_connection("127.0.0.1", port, **options)


async def finish(writer):
    writer.close()
    await writer.wait_closed()


@on_both_loops
async def test_a_tls_client_is_served(accepting, trusting):
    async with accepting() as (port, reports, _):
        reader, writer = await connect(port, ssl=trusting, server_hostname="localhost")
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        await finish(writer)
        assert reports.empty()


@on_both_loops
async def test_the_server_negotiates_http_1_1(accepting, trusting):
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    async with accepting() as (port, _, _):
        _, writer = await connect(port, ssl=trusting, server_hostname="localhost")
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        await finish(writer)


def refuse_certificate(port):
    """Not with asyncio, which keeps the alert to itself."""
    distrusting = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", port)) as sock,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        distrusting.wrap_socket(sock, server_hostname="localhost")


@on_both_loops
async def test_the_alert_of_a_client_without_trust_is_reported(accepting):
    async with accepting() as (port, reports, _):
        await asyncio.to_thread(refuse_certificate, port)
        what, detail = await reports.get()
        assert what == "failed_handshake"
        assert detail["reason"] == "tlsv1 alert unknown ca"
        assert detail["peer"].startswith("127.0.0.1:")


def client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@on_both_loops
async def test_a_client_that_hangs_up_in_the_handshake_is_reported(accepting):
    """So do Node and Java when they do not trust the certificate."""
    async with accepting() as (port, reports, _):
        reader, writer = await connect(port)
        writer.write(client_hello())
        await reader.read(1)
        await finish(writer)
        what, detail = await reports.get()
        assert what == "failed_handshake"
        assert "hung up" in detail["reason"]


@on_both_loops
async def test_plain_http_on_the_tls_port_is_answered_and_reported(accepting):
    async with accepting() as (port, reports, _):
        reader, writer = await connect(port)
        writer.write(b"POST /push/abc HTTP/1.1\r\nhost: localhost\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert answer.endswith(b"This port speaks HTTPS, not plain HTTP.\n")
        what, detail = await reports.get()
        assert (what, detail["begins"]) == ("plain_on_tls_port", "POST /push/abc HTTP/1.1")
        await finish(writer)


@on_both_loops
async def test_a_probe_of_the_port_is_no_news(accepting, trusting):
    async with accepting() as (port, reports, _):
        _, probe = await connect(port)
        await finish(probe)
        _, writer = await connect(port, ssl=trusting, server_hostname="localhost")
        await finish(writer)
        assert reports.empty()


@on_both_loops
async def test_a_client_that_says_nothing_is_sent_away(accepting, monkeypatch):
    monkeypatch.setattr(listeners, "FIRST_OCTET_TIMEOUT", 0)
    async with accepting() as (port, reports, _):
        reader, writer = await connect(port)
        assert await reader.read() == b""
        await finish(writer)
    assert reports.empty()


@on_both_loops
async def test_a_handshake_that_takes_too_long_is_reported(accepting, monkeypatch):
    monkeypatch.setattr(listeners, "HANDSHAKE_TIMEOUT", 0.05)
    async with accepting() as (port, reports, _):
        _, writer = await connect(port)
        writer.write(client_hello())
        what, detail = await reports.get()
        assert (what, "taking longer" in detail["reason"]) == ("failed_handshake", True)
        await finish(writer)


@on_both_loops
async def test_closing_drops_connections_that_never_finish_their_handshake(accepting):
    async with accepting() as (port, reports, acceptor):
        silent, half_way = await connect(port), await connect(port)
        half_way[1].write(client_hello())
        assert await half_way[0].read(1)  # the server has answered the ClientHello
        await acceptor.close()
        await half_way[0].read()
        assert await silent[0].read() == b""
        assert reports.empty()
        for _, writer in (silent, half_way):
            await finish(writer)


@on_both_loops
async def test_without_a_context_connections_are_plain(accepting):
    async with accepting(tls=False) as (port, reports, _):
        reader, writer = await connect(port)
        writer.write(b"\x16\x03hello")
        assert await reader.readexactly(7) == b"\x16\x03hello"
        await finish(writer)
        assert reports.empty()


@on_both_loops
async def test_no_answer_waits_for_an_acknowledgement(accepting):
    """Else the second of two writes waits 40 ms for the client's acknowledgement of the first."""
    async with accepting(tls=False, protocol=Delay) as (port, _, _):
        reader, writer = await connect(port)
        assert await reader.read() == b"no delay"
        await finish(writer)


class Exhausted:
    """A listening socket whose first `accept` finds no file descriptor left."""

    def __init__(self, sock):
        self._socket = sock
        self.failed = asyncio.Event()

    def accept(self):
        if not self.failed.is_set():
            self.failed.set()
            raise OSError(errno.EMFILE, "Too many open files")
        return self._socket.accept()

    def __getattr__(self, name):
        return getattr(self._socket, name)


@on_both_loops
async def test_running_out_of_file_descriptors_is_logged_and_passes(accepting, monkeypatch, caplog):
    monkeypatch.setattr(listeners, "ACCEPT_RETRY", 0)
    async with accepting(tls=False) as (port, _, acceptor):
        acceptor._socket = exhausted = Exhausted(acceptor._socket)
        reader, writer = await connect(port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert exhausted.failed.is_set()
        assert "Too many open files" in caplog.text
        await finish(writer)


@on_both_loops
async def test_an_acceptor_that_rests_can_be_closed(accepting, monkeypatch):
    async with accepting(tls=False) as (port, _, acceptor):
        acceptor._socket = exhausted = Exhausted(acceptor._socket)
        _, writer = await connect(port)
        await exhausted.failed.wait()
        await acceptor.close()
        await finish(writer)


def test_peers_are_named_as_in_urls():
    assert peer_name(("127.0.0.1", 80)) == "127.0.0.1:80"
    assert peer_name(("::1", 80, 0, 0)) == "[::1]:80"
    assert peer_name(None) == ""
