"""Listening sockets: bound before anything starts, on both loopback families, never released."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
import weakref
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import Final, Literal

from mockpush.errors import ConfigurationError

BACKLOG: Final = 2048
ACCEPTS_PER_WAKE_UP: Final = 64
ACCEPT_RETRY: Final = 1.0
"""Seconds to wait when the process has no file descriptor left for a connection."""
FIRST_OCTET_TIMEOUT: Final = 60.0
"""Seconds that a connection to the TLS port may say nothing."""
HANDSHAKE_TIMEOUT: Final = 60.0
"""Seconds from the first octet to the end of the TLS handshake."""
FREE_PORT_ATTEMPTS: Final = 64

MAX_EXCERPT: Final = 200
MAX_PLAIN_REQUEST: Final = 64 * 1024
CLIENT_HELLO: Final = b"\x16"
"""How TLS begins (RFC 8446, Section 5.1), and no HTTP request does."""

_HUNG_UP: Final = "the client hung up, as those do that do not trust the certificate"

Foreign = Literal[
    "tls_on_plain_port",
    "plain_on_tls_port",
    "failed_handshake",
    "unused_connection",
    "refused_tunnel",
]
"""What reaches a listener and never becomes a request."""
Report = Callable[[Foreign, dict[str, str]], None]


def plain_answer(status: bytes, text: bytes, *, fields: bytes = b"") -> bytes:
    """A whole HTTP answer, for where there is no application to give one."""
    head = b"HTTP/1.1 %b\r\n%bcontent-type: text/plain\r\nconnection: close\r\n" % (status, fields)
    return head + b"content-length: %d\r\n\r\n%b" % (len(text), text)


_NOT_PLAIN: Final = plain_answer(b"400 Bad Request", b"This port speaks HTTPS, not plain HTTP.\n")

_FAMILIES: Final = {
    "127.0.0.1": ("127.0.0.1", "::1"),
    "localhost": ("127.0.0.1", "::1"),
    "0.0.0.0": ("0.0.0.0", "::"),  # noqa: S104 - only when the user asks for it
}
"""`localhost` is ::1 for some clients and 127.0.0.1 for others: both must reach us."""

_NO_SUCH_FAMILY: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

_WAYS_OUT: Final = {
    errno.EADDRINUSE: "is in use, perhaps by another `mockpush serve`: "
    "stop that program, choose another port, or take any free one with {flag} 0",
    errno.EACCES: "needs a privilege that this process does not have: "
    "choose a port above 1023, or take any free one with {flag} 0",
    errno.EADDRNOTAVAIL: "cannot be bound: {host} is not an address of this machine",
}

_bound: Final[weakref.WeakSet[socket.socket]] = weakref.WeakSet()


def _close_inherited() -> None:
    """A forked child must not keep the port after its parent has stopped."""
    for sock in list(_bound):
        if sock.fileno() >= 0:
            os.close(sock.detach())  # close() would wait for an event loop that is not here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)


def bind(host: str, port: int, *, flag: str) -> tuple[socket.socket, ...]:
    """Sockets that listen on the addresses of `host`, all on the same port (0: any free one).

    `ConfigurationError` when that cannot be; the text names the port and `flag`, its setting.
    """
    addresses = _FAMILIES.get(host) or _resolve(host)
    failure = OSError()
    for _ in range(1 if port else FREE_PORT_ATTEMPTS):
        try:
            return _listen_on_all(addresses, port)
        except OSError as error:
            failure = error
            if error.errno != errno.EADDRINUSE:
                break
    way_out = _WAYS_OUT.get(failure.errno or 0, f"cannot be bound: {failure}")
    text = f"port {port} of {host} {way_out.format(flag=flag, host=host)}"
    raise ConfigurationError(text) from failure


def _resolve(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigurationError(f"--host {host} cannot be resolved: {error}") from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _listen_on_all(addresses: Iterable[str], port: int) -> tuple[socket.socket, ...]:
    with ExitStack() as undo:
        sockets: list[socket.socket] = []
        for address in addresses:
            try:
                sock = undo.enter_context(_listen(address, port))
            except OSError as error:
                if sockets and error.errno in _NO_SUCH_FAMILY:
                    continue  # a machine without IPv6
                raise
            port = sock.getsockname()[1]
            sockets.append(sock)
        undo.pop_all()
    _bound.update(sockets)
    return tuple(sockets)


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With the protocol said: asyncio gives TCP_NODELAY only to sockets that name it.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.settimeout(0)
        sock.bind((address, port))
        sock.listen(BACKLOG)  # a bound socket that does not listen holds no port
    except OSError:
        sock.close()
        raise
    return sock


class Acceptor:
    """Accepts the connections of one listening socket, through TLS if there is a `context`.

    Not `loop.create_server`: that keeps failed handshakes to itself, and connections that have not
    finished theirs cannot be closed. `report` hears of what gets no further than this.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        context: ssl.SSLContext | None,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        report: Report,
        logger: logging.Logger,
    ) -> None:
        self._socket = sock
        self._context = context
        self._protocol_factory = protocol_factory
        self._report = report
        self._logger = logger
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._pending: dict[asyncio.Task[None], socket.socket] = {}
        self._clients: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def open(self) -> None:
        """Begin to accept."""
        self._pause = None
        self._loop.add_reader(self._socket, self._accept)

    def hang_up(self) -> None:
        """Cut the connections that are left.

        Aborting their transports is not enough: one of asyncio's that speaks TLS and was closed
        twice waits for the other side, whatever is done to it.
        """
        for client in self._clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        """Stop accepting, and drop the connections that are still in their handshake."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._socket)
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_PER_WAKE_UP):
            try:
                client, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(error)
                return
            client.settimeout(0)
            task = self._loop.create_task(self._connect(client, peer_name(address)))
            self._pending[task] = client
            self._clients.add(client)
            task.add_done_callback(self._settle)

    def _rest(self, error: OSError) -> None:
        self._logger.error("cannot accept connections, trying again soon: %s", error)
        self._loop.remove_reader(self._socket)
        self._pause = self._loop.call_later(ACCEPT_RETRY, self.open)

    def _settle(self, task: asyncio.Task[None]) -> None:
        client = self._pending.pop(task)
        if task.cancelled():
            client.close()

    async def _connect(self, client: socket.socket, peer: str) -> None:
        if self._context is None:
            await self._loop.connect_accepted_socket(self._protocol_factory, client)
        elif await self._begins_with_tls(client, peer):
            try:
                await self._loop.connect_accepted_socket(
                    self._protocol_factory,
                    client,
                    ssl=self._context,
                    ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                )
            except ssl.SSLError as error:
                reason = (error.reason or str(error)).replace("_", " ").lower()
                self._report("failed_handshake", {"peer": peer, "reason": reason})
            except OSError as error:
                hung_up = isinstance(error, ConnectionResetError)
                reason = _HUNG_UP if hung_up else str(error)
                self._report("failed_handshake", {"peer": peer, "reason": reason})

    async def _begins_with_tls(self, client: socket.socket, peer: str) -> bool:
        """Look at what comes first; answer it and close, if it is not a TLS handshake."""
        with suppress(OSError):
            async with asyncio.timeout(FIRST_OCTET_TIMEOUT):
                await self._readable(client)
            begin = client.recv(MAX_EXCERPT, socket.MSG_PEEK)
            if begin[:1] == CLIENT_HELLO:
                return True
            if begin:  # else a probe, which only looked whether the port is open
                line = begin.partition(b"\r\n")[0].decode("latin-1")
                self._report("plain_on_tls_port", {"peer": peer, "begins": line})
                client.recv(MAX_PLAIN_REQUEST)  # closing with unread octets destroys the answer
                client.send(_NOT_PLAIN)
        client.close()
        return False

    async def _readable(self, client: socket.socket) -> None:
        event = asyncio.Event()
        self._loop.add_reader(client, event.set)
        try:
            await event.wait()
        finally:
            self._loop.remove_reader(client)


def peer_name(address: tuple[object, ...] | None) -> str:
    """`127.0.0.1:1234` or `[::1]:1234`; empty if the peer is gone already."""
    if not address:
        return ""
    host = str(address[0])
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"
