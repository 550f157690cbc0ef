"""What Chromium's BackgroundService log tells of push messages, without a word to their worker."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from mockpush import errors
from mockpush.protocol.delivery import Report

from ..deadlines import Deadline
from .cdp import Cdp, Event, Json, Listener

_PUSH: Final = "pushMessaging"
_NOTIFICATIONS: Final = "notifications"
_RECEIVED: Final = "Push message received"
_DISPATCHED: Final = "Push event dispatched"
_COMPLETED: Final = "Push event completed"
_DISPLAYED: Final = "Notification displayed"
_IDENTITY: Final = ("timestamp", "eventName", "instanceId")
"""Of an entry, with what it says; in another session its details come in another order."""
_SUCCESS: Final = {"Success": "Yes", "Status": "Success"}


class Told(NamedTuple):
    """What has become of a message; `payload` is that of a `push` event, as the page gets it."""

    message: str
    report: Report
    detail: str | None = None
    payload: str | None = None


class Displayed(NamedTuple):
    """A notification of a worker, and the message whose `push` event has shown it, if one has."""

    title: str
    body: str
    origin: str
    tag: str | None
    message: str | None


class Observer:
    """Hears of each step of each message, and of each notification, in the order of the log.

    `report` is called with the one, `display` with the other, in the listeners' thread. `settled`
    are the messages of which nothing more is to come.
    """

    def __init__(
        self,
        cdp: Cdp,
        report: Callable[[Told], object],
        display: Callable[[Displayed], object],
        *,
        settled: Iterable[str] = (),
    ) -> None:
        self._cdp = cdp
        self._report = report
        self._display = display
        self.settled = set(settled)
        self._following = False
        self._logged: set[tuple[object, ...]] = set()
        self._decrypted: set[str] = set()
        self._dropped: set[str] = set()
        self._events = _PushEvents()
        self._dispatched: deque[Told] = deque()
        self._changed = threading.Condition()

    @property
    def listeners(self) -> Mapping[str, Listener]:
        """For `Cdp.listen`."""
        return {"BackgroundService.backgroundServiceEventReceived": self._heard}

    def follow(self, session: str) -> None:
        """By the session of a tab, of which any will do; the first forgets what was logged before.

        Each is told everything, also what it was not there for.
        """
        for service in (_PUSH, _NOTIFICATIONS):
            if not self._following:
                self._call("clearEvents", session, service=service)
            self._call("setRecording", session, service=service, shouldRecord=True)
            self._call("startObserving", session, service=service)
        self._following = True

    def _call(self, method: str, session: str, **params: Any) -> None:
        self._cdp.call(f"BackgroundService.{method}", session, **params)

    def settle(self, messages: set[str], *, timeout: float, patience: float) -> None:
        """Returns when each of these was dispatched or given up.

        What Chromium drops without a word, as without permission, is given up after `timeout`
        seconds. What it has decrypted and not dispatched after `patience` is an
        `errors.BrowserError`: it waits for the end of an event of the same worker.
        """
        unheard, undispatched = Deadline(timeout), Deadline(patience)
        with self._changed:
            self._await(lambda: messages <= self.settled | self._decrypted, unheard)
            self.settled |= messages - self._decrypted
            self._await(lambda: messages <= self.settled, undispatched)
            late = messages - self.settled
            going = self._events.going
        if late:
            raise errors.BrowserError(
                f"Chromium has decrypted {_listed(late)}, and not dispatched it within "
                f"{patience:g} s; events that have not ended: {_listed(going)}"
            )

    def _await(self, reached: Callable[[], bool], deadline: Deadline) -> None:
        while not reached() and self._changed.wait(deadline.remaining):
            pass

    def drop(self, messages: set[str]) -> None:
        """Nobody asks for these any more, nor for what has been dispatched so far."""
        with self._changed:
            self.settled |= messages
            self._dropped |= messages
            self._dispatched.clear()
            self._events = _PushEvents()

    def take(self) -> list[Told]:
        """The `push` events since the last time."""
        with self._changed:
            taken = list(self._dispatched)
            self._dispatched.clear()
        return taken

    def _heard(self, event: Event) -> None:
        entry: Json = event.params["backgroundServiceEvent"]
        details = {each["key"]: each["value"] for each in entry["eventMetadata"]}
        logged = (*(entry[name] for name in _IDENTITY), frozenset(details.items()))
        if logged in self._logged:
            return
        self._logged.add(logged)
        if entry["eventName"] == _DISPLAYED:
            self._display(self._events.displayed(entry, details))
        elif (told := _told(entry["instanceId"], entry["eventName"], details)) is not None:
            self._events.note(entry, told)
            self._report(told)
            self._keep(told)

    def _keep(self, told: Told) -> None:
        with self._changed:
            if told.report is Report.DISPATCHED and told.message not in self._dropped:
                self._dispatched.append(told)
            if told.report is Report.DECRYPTED:
                self._decrypted.add(told.message)
            if told.report in (Report.DISPATCHED, Report.NOT_DECRYPTED):
                self.settled.add(told.message)
            self._changed.notify_all()


class _PushEvents:
    """Those that go on, of each service worker, and how many notifications each has shown."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], dict[str, int]] = {}

    @property
    def going(self) -> set[str]:
        """The messages whose events have not ended."""
        return {message for each in list(self._shown.values()) for message in list(each)}

    def note(self, entry: Json, told: Told) -> None:
        """One begins or ends."""
        events = self._shown.setdefault(_worker(entry), {})
        if told.report is Report.DISPATCHED:
            events[told.message] = 0
        elif told.report in (Report.COMPLETED, Report.REJECTED):
            events.pop(told.message, None)

    def displayed(self, entry: Json, details: Mapping[str, str]) -> Displayed:
        """Of several events, the oldest of those that have shown the least has shown this."""
        events = self._shown.get(_worker(entry), {})
        message = min(events, key=lambda each: events[each], default=None)
        if message is not None:
            events[message] += 1
        title, body = details.get("Title", ""), details.get("Body", "")
        return Displayed(
            title, body, entry["origin"].rstrip("/"), entry["instanceId"] or None, message
        )


def _listed(messages: set[str]) -> str:
    return ", ".join(sorted(messages)) or "none"


def _worker(entry: Json) -> tuple[str, str]:
    return entry["storageKey"], entry["serviceWorkerRegistrationId"]


def _told(message: str, name: str, details: Mapping[str, str]) -> Told | None:
    fine = any(details.get(key) == value for key, value in _SUCCESS.items())
    if name == _RECEIVED:
        if fine:
            return Told(message, Report.DECRYPTED)
        return Told(message, Report.NOT_DECRYPTED, details.get("Error Reason"))
    if name == _DISPATCHED:
        # An empty text: `event.data` is null, as for what is not UTF-8.
        return Told(message, Report.DISPATCHED, payload=details.get("Payload") or None)
    if name == _COMPLETED:
        if fine:
            return Told(message, Report.COMPLETED)
        return Told(message, Report.REJECTED, details.get("Status"))
    return None
