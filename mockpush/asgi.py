"""An ASGI application on uvicorn's protocols: one lifespan, one set of connections, any listeners.

uvicorn's own `Server` is left out: it owns the signals, gives all its sockets to TLS or none, and
waits for open event streams when it stops.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from mockpush.errors import ConfigurationError
from mockpush.listeners import CLIENT_HELLO, Foreign, Report, peer_name, plain_answer
from mockpush.real_clock import real_time

if TYPE_CHECKING:
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

ASGIApp = Callable[[Any, Any, Any], Any]
HTTPImplementation = Literal["auto", "httptools", "h11"]

MAX_HEAD: Final = 64 * 1024
"""Octets of request line and header fields; nginx takes 32 kB, Node 16 kB."""
MAX_WEBSOCKET_MESSAGE: Final = 1024 * 1024
KEEP_ALIVE: Final = 75
"""Seconds, as nginx: a client that re-uses an idle connection must not meet our closing it."""
DATE_INTERVAL: Final = 1.0
"""Seconds between two values of the Date field, whose resolution this is."""
GRACE: Final = 0.5
"""Seconds that a stopping server grants, first to requests under way, then to cancelled ones."""

_UPGRADE_H2C: Final = re.compile(rb"(?i)(?<=\r\n)upgrade(?=:[ \t]*h2c[ \t]*(?:\r\n|\Z))")
_HIDDEN_UPGRADE: Final = b"upgrad_"

_NOT_TLS: Final = plain_answer(b"400 Bad Request", b"This port speaks plain HTTP, not TLS.\n")
_HEAD_TOO_LARGE: Final = plain_answer(
    b"431 Request Header Fields Too Large", b"At most %d octets.\n" % MAX_HEAD
)


def _is_news(record: logging.LogRecord) -> bool:
    """Not when a request was cancelled because the server stops."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


LOGGER: Final = logging.getLogger("mockpush.server")
LOGGER.setLevel(logging.WARNING)
LOGGER.addFilter(_is_news)


