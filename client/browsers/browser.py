"""A real browser in the hands of a test, with the words of the emulated one (`UserAgent`)."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlsplit

from mockpush import errors
from mockpush.protocol.model import base64url_encode
from mockpush.protocol.user_agents import Refusal

from ..control import Control
from ..deadlines import Deadline
from ..inbox import SubscriptionChange
from ..notification import Notification
from ..push_subscription import PushSubscription
from ..reception import ReceivedMessage
from ..user_agent import PermissionState
from . import scripts
from .blank_site import BlankSite
from .driver import Driver
from .presence import Presence
from .processes import Home
from .starting import PATIENCE

_SLICE: Final = 30.0
"""Real seconds that a browser is asked to wait at a time; a longer wait asks again."""


class Browser(Driver):
    """A browser with a profile of its own, whose push service is that of `control`.

    It starts with `start()` or `with`, and is gone with its profile after `close()`. Subscriptions
    belong to the tenant of `control`. `application_server_key` is what `subscribe()` uses when it
    is called without a key; unless given the subscription has none, which Chromium refuses.
    """

    kind: ClassVar[str]
    closed = False

    def __init__(
        self,
        control: Control,
        *,
        application_server_key: str | bytes | None = None,
    ) -> None:
        self.id = f"{self.kind}-{secrets.token_hex(4)}"
        self._control = control
        self._default_key = application_server_key
        self._presence = Presence(control, self.id)
        self._home = Home()
        self._blank = BlankSite()
        self._opened: str | None = None
        self._running = False
        self._received: list[ReceivedMessage] = []
        self._changes: list[SubscriptionChange] = []
        self._subscriptions: dict[str, PushSubscription] = {}

    # The process

    @property
    def home(self) -> Path:
        """The private directory where its profile and its log are."""
        return self._home.path

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._running

    def start(self) -> None:
        """Starts it, on the profile that it has had before; returns when it is connected.

        Messages that have waited for it are on their way then. `errors.BrowserError` if it does
        not start.
        """
        if self._running:
            return
        self._presence.expect()
        try:
            self._launch()
            self._running = True
            self._connect()
            self._watch()
        except BaseException:
            self._end()
            raise
        self._presence.go_online()

    def stop(self) -> None:
        """Ends its process, as a user does who closes it; its profile and subscriptions stay."""
        if not self._running:
            return
        try:
            self._take()
        finally:
            self._end()
        self._presence.expect_connection(connected=False, timeout=PATIENCE)

    def _end(self) -> None:
        self._running = False
        self._quit()

    def close(self) -> None:
        """Ends it for good: profile and all; its subscriptions expire."""
        if self.closed:
            return
        self.closed = True
        with ExitStack() as last_to_first:  # each, whatever the one before fails with
            for each in (self._presence.forget, self._home.close, self._blank.close, self._end):
                last_to_first.callback(each)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Pages

    def open(self, url: str) -> None:
        """Goes there in the current tab; returns when the page is loaded."""
        self._opened = url
        self._navigate(url)

    @property
    def pages(self) -> list[str]:
        """The URLs of all tabs."""
        return self._urls()

    def screenshot(self) -> bytes:
        """A picture of what the current tab shows, as PNG."""
        return self._screenshot()

    def wait_page(self, url: str, *, timeout: float = 10.0) -> None:
        """Waits until a tab has loaded `url`, as one that a click has opened, and goes there.

        `errors.WaitError` with the URLs of the tabs that there are.
        """
        if not self._wait_page(url, timeout):
            raise errors.WaitError(
                f"expected a tab with {url} within {timeout:g} s, got {self.pages}"
            )

    def call(self, function: str, *arguments: Any) -> Any:
        """What a JavaScript function returns in the page, or its promise: JSON in, JSON out.

        It counts as done by the user. `errors.ScriptError` is what it throws.
        """
        return scripts.value(self._evaluate_in_page(scripts.calling(function, arguments)))

    def call_worker(self, function: str, *arguments: Any) -> Any:
        """The same in the active service worker of the page, which is started if need be."""
        return scripts.value(self._evaluate_in_worker(scripts.calling(function, arguments)))

    # PushManager

    def subscribe(
        self,
        url: str | None = None,
        *,
        application_server_key: str | bytes | None = None,
        timeout: float = 10.0,
    ) -> PushSubscription:
        """`PushManager.subscribe()` in the page, for its service worker: `url` is opened before.

        If no page was opened a blank one is, whose worker shows what is pushed. Raises what the
        promise rejects with, each an `errors.PushManagerError`; `errors.ScriptError` if the page
        has no active worker within `timeout` seconds.
        """
        if url is not None:
            self.open(url)
        self._come_to_a_page()
        given = self._default_key if application_server_key is None else application_server_key
        key = base64url_encode(given) if isinstance(given, bytes) else given
        try:
            raw = self.call(scripts.SUBSCRIBE, key, timeout)
        except errors.ScriptError as error:
            raise scripts.push_manager_error(error) from None
        return self._known(raw)

    def unsubscribe(self) -> bool:
        """`PushSubscription.unsubscribe()` in the page: whether there was a subscription."""
        before = self.subscription
        done: bool = self.call(scripts.UNSUBSCRIBE)
        if before is not None:
            self._presence.wait_for_the_end_of(before)
        return done

    @property
    def subscription(self) -> PushSubscription | None:
        """`PushManager.getSubscription()` in the page."""
        self._come_to_a_page()
        raw = self.call(scripts.SUBSCRIPTION)
        return None if raw is None else self._known(raw)

    @property
    def permission(self) -> PermissionState:
        """What the user says to notifications of the page's origin.

        Taking back a permission ends the subscription.
        """
        self._come_to_a_page()
        return PermissionState(self._permission())

    @permission.setter
    def permission(self, state: PermissionState | str) -> None:
        self._come_to_a_page()
        wanted = PermissionState(state)
        ends = None if wanted is PermissionState.GRANTED else self.subscription
        self._set_permission(wanted)
        if ends is not None:
            self._presence.wait_for_the_end_of(ends)

    # The connection

    def go_offline(self) -> None:
        """Takes what has come so far, then goes away: messages wait at the service."""
        self._catch_up()
        self._presence.go_offline()

    def go_online(self) -> None:
        """Comes back, and returns when everything that waited has been received."""
        self._presence.go_online()
        self._catch_up()

    @property
    def online(self) -> bool:
        """Whether it is connected and gets messages: Chromium once it has subscribed."""
        return self._running and self._presence.online

    # Events

    @property
    def received(self) -> list[ReceivedMessage]:
        """Every message that made a `push` event, oldest first, with all that can be had by now."""
        self._catch_up()
        self._take()
        return list(self._received)

    @property
    def subscription_changes(self) -> list[SubscriptionChange]:
        """Every `pushsubscriptionchange` event, oldest first."""
        self._take()
        return list(self._changes)

    def wait_subscription_changes(
        self, count: int = 1, *, timeout: float = 10.0
    ) -> list[SubscriptionChange]:
        """Waits until there have been at least so many; `WaitError`."""
        deadline = Deadline(timeout)
        while len(self.subscription_changes) < count:
            if not deadline.remaining:
                raise errors.WaitError(
                    f"expected {count} pushsubscriptionchange events within {timeout:g} s, "
                    f"got {self._changes}"
                )
            self._wait_for_change(min(deadline.remaining, _SLICE))
        return list(self._changes)

    @property
    def notifications(self) -> list[Notification]:
        """Those that are shown now, of all sites, oldest first."""
        return self._presence.notifications

    def wait_notifications(self, count: int = 1, *, timeout: float = 10.0) -> list[Notification]:
        """Waits until at least so many are shown, of all sites, oldest first; `WaitError`.

        Inside a running event loop it does not wait for what is not there:
        `errors.BlockingWaitError`.
        """
        return self._presence.wait_notifications(count, timeout=timeout)

    async def wait_notifications_async(
        self, count: int = 1, *, timeout: float = 10.0
    ) -> list[Notification]:
        """`wait_notifications`, to be awaited."""
        return await self._presence.wait_notifications_async(count, timeout=timeout)

    def click(self, notification: Notification, action: str | None = None) -> None:
        """Clicks on it as the user does, or on the button with the name or title `action`.

        The worker gets `notificationclick`, and may open windows. `errors.MockpushError` if it is
        not shown any more, or has no such button.
        """
        self._presence.click(notification, action)

    def close_notification(self, notification: Notification) -> None:
        """Closes it as the user does: the worker gets `notificationclose`."""
        self._presence.close_notification(notification)

    @property
    def badge(self) -> int | None:
        """The number on the icon of the page's application, None without one."""
        return self._badge()

    def refuse(self, error: Refusal | str = Refusal.QUOTA_EXCEEDED, *, times: int = 1) -> None:
        """The service refuses so many of its next subscriptions, Chromium's with this error."""
        self._presence.refuse(error, times=times)

    def lose_subscriptions(self) -> None:
        """All its subscriptions expire at the service, of all sites.

        Firefox gets a new identity with that, drops them and fires `pushsubscriptionchange`;
        Chromium hears nothing.
        """
        self._presence.lose_subscriptions()

    # Between tests

    def assign(self, control: Control, *, application_server_key: str | bytes | None) -> None:
        """Belongs to another tenant from now on, with nothing left of the time before."""
        self._control = control
        self._default_key = application_server_key
        self._presence = Presence(control, self.id)
        if not self._running:
            self.start()
        self._presence.assign()
        self._presence.go_online()

    def clear(self) -> None:
        """Forgets all sites: data, workers, subscriptions, notifications, permissions, tabs."""
        for each in (self._received, self._changes, self._subscriptions):
            each.clear()
        self._opened = None
        if self._running:
            self._forget_sites()
        self._presence.forget_notifications()

    # Below the surface

    def _connect(self) -> None:
        """Returns when it has connected to the service."""
        self._presence.expect_connection(connected=True, timeout=PATIENCE)

    def _come_to_a_page(self) -> None:
        """The one that was opened last, after a start."""
        if not self._current_url().startswith("http"):
            self.open(self._opened or self._blank.url)

    def _known(self, raw: dict[str, Any]) -> PushSubscription:
        found = self._presence.subscription(raw["endpoint"])
        known = self._subscriptions[found] = PushSubscription(
            found,
            self._control,
            endpoint=raw["endpoint"],
            keys=raw["keys"],
            expiration_time=raw["expirationTime"],
        )
        return known

    def _subscription(self, subscription_id: str) -> PushSubscription:
        """With its keys if the test has seen it; they are the browser's alone."""
        known = self._subscriptions.get(subscription_id)
        return known or self._control.subscription(subscription_id)

    @property
    def _origin(self) -> str:
        url = self._current_url()
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise errors.BrowserError(f"the current page, {url}, is of no site: open() one")
        return f"{parts.scheme}://{parts.netloc}"

    def _catch_up(self) -> None:
        if self._running:
            self._presence.catch_up()

    def _take(self) -> None:
        """Takes over what the browser has noted since the last time."""
        if self._running:
            received, changes = self._noted()
            self._received += received
            self._changes += changes
