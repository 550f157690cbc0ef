"""A subscription as JSON, as far as an offline inspection can use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mockpush.errors import CaptureError
from mockpush.protocol.keys import (
    decode_any_base64,
    load_private_key,
    parse_application_server_key,
    parse_private_key,
    public_point,
)
from mockpush.protocol.model import AUTH_SECRET_LENGTH, SubscriptionKeys, base64url_encode


@dataclass(frozen=True, slots=True)
class KnownSubscription:
    """What is known of the subscription that a push went to."""

    keys: SubscriptionKeys | None = None
    application_server_key: bytes | None = None


UNKNOWN: Final = KnownSubscription()


def read_subscription(document: Mapping[str, Any]) -> KnownSubscription:
    """A subscription in the shape of the W3C, with `keys.private_key` if that is known.

    The private key is PEM, or its 32 octets in base64url. `applicationServerKey` is read as well,
    where the control API shows it; other members are passed over. `CaptureError` names the member
    that cannot be read, and never shows a secret.
    """
    if not isinstance(document, Mapping):
        raise CaptureError("the subscription must be a JSON object with endpoint and keys")
    keys = document.get("keys")
    if keys is not None and not isinstance(keys, Mapping):
        raise CaptureError("keys of the subscription must be an object with p256dh and auth")
    key = document.get("applicationServerKey")
    return KnownSubscription(
        _keys(keys) if keys else None,
        None if key is None else _member("applicationServerKey", key, _point),
    )


def _keys(keys: Mapping[str, Any]) -> SubscriptionKeys:
    p256dh = _member("keys.p256dh", keys.get("p256dh"), _point)
    auth = _member("keys.auth", keys.get("auth"), _auth)
    secret = keys.get("private_key")
    if secret is None:
        return SubscriptionKeys(p256dh, auth)
    scalar = _member("keys.private_key", secret, _private_key)
    if public_point(load_private_key(scalar).public_key()) != p256dh:
        raise CaptureError("keys.private_key of the subscription does not belong to keys.p256dh")
    return SubscriptionKeys(p256dh, auth, scalar)


def _member(name: str, value: object, read: Callable[[str], bytes]) -> bytes:
    if not isinstance(value, str):
        raise CaptureError(f"{name} of the subscription must be a text")
    try:
        return read(value)
    except ValueError as error:
        raise CaptureError(f"{name} of the subscription cannot be read: {error}") from None


def _point(text: str) -> bytes:
    return parse_application_server_key(base64url_encode(decode_any_base64(text.encode())))


def _auth(text: str) -> bytes:
    secret = decode_any_base64(text.encode())
    if len(secret) != AUTH_SECRET_LENGTH:
        raise ValueError(f"it has {len(secret)} octets instead of {AUTH_SECRET_LENGTH}")
    return secret


def _private_key(text: str) -> bytes:
    try:
        return parse_private_key(text)
    except ValueError:
        raise ValueError("it is no P-256 private key in base64url or PEM") from None
