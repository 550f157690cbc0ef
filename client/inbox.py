"""What has happened to a user agent: messages, changes of subscription, and who is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from .push_subscription import PushSubscription
from .reception import DiscardedMessage, ReceivedMessage, ReceiverKeys, receive
from .subscription_resource import Delivery, SubscriptionResource

_REMEMBERED: Final = 1024
"""So many messages are remembered, lest one that comes twice be processed twice."""


class SubscriptionChange(NamedTuple):
    """A `pushsubscriptionchange` event; `new` is None when there is no new subscription.

    `old` is None only when a real browser does not say it.
    """

    old: PushSubscription | None
    new: PushSubscription | None


@dataclass(frozen=True, slots=True, repr=False)
class Registration:
    """A subscription as its user agent holds it, private key and all."""

    resource: SubscriptionResource
    keys: ReceiverKeys
    application_server_key: bytes | None
    subscription: PushSubscription


class Inbox:
    """Processes each message once, keeps what came of it and tells the callbacks.

    What callbacks raise is kept for `raise_errors`. The caller sees to it that only one thread at a
    time is in here.
    """

    def __init__(self) -> None:
        self.received: list[ReceivedMessage] = []
        self.discarded: list[DiscardedMessage] = []
        self.changes: list[SubscriptionChange] = []
        self.push_callbacks: list[Callable[[ReceivedMessage], object]] = []
        self.change_callbacks: list[Callable[[SubscriptionChange], object]] = []
        self._processed: deque[str] = deque(maxlen=_REMEMBERED)
        self._errors: deque[BaseException] = deque()

    def take(self, registration: Registration, delivery: Delivery) -> None:
        """Reads a message and acknowledges it, then makes the `push` event.

        One that comes again, because its acknowledgement was lost, is only acknowledged.
        """
        message = None
        if delivery.url not in self._processed:
            self._processed.append(delivery.url)
            message = self._keep(receive(delivery, registration.keys))
        try:
            registration.resource.acknowledge(delivery)
        finally:
            if message is not None:
                self._fire(self.push_callbacks, message)

    def _keep(self, message: ReceivedMessage | DiscardedMessage) -> ReceivedMessage | None:
        if isinstance(message, DiscardedMessage):
            self.discarded.append(message)
            return None
        self.received.append(message)
        return message

    def change(self, old: Registration, new: Registration | None) -> None:
        """Makes a `pushsubscriptionchange` event."""
        change = SubscriptionChange(old.subscription, None if new is None else new.subscription)
        self.changes.append(change)
        self._fire(self.change_callbacks, change)

    def failed(self, error: BaseException) -> None:
        """Keeps an error from a place where nobody could see it; from any thread."""
        self._errors.append(error)

    def raise_errors(self) -> None:
        """Raises what has been kept, several as one group."""
        raised = []
        while self._errors:
            raised.append(self._errors.popleft())
        if len(raised) == 1:
            raise raised[0]
        if raised:
            raise BaseExceptionGroup("the user agent's callbacks and threads failed", raised)

    def _fire(self, callbacks: Sequence[Callable[[Any], object]], event: object) -> None:
        for callback in tuple(callbacks):
            try:
                callback(event)
            except BaseException as error:  # raised again where the test can see it
                self.failed(error)
