"""Inside this process the hosts of the vendors are our own listener.

No HTTP library is replaced. They resolve names, open connections, shake hands and speak HTTP as
ever; only what is below them is changed, for these names alone: a name resolves, without asking
anybody, to an address that stands in for it, and a connection to that address reaches us. The
certificate of the server covers the names. An application that checks where a name leads before it
posts there sees a public address, as in production.

What is changed in a library that has an event loop, a resolver or a mock of its own is a row of
`_SEAMS`, and used only if the library is loaded.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from mockpush.origins import is_one_of
from mockpush.trust import instances, variables_set

HTTPS_PORT: Final = 443
STAND_INS: Final[Mapping[int, str]] = {
    socket.AF_INET: "192.31.196.80",
    socket.AF_INET6: "2620:4f:8000::80",
}
"""Addresses that stand in for every vendor. They count as public, and nobody answers there: their
networks are IANA's sink for questions that have no answer (AS112; RFC 7534, RFC 7535)."""

_NO_PROXY: Final = ("NO_PROXY", "no_proxy")
_OF_NAMES: Final = ("family", "proto", "flags", "local_addr", "happy_eyeballs_delay", "interleave")
"""Options of `create_connection` that a socket which is connected already does not take."""


@dataclass(frozen=True, slots=True, eq=False)
class Detour:
    """Leads what goes to `hosts` (patterns) to `listener`, the address of a socket."""

    hosts: tuple[str, ...]
    family: int
    listener: tuple[Any, ...]
    taken: weakref.WeakSet[socket.socket] = field(default_factory=weakref.WeakSet)

    @property
    def stand_in(self) -> str:
        """The address to which the names resolve."""
        return STAND_INS[self.family]

    def covers(self, host: object) -> bool:
        """Whether this is the name of a vendor's host."""
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        return isinstance(name, str) and is_one_of(name, self.hosts)

    def name(self, host: Any) -> Any:
        """What to resolve instead of `host`."""
        return self.stand_in if self.covers(host) else host

    def address(self, sock: socket.socket, address: Any) -> Any:
        """Where to connect `sock` instead of to `address`; `ConnectionRefusedError` but for 443."""
        if not isinstance(address, tuple) or self.name(address[0]) != self.stand_in:
            return address
        if address[1] != HTTPS_PORT:
            text = "mockpush answers for the vendors' hosts on port 443 only"
            raise ConnectionRefusedError(errno.ECONNREFUSED, text)
        self.taken.add(sock)
        return self.listener

    def hang_up(self) -> None:
        """Cuts what is open, so that no pool of connections leads here any more."""
        wrapped = [each for each in instances(ssl.SSLSocket) if self.covers(each.server_hostname)]
        for sock in (*self.taken, *wrapped):
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextmanager
def answered_at(url: str, hosts: Iterable[str]) -> Iterator[None]:
    """Inside the block what this process sends to `hosts` reaches the service at `url` (https).

    Environment variables cannot send it through a proxy meanwhile. Afterwards the connections that
    it made are cut.
    """
    parts = urlsplit(url)
    family, *_, listener = _addresses(parts.hostname, parts.port or HTTPS_PORT)[0]
    detour = Detour(tuple(hosts), family, listener)
    with ExitStack() as undo:
        undo.enter_context(variables_set(_no_proxy(detour.hosts)))
        for seam in _SEAMS:
            undo.enter_context(seam.changed(detour))
        _forget_resolved()
        undo.callback(_forget_resolved)
        undo.callback(detour.hang_up)
        yield


def _addresses(host: str | None, port: int) -> list[tuple[Any, ...]]:
    """IPv4 first."""
    found: list[tuple[Any, ...]] = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return sorted(found, key=lambda each: each[0] != socket.AF_INET)


def _no_proxy(hosts: Sequence[str]) -> dict[str, str]:
    own = (os.environ.get(name, "") for name in _NO_PROXY)
    names = [*filter(None, own), *(host.removeprefix("*") for host in hosts)]
    return dict.fromkeys(_NO_PROXY, ",".join(dict.fromkeys(names)))


def _forget_resolved() -> None:
    """aiohttp's connectors remember addresses for some seconds."""
    aiohttp = sys.modules.get("aiohttp")
    if aiohttp is not None:
        for connector in instances(aiohttp.TCPConnector):
            connector.clear_dns_cache()


# What is changed

Replace = Callable[[Detour, Callable[..., Any]], Callable[..., Any]]


