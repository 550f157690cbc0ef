"""The tabs and service workers of a Chromium, over the DevTools protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from mockpush import errors

from ..deadlines import Deadline
from .cdp import GONE, PATIENCE, Cdp, Event, Json, Listener, SessionGoneError

T = TypeVar("T")
BLANK: Final = "about:blank"
_FILTER: Final = [{"type": "page"}, {"type": "service_worker"}]
_OWN_SCHEMES: Final = ("chrome", "devtools")
"""Of what the browser shows to itself."""


class Targets:
    """Follows what opens and closes; `script` runs in each page and worker before its own.

    `on_tab` hears of the session of each tab before that goes anywhere.

    The debugger leaves a worker as soon as that has the script: one that it stays with waits for it
    for ever when a push starts it again. With pages it stays.
    """

    def __init__(
        self, cdp: Cdp, script: str, *, on_tab: Callable[[str], object] = lambda _: None
    ) -> None:
        self._cdp = cdp
        self._script = script
        self._on_tab = on_tab
        self._targets: dict[str, Json] = {}
        self._sessions: dict[str, str] = {}
        self._loaders: dict[str, list[str]] = {}
        self._loaded: set[str] = set()
        self._borrowed: set[str] = set()
        self._changed = threading.Condition()
        self._changes = 0
        self._gone = False
        self._current = ""
        self._origins: set[str] = set()

    @property
    def listeners(self) -> Mapping[str, Listener]:
        """For `Cdp.listen`."""
        return {
            "Target.attachedToTarget": self._attached,
            "Target.targetCreated": self._told,
            "Target.targetInfoChanged": self._told,
            "Target.targetDestroyed": self._destroyed,
            "Page.lifecycleEvent": self._lives,
            GONE: self._has_gone,
        }

    def begin(self) -> None:
        """Returns when the first tab can be used."""
        self._cdp.call("Target.setDiscoverTargets", discover=True, filter=_FILTER)
        self._cdp.call(
            "Target.setAutoAttach",
            autoAttach=True,
            waitForDebuggerOnStart=True,
            flatten=True,
            filter=_FILTER,
        )
        self._current = self._until(lambda: next(iter(self._tabs), None), "has no tab")

    # Tabs

    @property
    def session(self) -> str:
        """Of the current tab: of another one if that has been closed."""
        with self._changed:
            if self._current not in self._sessions:
                self._current = next(iter(self._tabs), "")
            session = self._sessions.get(self._current)
        if session is None:
            raise errors.BrowserError("Chromium has no tab any more")
        return session

    @property
    def url(self) -> str:
        """Of the current tab."""
        return str(self._cdp.evaluate(self.session, "location.href"))

    @property
    def urls(self) -> list[str]:
        """Of all tabs."""
        with self._changed:
            sessions = [self._sessions[each] for each in self._tabs]
        return [url for each in sessions if (url := self._at(each, "location.href"))]

    def navigate(self, url: str) -> None:
        """Goes there in the current tab; returns when the page is loaded, or where it leads to."""
        session = self.session
        answer = self._cdp.call("Page.navigate", session, url=url)
        if "errorText" in answer:
            raise errors.BrowserError(f"{url}: {answer['errorText']}")
        if "loaderId" in answer:  # or it is the same document
            self._until(
                lambda: self._has_loaded(session, answer["loaderId"]) or None,
                f"does not load {url}",
            )

    def _has_loaded(self, session: str, loader: str) -> bool:
        """Whether the document of this loader has, or one to which its scripts have gone on."""
        begun = self._loaders.get(session, [])
        return loader in begun and begun[-1] in self._loaded

    def wait(self, url: str, timeout: float) -> bool:
        """Whether a tab has loaded this URL in time, which is the current one from then on."""
        found = self._ask(lambda: self._tab_that_shows(url), timeout)
        self._current = found or self._current
        return found is not None

    def only_a_blank_tab(self) -> None:
        """Closes the others."""
        created = self._cdp.call("Target.createTarget", url=BLANK)["targetId"]
        for each in self._tabs:
            if each != created:
                self._close(each)
        self._until(lambda: self._tabs == [created] or None, "does not close its tabs")
        self._current = created

    def evaluate_at(self, url: str, expression: str) -> None:
        """Evaluates something in a page that is opened for that, once it is loaded."""
        target = self._cdp.call("Target.createTarget", url=url, background=True)["targetId"]
        try:
            session = self._until(lambda: self._sessions.get(target), f"does not open {url}")
            if not self._ask(lambda: self._shows(session, url) or None, PATIENCE):
                raise errors.BrowserError(f"Chromium does not load {url} within {PATIENCE:g} s")
            self._cdp.evaluate(session, expression)
        finally:
            self._close(target)

    def forget_origins(self) -> set[str]:
        """Those of all pages and workers since the last time."""
        with self._changed:
            seen, self._origins = self._origins, set()
        return seen

    # Workers

    def evaluate_in_worker(self, scope: str, script_url: str, expression: str) -> Any:
        """In the service worker with this script, which is started if need be."""
        self._cdp.call("ServiceWorker.enable", self.session)
        self._cdp.call("ServiceWorker.startWorker", self.session, scopeURL=scope)
        target = self._until(lambda: self._worker_with(script_url), f"does not start {script_url}")
        self._borrowed.add(target)
        session = self._cdp.attach(target)
        try:
            return self._cdp.evaluate(session, expression)
        finally:
            self._cdp.call("Target.detachFromTarget", sessionId=session)
            self._borrowed.discard(target)

    def stop_workers(self) -> None:
        """Returns when none runs."""
        self._cdp.call("ServiceWorker.enable", self.session)
        self._cdp.call("ServiceWorker.stopAllWorkers", self.session)
        self._until(lambda: not self._workers or None, "does not stop its workers")

    # What the browser tells

    def _attached(self, event: Event) -> None:
        session, info = event.params["sessionId"], event.params["targetInfo"]
        if info["targetId"] in self._borrowed and not event.params["waitingForDebugger"]:
            return
        if info["type"] == "page":
            self._cdp.call("Page.enable", session)
            self._cdp.call("Page.setLifecycleEventsEnabled", session, enabled=True)
            self._cdp.call("Page.addScriptToEvaluateOnNewDocument", session, source=self._script)
            self._on_tab(session)
        else:
            self._cdp.call("Runtime.evaluate", session, expression=self._script)
        self._cdp.call("Runtime.runIfWaitingForDebugger", session)
        if info["type"] == "page":
            with self._news():
                self._targets.setdefault(info["targetId"], info)
                self._sessions[info["targetId"]] = session
        else:
            self._cdp.call("Target.detachFromTarget", sessionId=session)

    def _told(self, event: Event) -> None:
        info = event.params["targetInfo"]
        parts = urlsplit(info["url"])
        with self._news():
            self._targets[info["targetId"]] = info
            if parts.scheme in ("http", "https"):
                self._origins.add(f"{parts.scheme}://{parts.netloc}")

    def _destroyed(self, event: Event) -> None:
        with self._news():
            self._targets.pop(event.params["targetId"], None)
            session = self._sessions.pop(event.params["targetId"], None)
            self._loaders.pop(session or "", None)

    def _lives(self, event: Event) -> None:
        loader, session = event.params["loaderId"], event.session or ""
        if event.params["frameId"] not in self._targets:
            return  # a frame in a page
        with self._news():
            if event.params["name"] == "init":
                self._loaders.setdefault(session, []).append(loader)
            if event.params["name"] == "load":
                self._loaded.add(loader)

    def _has_gone(self, _: Event) -> None:
        with self._news():
            self._gone = True

    @contextmanager
    def _news(self) -> Iterator[None]:
        """Something changes, for which somebody may wait."""
        with self._changed:
            yield
            self._changes += 1
            self._changed.notify_all()

    # Below the surface

    @property
    def _tabs(self) -> list[str]:
        """Those with a session, oldest first."""
        return [
            each
            for each, info in self._targets.items()
            if each in self._sessions and urlsplit(info["url"]).scheme not in _OWN_SCHEMES
        ]

    def _tab_that_shows(self, url: str) -> str | None:
        """The browser tells of a URL as soon as a tab goes there: the tab itself knows better."""
        with self._changed:
            going = [each for each in self._tabs if self._targets[each]["url"] == url]
            sessions = {each: self._sessions[each] for each in going}
        return next((each for each in going if self._shows(sessions[each], url)), None)

    def _shows(self, session: str, url: str) -> bool:
        return self._at(session, _SHOWN) == url

    def _at(self, session: str, expression: str) -> str:
        """What a tab says, or nothing if it closes meanwhile."""
        try:
            return str(self._cdp.evaluate(session, expression))
        except SessionGoneError:
            return ""

    def _close(self, target: str) -> None:
        """It may have closed itself meanwhile."""
        with suppress(errors.BrowserError):
            self._cdp.call("Target.closeTarget", targetId=target)

    def _worker_with(self, url: str) -> str | None:
        return next((each for each in self._workers if self._targets[each]["url"] == url), None)

    @property
    def _workers(self) -> list[str]:
        return [each for each, info in self._targets.items() if info["type"] == "service_worker"]

    def _ask(self, look: Callable[[], T | None], timeout: float) -> T | None:
        """What `look`, which asks the browser, finds in time; after each change it looks again."""
        deadline = Deadline(timeout)
        while True:
            seen = self._changes
            if (found := look()) is not None:
                return found
            with self._changed:
                while self._changes == seen:
                    if not self._changed.wait(deadline.remaining):
                        return None
            self._check()

    def _until(self, look: Callable[[], T | None], otherwise: str) -> T:
        """What `look` finds, as soon as it finds something."""
        deadline = Deadline(PATIENCE)
        with self._changed:
            while (found := look()) is None and not self._gone:
                if not self._changed.wait(deadline.remaining):
                    break
        if found is None:
            self._check()
            raise errors.BrowserError(f"Chromium {otherwise} within {PATIENCE:g} s")
        return found

    def _check(self) -> None:
        self._cdp.check()
        if self._gone:
            raise errors.BrowserError("Chromium: the browser has gone")


_SHOWN: Final = "document.readyState === 'complete' ? location.href : ''"
