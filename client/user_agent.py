"""The emulated browser: it subscribes, stays connected, decrypts and acknowledges.

It knows the service only by the protocol that user agents speak (RFC 8030, Sections 4 and 6).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from types import TracebackType
from typing import Self, TypeVar

from mockpush import errors
from mockpush.protocol.keys import generate_key_pair, parse_application_server_key
from mockpush.protocol.model import AUTH_SECRET_LENGTH, Urgency, base64url_decode, base64url_encode

from .connection import Connection
from .inbox import Inbox, Registration, SubscriptionChange
from .operations import Operations
from .push_subscription import PushSubscription
from .reception import DiscardedMessage, ReceivedMessage, ReceiverKeys
from .subscription_resource import subscribe
from .transports.base import Transport

T = TypeVar("T")


class PermissionState(StrEnum):
    """What the user says to push messages (W3C Permissions API)."""

    GRANTED = "granted"
    DENIED = "denied"
    PROMPT = "prompt"


class UserAgent:
    """A browser with one page that can subscribe to push messages; the fixture `push_user_agent`.

    It starts online. Messages come in by a background thread and whenever `received` is read, each
    once and in order. With permission `prompt`, subscribing asks the user, who consents.
    `application_server_key` is what `subscribe()` uses when it is called without a key. What is
    less urgent than `minimum_urgency` stays at the service: a browser that saves its battery.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        tenant: str = "default",
        permission: PermissionState | str = PermissionState.GRANTED,
        application_server_key: str | bytes | None = None,
        minimum_urgency: Urgency | str | None = None,
    ) -> None:
        self._transport = transport
        self._operations = Operations(transport, tenant=tenant)
        self._permission = PermissionState(permission)
        self._default_key = application_server_key
        self._inbox = Inbox()
        self._connection = Connection(transport, self._inbox)
        self._set_url: str | None = None
        self.minimum_urgency = minimum_urgency

    # PushManager

    def subscribe(
        self, application_server_key: str | bytes | None = None, *, user_visible_only: bool = True
    ) -> PushSubscription:
        """`PushManager.subscribe()`: a new subscription, or the one that has the same key already.

        The key is base64url or the 65 octets of the point. Raises what the promise would reject
        with, each an `errors.PushManagerError`.
        """
        if not user_visible_only:
            raise errors.NotAllowedError("silent push is not allowed: userVisibleOnly must be true")
        given = self._default_key if application_server_key is None else application_server_key
        key = _application_server_key(given)
        self._ask_permission()
        connection = self._connection
        with _aborting():
            connection.catch_up()
        with connection.turn:
            registration = connection.registration
            if registration is None:
                return self._register(key)
            if registration.application_server_key == key:
                return registration.subscription
        raise errors.InvalidStateError(
            "there is a subscription with another applicationServerKey: unsubscribe it first"
        )

    def unsubscribe(self) -> bool:
        """`PushSubscription.unsubscribe()`: whether there was a subscription."""
        return self._connection.give_up() is not None

    def resubscribe(self) -> PushSubscription:
        """Refreshes the subscription, as a browser may do at any time: new URL, new keys.

        The old one is gone after its messages have been received, and `pushsubscriptionchange` is
        fired. Without a subscription it is `subscribe()`.
        """
        self._connection.catch_up()
        with self._connection.turn:
            old = self._connection.registration
            if old is None:
                return self.subscribe()
            new = self._register(old.application_server_key)
            self._inbox.change(old, self._connection.registration)
            return new

    @property
    def subscription(self) -> PushSubscription | None:
        """`PushManager.getSubscription()`."""
        self._connection.catch_up()
        with self._connection.turn:
            registration = self._connection.registration
            return None if registration is None else registration.subscription

    @property
    def permission(self) -> PermissionState:
        """`PushManager.permissionState()`. Taking back a permission ends the subscription."""
        return self._permission

    @permission.setter
    def permission(self, state: PermissionState | str) -> None:
        self._permission = PermissionState(state)
        if self._permission is not PermissionState.GRANTED:
            with self._connection.turn:
                old = self._connection.give_up()
                if old is not None:
                    self._inbox.change(old, None)

    # The connection

    @property
    def online(self) -> bool:
        """Whether the browser runs and is connected."""
        return self._connection.online

    @property
    def minimum_urgency(self) -> Urgency | None:
        """The urgency below which messages wait at the service (RFC 8030, Section 5.3).

        None: all come. When it is lowered, what has waited comes in.
        """
        return self._connection.minimum_urgency

    @minimum_urgency.setter
    def minimum_urgency(self, lowest: Urgency | str | None) -> None:
        self._connection.minimum_urgency = None if lowest is None else Urgency(lowest)

    def go_offline(self) -> None:
        """Takes what has come so far, then goes away: messages wait at the service."""
        self._connection.go_offline()

    def go_online(self) -> None:
        """Comes back, and returns when everything that waited has been received."""
        self._connection.go_online()

    def close(self) -> None:
        """Ends the browser, and raises what callbacks have raised and nobody has seen yet.

        The subscription lives on at the service, as that of a browser that is not running.
        """
        self._connection.close()
        self._inbox.raise_errors()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except BaseException as late:
            if error is None:
                raise
            error.add_note(f"and in the user agent: {late!r}")

    # Events

    @property
    def received(self) -> list[ReceivedMessage]:
        """Every message that made a `push` event, oldest first, with all that can be had by now.

        Raises what callbacks have raised since the last time.
        """
        return self._caught_up(self._inbox.received)

    @property
    def discarded(self) -> list[DiscardedMessage]:
        """The messages that could not be read, oldest first."""
        return self._caught_up(self._inbox.discarded)

    @property
    def subscription_changes(self) -> list[SubscriptionChange]:
        """Every `pushsubscriptionchange` event, oldest first."""
        return self._caught_up(self._inbox.changes)

    def on_push(self, callback: Callable[[ReceivedMessage], T]) -> Callable[[ReceivedMessage], T]:
        """Has `callback` called with each message, in the thread that gets it; a decorator too."""
        self._inbox.push_callbacks.append(callback)
        return callback

    def on_subscription_change(
        self, callback: Callable[[SubscriptionChange], T]
    ) -> Callable[[SubscriptionChange], T]:
        """Has `callback` called with each `pushsubscriptionchange` event; a decorator too."""
        self._inbox.change_callbacks.append(callback)
        return callback

    # Below the surface

    def _ask_permission(self) -> None:
        if self._permission is PermissionState.DENIED:
            raise errors.NotAllowedError("the user has denied permission for push messages")
        self._permission = PermissionState.GRANTED

    def _register(self, key: bytes | None) -> PushSubscription:
        if not self.online:
            state = "closed" if self._connection.closed else "offline"
            raise errors.AbortError(f"the push service cannot be reached: the browser is {state}")
        private_key, p256dh = generate_key_pair()
        keys = ReceiverKeys(private_key, p256dh, secrets.token_bytes(AUTH_SECRET_LENGTH))
        with _aborting():
            resource = subscribe(
                self._transport,
                tenant=self._operations.tenant,
                application_server_key=key,
                set_url=self._set_url,
            )
        self._set_url = resource.set_url
        members = {"p256dh": base64url_encode(p256dh), "auth": base64url_encode(keys.auth)}
        subscription = PushSubscription(
            resource.id, self._operations, endpoint=resource.endpoint, keys=members
        )
        self._connection.serve(Registration(resource, keys, key, subscription))
        return subscription

    def _caught_up(self, events: list[T]) -> list[T]:
        self._connection.catch_up()
        with self._connection.turn:
            self._inbox.raise_errors()
            return list(events)


@contextmanager
def _aborting() -> Iterator[None]:
    try:
        yield
    except (errors.ConnectError, errors.ServiceError) as error:
        raise errors.AbortError(
            f"the push service refuses or cannot be reached: {error}"
        ) from error


def _application_server_key(key: str | bytes | None) -> bytes | None:
    """The uncompressed point, checked as `PushManager.subscribe()` does."""
    if key is None:
        return None
    text = base64url_encode(key) if isinstance(key, bytes) else key
    try:
        base64url_decode(text)
    except ValueError as error:
        raise errors.InvalidCharacterError(f"applicationServerKey is {error}") from None
    try:
        return parse_application_server_key(text)
    except errors.KeyFormatError as error:
        raise errors.InvalidAccessError(f"applicationServerKey: {error}") from None
