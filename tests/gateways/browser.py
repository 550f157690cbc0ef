"""A user agent that speaks Mozilla's push protocol, written from its documentation."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mockpush.server import Server


class Browser:
    """One connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.uaid = ""

    async def say(self, kind: str | None = None, **members: Any) -> None:
        message = members if kind is None else {"messageType": kind, **members}
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            return json.loads(await self.socket.recv())

    async def ask(self, kind: str | None = None, **members: Any) -> dict[str, Any]:
        await self.say(kind, **members)
        return await self.hear()

    async def hello(self, uaid: str | None = None, **members: Any) -> dict[str, Any]:
        known = {} if uaid is None else {"uaid": uaid}
        answer = await self.ask("hello", use_webpush=True, **known, **members)
        assert answer["messageType"] == "hello"
        self.uaid = answer["uaid"]
        return answer

    async def register(self, **members: Any) -> tuple[str, str]:
        """A new channel and its endpoint."""
        channel = str(uuid4())
        answer = await self.ask("register", channelID=channel, **members)
        assert (answer["channelID"], answer["status"]) == (channel, 200)
        return channel, answer["pushEndpoint"]

    async def acknowledge(self, *messages: dict[str, Any], code: int | None = None) -> None:
        codes = {} if code is None else {"code": code}
        updates = [
            {"channelID": each["channelID"], "version": each["version"], **codes}
            for each in messages
        ]
        await self.say("ack", updates=updates)

    async def notifications(self, count: int) -> list[dict[str, Any]]:
        heard = [await self.hear() for _ in range(count)]
        assert {each["messageType"] for each in heard} <= {"notification"}
        return heard

    async def heard_nothing(self) -> None:
        """Whatever was sent before has been worked off, and nothing else was said to us."""
        channel = str(uuid4())
        answer = await self.ask("unregister", channelID=channel)
        assert (answer["messageType"], answer["channelID"]) == ("unregister", channel)

    async def closed(self) -> tuple[int | None, str]:
        """The code and the reason of the server's close frame, whatever comes before."""
        async with asyncio.timeout(10):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        return self.socket.close_code, self.socket.close_reason or ""


class Site:
    """A server, the browsers that are connected to it, and who sends to them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.service = server.service
        self.sender = httpx.AsyncClient(verify=server.ssl_context)

    @asynccontextmanager
    async def open(self, path: str = "/", **options: Any):
        """A connection over which nothing has been said."""
        url = self.server.url.replace("http", "ws", 1) + path
        async with connect(url, compression=None, ping_interval=None, **options) as socket:
            yield Browser(socket)

    @asynccontextmanager
    async def connect(self, uaid: str | None = None, *, path: str = "/", **members: Any):
        """A connection over which hello has been said."""
        async with self.open(path) as browser:
            await browser.hello(uaid, **members)
            yield browser

    async def push(self, endpoint: str, body: bytes = b"", **fields: str) -> httpx.Response:
        coding = {"Content-Encoding": "aes128gcm"} if body else {}
        own = {name.replace("_", "-"): text for name, text in fields.items()}
        headers = {"TTL": "60", **coding, **own}
        url = self.server.url + urlsplit(endpoint).path
        return await self.sender.post(url, content=body, headers=headers)

    async def api(self, path: str, method: str = "GET", **options: Any) -> Any:
        url = f"{self.server.url}/_mockpush/v1{path}"
        answer = await self.sender.request(method, url, **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def states(self) -> list[str]:
        return [each["state"] for each in (await self.api("/messages?limit=1000"))["items"]]

    async def timeline(self) -> list[tuple[str, str | None]]:
        """Of the last message."""
        last = await self.api("/messages/latest")
        return [(each["event"], each["detail"]) for each in last["timeline"]]

    async def gone(self, user_agent: str) -> None:
        """Returns when the server has noticed that it is not connected."""
        known = f"/user-agents?id={user_agent}"
        await self.api(f"{known}&connected=false&wait=1&timeout=10")
