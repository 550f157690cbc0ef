"""An impostor: an HTTPS server at the push service's place that its clients must not trust."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mockpush.asgi import LOGGER
from mockpush.event_loop import LoopThread, SteadyEventLoop
from mockpush.listeners import Acceptor, Foreign, bind
from mockpush.tls import server_context

_CREATED: Final = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_END: Final = b"\r\n\r\n"


class Impostor:
    """Takes every request for success, and keeps the head of each in `heads`, also a plain one."""

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

    def note(self, what: Foreign, detail: dict[str, str]) -> None:
        """Keep what came without TLS; of a failed handshake there is nothing to say."""
        if what == "plain_on_tls_port":
            self.heads.append(f"{detail['begins']} (in clear)")

    def protocol(self) -> asyncio.StreamReaderProtocol:
        """That of one connection."""
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self.answer)


@contextmanager
def impostor(chain: bytes, *, directory: Path) -> Iterator[Impostor]:
    """One that shows `chain` (PEM: key, certificate), which passes through `directory`."""
    context = server_context(chain, directory=directory)
    sockets = bind("localhost", 0, flag="--https-port")
    server = Impostor(sockets[0].getsockname()[1])
    thread = LoopThread(name="impostor", loop_factory=SteadyEventLoop)
    try:
        acceptors = thread.submit(_open(server, sockets, context)).result()
        try:
            yield server
        finally:
            thread.submit(_close(acceptors)).result()
    finally:
        thread.stop()
        for sock in sockets:
            sock.close()


async def _open(
    server: Impostor, sockets: Sequence[socket.socket], context: ssl.SSLContext
) -> list[Acceptor]:
    acceptors = [
        Acceptor(
            sock,
            context=context,
            protocol_factory=server.protocol,
            report=server.note,
            logger=LOGGER,
        )
        for sock in sockets
    ]
    for each in acceptors:
        each.open()
    return acceptors


async def _close(acceptors: Sequence[Acceptor]) -> None:
    for each in acceptors:
        await each.close()
        each.hang_up()
