"""User agents that speak RFC 8030 with the application in process."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from email import message_from_bytes
from email.policy import HTTP
from http.client import HTTPResponse
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from mockpush.http.app import App
from mockpush.service import PushService

LINK = re.compile(r'<([^>]+)>; rel="urn:ietf:params:push(:set)?"')


@pytest.fixture
def service() -> PushService:
    service = PushService()
    service.origins = ("https://localhost:8031", "http://localhost:8030")
    return service


@pytest.fixture
def app(service: PushService) -> App:
    return App(service)


@pytest.fixture
async def http(app: App) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8030") as client:
        yield client


class Part:
    """A part of a multipart answer."""

    def __init__(self, part: Any) -> None:
        assert part.get_content_type() == "application/http"
        assert part["content-type"].params == {"msgtype": "response"}
        data = part.get_payload(decode=True)
        assert int(part["content-length"]) == len(data)
        response = HTTPResponse(SimpleNamespace(makefile=lambda *_: BytesIO(data)))
        response.begin()
        self.status, self.headers, self.body = response.status, response.headers, response.read()


class Monitor:
    """A monitoring request that goes on while the test does other things."""

    def __init__(self, app: App, path: str, prefer: str | None, **fields: str) -> None:
        self.status = 0
        self.lines: list[tuple[str, str]] = []
        self.body = b""
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        headers = [(b"host", b"localhost:8030")]
        if prefer is not None:
            headers.append((b"prefer", prefer.encode()))
        headers += [(name.encode(), text.encode()) for name, text in fields.items()]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": headers,
        }
        self.task = asyncio.ensure_future(app(scope, self.incoming.get, self._send))

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.lines = [(name.decode(), text.decode()) for name, text in message["headers"]]
        else:
            self.body += message["body"]

    @property
    def headers(self) -> dict[str, str]:
        """The header fields, each of which must be there once."""
        headers = dict(self.lines)
        assert len(headers) == len(self.lines)
        return headers

    @property
    def events(self) -> list[tuple[str, Any]]:
        """What has come in a stream: the kinds of the events and their data."""
        blocks = [block for block in self.body.decode().split("\n\n") if block.startswith("event")]
        pairs = (re.fullmatch(r"event: (.+)\ndata: (.+)", block) for block in blocks)
        return [(pair[1], json.loads(pair[2])) for pair in pairs if pair]

    @property
    def parts(self) -> list[Part]:
        """The responses in a multipart answer, as the standard library reads them."""
        kind = self.headers["content-type"].encode()
        whole = message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + self.body, policy=HTTP)
        assert whole.get_content_type() == "multipart/mixed"
        return [Part(each) for each in whole.iter_parts()]

    def disconnect(self) -> None:
        """The client goes away; the application has not noticed yet."""
        self.incoming.put_nowait({"type": "http.disconnect"})

    async def end(self) -> Monitor:
        """Waits for the answer."""
        await asyncio.wait_for(self.task, 10)
        return self

    async def settle(self) -> None:
        """Lets the application go on until it waits."""
        for _ in range(20):
            await asyncio.sleep(0)


class UserAgent:
    """One subscription: `path` of its resource and `endpoint` for pushes."""

    def __init__(self, app: App, http: httpx.AsyncClient, created: httpx.Response) -> None:
        self._app = app
        self._http = http
        self.path = httpx.URL(created.headers["location"]).path
        links = {kind: target for target, kind in LINK.findall(created.headers["link"])}
        self.endpoint = links[""]
        self.set_url = links[":set"]

    @property
    def id(self) -> str:
        return self.path.removeprefix("/s/")

    def monitor(self, prefer: str | None = "wait=60", **fields: str) -> Monitor:
        """Begins to monitor."""
        return Monitor(self._app, self.path, prefer, **fields)

    async def poll(self, **fields: str) -> Monitor:
        """What is there now."""
        return await self.monitor("wait=0", **fields).end()

    def monitor_set(self, prefer: str | None = "wait=60", **fields: str) -> Monitor:
        """Begins to monitor all that is in its set."""
        return Monitor(self._app, self.set_path, prefer, **fields)

    @property
    def set_path(self) -> str:
        return httpx.URL(self.set_url).path

    async def push(self, body: bytes = b"body", **headers: str) -> httpx.Response:
        """An application server sends something; the service does not need to understand it."""
        fields = {"TTL": "60", "Content-Encoding": "aes128gcm"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        path = httpx.URL(self.endpoint).path
        answer = await self._http.post(path, content=body, headers=fields)
        assert answer.status_code in (201, 202), answer.text
        return answer

    async def say(self, action: str) -> httpx.Response:
        """`online` or `offline`."""
        return await self._http.post(f"{self.path}/{action}")

    async def unsubscribe(self) -> None:
        assert (await self._http.delete(self.path)).status_code == 204


Subscribe = Callable[..., Awaitable[UserAgent]]


@pytest.fixture
def watch(app: App) -> Callable[..., Monitor]:
    """Begins to monitor any resource."""
    return lambda path, prefer=None, **fields: Monitor(app, path, prefer, **fields)


@pytest.fixture
def subscribe(app: App, http: httpx.AsyncClient) -> Subscribe:
    async def subscribe(**options: Any) -> UserAgent:
        created = await http.post("/subscribe", **options)
        assert created.status_code == 201, created.text
        return UserAgent(app, http, created)

    return subscribe


@pytest.fixture
async def agent(subscribe: Subscribe) -> UserAgent:
    return await subscribe()
