"""Requests to an ASGI application in this process, whose event loop another thread runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from mockpush import errors

from ..headers import Headers
from .base import Fields, Stream, Transport

_PATIENCE: Final = 2.0
"""Seconds in which a loop that is not blocked says which one it is."""

T = TypeVar("T")
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Submit: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Future[Any]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Start:
    status: int
    headers: Headers


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


_Events: TypeAlias = "SimpleQueue[_Start | bytes | _End]"


class AsgiTransport(Transport):
    """Calls `application` on the event loop of another thread.

    `submit` gives a coroutine to that loop: `Server.submit`, or `run_coroutine_threadsafe` with a
    loop. It must end every future when the loop stops, and raise `RuntimeError` after that. `url`
    is what the application sees as its own, and what errors name. Errors that the application
    raises are raised here.
    """

    def __init__(
        self, application: Application, submit: Submit, *, url: str = "http://localhost"
    ) -> None:
        self.url = url.rstrip("/")
        self._application = application
        self._submit = submit
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._open: set[_AsgiStream] = set()
        self._closed = False

    def stream(
        self,
        method: str,
        target: str,
        *,
        headers: Fields = (),
        body: bytes = b"",
        timeout: float | None = None,
    ) -> Stream:
        """See `Transport.stream`; `errors.BlockingWaitError` on the application's own loop."""
        self._refuse_own_loop()
        scope = _scope(self.url, method, target, headers, len(body))
        stream = _AsgiStream(self, timeout)
        with self._lock:
            if self._closed:
                raise self.ended()
            stream.future = self._start(
                _Exchange(scope, body, stream.events).run(self._application)
            )
            self._open.add(stream)
        stream.future.add_done_callback(stream.end)
        stream.begin()
        return stream

    def fork(self) -> AsgiTransport:
        """Another transport to the same application."""
        return AsgiTransport(self._application, self._submit, url=self.url)

    def close(self) -> None:
        """Cancels outstanding requests: their threads get an `errors.ConnectError`."""
        with self._lock:
            self._closed = True
            outstanding = list(self._open)
        for stream in outstanding:
            stream.cancel()

    def ended(self) -> errors.ConnectError:
        """Why a request ends without its answer."""
        if self._closed:
            return errors.ConnectError(f"the transport to {self.url} is closed")
        return errors.ConnectError(f"the service at {self.url} has been stopped")

    def forget(self, stream: _AsgiStream) -> None:
        """The stream has ended."""
        with self._lock:
            self._open.discard(stream)

    def _start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            return self._submit(coroutine)
        except RuntimeError as error:
            coroutine.close()
            raise self.ended() from error

    def _refuse_own_loop(self) -> None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._loop is None:
            self._loop = self._ask_for_loop() or running
        if running is self._loop:
            raise errors.BlockingWaitError(
                f"a blocking call on the event loop that serves {self.url} could never end: await "
                "the `…_async` twin, or run the call with `await asyncio.to_thread(…)`"
            )

    def _ask_for_loop(self) -> asyncio.AbstractEventLoop | None:
        """The application's loop; None if it does not answer, as one that we are blocking."""
        asked = self._start(_running_loop())
        try:
            return asked.result(_PATIENCE)
        except TimeoutError:
            asked.cancel()
            return None


async def _running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


class _Exchange:
    """One request as the application sees it; all of it runs on the application's loop."""

    def __init__(self, scope: Scope, body: bytes, events: _Events) -> None:
        self._scope = scope
        self._body: bytes | None = body
        self._events = events
        self._answered = asyncio.Event()

    async def run(self, application: Application) -> None:
        await application(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._answered.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            lines = ((_text(name), _text(value)) for name, value in message.get("headers", ()))
            self._events.put(_Start(message["status"], Headers(lines)))
            return
        if body := message.get("body", b""):
            self._events.put(bytes(body))
        if not message.get("more_body", False):
            self._answered.set()
            self._events.put(_End())


class _AsgiStream(Stream):
    future: Future[None]

    def __init__(self, transport: AsgiTransport, timeout: float | None) -> None:
        self.events: _Events = SimpleQueue()
        self._transport = transport
        self._timeout = timeout
        self._ended = False
        self._closed = False

    def begin(self) -> None:
        """Waits for the status and the header fields."""
        try:
            start = self._next()
        except BaseException:
            self.close()
            raise
        if not isinstance(start, _Start):
            raise errors.ConnectError(f"the service at {self._transport.url} gave no answer")
        self.status, self.headers = start.status, start.headers

    def __iter__(self) -> Iterator[bytes]:
        while isinstance(piece := self._next(), bytes):
            yield piece

    def _next(self) -> _Start | bytes | _End:
        if self._ended or self._closed:
            return _End()
        try:
            event = self.events.get(timeout=self._timeout)
        except Empty:
            raise errors.ConnectError(
                f"no answer from {self._transport.url} within {self._timeout:g} s"
            ) from None
        if isinstance(event, _End):
            self._transport.forget(self)
            self._ended = True
            if event.error is not None and not self._closed:
                raise event.error
        return event

    def end(self, future: Future[None]) -> None:
        """The application has returned, raised or been cancelled; runs in whichever thread."""
        if future.cancelled():
            self.events.put(_End(self._transport.ended()))
        else:
            self.events.put(_End(future.exception()))

    def cancel(self) -> None:
        """Ends the request at once, whatever the loop is doing."""
        self.future.cancel()

    def close(self) -> None:
        self._closed = True
        if not self._ended:  # else the application may still be tidying up
            self._transport.forget(self)
            self.cancel()


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _octets(text: str) -> bytes:
    return text.encode("latin-1")


def _scope(url: str, method: str, target: str, headers: Fields, length: int) -> Scope:
    parts = urlsplit(url)
    path, _, query = target.partition("?")
    lines = [("host", parts.netloc), *headers]
    if length or method in ("POST", "PUT", "PATCH"):
        lines.append(("content-length", str(length)))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(_octets(name.lower()), _octets(value)) for name, value in lines],
        "client": ("127.0.0.1", 0),
        "server": (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)),
    }