class _Front(asyncio.Protocol):
    """Stands in front of uvicorn's two HTTP protocols, which fill in the attributes."""

    report: Report
    transport: asyncio.Transport
    client: tuple[str, int] | None
    scheme: str
    scope: dict[str, Any] | None
    _silent = True
    _head = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # uvicorn's loggers may belong to a server of the user's own in this process.
        self.logger = LOGGER
        self.access_log = False

    def data_received(self, data: bytes) -> None:
        if self._silent:
            self._silent = False
            if data[:1] == CLIENT_HELLO and self.scheme == "http":
                self._report("tls_on_plain_port")
                self._refuse(_NOT_TLS)
                return
        super().data_received(data)
        if self.scope is None or "path" in self.scope:
            self._head = 0
        else:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(_HEAD_TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._silent and self.scheme == "https":
            self._report("unused_connection")

    def _report(self, what: Foreign) -> None:
        self.report(what, {"peer": peer_name(self.client)})

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Every request of Java's HTTP client asks for h2c: no reason to warn."""


class _HttpToolsFront(_Front):
    """llhttp takes what follows `Upgrade: h2c` for HTTP/2; we ignore the field (RFC 9110, 7.8).

    Java's HTTP client sends it with every request to a plain port, and the body behind it. The
    field is hidden from the parser under a name of the same length, not from the application.
    """

    headers: list[tuple[bytes, bytes]]
    _in_body = False
    _hides = False

    def data_received(self, data: bytes) -> None:
        if b"h2c" in data and not self._in_body:
            head, blank, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE_H2C.sub(_HIDDEN_UPGRADE, head) + blank + rest
            self._hides = True
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._in_body = True
        if self._hides:
            self._hides = False
            self.headers[:] = [
                (b"upgrade" if name == _HIDDEN_UPGRADE else name, value)
                for name, value in self.headers
            ]
        super().on_headers_complete()  # type: ignore[misc]

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()  # type: ignore[misc]


def _http_protocol(http: HTTPImplementation, report: Report) -> type[asyncio.Protocol]:
    """uvicorn's protocol class behind our front; `report` hears what is no HTTP."""
    front, base = _implementation(http)
    return type(base.__name__, (front, base), {"report": staticmethod(report)})


def _implementation(http: HTTPImplementation) -> tuple[type[_Front], type[asyncio.Protocol]]:
    if http != "h11":
        try:
            from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
        except ImportError as error:
            if http == "httptools":
                raise ConfigurationError("httptools is not installed") from error
        else:
            return _HttpToolsFront, HttpToolsProtocol
    from uvicorn.protocols.http.h11_impl import H11Protocol

    return _Front, H11Protocol


def _websocket_protocol(**options: Any) -> WebSocketsSansIOProtocol:
    """uvicorn's protocol, imported for the first WebSocket, with a logger of ours."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    protocol = WebSocketsSansIOProtocol(**options)
    protocol.logger = protocol.conn.logger = LOGGER
    protocol.conn.debug = False
    return protocol


def _unsent(transport: asyncio.WriteTransport) -> int:
    """Octets that wait to be written."""
    try:
        return transport.get_write_buffer_size()
    except AttributeError:  # asyncio's TLS transport, when it was closed twice
        return 0


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds, or so long."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition() and loop.time() < end:  # noqa: ASYNC110 - uvicorn's sets have no event
        await asyncio.sleep(0.002)


class Application:
    """An ASGI application between the start and the end of its lifespan, with its connections."""

    def __init__(self, app: ASGIApp, *, http: HTTPImplementation, report: Report) -> None:
        self._closing = False
        self._report = report
        self._config = Config(
            app,
            interface="asgi3",
            http=_http_protocol(http, self._report_while_open),
            ws=cast(Any, _websocket_protocol),
            ws_max_size=MAX_WEBSOCKET_MESSAGE,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            h11_max_incomplete_event_size=MAX_HEAD,
        )
        self._config.load()
        self._state = ServerState()
        self._lifespan = LifespanOn(self._config)
        self._lifespan.logger = LOGGER
        self._tick: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin the lifespan; `ConfigurationError` if the application refuses to start."""
        await self._lifespan.startup()
        if self._lifespan.should_exit:
            raise ConfigurationError("the application does not start; its reason is in the log")
        self._set_date()

    def protocol(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        create = cast(Callable[..., asyncio.Protocol], self._config.http_protocol_class)
        return create(config=self._config, server_state=self._state, app_state=self._lifespan.state)

    def _report_while_open(self, what: Foreign, detail: dict[str, str]) -> None:
        if not self._closing:  # that a connection was not used is no news when we close it
            self._report(what, detail)

    def _set_date(self) -> None:
        date = formatdate(real_time(), usegmt=True).encode("ascii")
        self._state.default_headers = [(b"date", date)]
        self._tick = asyncio.get_running_loop().call_later(DATE_INTERVAL, self._set_date)

    async def finish(self) -> None:
        """Ask every connection to close, and wait `GRACE` seconds for the answers under way."""
        self._closing = True
        for connection in list(self._state.connections):
            if not connection.transport.is_closing():
                connection.shutdown()
        await _until(self._is_quiet, GRACE)

    async def drop(self) -> None:
        """Abort the connections that are left, and cancel the requests that do not notice."""
        for connection in list(self._state.connections):
            connection.transport.abort()
        await _until(self._is_deserted, GRACE / 10)
        for task in self._state.tasks:
            task.cancel()
        await _until(self._is_deserted, GRACE)

    async def stop(self) -> None:
        """End the lifespan, within `GRACE` seconds."""
        if self._tick is not None:
            self._tick.cancel()
        try:
            async with asyncio.timeout(GRACE):
                await self._lifespan.shutdown()
        except TimeoutError:
            LOGGER.warning("the application's shutdown has not ended; stopping without it")

    def _is_quiet(self) -> bool:
        """Whether all is said: idle connections may still wait for the other side's goodbye."""
        unsent = any(_unsent(each.transport) for each in self._state.connections)
        return not self._state.tasks and not unsent

    def _is_deserted(self) -> bool:
        return not self._state.tasks and not self._state.connections
