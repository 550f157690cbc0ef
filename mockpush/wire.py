"""Connections below HTTP, for answers that are to be damaged on their way."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from mockpush.protocol.fault_kinds import EXTENSION

if TYPE_CHECKING:
    from uvicorn.server import ServerState

    from mockpush.protocol.records import WireAnswer

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

FLUSH_INTERVAL: Final = 0.001
"""Real seconds between two looks at what is still to be written."""
_NO_LINGERING: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Wire:
    """A connection as ASGI applications may have it below HTTP (`http.disturbing.Wire`)."""

    def __init__(self, transport: asyncio.Transport, server_state: ServerState) -> None:
        self._transport = transport
        self._server_state = server_state
        self.write = transport.write
        self.close = transport.close

    def head(self, answer: WireAnswer) -> list[bytes]:
        """Status line, header fields and the empty line, each with its end."""
        fields = (*self._server_state.default_headers, *answer.headers)
        lines = [b"%b: %b\r\n" % field for field in fields]
        return [status_line(answer.status), *lines, b"\r\n"]

    async def flush(self) -> None:
        """Returns when the kernel has all that was written, or the connection is gone."""
        transport = self._transport
        while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(FLUSH_INTERVAL)

    def reset(self) -> None:
        """Closes with a reset (RST) instead of an orderly end (FIN)."""
        if not self._transport.is_closing():
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self._transport.abort()


class WithWire:
    """An ASGI application whose requests have their connection as an extension."""

    def __init__(self, app: ASGIApp, wire: Wire) -> None:
        self._app = app
        self._wire = wire

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: self._wire}
        await self._app(scope, receive, send)


@cache
def status_line(status: int) -> bytes:
    """The first line of an answer, with its end."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()
