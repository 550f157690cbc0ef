"""The application in process; its client holds every answer against the API's description."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from pywebpush import WebPusher

from mockpush.http.app import App
from mockpush.options import ServiceOptions
from mockpush.protocol.model import base64url_encode
from mockpush.service import PushService

ROOT = "/_mockpush/v1"
CA = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


class Api(httpx.AsyncClient):
    """Speaks with the application; paths that do not begin with // are below the API's root."""

    def __init__(self, app: App) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app), event_hooks={"response": [self._check]}
        )
        self.app = app
        self._document: dict[str, Any] | None = None

    async def request(self, method: str, path: Any, **options: Any) -> httpx.Response:
        text = str(path)
        target = text[1:] if text.startswith("//") else ROOT + text
        return await super().request(method, f"http://localhost:8030{target}", **options)

    async def json(self, path: str, **options: Any) -> Any:
        """What a GET gives, which must be fine."""
        response = await self.get(path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    async def create(self, **members: Any) -> dict[str, Any]:
        """A new subscription."""
        response = await self.post("/subscriptions", json=members)
        assert response.status_code == 201, response.text
        return response.json()

    async def document(self) -> dict[str, Any]:
        if self._document is None:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as plain:
                answer = await plain.get(f"http://localhost{ROOT}/openapi.json")
            self._document = answer.json()
        return self._document

    async def _check(self, response: httpx.Response) -> None:
        await response.aread()
        document = await self.document()
        operation = _operation(document, response.request)
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert not violations(problem, {"$ref": "#/components/schemas/Problem"}, document)
            assert problem["status"] == response.status_code
        elif operation is not None:
            _check_declared(response, operation, document)


def _operation(document: dict[str, Any], request: httpx.Request) -> dict[str, Any] | None:
    # In the order of the document, which is that of the routes.
    for path, item in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.url.path):
            return item.get(request.method.lower())
    return None


def _check_declared(response: httpx.Response, operation: Any, document: dict[str, Any]) -> None:
    declared = operation["responses"].get(str(response.status_code))
    assert declared is not None, f"{response.status_code} is not in the description"
    if "content" not in declared:
        assert response.content == b""
        return
    media_type = response.headers["content-type"].partition(";")[0]
    content = declared["content"][media_type]
    if media_type == "application/json":
        assert not violations(response.json(), content["schema"], document)


TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def violations(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """Where a value is not what a schema says, for the part of JSON Schema that we use."""
    if "$ref" in schema:
        return violations(value, resolve(schema["$ref"], document), document)
    if "anyOf" in schema:
        tried = [violations(value, each, document) for each in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    found = []
    kind = schema.get("type")
    if kind is not None and (
        not isinstance(value, TYPES[kind]) or (kind in ("integer", "number") and value is True)
    ):
        return [f"{value!r} is not of type {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{value!r} is not one of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{value!r} does not match {schema['pattern']}")
    if schema.get("format") == "date-time" and not re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value
    ):
        found.append(f"{value!r} is not a time")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{name} is missing" for name in schema.get("required", ()) if name not in value]
        more = schema.get("additionalProperties")
        for name, item in value.items():
            if name not in properties and more is None and properties:
                found.append(f"{name} is not declared")
            inner = properties.get(name, more if isinstance(more, dict) else {})
            found += [f"{name}: {each}" for each in violations(item, inner, document)]
    if isinstance(value, list):
        for item in value:
            found += violations(item, schema.get("items", {}), document)
    return found


def resolve(reference: str, document: Any) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


@pytest.fixture
def options() -> ServiceOptions:
    return ServiceOptions()


@pytest.fixture
def service(options: ServiceOptions) -> PushService:
    return PushService(options)


@pytest.fixture
def app(service: PushService) -> App:
    return App(service, hosts=("push.test",), ca_pem=lambda: CA)


@pytest.fixture
async def api(app: App) -> AsyncIterator[Api]:
    async with Api(app) as client:
        yield client


@pytest.fixture
def check_schema() -> Callable[..., list[str]]:
    return violations


@cache
def _vapid() -> Vapid02:
    vapid = Vapid02()
    vapid.generate_keys()
    return vapid


@pytest.fixture
def vapid_key() -> str:
    """The public key by which `push` identifies itself."""
    point = _vapid().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64url_encode(point)


Push = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def push(app: App) -> Push:
    """Sends a push message encrypted and signed by other people's libraries."""

    async def send(
        subscription: dict[str, Any],
        data: bytes = b"hello",
        *,
        headers: dict[str, str | None] | None = None,
        coding: str = "aes128gcm",
        claims: dict[str, Any] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        endpoint = httpx.URL(subscription["endpoint"])
        origin = f"{endpoint.scheme}://{endpoint.netloc.decode()}"
        own = {"aud": origin, "sub": "mailto:me@example.com", "exp": int(time.time()) + 3600}
        fields: dict[str, str | None] = {"TTL": "60", **_vapid().sign({**own, **(claims or {})})}
        if content is None and data:
            encoded = WebPusher(subscription).encode(data, coding)
            content = encoded["body"]
            fields["Content-Encoding"] = coding
            if coding == "aesgcm":
                fields["Encryption"] = f"salt={encoded['salt'].decode()}"
                fields["Crypto-Key"] = f"dh={encoded['crypto_key'].decode()};p256ecdsa=unknown"
        fields |= headers or {}
        kept = {name: value for name, value in fields.items() if value is not None}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as sender:
            return await sender.post(endpoint, content=content or b"", headers=kept)

    return send


class Exchange:
    """One request to the application that goes on while the test does other things."""

    def __init__(self, app: App, method: str, target: str, headers: dict[str, str]) -> None:
        path, _, query = target.partition("?")
        lines = {"host": "localhost", **headers}
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), text.encode()) for name, text in lines.items()],
        }
        self.status = 0
        self.headers: dict[str, str] = {}
        self.parts: asyncio.Queue[bytes] = asyncio.Queue()
        self.may_send = asyncio.Event()
        self.may_send.set()
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self.task = asyncio.ensure_future(app(self._scope, self._incoming.get, self._send))

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): text.decode() for name, text in message["headers"]}
            return
        await self.may_send.wait()
        self.parts.put_nowait(message["body"])

    def disconnect(self) -> None:
        """The client goes away."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def part(self) -> bytes:
        """The next part of the body."""
        return await asyncio.wait_for(self.parts.get(), 10)

    async def json(self) -> Any:
        """The whole answer."""
        return json.loads(await self.part())

    async def settle(self) -> None:
        """Lets the application go on until it waits."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def open_exchange(app: App) -> AsyncIterator[Callable[..., Exchange]]:
    opened: list[Exchange] = []

    def start(method: str, target: str, **headers: str) -> Exchange:
        lines = {name.replace("_", "-"): text for name, text in headers.items()}
        opened.append(Exchange(app, method, target, lines))
        return opened[-1]

    yield start
    for exchange in opened:
        exchange.task.cancel()
    await asyncio.gather(*(exchange.task for exchange in opened), return_exceptions=True)
