"""The emulated browser: it subscribes, stays connected, decrypts and acknowledges.

It knows the service only by the protocol that user agents speak (RFC 8030, Sections 4 and 6).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Final, Self, TypeVar

from mockpush import errors
from mockpush.protocol.keys import generate_key_pair, parse_application_server_key
from mockpush.protocol.model import AUTH_SECRET_LENGTH, base64url_decode, base64url_encode

from .inbox import Inbox, Registration, SubscriptionChange
from .monitoring import Monitor, Turn
from .operations import Operations
from .push_subscription import PushSubscription
from .reception import DiscardedMessage, ReceivedMessage, ReceiverKeys
from .subscription_resource import Delivery, SubscriptionResource, subscribe
from .transports.base import Transport

T = TypeVar("T")

_WAIT: Final = 30
"""Seconds that one monitoring request waits for a message."""


class PermissionState(StrEnum):
    """What the user says to push messages (W3C Permissions API)."""

    GRANTED = "granted"
    DENIED = "denied"
    PROMPT = "prompt"


class UserAgent:
    """A browser with one page that can subscribe to push messages; the fixture `push_user_agent`.

    It starts online. Messages come in by a background thread and whenever `received` is read, each
    once and in order. With permission `prompt`, subscribing asks the user, who consents.
    `application_server_key` is what `subscribe()` uses when it is called without a key.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        tenant: str = "default",
        permission: PermissionState | str = PermissionState.GRANTED,
        application_server_key: str | bytes | None = None,
    ) -> None:
        self._transport = transport
        self._operations = Operations(transport, tenant=tenant)
        self._permission = PermissionState(permission)
        self._default_key = application_server_key
        self._online = True
        self._closed = False
        self._registration: Registration | None = None
        self._turn = Turn()
        self._monitors: list[Monitor] = []
        self._left_behind: list[SubscriptionResource] = []
        self._inbox = Inbox()

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
        self._catch_up()
        with self._turn:
            registration = self._registration
            if registration is None:
                return self._register(key).subscription
            if registration.application_server_key == key:
                return registration.subscription
        raise errors.InvalidStateError(
            "there is a subscription with another applicationServerKey: unsubscribe it first"
        )

    def unsubscribe(self) -> bool:
        """`PushSubscription.unsubscribe()`: whether there was a subscription."""
        return self._leave() is not None

    def resubscribe(self) -> PushSubscription:
        """Refreshes the subscription, as a browser may do at any time: new URL, new keys.

        The old one is gone after its messages have been received, and `pushsubscriptionchange` is
        fired. Without a subscription it is `subscribe()`.
        """
        self._catch_up()
        with self._turn:
            old = self._registration
            if old is None:
                return self.subscribe()
            new = self._register(old.application_server_key)
            self._say_goodbye(old.resource)
            self._inbox.change(old, new)
            return new.subscription

    @property
    def subscription(self) -> PushSubscription | None:
        """`PushManager.getSubscription()`."""
        self._catch_up()
        with self._turn:
            return None if self._registration is None else self._registration.subscription

    @property
    def permission(self) -> PermissionState:
        """`PushManager.permissionState()`. Taking back a permission ends the subscription."""
        return self._permission

    @permission.setter
    def permission(self, state: PermissionState | str) -> None:
        self._permission = PermissionState(state)
        if self._permission is not PermissionState.GRANTED:
            with self._turn:
                old = self._leave()
                if old is not None:
                    self._inbox.change(old, None)

    # The connection

    @property
    def online(self) -> bool:
        """Whether the browser runs and is connected."""
        return self._online

    def go_offline(self) -> None:
        """Takes what has come so far, then goes away: messages wait at the service."""
        self._catch_up()
        with self._turn:
            if not self._online:
                return
            self._online = False
            self._stop_monitors()
            registration = self._registration
        if registration is not None:
            self._unless_gone(registration, registration.resource.go_offline)

    def go_online(self) -> None:
        """Comes back, and returns when everything that waited has been received."""
        with self._turn:
            if self._closed:
                raise errors.ConnectError("the browser is closed")
            self._online = True
            while self._left_behind:
                self._say_goodbye(self._left_behind.pop())
            registration = self._registration
        if registration is not None:
            self._unless_gone(registration, registration.resource.go_online)
        self._catch_up()

    def close(self) -> None:
        """Ends the browser, and raises what callbacks have raised and nobody has seen yet.

        The subscription lives on at the service, as that of a browser that is not running.
        """
        with self._turn:
            if not self._closed:
                self._closed = True
                self._quit()
                self._online = False
        if not self._turn.mine:
            for monitor in self._monitors:
                monitor.join()
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

    def _register(self, key: bytes | None) -> Registration:
        if self._closed or not self._online:
            state = "closed" if self._closed else "offline"
            raise errors.AbortError(f"the push service cannot be reached: the browser is {state}")
        private_key, p256dh = generate_key_pair()
        keys = ReceiverKeys(private_key, p256dh, secrets.token_bytes(AUTH_SECRET_LENGTH))
        try:
            resource = subscribe(
                self._transport, tenant=self._operations.tenant, application_server_key=key
            )
        except (errors.ConnectError, errors.ServiceError) as error:
            raise errors.AbortError(f"the push service refused to subscribe: {error}") from error
        self._stop_monitors()
        self._registration = Registration(resource, keys, key, self._shape(resource, keys))
        self._start_monitor(self._registration)
        return self._registration

    def _shape(self, resource: SubscriptionResource, keys: ReceiverKeys) -> PushSubscription:
        members = {"p256dh": base64url_encode(keys.p256dh), "auth": base64url_encode(keys.auth)}
        return PushSubscription(
            resource.id, self._operations, endpoint=resource.endpoint, keys=members
        )

    def _leave(self) -> Registration | None:
        """Gives up the subscription, and tells the service when it can be reached."""
        with self._turn:
            registration, self._registration = self._registration, None
            if registration is not None:
                self._stop_monitors()
                self._say_goodbye(registration.resource)
        return registration

    def _say_goodbye(self, resource: SubscriptionResource) -> None:
        if not self._online:
            self._left_behind.append(resource)
            return
        try:
            resource.delete()
        except errors.NotFoundError:
            return  # what is gone needs no goodbye

    def _unless_gone(self, registration: Registration, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except errors.NotFoundError:
            self._lose(registration)
        return None

    def _lose(self, registration: Registration) -> None:
        """The service does not know the subscription any more (RFC 8030, Section 7.3)."""
        with self._turn:
            if self._registration is registration:
                self._registration = None
                self._stop_monitors()
                self._inbox.change(registration, None)

    def _caught_up(self, events: list[T]) -> list[T]:
        self._catch_up()
        with self._turn:
            self._inbox.raise_errors()
            return list(events)

    def _catch_up(self) -> None:
        """Takes everything that the service has for us now.

        Of two monitoring requests the later one gets the messages. Therefore the monitor begins
        none while we hold the turn, and "nothing there" counts once its last one has ended.
        """
        with self._turn:
            while self._online and (registration := self._registration):
                alone = not any(monitor.asking for monitor in self._monitors)
                try:
                    delivery = registration.resource.monitor(wait=0)
                except errors.NotFoundError:
                    self._lose(registration)
                    continue
                if delivery is not None:
                    self._take(registration, delivery)
                elif alone:
                    self._start_monitor(registration)
                    return

    def _start_monitor(self, registration: Registration) -> None:
        self._monitors = [monitor for monitor in self._monitors if monitor.alive]
        if any(not monitor.stopped for monitor in self._monitors):
            return

        def turn(monitor: Monitor) -> None:
            self._watch(registration, monitor)

        self._monitors.append(Monitor(self._transport.fork(), turn, self._inbox.failed))

    def _stop_monitors(self) -> None:
        for monitor in self._monitors:
            monitor.stop()

    def _watch(self, registration: Registration, monitor: Monitor) -> None:
        """Waits for one message in the background."""
        with self._turn:
            monitor.asking = not monitor.stopped
        if not monitor.asking:
            return
        try:
            delivery = registration.resource.monitor(wait=_WAIT, transport=monitor.transport)
        except errors.NotFoundError:
            monitor.asking = False
            self._lose(registration)
            return
        finally:
            monitor.asking = False
        if delivery is not None:
            self._take(registration, delivery, monitor)

    def _take(
        self, registration: Registration, delivery: Delivery, monitor: Monitor | None = None
    ) -> None:
        """Processes a message once, whoever got it; what comes too late is delivered again."""
        with self._turn:
            current = self._online and self._registration is registration
            if current and not (monitor is not None and monitor.stopped):
                self._inbox.take(registration, delivery)

    def _quit(self) -> None:
        self._stop_monitors()
        if self._registration is None or not self._online:
            return
        try:
            self._registration.resource.go_offline()
        except (errors.ConnectError, errors.NotFoundError):
            return  # the service or the subscription has gone first


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
