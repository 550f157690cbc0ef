"""User agents that speak RFC 8030 with the application in process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from mockpush.http.app import App
from mockpush.service import PushService

LINK = re.compile(r'<([^>]+)>; rel="urn:ietf:params:push"')


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


class Monitor:
    """A monitoring request that goes on while the test does other things."""

    def __init__(self, app: App, path: str, prefer: str | None) -> None:
        self.status = 0
        self.lines: list[tuple[str, str]] = []
        self.body = b""
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        headers = [(b"host", b"localhost:8030")]
        if prefer is not None:
            headers.append((b"prefer", prefer.encode()))
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
        match = LINK.fullmatch(created.headers["link"])
        assert match is not None
        self.endpoint = match[1]

    @property
    def id(self) -> str:
        return self.path.removeprefix("/s/")

    def monitor(self, prefer: str | None = "wait=60") -> Monitor:
        """Begins to monitor."""
        return Monitor(self._app, self.path, prefer)

    async def poll(self) -> Monitor:
        """The oldest message that is there now."""
        return await self.monitor("wait=0").end()

    async def push(self, body: bytes = b"body", **headers: str) -> httpx.Response:
        """An application server sends something; the service does not need to understand it."""
        fields = {"TTL": "60", "Content-Encoding": "aes128gcm"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        path = httpx.URL(self.endpoint).path
        answer = await self._http.post(path, content=body, headers=fields)
        assert answer.status_code == 201, answer.text
        return answer

    async def say(self, action: str) -> httpx.Response:
        """`online` or `offline`."""
        return await self._http.post(f"{self.path}/{action}")


Subscribe = Callable[..., Awaitable[UserAgent]]


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
