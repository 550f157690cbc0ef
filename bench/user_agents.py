"""What connected user agents cost, and whether all get their own.

    python bench/user_agents.py [--idle N] [--connected N] [--messages N] [--json FILE]

idle    memory of `mockpush serve` for each of N user agents that have said who they are and nothing
        since, by Mozilla's protocol and by Google's, on the plain port and through TLS
burst   N messages to subscriptions of a hundred connected Firefoxes, as fast as they are taken: how
        many a second, and how many were lost or came twice
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import product
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from footprint import resident, serving
from results import Result, tell
from websockets.asyncio.client import ClientConnection, connect

from mockpush.event_loop import run
from mockpush.protocol.gcm import Identity
from mockpush.protocol.mcs_frames import VERSION, LoginRequest, frame

T = TypeVar("T")
Opener = Callable[[AsyncExitStack, str, int, ssl.SSLContext | None], Awaitable[object]]

HELLO = json.dumps({"messageType": "hello", "use_webpush": True})
SETTLING = 1.0
"""Seconds for what opening a connection needs to be given back."""
SENDERS = 8
OPENING = 50
"""Connections that are opened at a time."""
KILOBYTE = 1000


class UserAgent:
    """A user agent that acknowledges what it gets."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.got: Counter[str] = Counter()

    async def ask(self, **message: Any) -> dict[str, Any]:
        """The answer to a message."""
        await self._socket.send(json.dumps(message))
        answer: dict[str, Any] = json.loads(await self._socket.recv())
        return answer

    async def listen(self) -> None:
        """Takes notifications until it is cancelled."""
        async for text in self._socket:
            message = json.loads(text)
            self.got[message["version"]] += 1
            update = {"channelID": message["channelID"], "version": message["version"]}
            await self._socket.send(json.dumps({"messageType": "ack", "updates": [update]}))


async def opened(
    stack: AsyncExitStack, url: str, count: int, context: ssl.SSLContext | None
) -> list[UserAgent]:
    """Connections that have said hello."""

    async def one() -> UserAgent:
        socket = await connect(url, ssl=context, compression=None, ping_interval=None)
        stack.push_async_callback(socket.close)
        await socket.send(HELLO)
        await socket.recv()
        return UserAgent(socket)

    return await several(one, count)


async def logged_in(
    stack: AsyncExitStack, url: str, count: int, context: ssl.SSLContext | None
) -> list[None]:
    """Connections of Chromium, on which nothing but the login has been said."""

    async def one() -> None:
        port = urlsplit(url).port
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
        stack.callback(writer.close)
        identity = Identity.new()
        login = LoginRequest("", "", identity.android_id, "", identity.security_token)
        writer.write(VERSION + frame(login))
        await reader.readexactly(1)

    return await several(one, count)


async def several(one: Callable[[], Awaitable[T]], count: int) -> list[T]:
    """So many, some at a time."""
    made: list[T] = []
    for first in range(0, count, OPENING):
        made += await asyncio.gather(*(one() for _ in range(min(OPENING, count - first))))
    return made


async def size_of_idle(
    opener: Opener, url: str, context: ssl.SSLContext | None, pid: int, count: int
) -> float:
    """Kilobytes for each of so many idle connections."""
    async with AsyncExitStack() as warm:
        await opener(warm, url, OPENING, context)
    await asyncio.sleep(SETTLING)
    before = resident(pid)
    async with AsyncExitStack() as stack:
        await opener(stack, url, count, context)
        await asyncio.sleep(SETTLING)
        return (resident(pid) - before) * 1_000_000 / count / KILOBYTE


async def push(port: int, paths: Sequence[str]) -> list[str]:
    """Sends one message to each path over one connection; the ids of those that were accepted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"x" * 230
    ids = []
    for path in paths:
        writer.write(
            b"POST %b HTTP/1.1\r\nhost: localhost\r\nttl: 60\r\ncontent-encoding: aes128gcm\r\n"
            b"content-length: %d\r\n\r\n%b" % (path.encode(), len(body), body)
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        if " 201 " not in head.partition("\r\n")[0]:
            raise RuntimeError(head)
        ids.append(fields["location"].rpartition("/")[2])
    writer.close()
    return ids


async def burst(url: str, port: int, agents: int, messages: int) -> tuple[float, int, int]:
    """Messages a second, how many were lost, and how many came more than once."""
    async with AsyncExitStack() as stack:
        connected = await opened(stack, url, agents, None)
        endpoints = []
        for agent in connected:
            answer = await agent.ask(messageType="register", channelID=str(uuid4()))
            endpoints.append(urlsplit(answer["pushEndpoint"]).path)
        listeners = [asyncio.create_task(agent.listen()) for agent in connected]
        loop = asyncio.get_running_loop()
        started = loop.time()
        paths = [endpoints[number % agents] for number in range(messages)]
        sent = await asyncio.gather(*(push(port, paths[n::SENDERS]) for n in range(SENDERS)))
        while sum(agent.got.total() for agent in connected) < messages:
            await asyncio.sleep(0.01)
            if loop.time() - started > messages / 50:
                break
        seconds = loop.time() - started
        for listener in listeners:
            listener.cancel()
        got = sum((agent.got for agent in connected), Counter[str]())
    accepted = [each.lower() for ids in sent for each in ids]
    known = Counter({each.lower(): count for each, count in got.items()})
    lost = sum(1 for each in accepted if not known[each])
    return messages / seconds, lost, sum(1 for count in known.values() if count > 1)


OPENERS: dict[str, Opener] = {"Firefox": opened, "Chromium": logged_in}


def measure(idle: int, connected: int, messages: int) -> Iterator[Result]:
    """All of it."""
    for (name, opener), scheme in product(OPENERS.items(), ("http", "https")):
        with serving("--max-user-agents", str(idle + 100)) as (pid, ready):
            context = ssl.create_default_context(cafile=ready["ca_file"])
            url = ready[scheme].replace("http", "ws", 1) + "/"
            secure = context if scheme == "https" else None
            size = run(size_of_idle(opener, url, secure, pid, idle))
        yield Result(f"idle {name}, {scheme}", size, "kB", 15.0 if scheme == "http" else None)
    with serving("--max-user-agents", str(connected + 100)) as (_, ready):
        port = int(ready["http"].rpartition(":")[2])
        url = ready["http"].replace("http", "ws", 1) + "/"
        rate, lost, doubled = run(burst(url, port, connected, messages))
    yield Result("messages in a burst", rate, "/s")
    yield Result("lost", lost, "", 1)
    yield Result("doubled", doubled, "", 1)


if __name__ == "__main__":
    tell(__doc__, measure, idle=2000, connected=100, messages=10_000)
