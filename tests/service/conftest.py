"""A service, and an application server that signs and encrypts with other people's libraries."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mockpush.options import ServiceOptions
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import Subscription, SubscriptionKeys, base64url_encode
from mockpush.protocol.records import PushMessage, RequestRecord, WireAnswer
from mockpush.service import DEFAULT_TENANT, PushService


def user_agent_keys() -> SubscriptionKeys:
    """Keys of a new user agent."""
    private_key, p256dh = generate_key_pair()
    return SubscriptionKeys(p256dh, bytes(range(16)), private_key)


class ApplicationServer:
    """Signs with one key; `push` sends a right request unless told otherwise."""

    def __init__(self, service: PushService) -> None:
        self._service = service
        self._private_key = ec.generate_private_key(ec.SECP256R1())
        self.key = self._private_key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )

    async def subscribe(self, tenant: str = DEFAULT_TENANT, **options: Any) -> Subscription:
        """A managed subscription, restricted to this server's key."""
        defaults = {"keys": user_agent_keys(), "application_server_key": self.key}
        return await self._service.subscribe(tenant, **{**defaults, **options})

    def authorization(self, subscription: Subscription, **claims: Any) -> str:
        """The header field; `exp` is by the process's clock."""
        own = {
            "aud": subscription.origins[0],
            "exp": int(time.time()) + 3600,
            "sub": "mailto:push@example.com",
        }
        token = jwt.encode({**own, **claims}, self._private_key, algorithm="ES256")
        return f"vapid t={token}, k={base64url_encode(self.key)}"

    def encrypt(self, subscription: Subscription, data: bytes) -> bytes:
        """An aes128gcm body."""
        return http_ece.encrypt(
            data,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=subscription.keys.p256dh,
            auth_secret=subscription.keys.auth,
            version="aes128gcm",
        )

    @staticmethod
    def point(private_key: ec.EllipticCurvePrivateKey) -> str:
        """The public key in base64url."""
        key = private_key.public_key()
        return base64url_encode(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    async def push(
        self,
        subscription: Subscription,
        data: bytes = b"hello",
        *,
        body: bytes | None = None,
        method: str = "POST",
        headers: Mapping[str, str | None] | None = None,
        token: str | None = None,
        claims: Mapping[str, Any] | None = None,
    ) -> WireAnswer:
        """Sends `data` encrypted, or `body` as it is; a header of None is left out."""
        fields = {
            "TTL": "60",
            "Content-Encoding": "aes128gcm",
            "Authorization": self.authorization(subscription, **(claims or {})),
            **(headers or {}),
        }
        lines = [
            (name.lower().encode(), value.encode())
            for name, value in fields.items()
            if value is not None
        ]
        token = subscription.token if token is None else token
        return await self._service.receive(
            profile=self._service.profiles[subscription.profile],
            token=token,
            method=method,
            target=f"/push/{token}",
            headers=lines,
            body=self.encrypt(subscription, data) if body is None else body,
        )


class Observer:
    """What a test looks at."""

    def __init__(self, service: PushService) -> None:
        self._storage = service.storage

    async def messages(self, tenant: str = DEFAULT_TENANT) -> list[PushMessage]:
        return list(await self._storage.messages(tenant))

    async def last_message(self, tenant: str = DEFAULT_TENANT) -> PushMessage:
        return (await self.messages(tenant))[-1]

    async def states(self, tenant: str = DEFAULT_TENANT) -> list[str]:
        return [message.state.value for message in await self.messages(tenant)]

    async def last_request(self, tenant: str = DEFAULT_TENANT) -> RequestRecord:
        return (await self._storage.requests(tenant))[-1]

    async def kinds(self, tenant: str = DEFAULT_TENANT, *, after: int = 0) -> list[str]:
        return [event.kind.value for event in await self._storage.events(tenant, after=after)]


class RealClock:
    """Stands in for the real time."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def make_service() -> Callable[..., PushService]:
    return lambda **options: PushService(ServiceOptions(**options))


@pytest.fixture
def service(make_service) -> PushService:
    return make_service()


@pytest.fixture
def sender(service) -> ApplicationServer:
    return ApplicationServer(service)


@pytest.fixture
def make_sender() -> Callable[[PushService], ApplicationServer]:
    return ApplicationServer


@pytest.fixture
def observer(service) -> Observer:
    return Observer(service)


@pytest.fixture
def make_observer() -> Callable[[PushService], Observer]:
    return Observer


@pytest.fixture
def real_clock(monkeypatch) -> RealClock:
    """The service's real time, under the test's control."""
    clock = RealClock()
    monkeypatch.setattr("mockpush.service.real_time", clock)
    return clock


@pytest.fixture
def problem() -> Callable[[WireAnswer], dict[str, Any]]:
    """Read the problem document of an answer."""

    def read(answer: WireAnswer) -> dict[str, Any]:
        assert dict(answer.headers)[b"content-type"] == b"application/problem+json"
        document = json.loads(answer.body)
        assert document["status"] == answer.status
        return document

    return read
