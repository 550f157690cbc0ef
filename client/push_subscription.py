"""PushSubscription: the W3C's shape as a dict that knows where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mockpush.protocol.model import SubscriptionState

if TYPE_CHECKING:
    from .operations import Operations
    from .records import Message


class PushSubscription(dict[str, Any]):
    """What `JSON.stringify(subscription)` gives in a browser (W3C Push API, Section 8).

    `{"endpoint": …, "expirationTime": None, "keys": {"p256dh": …, "auth": …}}`. It compares as a
    dict does, and copies and pickles are plain dicts, as an application would store it.
    """

    __slots__ = ("_operations", "id")

    def __init__(
        self,
        subscription_id: str,
        operations: Operations,
        *,
        endpoint: str,
        keys: Mapping[str, str] | None,
        expiration_time: int | None = None,
    ) -> None:
        super().__init__(endpoint=endpoint, expirationTime=expiration_time, keys=dict(keys or {}))
        self.id = subscription_id
        self._operations = operations

    @property
    def endpoint(self) -> str:
        """The URL of the push resource."""
        return str(self["endpoint"])

    @property
    def p256dh(self) -> str:
        """The user agent's public key, base64url."""
        return str(self["keys"]["p256dh"])

    @property
    def auth(self) -> str:
        """The authentication secret, base64url."""
        return str(self["keys"]["auth"])

    @property
    def state(self) -> SubscriptionState:
        """What has become of it at the service."""
        return self._operations.subscription_state(self.id)

    @property
    def messages(self) -> list[Message]:
        """The push messages that were sent to it and accepted, oldest first."""
        return self._operations.messages_to(self.id)

    def expire(self, status: int | None = None) -> None:
        """Lets it expire: from now on pushes are answered with 410, or with `status`."""
        self._operations.expire(self.id, status=status)

    def unsubscribe(self) -> None:
        """Removes it, as its user agent would."""
        self._operations.delete_subscription(self.id)

    def online(self) -> None:
        """Its user agent is there again; returns when pending messages have been delivered."""
        self._operations.set_online(self.id)

    def offline(self) -> None:
        """Its user agent is away: messages stay pending, and those with TTL 0 are dropped."""
        self._operations.set_offline(self.id)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)

    def __repr__(self) -> str:
        return f"<PushSubscription {self.id} {self.endpoint}>"