class Seam(NamedTuple):
    """A function of a module, or a method (`Class.method`) in it, and what replaces it."""

    module: str
    place: str
    replace: Replace

    @property
    def owner(self) -> object:
        """What the function is an attribute of; None if that is not loaded, or has it no more."""
        *names, name = self.place.split(".")
        owner: object = sys.modules.get(self.module)
        for each in names:
            owner = getattr(owner, each, None)
        return owner if hasattr(owner, name) else None

    @contextmanager
    def changed(self, detour: Detour) -> Iterator[None]:
        """Replaced inside the block."""
        owner, name = self.owner, self.place.rpartition(".")[2]
        if owner is None:
            yield
            return
        inherited = name not in vars(owner)
        before = getattr(owner, name) if inherited else vars(owner)[name]
        if isinstance(before, classmethod):
            setattr(owner, name, classmethod(self.replace(detour, before.__func__)))
        else:
            setattr(owner, name, self.replace(detour, before))
        try:
            yield
        finally:
            if inherited:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


def _getaddrinfo(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(
        host: Any,
        port: Any,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name of the function's argument
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        if detour.covers(host):  # AI_ADDRCONFIG: a machine may have no network at all
            host, flags = detour.stand_in, flags & ~socket.AI_ADDRCONFIG
        return original(host, port, family, type, proto, flags)

    return getaddrinfo


def _gethostbyname(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda hostname: original(detour.name(hostname))


def _connect(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any, /) -> None:
        original(self, detour.address(self, address))

    return connect


def _connect_ex(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    def connect_ex(self: socket.socket, address: Any, /) -> int:
        try:
            result: int = original(self, detour.address(self, address))
        except ConnectionRefusedError:
            return errno.ECONNREFUSED
        return result

    return connect_ex


def _sock_connect(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    async def sock_connect(self: Any, sock: socket.socket, address: Any) -> None:
        await original(self, sock, detour.address(sock, address))

    return sock_connect


def _loop_getaddrinfo(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    async def getaddrinfo(
        self: Any, host: Any, port: Any, *, flags: int = 0, **options: Any
    ) -> Any:
        if detour.covers(host):
            host, flags = detour.stand_in, flags & ~socket.AI_ADDRCONFIG
        return await original(self, host, port, flags=flags, **options)

    return getaddrinfo


def _create_connection(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    async def create_connection(
        self: Any, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        if detour.name(host) != detour.stand_in:
            return await original(self, protocol_factory, host, port, **options)
        if options.get("ssl") and not options.get("server_hostname"):
            options["server_hostname"] = host
        given = {name: value for name, value in options.items() if name not in _OF_NAMES}
        with ExitStack() as undo:
            sock = undo.enter_context(socket.socket(detour.family, socket.SOCK_STREAM))
            sock.settimeout(0)
            await self.sock_connect(sock, (detour.stand_in, port))
            connection = await original(self, protocol_factory, sock=sock, **given)
            undo.pop_all()
        return connection

    return create_connection


def _resolve(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    async def resolve(
        self: Any, host: str, port: int = 0, family: int = socket.AF_INET
    ) -> list[dict[str, Any]]:
        if not detour.covers(host):
            found: list[dict[str, Any]] = await original(self, host, port, family)
            return found
        place = {"hostname": host, "host": detour.stand_in, "port": port, "family": detour.family}
        return [{**place, "proto": 0, "flags": socket.AI_NUMERICHOST}]

    return resolve


def _passing_through(detour: Detour, original: Callable[..., Any]) -> Callable[..., Any]:
    def handler(cls: Any, request: Any) -> Any:
        _pass_through(detour, request)
        return original(cls, request)

    return handler


def _passing_through_async(
    detour: Detour, original: Callable[..., Awaitable[Any]]
) -> Callable[..., Any]:
    async def async_handler(cls: Any, request: Any) -> Any:
        _pass_through(detour, request)
        return await original(cls, request)

    return async_handler


def _pass_through(detour: Detour, request: Any) -> None:
    if detour.covers(request.url.host):
        respx = sys.modules["respx.models"]
        raise respx.PassThrough("mockpush answers", request=request, origin=None)


_SEAMS: Final = (
    # Every name that Python's own socket module resolves, also by `from socket import getaddrinfo`.
    Seam("_socket", "getaddrinfo", _getaddrinfo),
    Seam("socket", "gethostbyname", _gethostbyname),
    Seam("socket", "gethostbyname_ex", _gethostbyname),
    # Every connection of that module: urllib3, requests, httpx, asyncio, trio, aiohttp, Twisted.
    Seam("socket", "socket.connect", _connect),
    Seam("socket", "socket.connect_ex", _connect_ex),
    # Event loops that use neither: that of Windows, and uvloop.
    Seam("asyncio.proactor_events", "BaseProactorEventLoop.sock_connect", _sock_connect),
    Seam("uvloop", "Loop.getaddrinfo", _loop_getaddrinfo),
    Seam("uvloop", "Loop.create_connection", _create_connection),
    # aiohttp with aiodns, which has a resolver of its own.
    Seam("aiohttp.resolver", "AsyncResolver.resolve", _resolve),
    # respx refuses what it has no route for: what is ours passes through it.
    Seam("respx.mocks", "Mocker.handler", _passing_through),
    Seam("respx.mocks", "Mocker.async_handler", _passing_through_async),
)
