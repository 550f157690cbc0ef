"""The nouns of RFC 8030 as values.

Times are seconds since the epoch on the tenant's clock, unless a name says otherwise; keys and
bodies are bytes.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

P256_POINT_LENGTH: Final = 65
AUTH_SECRET_LENGTH: Final = 16
NO_TENANT: Final = ""
"""What belongs to no tenant: the server's own journal, user agents."""
TOKEN_BYTES: Final = 18
"""144 bits: capability URLs need at least 120 (RFC 8030, Section 8.3)."""


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def base64url_encode(data: bytes) -> str:
    """Unpadded base64url (RFC 7515, Section 2)."""
    text = binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE)
    return text.decode("ascii")


def base64url_decode(text: str) -> bytes:
    """Unpadded base64url; `ValueError` for padding, another alphabet, an impossible length."""
    if not _is_base64url(text) or len(text) % 4 == 1:
        raise ValueError("not unpadded base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:  # pragma: no cover - the checks above leave nothing to refuse
        raise ValueError("not unpadded base64url") from error


_BASE64URL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _is_base64url(text: str) -> bool:
    return _BASE64URL.issuperset(text)


def new_token() -> str:
    """An unguessable, URL-safe token for a resource; no command takes it for an option."""
    token = base64url_encode(os.urandom(TOKEN_BYTES))
    return token if token[0] != "-" else new_token()


class Urgency(StrEnum):
    """How important a message is to the user agent (RFC 8030, Section 5.3)."""

    VERY_LOW = "very-low"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    def at_least(self, lowest: Urgency) -> bool:
        """Whether it is not below `lowest` (text would be compared by the alphabet)."""
        return _RANKS[self] >= _RANKS[lowest]


_RANKS: Final = {urgency: rank for rank, urgency in enumerate(Urgency)}


class MessageState(StrEnum):
    """Where a push message is in its life; `delivery.py` holds the table of transitions."""

    __hash__ = str.__hash__  # Enum's own is a Python function, too slow for so many look-ups

    PENDING = "pending"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    EXPIRED = "expired"
    REPLACED = "replaced"
    DROPPED = "dropped"
    CANCELLED = "cancelled"


class SubscriptionState(StrEnum):
    """A subscription is `active` until it is `expired` (by time or on demand) or `removed`."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class SubscriptionKeys:
    """The user agent's keys (RFC 8291, Section 2): `p256dh` 65 octets, `auth` 16 octets.

    With `private_key` (the scalar, 32 octets) the subscription is *managed*: we can decrypt.
    """

    p256dh: bytes
    auth: bytes
    private_key: bytes | None = None


class Holder(NamedTuple):
    """Where a gateway delivers: `user_agent` is its id, `device` and `channel` are the gateway's.

    For Firefox these two are its `uaid` and the `channelID`, for Chromium the id and the app.
    """

    user_agent: str
    device: str
    channel: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A push subscription (RFC 8030, Section 4) and its push resource.

    `origins` are the origins under which the endpoint was given out; `aud` is compared with them.
    `application_server_key` (65 octets) makes it a restricted one (RFC 8292, Section 4).
    `held`: a user agent fetches its messages; otherwise the service acts as the user agent. With a
    `holder` it gets them through a gateway.
    `gone_status` overrides the profile's own answer once the subscription is not active.
    `set_id` names the subscription set that it belongs to (RFC 8030, Section 4.1).
    Storage sets `sequence`, which orders the subscriptions of a tenant.
    """

    id: str
    token: str
    tenant: str
    profile: str
    endpoint: str
    origins: tuple[str, ...]
    created_at: float
    keys: SubscriptionKeys | None = None
    application_server_key: bytes | None = None
    expires_at: float | None = None
    held: bool = False
    holder: Holder | None = None
    online: bool = True
    state: SubscriptionState = SubscriptionState.ACTIVE
    gone_status: int | None = None
    set_id: str | None = None
    sequence: int = field(default=0, compare=False)

    @property
    def managed(self) -> bool:
        """Whether the service holds the private key and can read the payload."""
        return self.keys is not None and self.keys.private_key is not None


@dataclass(frozen=True, slots=True)
class SubscriptionSet:
    """Subscriptions that are monitored together (RFC 8030, Section 4.1): the active ones."""

    id: str
    tenant: str
    members: tuple[Subscription, ...]


@dataclass(slots=True)
class PushRequest:
    """One request to a push resource, as it came.

    `headers` are the raw field lines in order, names in lower case. `received_at` is on the
    tenant's clock, `token_time` on the one that judges tokens (seconds since the epoch).
    """

    method: str
    target: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    received_at: float
    token_time: float
    http_version: str = "1.1"
