"""What a driver needs to know of its browser besides: what it has, and what is on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from threading import Timer
from typing import Final

from mockpush import errors
from mockpush.protocol.delivery import Report
from mockpush.protocol.model import MessageState, SubscriptionState

from ..inbox import SubscriptionChange
from ..push_subscription import PushSubscription
from ..real_user_agent import RealUserAgent
from ..records import Message

_ON_THEIR_WAY: Final = {MessageState.PENDING, MessageState.DELIVERED}
_SETTLING: Final = 30.0
"""Real seconds in which a browser does what it always does."""


class Presence(RealUserAgent):
    """A user agent, in the hands of the class that drives the browser."""

    _NOTIFICATIONS = "told"

    # Whether it is there

    def expect(self) -> None:
        """It may come: nothing reaches it before `go_online`."""
        self.assign()
        self.go_offline()

    def expect_connection(self, *, connected: bool, timeout: float) -> None:
        """Returns when it has come, or gone; `errors.BrowserError` if it does not."""
        if not self._wait_for(connected=connected, patience=timeout):
            raise errors.BrowserError(
                f"{self.id} is {'not connected' if connected else 'still connected'} to "
                f"{self._control.transport.url} after {timeout:g} s"
            )

    # What it holds

    def subscription(self, endpoint: str) -> str:
        """The id of a subscription of it."""
        found = self._find(endpoint)
        if found is None:
            raise errors.BrowserError(
                f"{self.id} has a subscription that the service does not know in tenant "
                f"{self._control.tenant}: {endpoint}"
            )
        return found

    def acknowledged(self) -> set[str]:
        """The ids of the messages that it has, of all its subscriptions."""
        return {
            message.id for message in self._messages() if message.state is MessageState.ACKNOWLEDGED
        }

    def all_messages(self) -> set[str]:
        """The ids of those that have been sent to any of its subscriptions."""
        return {message.id for message in self._messages()}

    def _messages(self) -> Iterator[Message]:
        for raw in self._held():
            yield from self._control.messages_to(raw["id"])

    def report(self, message: str, event: Report, detail: str | None) -> None:
        """Tells the service what has become of a message, unless it has been forgotten."""
        with suppress(errors.NotFoundError):
            body = {"event": event, **({} if detail is None else {"detail": detail})}
            self._api.post("messages", message, "reports", body=body)

    def display(self, displayed: Mapping[str, object]) -> None:
        """Tells the service of a notification; its message may be forgotten."""
        known = {name: value for name, value in displayed.items() if value is not None}
        with suppress(errors.NotFoundError):
            self._api.post("notifications", body={"user_agent": self.id, **known})

    def changes_since(self, count: int) -> list[SubscriptionChange]:
        """The `pushsubscriptionchange` events but for the first `count`."""
        return self._changes(self._known["subscription_changes"][count:])

    def wait_changes(self, count: int, *, timeout: float) -> None:
        """Returns when its workers have got so many `pushsubscriptionchange` events, or later."""
        self._api.get(
            "user-agents",
            patience=timeout,
            id=self.id,
            subscription_changes=count,
            wait=1,
            timeout=timeout,
        )

    def clear_badge(self) -> None:
        """Its application's icon has none."""
        self._api.post("user-agents", self.id, "badge")

    def ended(self, count: int) -> list[str]:
        """The ids of the newest `count` of its subscriptions that have ended, oldest first."""
        over = [raw["id"] for raw in self._held() if raw["state"] != SubscriptionState.ACTIVE]
        return over[len(over) - count :]

    def wait_for_the_end_of(self, subscription: PushSubscription) -> None:
        """Returns when the browser has told the service that the subscription is over."""
        self._until(
            lambda: subscription.state is not SubscriptionState.ACTIVE,
            lambda: f"has not unsubscribed {subscription!r}, which is {subscription.state}",
        )

    def catch_up(self) -> None:
        """Returns when all that has been sent to it so far has come, if it is online."""
        if self.online:
            self._until(
                lambda: not any(self._on_their_way()),
                lambda: f"has not acknowledged {', '.join(map(repr, self._on_their_way()))}",
            )

    def forget_notifications(self) -> None:
        """The service knows of none any more."""
        self._api.delete("notifications", user_agent=self.id)

    def _on_their_way(self) -> Iterator[Message]:
        for each in self._active():
            for message in self._control.messages_to(each):
                if message.state in _ON_THEIR_WAY:
                    yield message

    def _until(self, reached: Callable[[], bool], otherwise: Callable[[], str]) -> None:
        """Returns when something is so; it is looked at again with each event of the tenant."""
        with self._control.follow_events() as events:
            limit = Timer(_SETTLING, events.close)
            limit.daemon = True
            limit.start()
            try:
                if reached() or any(reached() for _ in events):
                    return
            finally:
                limit.cancel()
        raise errors.BrowserError(f"{self.id} {otherwise()} within {_SETTLING:g} s")
