"""Chromium, unmodified and headless, by the DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final, Literal

from mockpush import errors

from ..control import Control
from ..inbox import SubscriptionChange
from ..notification import Notification
from ..reception import ReceivedMessage
from ..user_agent import PermissionState
from .browser import Browser
from .cdp import Cdp, Event
from .finding import find, own_arguments
from .observing import Displayed, Observer, Told
from .processes import Process
from .starting import CLOSING, end, port_of
from .targets import BLANK, Targets

_ARGUMENTS: Final = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # it is small in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--mute-audio",
)
AS_ROOT: Final = ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()
"""Its sandbox refuses root, and only root has to do without."""
PORT: Final = "DevToolsActivePort"
"""The file in the profile where port and path are written when DevTools listen."""
_UNTOLD: Final = 10.0
"""Real seconds after which a message that came is taken for dropped."""
_UNDISPATCHED: Final = 30.0
"""Real seconds after which it is an error that a message that was decrypted has made no event."""
_NOT_RUNNING: Final = "Chromium is not running: start it with start()"
_SETTINGS: Final = "chrome://settings/content/notifications"
_SET: Final = "chrome.send('setOriginPermissions', [%s, 'notifications', %s])"
_STATES: Final[Mapping[str, str]] = {"granted": "allow", "denied": "block", "prompt": "ask"}
_PERMISSION: Final = "navigator.permissions.query({name: 'notifications'}).then(each => each.state)"
_SET_TO: Final = """navigator.permissions.query({name: 'notifications'}).then(each =>
  each.state === %s || new Promise(resolve => each.onchange = () => resolve()))"""
_TITLE_OF: Final = """async (title, body, titles, action) => {
  const registrations = await navigator.serviceWorker.getRegistrations();
  const shown = (await Promise.all(registrations.map(each => each.getNotifications()))).flat();
  const found = shown.find(each => each.title === title && each.body === body &&
    String(each.actions.map(button => button.title)) === String(titles));
  return found?.actions.find(button => button.action === action)?.title;
}"""
_WORKER: Final = """(async () => {
  const registration = await navigator.serviceWorker?.getRegistration();
  const active = registration?.active;
  return active ? [registration.scope, active.scriptURL] : null;
})()"""


class Chromium(Browser):
    """A headless Chromium; see `Browser`.

    Pages and workers see the endpoints that the service gives out. With `endpoints="native"` they
    see those that Chromium makes, and are left alone: the application server then needs the
    service's proxy, and neither `badge` nor `subscription_changes` know of anything.
    """

    kind: ClassVar[str] = "chromium"

    _process: Process | None = None
    _cdp: Cdp | None = None
    _known_targets: Targets | None = None
    _observer: Observer
    version = ""
    _seen = 0

    def __init__(
        self,
        control: Control,
        *,
        application_server_key: str | bytes | None = None,
        endpoints: Literal["own", "native"] = "own",
    ) -> None:
        super().__init__(control, application_server_key=application_server_key)
        self._endpoints = endpoints
        self._set_origins: set[str] = set()

    # The process

    def _launch(self) -> None:
        program = find(self.kind)
        launch = self._presence.launch(self.kind, endpoints=self._endpoints)
        profile = self._home.path / "profile"
        launch.write_preferences(profile)
        (profile / PORT).unlink(missing_ok=True)
        command = [
            str(program),
            f"--user-data-dir={profile}",
            *launch.args,
            *_ARGUMENTS,
            *AS_ROOT,
            *own_arguments(self.kind),
            BLANK,
        ]
        self._process = self._home.run(command, environ=launch.env, log="chromium.log")
        self._cdp = cdp = Cdp(devtools(profile / PORT, self._process))
        self.version = str(cdp.call("Browser.getVersion")["product"]).partition("/")[2]
        self._observer = Observer(
            cdp, self._report, self._display, settled=self._presence.acknowledged()
        )
        self._known_targets = Targets(cdp, launch.init_script, on_tab=self._observer.follow)
        dialogs = {"Page.javascriptDialogOpening": self._dismiss}
        cdp.listen({**self._targets.listeners, **self._observer.listeners, **dialogs})
        self._targets.begin()

    def _dismiss(self, dialog: Event) -> None:
        """Nobody is there to answer, and nothing goes on before."""
        leaving = dialog.params["type"] == "beforeunload"
        self._tools.call("Page.handleJavaScriptDialog", dialog.session, accept=leaving)

    def _connect(self) -> None:
        """It connects when it has a subscription, not before."""
        if self._presence.subscriptions:
            super()._connect()

    def _watch(self) -> None:
        """It does so since it was launched."""

    def _quit(self) -> None:
        cdp, process = self._cdp, self._process
        self._cdp = self._process = self._known_targets = None
        if cdp is not None and process is not None:
            end(process, lambda: cdp.call("Browser.close", timeout=CLOSING))
            cdp.close()
        if process is not None:
            process.stop()

    @property
    def _tools(self) -> Cdp:
        if self._cdp is None:
            raise errors.BrowserError(_NOT_RUNNING)
        return self._cdp

    @property
    def _targets(self) -> Targets:
        if self._known_targets is None:
            raise errors.BrowserError(_NOT_RUNNING)
        return self._known_targets

    # Pages

    def _navigate(self, url: str) -> None:
        self._targets.navigate(url)

    def _current_url(self) -> str:
        return self._targets.url

    def _urls(self) -> list[str]:
        return self._targets.urls

    def _screenshot(self) -> bytes:
        picture = self._tools.call("Page.captureScreenshot", self._targets.session)
        return base64.b64decode(picture["data"])

    def _wait_page(self, url: str, timeout: float) -> bool:
        return self._targets.wait(url, timeout)

    def _evaluate_in_page(self, expression: str) -> str:
        return str(self._tools.evaluate(self._targets.session, expression))

    def _evaluate_in_worker(self, expression: str) -> str:
        found = self._tools.evaluate(self._targets.session, _WORKER)
        if found is None:
            raise errors.BrowserError(f"no service worker is active for {self._targets.url}")
        scope, script = found
        return str(self._targets.evaluate_in_worker(scope, script, expression))

    # What the user does

    def _permission(self) -> str:
        return str(self._tools.evaluate(self._targets.session, _PERMISSION))

    def _set_permission(self, state: PermissionState) -> None:
        """As in the settings, which ends subscriptions; DevTools' own way does not."""
        self._set_origins.add(self._origin)
        self._change_setting(self._origin, _STATES[state])
        self._tools.evaluate(self._targets.session, _SET_TO % json.dumps(state))

    def _change_setting(self, origin: str, value: str) -> None:
        self._targets.evaluate_at(_SETTINGS, _SET % (json.dumps(origin), json.dumps(value)))

    def click(self, notification: Notification, action: str | None = None) -> None:
        """Clicks on it as the user does, or on the button with the title `action`.

        By its name, too, if the current tab is of the notification's origin: on a desktop, buttons
        have no names.
        """
        titles = [each["title"] for each in notification.actions]
        beside = self._current_url().startswith(f"{notification.origin}/")
        if action not in (None, *titles) and beside:
            wanted = [notification.title, notification.body, titles, action]
            action = self.call(_TITLE_OF, *wanted) or action
        super().click(notification, action)

    def stop_workers(self) -> None:
        """Stops all service workers, as Chromium does with idle ones; a push starts them again."""
        self._targets.stop_workers()

    # What has happened

    def _report(self, told: Told) -> None:
        self._presence.report(told.message, told.report, told.detail)

    def _display(self, displayed: Displayed) -> None:
        self._presence.display(displayed._asdict())

    def _noted(self) -> tuple[Sequence[ReceivedMessage], Sequence[SubscriptionChange]]:
        self._tools.check()
        self._observer.settle(
            self._presence.acknowledged(), timeout=_UNTOLD, patience=_UNDISPATCHED
        )
        return [_message(each.payload) for each in self._observer.take()], self._changes_since()

    def _changes_since(self) -> list[SubscriptionChange]:
        new = self._presence.changes_since(self._seen)
        self._seen += len(new)
        return new

    def _wait_for_change(self, timeout: float) -> None:
        self._presence.wait_changes(self._seen + 1, timeout=timeout)

    def _badge(self) -> int | None:
        return self._presence.badge

    def assign(self, control: Control, *, application_server_key: str | bytes | None) -> None:
        """Belongs to another tenant from now on, with nothing left of the time before."""
        if control.tenant != self._control.tenant:
            self._seen = 0  # the service begins anew
        super().assign(control, application_server_key=application_server_key)

    def _forget_sites(self) -> None:
        self._tools.check()
        self._targets.only_a_blank_tab()
        self._observer.drop(self._presence.all_messages())
        self._presence.clear_badge()
        self._tools.call("Network.clearBrowserCache", self._targets.session)
        while self._set_origins:
            self._change_setting(self._set_origins.pop(), "default")
        for origin in self._targets.forget_origins():
            self._tools.call(
                "Storage.clearDataForOrigin",
                self._targets.session,
                origin=origin,
                storageTypes="all",
            )


def _message(payload: str | None) -> ReceivedMessage:
    return ReceivedMessage(None if payload is None else payload.encode(), None, "")


def devtools(file: Path, process: Process) -> str:
    """The URL of a browser's DevTools, from the file that it writes; `errors.BrowserError`."""
    return port_of("chromium", process, file, _url)


def _url(text: str) -> str | None:
    lines = text.split()
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) == 2 else None
