"""WebSocket connections (RFC 6455) of which thousands may idle: no task, no timer, no ASGI.

The handshake and the frames are those of `websockets`, without its I/O. What is talked about, a
`Talk` knows. permessage-deflate is never agreed upon: it takes more memory than all the rest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, SERVER
from websockets.protocol import Protocol as FrameProtocol
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    from uvicorn.server import ServerState

CLOSE_TIMEOUT: Final = 0.05
"""Real seconds that the other side has for its close frame: Firefox sends none, and comes back only
when the TCP connection has ended."""
GOING_AWAY: Final = (1001, "")

_LOGGER: Final = logging.getLogger("mockpush.websocket")
_LOGGER.setLevel(logging.WARNING)


class Talk(Protocol):
    """What is said over one WebSocket; no method waits for anything."""

    subprotocol: str
    max_size: int
    broken: tuple[int, str]
    """The close frame for a breach of the protocol."""

    def opened(self, socket: WebSocket) -> None:
        """The handshake is done."""

    def received(self, text: str | None) -> None:
        """A text has come, or (None) something that is no text."""

    def pinged(self) -> None:
        """A ping has come, and is answered."""

    def answered(self) -> None:
        """A pong has come."""

    def writable(self) -> None:
        """What was sent has gone, after a time in which it had not."""

    def lost(self) -> None:
        """The connection has ended; nothing more comes."""


class Talks(Protocol):
    """An application that talks over WebSockets."""

    def takes(self, path: str) -> bool:
        """Whether there is a WebSocket at this path."""

    def begin(self, path: str) -> Talk:
        """What is said over a new one."""


class _Frames(FrameProtocol):
    """Frames after the handshake; fails in the words of the talk."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(SERVER, max_size=talk.max_size, logger=_LOGGER)
        self.broken = talk.broken

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        del code, reason
        super().fail(*self.broken)


class WebSocket(asyncio.Protocol):
    """One connection, from the request for the upgrade to its end."""

    __slots__ = (
        "_closing",
        "_frames",
        "_held",
        "_parts",
        "_state",
        "_talk",
        "origin",
        "paused",
        "transport",
    )

    def __init__(
        self, talk: Talk, transport: asyncio.Transport, server_state: ServerState, *, origin: str
    ) -> None:
        self.transport = transport
        self.origin = origin
        """How the other side reached us: `http://127.0.0.1:8030`, as it says itself."""
        self.paused = False
        """Whether what was sent has piled up."""
        self._talk = talk
        self._state = server_state
        self._parts: list[bytes] | None = None
        self._held = False
        self._closing = False
        self._frames = _Frames(talk)
        server_state.connections.add(self)  # type: ignore[arg-type]

    def shake_hands(self, target: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Answers the request; closes if it is not one for a WebSocket."""
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        subprotocols: list[Any] = [self._talk.subprotocol]
        server = ServerProtocol(
            subprotocols=subprotocols, select_subprotocol=_chosen, logger=_LOGGER
        )
        server.send_response(server.accept(Request(target, Headers(fields))))
        self.transport.write(b"".join(server.data_to_send()))
        if server.state is OPEN:
            self._talk.opened(self)
        else:
            self.transport.close()

    # What the talk may do

    def send(self, text: str) -> None:
        """Sends a text."""
        if self._frames.state is OPEN:
            self._frames.send_text(text.encode())
            self._flush()

    def ping(self) -> None:
        """Sends a ping."""
        if self._frames.state is OPEN:
            self._frames.send_ping(b"")
            self._flush()

    def hold(self) -> None:
        """Reads nothing until `read_on`."""
        self._held = True
        self._set_reading()

    def read_on(self) -> None:
        """Reads again, if the other side does."""
        if self._held:
            self._held = False
            self._set_reading()

    def close(self, code: int, reason: str) -> None:
        """Says why, and ends the connection."""
        if self._frames.state is OPEN:
            self._frames.send_close(code, reason)
            self._flush()
        self._end_soon()

    # What the transport does

    def data_received(self, data: bytes) -> None:
        self._frames.receive_data(data)
        for event in self._frames.events_received():
            if isinstance(event, Frame) and not self._closing:
                self._take(event)
        self._flush()
        if self._frames.close_expected():
            self._end_soon()
        if self._frames.close_rcvd is not None:
            self.transport.close()

    def eof_received(self) -> None:
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._closing = True
        self._talk.lost()

    def pause_writing(self) -> None:
        """The other side does not read: neither do we read what would make us answer."""
        self.paused = True
        self._set_reading()

    def resume_writing(self) -> None:
        self.paused = False
        self._set_reading()
        self._talk.writable()

    def shutdown(self) -> None:
        """The server stops."""
        self.close(*GOING_AWAY)

    # Below the surface

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._talk.answered()
        elif frame.opcode is Opcode.PING:
            self._talk.pinged()
        elif frame.opcode is Opcode.TEXT or frame.opcode is Opcode.CONT:
            self._take_part(frame)
        elif frame.opcode.value < _CONTROL:
            self._talk.received(None)

    def _take_part(self, frame: Frame) -> None:
        """Puts the fragments of a text together; `websockets` limits their sum."""
        if frame.opcode is Opcode.TEXT:
            self._parts = []
        if self._parts is None:
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            data, self._parts = b"".join(self._parts), None
            try:
                text = data.decode()
            except UnicodeDecodeError:
                self.close(*self._talk.broken)
            else:
                self._talk.received(text)

    def _set_reading(self) -> None:
        if self.transport.is_closing():
            return
        if self._held or self.paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _flush(self) -> None:
        data = b"".join(self._frames.data_to_send())
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def _end_soon(self) -> None:
        """Ends the TCP connection, whether the other side is done or not."""
        if self._closing:
            return
        self._closing = True
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self.transport.abort)


_CONTROL: Final = 8
"""Opcodes from here on are those of control frames (RFC 6455, Section 5.5)."""


def _chosen(frames: ServerProtocol, offered: Sequence[Any]) -> Any:
    """The subprotocol of the talk, if it is offered."""
    known = frames.available_subprotocols or ()
    return next((each for each in known if each in offered), None)
