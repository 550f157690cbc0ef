"""uvicorn's HTTP protocols, with what our connections need on top.

Requests that an application answers at once never become tasks: for those that are thousands a
second, an ASGI task with its events costs more than all that we do.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from mockpush.errors import ConfigurationError
from mockpush.known_heads import KnownHeads, Request
from mockpush.listeners import CLIENT_HELLO, Report, peer_name, plain_answer
from mockpush.wire import ASGIApp, Wire, WithWire, status_line

if TYPE_CHECKING:
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    from mockpush.listeners import Foreign
    from mockpush.protocol.records import WireAnswer
    from mockpush.web_sockets import Talks

HTTPImplementation = Literal["auto", "httptools", "h11"]


MAX_HEAD: Final = 64 * 1024
"""Octets of request line and header fields; nginx takes 32 kB, Node 16 kB."""
MAX_HELD: Final = 16 * 1024
"""Octets of a body that are kept for an answer at once; a longer one goes to ASGI as it comes."""

_UPGRADE_H2C: Final = re.compile(rb"(?i)(?<=\r\n)upgrade(?=:[ \t]*h2c[ \t]*(?:\r\n|\Z))")
_HIDDEN_UPGRADE: Final = b"upgrad_"

_NOT_TLS: Final = plain_answer(b"400 Bad Request", b"This port speaks plain HTTP, not TLS.\n")
_HEAD_TOO_LARGE: Final = plain_answer(
    b"431 Request Header Fields Too Large", b"At most %d octets.\n" % MAX_HEAD
)


class AtOnce(Protocol):
    """An application's way to answer without waiting for anything."""

    prefixes: tuple[bytes, ...]
    """How the targets of such requests begin."""

    def __call__(
        self, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> WireAnswer | None:
        """The answer to a POST; None if the application is to be asked by ASGI instead."""


OtherProtocols: TypeAlias = Mapping[bytes, Callable[[set[Any]], asyncio.Protocol]]
"""An application's protocols that are not HTTP, by the octet with which their clients begin.

It is called with uvicorn's set of open connections, in which a protocol keeps itself, as uvicorn's
own do, with `transport` and `shutdown()`.
"""


class Front(asyncio.Protocol):
    """Stands in front of uvicorn's two HTTP protocols, which fill in the attributes."""

    app: ASGIApp
    report: Report
    server_logger: logging.Logger
    at_once: AtOnce | None
    web_sockets: Talks | None
    others: OtherProtocols
    known_heads: KnownHeads
    transport: asyncio.Transport
    client: tuple[str, int] | None
    server_state: ServerState
    scheme: str
    headers: list[tuple[bytes, bytes]]
    scope: Any
    _unset_keepalive_if_required: Callable[[], None]
    _silent = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # uvicorn's loggers may belong to a server of the user's own in this process.
        self.logger = self.server_logger
        self.access_log = False
        self.app = WithWire(self.app, Wire(self.transport, self.server_state))

    def data_received(self, data: bytes) -> None:
        if self._silent:
            self._silent = False
            if data[:1] == CLIENT_HELLO and self.scheme == "http":
                self._report("tls_on_plain_port")
                self._refuse(_NOT_TLS)
                return
            begin = self.others.get(data[:1])
            if begin is not None:
                self._hand_over(begin(self.server_state.connections), data)
                return
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # which uvicorn leaves running after a reset
        if self._silent and self.scheme == "https":
            self._report("unused_connection")

    def _hand_over(self, other: asyncio.Protocol, data: bytes) -> None:
        """This connection is none of HTTP."""
        self.server_state.connections.discard(self)
        other.connection_made(self.transport)
        self.transport.set_protocol(other)
        self._leave()
        other.data_received(data)

    def _report(self, what: Foreign) -> None:
        self.report(what, {"peer": peer_name(self.client)})

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()

    def _path(self) -> str:
        """That of the request whose head has come."""
        path: str = self.scope["path"]
        return path

    def _should_upgrade_to_ws(self) -> bool:
        return self.web_sockets is not None and self.web_sockets.takes(self._path())

    def handle_websocket_upgrade(self, *_: object) -> None:
        """Leaves the connection to a WebSocket."""
        from mockpush.web_sockets import WebSocket

        assert self.web_sockets is not None
        host = next((value for name, value in self.headers if name == b"host"), b"")
        origin = f"{self.scheme}://{host.decode('latin-1').lower()}"
        path = self._path()
        talk = self.web_sockets.begin(path)
        self.server_state.connections.discard(self)
        socket = WebSocket(talk, self.transport, self.server_state, origin=origin)
        self.transport.set_protocol(socket)
        socket.shake_hands(path, self.headers)
        self._leave()

    def _leave(self) -> None:
        """Nothing comes here any more."""

    def _unsupported_upgrade_warning(self) -> None:
        """Every request of Java's HTTP client asks for h2c: no reason to warn."""


class HttpToolsFront(Front):
    """On llhttp, which takes what follows `Upgrade: h2c` for HTTP/2; we ignore the field.

    (RFC 9110, Section 7.8.) Java's HTTP client sends it with every request to a plain port, and the
    body behind it. The field is hidden from the parser under a name of the same length, not from
    the application.
    """

    app: Callable[..., Awaitable[None]]
    parser: Any
    url: bytes
    expect_100_continue: bool
    cycle: RequestResponseCycle | None
    flow: FlowControl
    loop: asyncio.AbstractEventLoop
    timeout_keep_alive: int
    timeout_keep_alive_task: asyncio.TimerHandle | None
    _in_head = False
    _in_body = False
    _head = 0
    _hides = False
    _held: bytes | None = None
    _packet: bytes | None = None
    _idle_since = 0.0
    _idle_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        between = not (self._in_head or self._in_body)
        if between and not self._silent and self._is_answered(data):
            return
        self._packet = data if between else None
        if b"pgrade" in data and not self._in_body:
            head, blank, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE_H2C.sub(_HIDDEN_UPGRADE, head) + blank + rest
            self._hides = True
            self._packet = None
        headers = self.headers
        super().data_received(data)
        if self._in_head and self.headers is headers:  # and has been since before this data
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(_HEAD_TOO_LARGE)

    def _path(self) -> str:
        return str(self.url.partition(b"?")[0], "latin-1")

    def _leave(self) -> None:
        self.parser = None  # which holds on to us

    def _is_answered(self, packet: bytes) -> bool:
        """Answers a request at once, if it is one whose head is known."""
        request = self.known_heads.recall(packet)
        if request is None or self._is_busy():
            return False
        self._unset_keepalive_if_required()
        self.url, self.headers = request.target, request.headers
        answer = self._answer_at_once(request.body)
        if answer is None:
            return False
        self.transport.write(answer)
        self._rest()
        return True

    def on_message_begin(self) -> None:
        """As uvicorn's, but for the ASGI scope, which an answer at once does not need."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = True
        self._head = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._in_body = True
        if self._hides:
            self._hides = False
            self.headers[:] = [
                (b"upgrade" if name == _HIDDEN_UPGRADE else name, value)
                for name, value in self.headers
            ]
        if self.at_once is not None and self._is_held():
            self._held = b""
        else:
            self._begin()

    def _is_held(self) -> bool:
        """Whether the request waits for its body, and then perhaps for an answer at once."""
        assert self.at_once is not None
        parser = self.parser
        return (
            self.url.startswith(self.at_once.prefixes)
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self.expect_100_continue
            and (self.cycle is None or self.cycle.response_complete)
            and not parser.should_upgrade()
        )

    def on_chunk_header(self) -> None:
        """The fields behind the chunks are trailers and join no head (RFC 9110, Section 6.5.1)."""
        if self._held is not None:
            self._let_go(self._held)
        self.headers = [*self.headers]

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)  # type: ignore[misc]
            return
        self._held += body
        if len(self._held) > MAX_HELD:
            self._let_go(self._held)

    def on_message_complete(self) -> None:
        self._in_body = False
        body = self._held
        if body is not None:
            answer = self._answer_at_once(body)
            if answer is not None:
                self._held = None
                self.transport.write(answer)
                self._rest()
                if self._packet is not None:
                    self.known_heads.learn(self._packet, Request(self.url, self.headers, body))
                return
            self._let_go(body)
        super().on_message_complete()  # type: ignore[misc]

    def _rest(self) -> None:
        """After an answer at once the connection may idle, under one timer for many answers."""
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _close_if_idle(self) -> None:
        self._idle_timer = None
        if self._is_busy() or self.timeout_keep_alive_task is not None:
            return  # what is under way ends with an answer, after which there is a timer again
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
        else:
            self.transport.close()

    def _is_busy(self) -> bool:
        answering = self.cycle is not None and not self.cycle.response_complete
        return self._in_head or self._in_body or answering

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def shutdown(self) -> None:
        """As uvicorn's: a request whose body is still to come is under way."""
        if self._held is not None:
            self._let_go(self._held)
        super().shutdown()  # type: ignore[misc]

    def _let_go(self, body: bytes) -> None:
        """Asks by ASGI, with what of the body has come."""
        self._held = None
        self._begin()
        super().on_body(body)  # type: ignore[misc]

    def _begin(self) -> None:
        """Has uvicorn begin the request, now that its head is complete."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # type: ignore[misc]
        self.url = url
        self.headers += headers
        self.expect_100_continue = expects
        super().on_headers_complete()  # type: ignore[misc]

    def _answer_at_once(self, body: bytes) -> bytes | None:
        assert self.at_once is not None
        if self.flow.write_paused:
            return None
        try:
            answer = self.at_once(self.url, self.headers, body)
        except Exception as error:  # uvicorn tells it, answers 500 and closes
            self.app = _failing(error)
            return None
        return None if answer is None else _written(answer, self.server_state.default_headers)


def _failing(error: Exception) -> Callable[..., Awaitable[None]]:
    """An ASGI application that fails as the one that was asked has failed."""

    async def fail(*_: object) -> None:
        raise error

    return fail


def _written(answer: WireAnswer, default_headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    parts = [status_line(answer.status)]
    for name, value in (*default_headers, *answer.headers):
        parts += (name, b": ", value, b"\r\n")
    parts += (b"\r\n", answer.body)
    return b"".join(parts)


def http_protocol(
    http: HTTPImplementation,
    *,
    report: Report,
    logger: logging.Logger,
    at_once: AtOnce | None,
    web_sockets: Talks | None,
    others: OtherProtocols,
) -> type[asyncio.Protocol]:
    """uvicorn's protocol class behind our front; `report` hears what is no HTTP."""
    front, base = _implementation(http)
    members = {
        "report": staticmethod(report),
        "server_logger": logger,
        "at_once": at_once,
        "web_sockets": web_sockets,
        "others": others,
        "known_heads": KnownHeads(),
    }
    return type(base.__name__, (front, base), members)


def _implementation(http: HTTPImplementation) -> tuple[type[Front], type[asyncio.Protocol]]:
    if http != "h11":
        try:
            from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
        except ImportError as error:
            if http == "httptools":
                raise ConfigurationError("httptools is not installed") from error
        else:
            return HttpToolsFront, HttpToolsProtocol
    from uvicorn.protocols.http.h11_impl import H11Protocol

    return Front, H11Protocol
