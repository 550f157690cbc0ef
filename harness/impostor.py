"""An impostor: an HTTPS server at the push service's place that its clients must not trust."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mockpush.event_loop import LoopThread, SteadyEventLoop
from mockpush.listeners import bind
from mockpush.tls import server_context

_CREATED: Final = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_END: Final = b"\r\n\r\n"


class Impostor:
    """Takes every request for success, and keeps the head of each in `heads`."""

    def __init__(self, port: int) -> None:
        self.origin = f"https://localhost:{port}"
        self.heads: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the first request of a connection, and close it."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(_END)
            self.heads.append(head.decode("latin-1"))
            writer.write(_CREATED)
            await writer.drain()
        writer.close()


@contextmanager
def impostor(chain: bytes, *, directory: Path) -> Iterator[Impostor]:
    """One that shows `chain` (PEM: key, certificate), which passes through `directory`."""
    context = server_context(chain, directory=directory)
    sockets = bind("localhost", 0, flag="--https-port")
    server = Impostor(sockets[0].getsockname()[1])
    thread = LoopThread(name="impostor", loop_factory=SteadyEventLoop)
    try:
        listening = thread.submit(_open(server, sockets, context)).result()
        try:
            yield server
        finally:
            thread.submit(_close(listening)).result()
    finally:
        thread.stop()


async def _open(
    server: Impostor, sockets: Sequence[socket.socket], context: ssl.SSLContext
) -> list[asyncio.Server]:
    return [await asyncio.start_server(server.answer, sock=sock, ssl=context) for sock in sockets]


async def _close(listening: Sequence[asyncio.Server]) -> None:
    for each in listening:
        each.close()
