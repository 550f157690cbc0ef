"""A real browser as the service sees it, whoever drives it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from mockpush import errors
from mockpush.protocol.model import SubscriptionState
from mockpush.protocol.user_agents import Refusal, UserAgentKind

from .api import Api, Json
from .deadlines import blocking_wait, in_event_loop, in_thread
from .inbox import SubscriptionChange
from .launch import Launch
from .notification import Notification, notifications
from .push_subscription import PushSubscription
from .transports.base import Transport

if TYPE_CHECKING:
    from .control import Control

_MANY: Final = 1000
"""Notifications that are read at a time: all."""


class RealUserAgent:
    """A browser that you start and drive yourself: `push_service.user_agent()`.

    `id` is its name at the service. Its subscriptions belong to the tenant of `control`, as far as
    they are made after `assign`. With `with` it is forgotten at the end.
    """

    _NOTIFICATIONS: ClassVar[str] = "seen"
    """Who knows of notifications: a desktop alone, or its driver, too, which tells of them."""

    def __init__(self, control: Control, user_agent_id: str) -> None:
        self.id = user_agent_id
        self._control = control
        self._use(control.transport)

    def _use(self, transport: Transport) -> None:
        self._api = Api(transport, self._control.tenant)

    # How it comes and goes

    def launch(
        self,
        kind: UserAgentKind | str,
        *,
        hosts: str | Iterable[str] = (),
        endpoints: Literal["own", "native"] = "own",
    ) -> Launch:
        """How `"chromium"` or `"firefox"` is to be started to be this user agent.

        Chromium resolves localhost and `hosts`, or all names with `"*"`. With `endpoints="native"`
        pages see the endpoints that it makes itself: the application server needs a proxy then.
        """
        names = hosts if isinstance(hosts, str) else ",".join(hosts)
        facts = self._api.get(
            "browsers",
            kind,
            "launch",
            user_agent=self.id,
            hosts=names or None,
            endpoints=endpoints,
            notifications=self._NOTIFICATIONS,
        )
        return Launch(facts, UserAgentKind(kind))

    def assign(self) -> None:
        """Its next subscriptions belong to the tenant; what it has shown before is forgotten."""
        self._api.patch("user-agents", self.id, body={"tenant": self._control.tenant})

    def forget(self) -> None:
        """It comes back no more: its subscriptions expire, and so does all that is known of it."""
        with suppress(errors.NotFoundError, errors.ConnectError):
            self._api.delete("user-agents", self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.forget()

    @property
    def connected(self) -> bool:
        """Whether it is there. Chromium comes with its first subscription, Firefox at once."""
        return bool(self._known["connected"])

    def wait_connected(self, *, timeout: float = 60.0) -> None:
        """Waits until it is there; `errors.WaitError`.

        A `subscribe()` of Firefox before that waits for ever.
        """
        if not self._wait_for(connected=True, patience=_patience(timeout)):
            raise self._missing(f"{self.id} to connect", timeout, "await wait_connected_async(…)")

    # Whether messages reach it

    @property
    def online(self) -> bool:
        """Whether it is connected, and messages reach it."""
        return bool(self._known["online"])

    def go_online(self) -> None:
        """What comes for it, or has waited, is on its way."""
        self._api.post("user-agents", self.id, "online")

    def go_offline(self) -> None:
        """What comes for it waits at the service; its connection stays as it is."""
        self._api.post("user-agents", self.id, "offline")

    # What it holds

    @property
    def subscriptions(self) -> list[PushSubscription]:
        """Those that it has made in the tenant and that have not ended; without their keys."""
        return [self._control.subscription(each) for each in self._active()]

    def lose_subscriptions(self) -> None:
        """All its subscriptions expire at the service, of all sites.

        Firefox gets a new identity with that, drops them and fires `pushsubscriptionchange`;
        Chromium hears nothing.
        """
        self._api.post("user-agents", self.id, "forget")

    def refuse(self, error: Refusal | str = Refusal.QUOTA_EXCEEDED, *, times: int = 1) -> None:
        """The service refuses so many of its next subscriptions, Chromium's with this error."""
        body = {"error": Refusal(error), "times": times}
        self._api.post("user-agents", self.id, "refuse", body=body)

    @property
    def subscription_changes(self) -> list[SubscriptionChange]:
        """The newest 100 `pushsubscriptionchange` events that Chromium's workers tell, in order."""
        return self._changes(self._known["subscription_changes"])

    # What it shows

    @property
    def badge(self) -> int | None:
        """The number on the icon of its application, as Chromium's pages tell; 0 is one without."""
        badge: int | None = self._known["badge"]
        return badge

    @property
    def notifications(self) -> list[Notification]:
        """Those that it shows now, of all sites, oldest first. Chromium's on Linux are seen."""
        return notifications(self._api.get("notifications", **self._shown))

    def wait_notifications(self, count: int = 1, *, timeout: float = 10.0) -> list[Notification]:
        """Waits until at least so many are shown, of all sites, oldest first; `errors.WaitError`.

        Inside a running event loop it does not wait for what is not there:
        `errors.BlockingWaitError`.
        """
        query = {**self._shown, **_waiting(count, _patience(timeout))}
        shown = notifications(self._api.get("notifications", **query))
        if len(shown) < count:
            what = f"{count} notifications"
            twin = "await wait_notifications_async(…)"
            raise self._missing(what, timeout, twin, f", got {shown}{self._if_absent()}")
        return shown

    def click(self, notification: Notification, action: str | None = None) -> None:
        """Clicks on it as the user does, or on the button with the title `action`.

        The worker gets `notificationclick`, and may open windows. `errors.ServiceError` if it is
        not shown any more, has no such button, or was not seen but told by a driver.
        """
        body = {} if action is None else {"action": action}
        self._api.post("notifications", notification.id, "click", body=body)

    def close_notification(self, notification: Notification) -> None:
        """Closes it as the user does: the worker gets `notificationclose`."""
        self._api.post("notifications", notification.id, "close")

    # Inside an event loop

    async def wait_connected_async(self, *, timeout: float = 60.0) -> None:
        """`wait_connected`, to be awaited."""
        await in_thread(
            self._api.transport, lambda own: self._over(own).wait_connected(timeout=timeout)
        )

    async def wait_notifications_async(
        self, count: int = 1, *, timeout: float = 10.0
    ) -> list[Notification]:
        """`wait_notifications`, to be awaited."""
        return await in_thread(
            self._api.transport,
            lambda own: self._over(own).wait_notifications(count, timeout=timeout),
        )

    # Below the surface

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} of tenant {self._control.tenant}>"

    @property
    def _known(self) -> Json:
        """What the service knows of it."""
        known: Json = self._api.get("user-agents", self.id)
        return known

    @property
    def _shown(self) -> dict[str, Any]:
        return {"user_agent": self.id, "state": "shown", "limit": _MANY}

    def _held(self) -> list[Json]:
        subscriptions = self._api.items("subscriptions")
        return [raw for raw in subscriptions if raw["user_agent"] == self.id]

    def _active(self) -> list[str]:
        """The ids of those that have not ended."""
        return [raw["id"] for raw in self._held() if raw["state"] == SubscriptionState.ACTIVE]

    def _find(self, endpoint: str) -> str | None:
        """The id of a subscription of it. Of Chromium's own endpoints only the token is ours."""
        token = endpoint.rpartition("/")[2]
        ids = (raw["id"] for raw in self._held() if raw["endpoint"].rpartition("/")[2] == token)
        return next(ids, None)

    def _changes(self, told: Iterable[Json]) -> list[SubscriptionChange]:
        def at(endpoint: str | None) -> PushSubscription | None:
            found = None if endpoint is None else self._find(endpoint)
            return None if found is None else self._control.subscription(found)

        return [SubscriptionChange(at(each["old"]), at(each["new"])) for each in told]

    def _wait_for(self, *, connected: bool, patience: float) -> bool:
        """Whether it has come, or gone, within so many seconds."""
        wanted = "true" if connected else "false"
        query = {"id": self.id, "connected": wanted, **_waiting(1, patience)}
        return bool(self._api.get("user-agents", **query)["complete"])

    def _over(self, transport: Transport) -> Self:
        """This very user agent, over another transport."""
        twin = copy.copy(self)
        twin._use(transport)
        return twin

    def _missing(
        self, what: str, timeout: float, twin: str, instead: str = ""
    ) -> errors.WaitError | errors.BlockingWaitError:
        if timeout > 0 and in_event_loop():
            return blocking_wait(twin)
        return errors.WaitError(f"expected {what} within {timeout:g} s{instead}")

    def _if_absent(self) -> str:
        try:
            absent = not self.connected
        except errors.NotFoundError:
            absent = True
        return f"; {self.id} is not connected to {self._api.transport.url}" if absent else ""


def _patience(timeout: float) -> float:
    """Seconds that may be waited here."""
    return 0.0 if in_event_loop() else timeout


def _waiting(count: int, patience: float) -> dict[str, Any]:
    """The query for a list when there are so many, after `patience` seconds for what there is."""
    return {"wait": count, "timeout": patience, "patience": patience}
