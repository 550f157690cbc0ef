"""The real browsers of a test session: each is started once, when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final

import pytest

from mockpush import errors
from mockpush.client.browsers.finding import find

if TYPE_CHECKING:
    from mockpush.client.browsers.browser import Browser
    from mockpush.client.control import Control
    from mockpush.vapid_keys import VapidKeys

_CLASSES: Final = {
    "firefox": ("mockpush.client.browsers.firefox", "Firefox"),
    "chromium": ("mockpush.client.browsers.chromium", "Chromium"),
}


_ATTEMPTS: Final = 2
"""A browser that has not started so often is not tried again: each may take a minute."""


class Browsers:
    """They go from test to test, with nothing left of the one before, and end with the session."""

    def __init__(self) -> None:
        self._browsers: dict[str, Browser] = {}
        self._failures: dict[str, list[errors.BrowserError]] = {}

    @contextmanager
    def lent(self, name: str, control: Control, vapid: VapidKeys) -> Iterator[Browser]:
        """A browser that belongs to a test; the test is skipped if it is not installed."""
        browser = self._started(name, control, vapid)
        try:
            yield browser
        finally:
            self._take_back(name, browser)

    def _started(self, name: str, control: Control, vapid: VapidKeys) -> Browser:
        failures = self._failures.setdefault(name, [])
        if len(failures) == _ATTEMPTS:
            raise errors.BrowserError(f"not tried again after {_ATTEMPTS} times: {failures[-1]}")
        browser = self._browsers[name] = self._browsers.get(name) or _new(name, control)
        try:
            browser.assign(control, application_server_key=vapid.public_key)
        except BaseException as error:
            self._give_up(name, browser)
            if isinstance(error, errors.BrowserError):
                failures.append(error)
            raise
        failures.clear()
        return browser

    def _take_back(self, name: str, browser: Browser) -> None:
        """A browser that a test has closed, or that has gone, is not lent again."""
        try:
            browser.clear()
        except errors.BrowserError:
            self._give_up(name, browser)
        except BaseException:
            self._give_up(name, browser)
            raise
        if browser.closed:
            self._browsers.pop(name, None)

    def _give_up(self, name: str, browser: Browser) -> None:
        self._browsers.pop(name, None)
        browser.close()

    def close(self) -> None:
        """Ends all of them."""
        with ExitStack() as stack:
            for browser in self._browsers.values():
                stack.callback(browser.close)
            self._browsers.clear()


def _new(name: str, control: Control) -> Browser:
    try:
        find(name)
    except errors.BrowserNotFoundError as error:
        pytest.skip(str(error))
    module, kind = _CLASSES[name]
    browser: Browser = getattr(import_module(module), kind)(control)
    return browser
