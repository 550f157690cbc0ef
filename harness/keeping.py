"""The jobs of senders that keep subscriptions, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

from .errors import SenderError
from .jobs import SendResult, in_base64, key_pair, member, public_key, wrong

if TYPE_CHECKING:
    from mockpush.protocol.model import Urgency
    from mockpush.vapid_keys import VapidKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeJob:
    """A subscription to keep, as a browser hands it over, and the key pair that it was made for."""

    subscription: Mapping[str, object]
    vapid: VapidKeys

    def as_json(self) -> dict[str, object]:
        """The members of the job on the wire."""
        return {**self.shown(), "vapid": key_pair(self.vapid)}

    def shown(self) -> dict[str, object]:
        """The members without the private key, as reports show them."""
        subscription = dict(self.subscription)
        return {"op": "subscribe", "subscription": subscription, "vapid": public_key(self.vapid)}

    def result(self, members: Mapping[str, object]) -> SendResult:
        return SendResult.parse(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyJob:
    """A push message to everybody whose subscription is kept. `ttl` is in seconds."""

    payload: bytes | None
    ttl: int
    urgency: Urgency | None
    topic: str | None

    def as_json(self) -> dict[str, object]:
        """The members of the job on the wire."""
        return {
            "op": "notify",
            "payload": in_base64(self.payload),
            "ttl": self.ttl,
            "urgency": self.urgency and str(self.urgency),
            "topic": self.topic,
        }

    def shown(self) -> dict[str, object]:
        return self.as_json()

    def result(self, members: Mapping[str, object]) -> NotifyResult:
        return NotifyResult.parse(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionsJob:
    """Which subscriptions are kept?"""

    def as_json(self) -> dict[str, object]:
        """The members of the job on the wire."""
        return {"op": "subscriptions"}

    def shown(self) -> dict[str, object]:
        return self.as_json()

    def result(self, members: Mapping[str, object]) -> KeptResult:
        return KeptResult.parse(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetJob:
    """Forget all subscriptions."""

    def as_json(self) -> dict[str, object]:
        """The members of the job on the wire."""
        return {"op": "reset"}

    def shown(self) -> dict[str, object]:
        return self.as_json()

    def result(self, members: Mapping[str, object]) -> SendResult:
        return SendResult.parse(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyResult:
    """What came of a fan-out: how many messages were `sent`, and how many subscriptions failed."""

    ok: bool
    sent: int = 0
    failed: int = 0
    error: str | None = None
    unsupported: str | None = None

    @classmethod
    def parse(cls, members: Mapping[str, object]) -> Self:
        """Members that are not known are ignored; `SenderError` names a missing or wrong one."""
        told = SendResult.parse(members)
        if told.unsupported is not None:
            return cls(ok=False, unsupported=told.unsupported)
        return cls(
            ok=told.ok,
            sent=_count(members, "sent"),
            failed=_count(members, "failed"),
            error=told.error,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResult:
    """The `endpoints` of the subscriptions that an application keeps."""

    endpoints: tuple[str, ...]
    ok: bool = True
    error: str | None = None
    unsupported: str | None = None

    @classmethod
    def parse(cls, members: Mapping[str, object]) -> Self:
        """Members that are not known are ignored; `SenderError` names a missing or wrong one."""
        endpoints: list[object] | None = member(members, "endpoints", list)
        if endpoints is None or not all(isinstance(each, str) for each in endpoints):
            raise SenderError(wrong(members, "endpoints", "a list of endpoints"))
        return cls(endpoints=tuple(map(str, endpoints)))


AnyResult: TypeAlias = SendResult | NotifyResult | KeptResult


def _count(members: Mapping[str, object], name: str) -> int:
    number = member(members, name, int)
    if number is None or number < 0:
        raise SenderError(wrong(members, name, "how many"))
    return number
