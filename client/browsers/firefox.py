"""Firefox, unmodified and headless: pages by WebDriver BiDi, the rest by Marionette."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, ClassVar, Final

from mockpush import errors

from ..api import ROOT
from ..inbox import SubscriptionChange
from ..notification import Notification
from ..reception import ReceivedMessage
from ..user_agent import PermissionState
from .bidi import Bidi
from .browser import Browser
from .finding import find, own_arguments
from .marionette import Marionette
from .processes import Process
from .starting import end, port_of

_PREFERENCES: Final = {"marionette.port": 0}
_ARGUMENTS: Final = (
    "--headless",
    "--no-remote",
    "--marionette",
    "--remote-allow-system-access",
    "--remote-debugging-port=0",
)
_BLANK: Final = "about:blank"
_PORT: Final = "MarionetteActivePort"
"""The file in the profile where the port is written when Marionette listens."""
_INSTALL: Final = """
const [code, settings] = arguments;
const box = new Cu.Sandbox(Services.scriptSecurityManager.getSystemPrincipal(), {
  sandboxName: "mockpush",
  wantGlobalProperties: ["ChromeUtils", "btoa", "fetch"],
});
box.settings = Cu.cloneInto(settings, box);
Cu.evalInSandbox(code, box, "latest", "chrome://remote/content/mockpush.js", 1);
"""
_CALL: Final = """
const [name, given] = arguments;
return Cc["@mockpush/driver;1"].getService().wrappedJSObject[name](...given);
"""


class Firefox(Browser):
    """A headless Firefox; see `Browser`.

    It has no `navigator.setAppBadge`, so that `badge` is always None; a notification does not close
    itself when it is clicked.
    """

    kind: ClassVar[str] = "firefox"

    _process: Process | None = None
    _marionette: Marionette | None = None
    _bidi: Bidi | None = None
    version = ""

    # The process

    def _launch(self) -> None:
        program = find(self.kind)
        launch = self._presence.launch(self.kind)
        profile = self._home.path / "profile"
        profile.mkdir(exist_ok=True)
        (profile / _PORT).unlink(missing_ok=True)
        launch.write_preferences(profile, _PREFERENCES)
        own = own_arguments(self.kind)
        command = [str(program), *launch.args, "--profile", str(profile), *_ARGUMENTS, *own, _BLANK]
        self._process = self._home.run(command, environ=launch.env, log="firefox.log")
        self._marionette = Marionette(port_of(self.kind, self._process, profile / _PORT, _number))
        self.version = self._marionette.version
        self._bidi = Bidi(self._marionette.bidi_url)

    def _watch(self) -> None:
        code = (files(__package__) / "firefox.js").read_text(encoding="utf-8")
        settings = {"control": self._control.transport.url + ROOT, "userAgent": self.id}
        self._remote.run(_INSTALL, code, settings)

    def _quit(self) -> None:
        bidi, marionette, process = self._bidi, self._marionette, self._process
        self._bidi = self._marionette = self._process = None
        if bidi is not None:
            bidi.close()
        if marionette is not None and process is not None:
            end(process, lambda: marionette.command("Marionette:Quit", flags=["eForceQuit"]))
            marionette.close()
        if process is not None:
            process.stop()

    @property
    def _remote(self) -> Marionette:
        if self._marionette is None:
            raise errors.BrowserError("Firefox is not running: start it with start()")
        return self._marionette

    @property
    def _tab(self) -> Bidi:
        if self._bidi is None:
            raise errors.BrowserError("Firefox is not running: start it with start()")
        return self._bidi

    def _ask(self, name: str, *arguments: Any) -> Any:
        """What a function of `firefox.js` returns."""
        return self._remote.run(_CALL, name, list(arguments))

    # Pages

    def _navigate(self, url: str) -> None:
        self._tab.navigate(url)

    def _current_url(self) -> str:
        return self._tab.url

    def _urls(self) -> list[str]:
        return list(self._tab.tabs().values())

    def _screenshot(self) -> bytes:
        tab = self._tab
        answer = tab.command("browsingContext.captureScreenshot", context=tab.current)
        return base64.b64decode(answer["data"])

    def _wait_page(self, url: str, timeout: float) -> bool:
        return self._tab.wait_tab(url, timeout=timeout)

    def _evaluate_in_page(self, expression: str) -> str:
        return self._tab.evaluate(expression)

    def _evaluate_in_worker(self, expression: str) -> str:
        return str(self._ask("callWorker", self._origin, self._tab.url, expression))

    # What the user does

    def _permission(self) -> str:
        return str(self._ask("permission", self._origin))

    def _set_permission(self, state: PermissionState) -> None:
        self._ask("setPermission", self._origin, state)

    def click(self, notification: Notification, action: str | None = None) -> None:
        """Clicks on it as the user does, or on the button with the name or title `action`."""
        self._ask("click", notification.id, action)

    def close_notification(self, notification: Notification) -> None:
        """Closes it as the user does: the worker gets `notificationclose`."""
        self._ask("close", notification.id)

    # What has happened

    def _noted(self) -> tuple[Sequence[ReceivedMessage], Sequence[SubscriptionChange]]:
        noted = self._ask("take")
        received = [_message(each) for each in noted["pushes"]]
        ended = self._presence.ended(noted["changes"]) if noted["changes"] else []
        return received, [SubscriptionChange(self._subscription(each), None) for each in ended]

    def _wait_for_change(self, timeout: float) -> None:
        self._ask("change", timeout * 1000)

    def _badge(self) -> int | None:
        return None

    def _forget_sites(self) -> None:
        self._tab.only_a_blank_tab()
        self._ask("forget")
        self._ask("take")


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _message(payload: str | None) -> ReceivedMessage:
    return ReceivedMessage(None if payload is None else base64.b64decode(payload), None, "")
