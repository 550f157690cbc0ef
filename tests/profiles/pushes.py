"""A service in process, and a sender that can be made to do anything wrong."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import WebPusher

from mockpush.http.app import App
from mockpush.options import ServiceOptions
from mockpush.protocol.model import Subscription, SubscriptionKeys, SubscriptionState
from mockpush.service import PushService

KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
"""The application server's, and one that does not belong to the subscription."""
USER_AGENT = ec.generate_private_key(ec.SECP256R1())
AUTH = b"0123456789abcdef"


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


KEYS = SubscriptionKeys(
    point(USER_AGENT), AUTH, USER_AGENT.private_numbers().private_value.to_bytes(32, "big")
)


@cache
def encrypted(coding: str = "aes128gcm", *, key: ec.EllipticCurvePrivateKey = USER_AGENT) -> Any:
    """A message encrypted by another library."""
    keys = {"p256dh": base64url(point(key)), "auth": base64url(AUTH)}
    return WebPusher({"endpoint": "https://localhost", "keys": keys}).encode(b"hello", coding)


def token(key: ec.EllipticCurvePrivateKey, claims: dict[str, Any]) -> str:
    """A JWT signed with ES256."""
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@dataclass(frozen=True, kw_only=True)
class Push:
    """A right push to a restricted subscription, but for what is said otherwise.

    `claims` of None are left out; `exp_in` counts from now. `signer` makes the token; `key` is the
    text of the public key beside it. `authorization` is the whole field, `text` the whole token.
    `ended`: the subscription has ended, to be answered with this status, or as the profile likes.
    `headers` of None are left out.
    """

    method: str = "POST"
    at: str | None = None
    ended: int | None = 0
    restricted: bool = True
    opaque: bool = False
    claims: tuple[tuple[str, Any], ...] = ()
    exp_in: int = 3600
    signer: ec.EllipticCurvePrivateKey = KEY
    key: str | None = None
    text: str | None = None
    scheme: str = "vapid"
    authorization: str | None = None
    body: bytes | None = None
    headers: tuple[tuple[str, str | None], ...] = ()

    def fields(self, origin: str) -> dict[str, str]:
        """The header fields."""
        named = {"TTL": "60", "Content-Encoding": "aes128gcm", **self._identity(origin)}
        if self.authorization is not None:
            named["Authorization"] = self.authorization
        named |= dict(self.headers)
        return {name: value for name, value in named.items() if value is not None}

    def _identity(self, origin: str) -> dict[str, str]:
        standard = {"aud": origin, "sub": "mailto:me@example.com"}
        claims = {**standard, "exp": int(time.time()) + self.exp_in, **dict(self.claims)}
        kept = {name: value for name, value in claims.items() if value is not None}
        text = token(self.signer, kept) if self.text is None else self.text
        key = base64url(point(KEY)) if self.key is None else self.key
        if self.scheme == "vapid":
            return {"Authorization": f"vapid t={text}, k={key}"}
        return {"Authorization": f"{self.scheme} {text}", "Crypto-Key": f"p256ecdsa={key}"}


class Bench:
    """One service, its application over HTTP, and the subscription of the last push."""

    def __init__(self, **options: Any) -> None:
        self.service = PushService(ServiceOptions(**options))
        self.app = App(self.service)
        self.subscription: Subscription | None = None

    async def push(self, profile: str, push: Push) -> httpx.Response:
        """Sends it to a new subscription."""
        self.subscription = await self._subscribe(profile, push)
        endpoint = self.subscription.endpoint
        if push.at is not None:
            endpoint = endpoint.replace(self.subscription.token, push.at)
        body = encrypted()["body"] if push.body is None else push.body
        origin = self.subscription.origins[0]
        return await self.send(push.method, endpoint, body, push.fields(origin))

    async def send(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """One request to the application."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
            return await client.request(method, url, content=body, headers=headers)

    async def _subscribe(self, profile: str, push: Push) -> Subscription:
        key = point(KEY) if push.restricted else None
        keys = None if push.opaque else KEYS
        made = await self.service.subscribe(profile=profile, application_server_key=key, keys=keys)
        if push.ended != 0:
            await self.service.end_subscription(
                made, state=SubscriptionState.EXPIRED, gone_status=push.ended
            )
        return made
