"""A CONNECT proxy (RFC 9110, Section 9.3.6) that answers for the vendors' hosts itself.

For programs in other processes and languages, and for browsers: a tunnel to a vendor's host ends in
our own TLS listener. Every other host is refused, unless it is allowed or the client and the host
are both on this machine, so that no push ever leaves for a real vendor.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from mockpush.listeners import MAX_EXCERPT, Acceptor, plain_answer
from mockpush.origins import is_one_of

MAX_HEAD: Final = 16 * 1024
"""Octets of request line and header fields; a CONNECT needs a few hundred."""
HEAD_TIMEOUT: Final = 10.0
"""Seconds that a client has to say where it wants to go."""
CONNECT_TIMEOUT: Final = 10.0
HTTPS_PORT: Final = 443
CHUNK: Final = 64 * 1024

_REQUEST: Final = re.compile(rb"([A-Z]{1,20}) (\S+) HTTP/1\.[01]\r\n")
_AUTHORITY: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")
_ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Target(NamedTuple):
    """Where a tunnel is to lead: a name or an address without brackets, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Route(Enum):
    """What becomes of a tunnel."""

    OURS = auto()
    """it ends here"""
    OUT = auto()
    """it is made"""
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Routes:
    """Which tunnels lead where.

    `vendors` are the hosts that we answer for, on port 443; `own` the origins (host, port) of our
    TLS listener; `allowed` what else may be reached, as globs.
    """

    vendors: tuple[str, ...]
    own: Collection[Target] = ()
    allowed: tuple[str, ...] = ()

    def route(self, target: Target, *, peer: str) -> Route:
        """Of a tunnel to `target` for a client at the address `peer`."""
        if is_one_of(target.host, self.vendors):
            return Route.OURS if target.port == HTTPS_PORT else Route.REFUSED
        if target in self.own:
            return Route.OURS
        local = _is_loopback(target.host) and _is_loopback(peer)
        host = target.host.lower().removesuffix(".")
        allowed = local or any(fnmatchcase(host, each.lower()) for each in self.allowed)
        return Route.OUT if allowed else Route.REFUSED

    def refusal(self, target: Target) -> str:
        """Why a tunnel is not made, and how it would be."""
        if is_one_of(target.host, self.vendors):
            return f"mockpush answers for {target.host} on port {HTTPS_PORT} only.\n"
        return (
            f"mockpush does not let {target} through: this proxy is for the hosts of push services "
            f"({', '.join(self.vendors)}), and refuses all others so that nothing leaves for the "
            f"network unnoticed. Start mockpush with --proxy-allow {target.host}, or name the host "
            "in NO_PROXY.\n"
        )


class BadRequestError(Exception):
    """The head of a request that is no CONNECT; `answer` is what it gets."""

    def __init__(self, status: str, text: str, *, fields: bytes = b"") -> None:
        super().__init__(text)
        self.answer = plain_answer(status.encode(), text.encode(), fields=fields)


class ProxyAcceptor(Acceptor):
    """An `Acceptor` of TLS connections that are asked for with CONNECT.

    `report` hears of `refused_tunnel`s as well.
    """

    def __init__(self, sock: socket.socket, *, routes: Routes, **options: Any) -> None:
        super().__init__(sock, **options)
        self._routes = routes

    async def _connect(self, client: socket.socket, peer: str) -> None:
        try:
            answer = await self._serve(client, peer)
            if answer is not None:
                with suppress(BlockingIOError):
                    client.recv(CHUNK)  # closing with unread octets destroys the answer
                await self._loop.sock_sendall(client, answer)
                client.close()
        except OSError:  # it is gone, or too slow: a TimeoutError is one, too
            client.close()

    async def _serve(self, client: socket.socket, peer: str) -> bytes | None:
        """The answer that ends the connection; None if it has gone through a tunnel."""
        try:
            async with asyncio.timeout(HEAD_TIMEOUT):
                target = _target(await self._head(client))
        except BadRequestError as error:
            return error.answer
        route = self._routes.route(target, peer=peer.rpartition(":")[0].strip("[]"))
        if route is Route.REFUSED:
            self._report("refused_tunnel", {"peer": peer, "target": str(target)})
            return plain_answer(b"403 Forbidden", self._routes.refusal(target).encode())
        if route is Route.OUT:
            return await self._lead_out(client, target)
        await self._loop.sock_sendall(client, _ESTABLISHED)
        await super()._connect(client, peer)
        return None

    async def _head(self, client: socket.socket) -> bytes:
        """The octets up to the empty line, and none behind it: those are for TLS."""
        head = b""
        while True:
            await self._readable(client)
            seen = client.recv(MAX_HEAD, socket.MSG_PEEK)
            end = (head + seen).find(b"\r\n\r\n")
            head += client.recv(len(seen) if end < 0 else end + 4 - len(head))
            if not seen:
                raise ConnectionAbortedError
            if end >= 0:
                return head
            _check_beginning(head)

    async def _lead_out(self, client: socket.socket, target: Target) -> bytes | None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                upstream = await asyncio.open_connection(target.host, target.port)
        except (OSError, UnicodeError) as error:  # the latter for what cannot be a name
            text = f"mockpush cannot connect to {target}: {str(error) or 'it does not answer'}.\n"
            return plain_answer(b"502 Bad Gateway", text.encode())
        try:
            await self._loop.sock_sendall(client, _ESTABLISHED)
            await _splice(await asyncio.open_connection(sock=client), upstream)
        finally:
            upstream[1].transport.abort()
        return None


def _check_beginning(head: bytes) -> None:
    """Refuses at once what can never become a request."""
    if len(head) >= MAX_HEAD:
        text = f"mockpush takes at most {MAX_HEAD} octets here.\n"
        raise BadRequestError("431 Request Header Fields Too Large", text)
    if not head[:1].isalpha() or (b"\n" in head and not _REQUEST.match(head)):
        raise _not_a_request(head)


def _not_a_request(head: bytes) -> BadRequestError:
    line = head[:MAX_EXCERPT].partition(b"\r\n")[0]
    return BadRequestError("400 Bad Request", f"This is no HTTP/1.1 request: {line!r}\n")


def _target(head: bytes) -> Target:
    request = _REQUEST.match(head)
    if request is None:
        raise _not_a_request(head)
    if request[1] != b"CONNECT":
        text = (
            "This port of mockpush is a proxy for HTTPS and takes CONNECT only: set HTTPS_PROXY to "
            "it, and not HTTP_PROXY.\n"
        )
        raise BadRequestError("405 Method Not Allowed", text, fields=b"allow: CONNECT\r\n")
    authority = request[2].decode("latin-1")
    match = _AUTHORITY.fullmatch(authority)
    if match is None or not 0 < int(match[3]) <= 0xFFFF:
        text = f"CONNECT needs a host and a port, not {authority[:MAX_EXCERPT]!r}.\n"
        raise BadRequestError("400 Bad Request", text)
    return Target((match[1] or match[2]).lower(), int(match[3]))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _splice(client: _Streams, upstream: _Streams) -> None:
    """Copies both ways until both have ended."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_copy(client[0], upstream[1]))
            tasks.create_task(_copy(upstream[0], client[1]))
    except* (OSError, RuntimeError):  # one side is gone; the latter is uvloop's word for it
        pass
    finally:
        client[1].transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
