"""What the client's tests share: an event loop in a thread, small applications, canned lists."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
import uvicorn

from mockpush.client.transports.asgi import AsgiTransport
from mockpush.client.transports.http import HttpTransport


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    asyncio.run_coroutine_threadsafe(_end_all_tasks(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _end_all_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # A connection that came while its server stopped is in nobody's list.
    for transport in list(asyncio.get_running_loop()._transports.values()):
        transport.abort()
    await asyncio.sleep(0)


@pytest.fixture
def submit(loop):
    """Gives a coroutine to the loop of the thread."""
    return lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.stopping = asyncio.Event()

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.stopping.wait()


@pytest.fixture
def serve(loop):
    """Serves an application on a free port, or TLS with `ssl_*` options; gives its origin."""
    running = []

    def start(application, **options) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(application, lifespan="off", log_level="critical", **options)
        server = _Server(config)
        served = asyncio.run_coroutine_threadsafe(server.serve([listener]), loop)
        assert server.ready.wait(10)
        running.append((server, served))
        scheme = "https" if "ssl_certfile" in options else "http"
        return f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, served in running:
        server.force_exit = True
        loop.call_soon_threadsafe(server.stopping.set)
        served.result()
        asyncio.run_coroutine_threadsafe(_hang_up(server), loop).result()


async def _hang_up(server: uvicorn.Server) -> None:
    """Ends the connections of requests under way, which uvicorn leaves to them."""
    connections = server.server_state.connections
    while connections:
        for connection in list(connections):
            connection.transport.abort()
        await asyncio.sleep(0)


class Application:
    """An ASGI application of handlers by path: `async handler(call) -> (status, headers, body)`."""

    def __init__(self) -> None:
        self.handlers = {}
        self.fallback = None
        self.calls = []
        self.reached = threading.Semaphore(0)
        """released with each request that comes in"""

    def route(self, path: str):
        def register(handler):
            self.handlers[path] = handler
            return handler

        return register

    async def __call__(self, scope, receive, send) -> None:
        call = Call(scope, receive, send)
        await call.read()
        self.calls.append(call)
        self.reached.release()
        answer = await self.handlers.get(call.path, self.fallback)(call)
        if answer is not None:
            await call.answer(*answer)


class Call:
    """A request, and the means to answer it piece by piece."""

    def __init__(self, scope, receive, send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method = scope["method"]
        self.path = scope["path"]
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        self.query = {name: values[-1] for name, values in query.items()}
        self.body = b""

    async def read(self) -> None:
        more = True
        while more:
            message = await self.receive()
            self.body += message.get("body", b"")
            more = message.get("more_body", False)

    async def loop_wait(self, event: threading.Event) -> None:
        """Waits for an event of another thread."""
        await asyncio.to_thread(event.wait, 10)

    async def start(self, status: int = 200, headers=()) -> None:
        lines = [(name.encode(), value.encode()) for name, value in headers]
        await self.send({"type": "http.response.start", "status": status, "headers": lines})

    async def piece(self, data: bytes, *, more: bool = True) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    async def answer(self, status: int, headers, body: bytes) -> None:
        await self.start(status, [("content-length", str(len(body))), *headers])
        await self.piece(body, more=False)


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture(params=["http", "asgi"])
def transport(request, application, submit, serve):
    """Both transports, in front of `application`."""
    made = (
        HttpTransport(serve(application))
        if request.param == "http"
        else AsgiTransport(application, submit, url="http://localhost:8030")
    )
    with made as transport:
        yield transport


@pytest.fixture
def in_process(application, submit):
    """A transport in front of `application`."""
    with AsgiTransport(application, submit) as transport:
        yield transport


class Listing:
    """One list of the control API: `since`, `limit`, `wait` and `timeout` as the service has them.

    Time-outs pass at once unless `arriving` holds items: then these are what comes meanwhile.
    `filters` are the parameters that name a member which must be equal.
    """

    def __init__(self, items=(), *, filters=()) -> None:
        self.items = list(items)
        self.arriving = []
        self.queries = []
        self.filters = filters
        self.closest = []

    async def __call__(self, call):
        self.queries.append(call.query)
        query = dict(call.query)
        since, limit = int(query.pop("since", 0)), int(query.pop("limit", 100))
        wait, timeout = query.pop("wait", None), query.pop("timeout", None)
        assert (wait is None) == (timeout is None)
        page = self._page(query, since, limit)
        while wait and float(timeout) > 0 and self.arriving and len(page["items"]) < int(wait):
            self.items.append(self.arriving.pop(0))
            page = self._page(query, since, limit)
        if wait:
            page["complete"] = len(page["items"]) >= int(wait)
            if not page["complete"]:
                page["closest"] = self.closest
        return 200, (), json.dumps(page).encode()

    def _page(self, query, since: int, limit: int):
        unknown = query.keys() - set(self.filters)
        assert not unknown, f"the service does not know {unknown}"
        rest = [
            (position, item)
            for position, item in enumerate(self.items[since:], since + 1)
            if all(
                str((item | item.get("answer", {}))[name]) == value for name, value in query.items()
            )
        ]
        items = [item for _, item in rest[:limit]]
        end = rest[limit - 1][0] if len(rest) > limit else len(self.items)
        return {"items": items, "next": str(end), "more": len(rest) > limit}


@pytest.fixture
def listing():
    return Listing


@pytest.fixture
def message_json():
    """A message as the control API shows it."""

    def make(name: str, text: str | None = "hello", **members):
        payload = None
        if text is not None:
            data = text.encode()
            payload = {
                "text": text,
                "base64": base64.b64encode(data).decode(),
                "size": len(data),
            }
        return {
            "id": name,
            "tenant": "default",
            "subscription": "s1",
            "request": f"r-{name}",
            "received_at": "2026-01-02T03:04:05.678000+00:00",
            "expires_at": "2026-01-02T04:04:05.678000+00:00",
            "ttl": 3600,
            "topic": None,
            "urgency": "normal",
            "content_encoding": "aes128gcm",
            "size": 144,
            "state": "acknowledged",
            "decryption": "ok" if text is not None else "none",
            "payload": payload,
            "vapid": {"sub": "mailto:a@example.com", "aud": "x", "exp": 1, "public_key": "k"},
            "findings": [],
            "answers": {
                "rfc": {"accepted": True, "status": 201, "reason": None, "codes": []},
            },
            "objections": {},
            "timeline": [{"at": "2026-01-02T03:04:05.678000+00:00", "event": "accepted"}],
            **members,
        }

    return make


@pytest.fixture
def finding_json():
    def make(code: str = "ttl.missing", **members):
        return {
            "code": code,
            "level": "must",
            "section": "RFC 8030, Section 5.2",
            "text": "the request has no TTL header field",
            "expected": "TTL: <seconds>",
            "actual": "no TTL",
            "hint": "Add `TTL: <seconds>`.",
            "explains": [],
            **members,
        }

    return make


@pytest.fixture
def request_json(finding_json):
    """A request as the control API shows it; with a `code` it was refused for that finding."""

    def make(name: str, status: int = 201, code: str | None = None, **members):
        codes = [] if code is None else [code]
        refused = status >= 400
        return {
            "id": name,
            "tenant": "default",
            "subscription": "s1",
            "message": None if refused else f"m-{name}",
            "profile": "rfc",
            "received_at": "2026-01-02T03:04:05.678000+00:00",
            "method": "POST",
            "target": "/push/abc",
            "http_version": "1.1",
            "headers": [["ttl", "60"], ["x-a", "1"], ["X-A", "2"]],
            "body": {"base64": base64.b64encode(b"\x00\xff").decode(), "size": 2},
            "findings": [finding_json(code) for code in codes],
            "answers": {
                "rfc": {"accepted": not refused, "status": status, "reason": None, "codes": codes},
            },
            "objections": {},
            "answer": {"status": status, "headers": [], "body": ""},
            "fault": None,
            **members,
        }

    return make
