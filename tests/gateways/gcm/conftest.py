"""A Chromium of our own: it speaks with the service over HTTP and TLS, by Google's protobuf."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from mockpush.protocol.model import base64url_encode
from mockpush.server import Server
from mockpush.service import PushService

PATIENCE = 10
"""Real seconds after which what is waited for has not come."""
TAGS = {
    "HeartbeatPing": 0,
    "HeartbeatAck": 1,
    "LoginRequest": 2,
    "LoginResponse": 3,
    "Close": 4,
    "Iq": 7,
    "DataMessage": 8,
    "StreamError": 10,
}
NAMES = {tag: name for name, tag in TAGS.items()}


class Wire:
    """An MCS connection; frames that come are counted, as Chromium counts them."""

    def __init__(self, google: Any, reader: Any, writer: Any) -> None:
        self._google = google
        self._reader = reader
        self.writer = writer
        self.received = 0
        self.ids: list[str] = []

    def send(self, message: Any) -> None:
        body = message.SerializeToString()
        size, octets = len(body), b""
        while size > 127:
            octets += bytes([size % 128 + 128])
            size //= 128
        tag = bytes([TAGS[type(message).__name__]])
        self.writer.write(tag + octets + bytes([size]) + body)

    async def receive(self) -> Any:
        """The next frame; None at the end."""
        try:
            async with asyncio.timeout(PATIENCE):
                if self.received == 0:
                    assert await self._reader.readexactly(1) == b"\x29"
                tag = (await self._reader.readexactly(1))[0]
                size = shift = 0
                octet = 128
                while octet >= 128:
                    octet = (await self._reader.readexactly(1))[0]
                    size += octet % 128 << shift
                    shift += 7
                body = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        self.received += 1
        return getattr(self._google, NAMES[tag]).FromString(body)

    async def message(self) -> Any:
        """The next push message; other frames are skipped."""
        while not isinstance(found := await self.receive(), self._google.DataMessage):
            assert found is not None, "the connection has ended"
        self.ids.append(found.persistent_id)
        return found

    def acknowledge(self) -> None:
        """Everything that has come."""
        iq = self._google.Iq(type=1, id="", last_stream_id_received=self.received)
        iq.extension.id, iq.extension.data = 13, b""
        self.send(iq)

    async def settle(self) -> None:
        """Until the service has done what it was told; fails if a push message comes."""
        self.send(self._google.HeartbeatPing())
        while not isinstance(found := await self.receive(), self._google.HeartbeatAck):
            assert isinstance(found, self._google.Iq), found

    async def end(self) -> list[Any]:
        """What comes until the service ends the connection."""
        found = []
        while (each := await self.receive()) is not None:
            found.append(each)
        return found

    def cut(self) -> None:
        """Without a word."""
        self.writer.transport.abort()


class Browser:
    """One profile of a Chromium, with an application server that has one key."""

    def __init__(self, server: Server, http: httpx.AsyncClient, google: Any, path: str) -> None:
        self._server = server
        self.http = http
        self.google = google
        self._path = path
        self.android_id = self.security_token = 0
        self._vapid = Vapid02()
        self._vapid.generate_keys()
        self.point = self._vapid.public_key.public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        self.sender = base64url_encode(self.point)
        self.wires: list[Wire] = []

    async def checkin(self) -> httpx.Response:
        request = self.google.CheckinRequest(
            id=self.android_id, security_token=self.security_token, version=3
        )
        body = request.SerializeToString()
        answer = await self.http.post(f"{self._path}/gcm/checkin", content=body)
        if answer.status_code == 200:
            response = self.google.CheckinResponse.FromString(answer.content)
            assert response.stats_ok
            self.android_id = response.android_id
            self.security_token = response.security_token
        return answer

    async def ask(self, **form: str) -> str:
        """The body of the answer to a registration."""
        identity = f"AidLogin {self.android_id}:{self.security_token}"
        answer = await self.http.post(
            f"{self._path}/gcm/register3",
            data={"device": str(self.android_id), **form},
            headers={"Authorization": identity},
        )
        assert answer.status_code == 200
        return answer.text

    def form(self, subtype: str) -> dict[str, str]:
        return {
            "app": "org.chromium.linux",
            "X-subtype": subtype,
            "scope": "GCM",
            "X-scope": "GCM",
            "gmsv": "156",
            "appid": "abcdefghijk",
            "sender": self.sender,
        }

    async def register(self, subtype: str = "wp:http://localhost:1/#A-V2", **form: str) -> str:
        """The token of a new subscription."""
        [(word, token)] = parse_qsl(await self.ask(**self.form(subtype), **form))
        assert word == "token", token
        return token

    async def unregister(self, subtype: str = "wp:http://localhost:1/#A-V2") -> str:
        form = {**self.form(subtype), "sender": "*", "scope": "*", "X-scope": "*"}
        return await self.ask(**form, delete="true")

    async def open(self) -> Wire:
        """A connection on which nothing was said."""
        url = urlsplit(self._server.https_url)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            url.port,
            ssl=self._server.ssl_context,
            server_hostname="localhost",
        )
        wire = Wire(self.google, reader, writer)
        self.wires.append(wire)
        return wire

    def login(self, *received: str) -> Any:
        return self.google.LoginRequest(
            id="chrome-156.0.8078.79",
            domain="mcs.android.com",
            user=str(self.android_id),
            resource=str(self.android_id),
            auth_token=str(self.security_token),
            device_id=f"android-{self.android_id:x}",
            received_persistent_id=received,
            use_rmq2=True,
            auth_service=2,
        )

    async def connect(self, *received: str) -> Wire:
        """A connection on which it is logged in."""
        wire = await self.open()
        wire.writer.write(b"\x29")
        wire.send(self.login(*received))
        answer = await wire.receive()
        assert isinstance(answer, self.google.LoginResponse)
        assert not answer.HasField("error"), answer
        assert answer.last_stream_id_received == 1
        return wire

    async def push(
        self,
        token: str,
        body: bytes = b"body",
        *,
        ttl: int = 60,
        prefix: str = "/fcm/send/",
        origin: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """The application server sends something; the service cannot read it anyway."""
        claims = {"aud": origin or self._server.https_url, "sub": "mailto:a@example.com"}
        own = self._vapid.sign(claims)
        fields = {"TTL": str(ttl), "Content-Encoding": "aes128gcm", **own}
        return await self.http.post(
            prefix + token,
            content=body,
            headers=fields | {name.replace("_", "-"): value for name, value in headers.items()},
        )


@pytest.fixture
async def service() -> PushService:
    return PushService()


@pytest.fixture
async def server(service) -> AsyncIterator[Server]:
    async with Server(service) as server:
        yield server


@pytest.fixture
async def http(server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        verify=server.ssl_context, base_url=server.https_url, trust_env=False
    ) as client:
        yield client


@pytest.fixture
async def new_browser(server, http, google) -> AsyncIterator[Callable[..., Browser]]:
    """Makes browsers; `name` is the id that the user agent is to have."""
    browsers: list[Browser] = []

    def new(name: str | None = None) -> Browser:
        browsers.append(Browser(server, http, google, "" if name is None else f"/ua/{name}"))
        return browsers[-1]

    yield new
    for wire in (each for browser in browsers for each in browser.wires):
        wire.writer.close()


@pytest.fixture
async def browser(new_browser) -> Browser:
    """One that has an identity."""
    browser = new_browser()
    await browser.checkin()
    return browser


@pytest.fixture
def until():
    """Waits until something has become true, looking whenever the loop has gone on."""

    async def until(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(0)

    return until


@pytest.fixture
def messages(service):
    """All messages by their bodies, and what became of them."""

    async def messages() -> dict[bytes, str]:
        return {each.body: each.state for each in await service.storage.messages("default")}

    return messages


@pytest.fixture
def noise() -> bytes:
    return secrets.token_bytes(4096)
