"""An application server that makes the mistakes that it is told to make."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import http_ece
import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import webpush

from mockpush.client.push_subscription import PushSubscription
from mockpush.protocol.model import base64url_decode, base64url_encode

MAILTO = "mailto:push@example.com"


class KeyPair:
    """A VAPID key pair."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        point = self.private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        self.public = base64url_encode(point)
        scalar = self.private.private_numbers().private_value.to_bytes(32, "big")
        self.scalar = base64url_encode(scalar)


class Application:
    """Pushes with other people's libraries, and reads what a user would read about that."""

    heard: ClassVar[set[str]] = set()
    """The codes of everything that was told."""

    def __init__(self, push_service: Any) -> None:
        self.service = push_service
        self.keys = KeyPair()

    def subscribe(self, profile: str = "rfc", **options: Any) -> PushSubscription:
        """A subscription to this application's key."""
        key = options.pop("key", self.keys)
        options.setdefault("application_server_key", key and key.public)
        return self.service.subscribe(profile=profile, **options)

    def authorization(
        self, subscription: PushSubscription, *, key: KeyPair | None = None, **claims: Any
    ) -> str:
        """The header field; a claim of None is left out."""
        key = key or self.keys
        own = {
            "aud": "/".join(subscription.endpoint.split("/")[:3]),
            "exp": int(time.time()) + 43200,
            "sub": MAILTO,
            **claims,
        }
        sent = {name: value for name, value in own.items() if value is not None}
        token = jwt.encode(sent, key.private, algorithm="ES256")
        return f"vapid t={token}, k={key.public}"

    def encrypt(
        self, subscription: PushSubscription, data: bytes = b"hello", **options: Any
    ) -> bytes:
        """An aes128gcm body; `salt` and `private_key` can be given."""
        options.setdefault("private_key", ec.generate_private_key(ec.SECP256R1()))
        return http_ece.encrypt(
            data,
            dh=base64url_decode(options.pop("p256dh", subscription.p256dh)),
            auth_secret=base64url_decode(options.pop("auth", subscription.auth)),
            version="aes128gcm",
            **options,
        )

    def push(
        self,
        subscription: PushSubscription,
        data: bytes = b"hello",
        *,
        body: bytes | None = None,
        headers: dict[str, str | None] | None = None,
        key: KeyPair | None = None,
        **claims: Any,
    ) -> requests.Response:
        """A right request but for what is given; a header of None is left out."""
        fields = {
            "TTL": "60",
            "Content-Encoding": "aes128gcm",
            "Authorization": self.authorization(subscription, key=key, **claims),
            **(headers or {}),
        }
        return requests.post(
            subscription.endpoint,
            data=self.encrypt(subscription, data) if body is None else body,
            headers={name: value for name, value in fields.items() if value is not None},
            timeout=10,
        )

    def webpush(self, subscription: PushSubscription, claims: dict[str, Any], **options: Any):
        """Sends with pywebpush, which writes into `claims`."""
        return webpush(
            dict(subscription),
            "hello",
            vapid_private_key=self.keys.scalar,
            vapid_claims=claims,
            **options,
        )

    def told(self) -> str:
        """All that is said about the last request, on one line."""
        *earlier, request = self.service.requests
        self.heard.update(code for each in (*earlier, request) for code in each.codes)
        findings = (
            f"{each} expected {each.expected}, got {each.actual}. {each.hint}"
            for each in request.findings
        )
        return " ".join([str(request), *findings])

    def codes(self) -> list[str]:
        """The codes of all findings of the last request."""
        return self.service.requests[-1].codes
