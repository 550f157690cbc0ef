"""WebDriver BiDi (W3C), as far as pages need it: JSON over a WebSocket."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any, Final, TypeAlias

from websockets.exceptions import ConnectionClosed

from mockpush import errors

from ..deadlines import Deadline
from .web_socket import opened

Json: TypeAlias = dict[str, Any]
PATIENCE: Final = 60.0
"""Real seconds that an answer may take."""
_ARRIVALS: Final = (
    "browsingContext.load",
    "browsingContext.fragmentNavigated",
    "browsingContext.historyUpdated",
)
"""What happens when a tab has got another URL."""


class Bidi:
    """A connection to the session at `url`, and the tab that it works in."""

    def __init__(self, url: str) -> None:
        self._open = ExitStack()
        self._socket = self._open.enter_context(opened(url))
        self._count = 0
        self._context = ""
        self.command("session.subscribe", events=list(_ARRIVALS))

    def command(self, method: str, **params: Any) -> Json:
        """What a command gives; `errors.BrowserError` if it fails or the browser has gone."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        deadline = Deadline(PATIENCE)
        try:
            self._socket.send(json.dumps(message))
            while (answer := self._receive(deadline)).get("id") != self._count:
                pass  # an event, which is of use only to who waits for it
        except ConnectionClosed as gone:
            raise errors.BrowserError(f"{method}: the browser has gone: {gone}") from gone
        except TimeoutError as late:
            raise errors.BrowserError(f"{method}: no answer within {PATIENCE:g} s") from late
        if answer["type"] == "error":
            raise errors.BrowserError(f"{method}: {answer['message']}")
        result: Json = answer["result"]
        return result

    def _receive(self, deadline: Deadline) -> Json:
        """The next message; `TimeoutError` if none comes in time."""
        message: Json = json.loads(self._socket.recv(deadline.remaining))
        return message

    def tabs(self) -> dict[str, str]:
        """The URLs of all tabs by their ids."""
        contexts = self.command("browsingContext.getTree", maxDepth=0)["contexts"]
        return {each["context"]: each["url"] for each in contexts}

    @property
    def current(self) -> str:
        """The tab to work in: another one if that has been closed."""
        tabs = self.tabs()
        if self._context not in tabs:
            self._context = next(iter(tabs))
        return self._context

    @property
    def url(self) -> str:
        """That of the current tab."""
        return self.tabs()[self.current]

    def navigate(self, url: str) -> None:
        """Loads a page in the current tab, wholly."""
        self.command("browsingContext.navigate", context=self.current, url=url, wait="complete")

    def wait_tab(self, url: str, *, timeout: float) -> bool:
        """Whether there is a tab with a loaded `url` within `timeout` seconds; it is current then.

        Every arrival is a reason to look again.
        """
        deadline = Deadline(timeout)
        while True:
            found = next((tab for tab, at in self.tabs().items() if at == url), None)
            if found is not None:
                self._context = found
                self.evaluate(_LOADED)
                return True
            try:
                self._receive(deadline)
            except TimeoutError:
                return False
            except ConnectionClosed as gone:
                raise errors.BrowserError(f"{url}: the browser has gone: {gone}") from gone

    def evaluate(self, expression: str) -> str:
        """The text to which a promise resolves; it counts as done by the user."""
        answer = self.command(
            "script.evaluate",
            expression=expression,
            target={"context": self.current},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] == "exception":
            raise errors.ScriptError(answer["exceptionDetails"]["text"])
        return str(answer["result"]["value"])

    def only_a_blank_tab(self) -> None:
        """Closes all tabs but for a new one."""
        others = self.tabs()
        self._context = str(self.command("browsingContext.create", type="tab")["context"])
        for each in others:
            self.command("browsingContext.close", context=each)

    def close(self) -> None:
        """Ends the connection."""
        self._open.close()


_LOADED: Final = """new Promise(resolve => {
  if (document.readyState === 'complete') resolve('');
  else addEventListener('load', () => resolve(''));
})"""
