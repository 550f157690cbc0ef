"""The Chrome DevTools Protocol over its WebSocket, blocking."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

from websockets.exceptions import ConnectionClosed

from mockpush import errors

from .web_socket import opened

Json: TypeAlias = dict[str, Any]
PATIENCE: Final = 60.0
"""Real seconds for the slowest command: the first subscription on a busy machine."""


GONE: Final = "mockpush.gone"
"""The event that comes last: the browser has gone."""
_ATTACHED: Final = "Target.attachedToTarget"
_DETACHED: Final = "Target.detachedFromTarget"
_CRASHED: Final = "Target.targetCrashed"
_NO_SESSION: Final = -32001
"""The code of an answer: there is no such session (any more)."""
_HAS_GONE: Final[Json] = {"error": {"message": "the browser has gone"}}


class SessionGoneError(errors.BrowserError):
    """The session of a command has ended: its tab is closed, its worker has stopped."""


class Event:
    """Something that happened in a target: the session is None for the browser itself."""

    __slots__ = ("method", "params", "session")

    def __init__(self, method: str, params: Json, session: str | None) -> None:
        self.method = method
        self.params = params
        self.session = session


Listener: TypeAlias = Callable[[Event], object]


class Cdp:
    """A connection to a browser.

    Listeners are called in a thread of their own, one after another, and may give commands. What
    one fails with is raised by `check`, unless its target has gone meanwhile.
    """

    def __init__(self, url: str) -> None:
        # The largest answers are pages and payloads; the browser is ours.
        self._open = ExitStack()
        self._socket = self._open.enter_context(opened(url))
        self._numbers = itertools.count(1)
        self._replies: dict[int, tuple[str | None, Future[Json]]] = {}
        self._targets: dict[str, str] = {}
        self._listeners: Mapping[str, Listener] = {}
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._failures: list[Exception] = []
        self._threads = [
            threading.Thread(target=run, name=f"mockpush-cdp-{run.__name__}", daemon=True)
            for run in (self._read, self._tell)
        ]
        for each in self._threads:
            each.start()

    def listen(self, listeners: Mapping[str, Listener]) -> None:
        """From now on these hear of the events of these names."""
        self._listeners = listeners

    def check(self) -> None:
        """Raises what a listener has failed with since the last time."""
        if self._failures:
            raise errors.BrowserError("; ".join(map(str, self._failures)))

    def call(
        self, method: str, session: str | None = None, *, timeout: float = PATIENCE, **params: Any
    ) -> Json:
        """What a command returns; `errors.BrowserError` if it fails or takes too long."""
        number = next(self._numbers)
        reply: Future[Json] = Future()
        self._replies[number] = (session, reply)
        message: Json = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        try:
            self._socket.send(json.dumps(message))
            answer = reply.result(timeout)
        except ConnectionClosed as error:
            raise errors.BrowserError(f"{method}: the browser has gone") from error
        except LateError as error:
            raise errors.BrowserError(f"{method}: no answer within {timeout:g} s") from error
        finally:
            self._replies.pop(number, None)
        if "error" in answer:
            gone = answer["error"].get("code") == _NO_SESSION
            kind = SessionGoneError if gone else errors.BrowserError
            raise kind(f"{method}: {answer['error']['message']}")
        result: Json = answer["result"]
        return result

    def evaluate(self, session: str, expression: str, *, timeout: float = PATIENCE) -> Any:
        """The JSON of an expression's value, or its promise's; `errors.ScriptError` if it throws.

        It counts as done by the user.
        """
        answer = self.call(
            "Runtime.evaluate",
            session,
            timeout=timeout,
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            thrown = details.get("exception", {})
            raise errors.ScriptError(thrown.get("description") or details["text"])
        return answer["result"].get("value")

    def attach(self, target: str) -> str:
        """A session with a target."""
        answer = self.call("Target.attachToTarget", targetId=target, flatten=True)
        session: str = answer["sessionId"]
        return session

    def close(self) -> None:
        """Ends the connection; the browser goes on."""
        self._open.close()
        for each in self._threads:
            each.join()

    def _read(self) -> None:
        try:
            for text in self._socket:
                message = json.loads(text)
                if "id" in message:
                    self._answer(message["id"], message)
                else:
                    self._notice(message)
        except ConnectionClosed:
            pass  # as when it is killed
        finally:
            for number in list(self._replies):
                self._answer(number, _HAS_GONE)
            self._events.put(Event(GONE, {}, None))
            self._events.put(None)

    def _notice(self, message: Json) -> None:
        method, params = message["method"], message["params"]
        if method == _ATTACHED:
            self._targets[params["sessionId"]] = params["targetInfo"]["targetId"]
        elif method == _DETACHED:
            self._targets.pop(params["sessionId"], None)
            self._give_up({params["sessionId"]}, "what it was for is closed")
        elif method == _CRASHED:
            target = params["targetId"]
            crashed = {each for each, known in self._targets.items() if known == target}
            self._give_up(crashed, "what it was for has crashed")
        self._events.put(Event(method, params, message.get("sessionId")))

    def _give_up(self, sessions: set[str], why: str) -> None:
        """Commands of these are never answered."""
        answer = {"error": {"code": _NO_SESSION, "message": why}}
        for number, (session, _) in list(self._replies.items()):
            if session in sessions:
                self._answer(number, answer)

    def _answer(self, number: int, message: Json) -> None:
        _, reply = self._replies.get(number, (None, None))
        if reply is not None and not reply.done():
            reply.set_result(message)

    def _tell(self) -> None:
        while (event := self._events.get()) is not None:
            listener = self._listeners.get(event.method)
            if listener is None:
                continue
            try:
                listener(event)
            except SessionGoneError:
                pass  # what has gone needs nothing any more
            except Exception as error:  # `check` raises it, in another thread
                self._failures.append(error)
