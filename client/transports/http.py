"""Requests over HTTP/1.1 and TLS, with connections kept for the next request.

Time-outs are those of the sockets, which no frozen clock in the user's test can stop. Proxies are
ignored: the service is a local one.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
    RemoteDisconnected,
)
from typing import Final
from urllib.parse import urlsplit

from mockpush import errors

from ..headers import Headers
from .base import Fields, Stream, Transport

CONNECT_TIMEOUT: Final = 10.0
_PIECE: Final = 65536
_IDEMPOTENT: Final = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS"))
_WITH_CONTENT: Final = frozenset(("POST", "PUT", "PATCH"))
_FAILURES: Final = (OSError, HTTPException)
_STALE: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_Selector: Final = getattr(selectors, "PollSelector", selectors.SelectSelector)

_WAY_OUT: Final = "start it with `mockpush serve`, or set MOCKPUSH_URL to where it runs"
_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        ssl.SSLCertVerificationError,
        "{url} has a certificate that is not trusted ({error}): pass an `ssl_context` that has "
        "loaded the service's CA (`mockpush serve` names its file)",
    ),
    (ssl.SSLError, "no TLS connection to {url} ({error}): is it the https port of the service?"),
    (TimeoutError, "no answer from {url} in time"),
    (RemoteDisconnected, "{url} closed the connection without an answer: is the scheme right?"),
    (IncompleteRead, "{url} closed the connection in the middle of its answer"),
    (HTTPException, "{url} does not answer as an HTTP server does ({error!r}): " + _WAY_OUT),
    (OSError, "cannot reach the service at {url} ({error}): " + _WAY_OUT),
)


@dataclass(slots=True)
class _Request:
    method: str
    target: str
    fields: Fields
    body: bytes
    timeout: float | None
    sent: bool = False

    def send(self, connection: HTTPConnection) -> None:
        connection.sock.settimeout(self.timeout)
        connection.putrequest(self.method, self.target, skip_accept_encoding=True)
        for name, value in self.fields:
            connection.putheader(name, value)
        if self.body or self.method in _WITH_CONTENT:
            connection.putheader("Content-Length", str(len(self.body)))
        connection.endheaders(self.body or None)
        self.sent = True

    def may_be_repeated(self, cause: BaseException | None) -> bool:
        """Whether the connection was dead before the service can have acted on the request.

        One that did not go out whole was not acted on.
        """
        return isinstance(cause, _STALE) and (not self.sent or self.method in _IDEMPOTENT)


class HttpTransport(Transport):
    """Reaches the service at `url`, for example `http://127.0.0.1:8030`.

    `ssl_context` is for https; without it the system's trust store decides. A URL that is neither
    http nor https is an `errors.ConfigurationError`.
    """

    def __init__(self, url: str, *, ssl_context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise errors.ConfigurationError(
                f"{url!r} is not the URL of a service: write http://HOST:PORT or https://HOST:PORT"
            )
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._host, self._port = parts.hostname, parts.port
        self._context = ssl_context
        if parts.scheme == "https" and ssl_context is None:
            self._context = ssl.create_default_context()
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []
        self._busy: dict[HTTPConnection, socket.socket] = {}
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
        """See `Transport.stream`. A kept connection that proves dead is replaced once, unless the
        service may have acted on the request.
        """
        request = _Request(method, target, tuple(headers), body, timeout)
        kept = self._take_kept()
        if kept is not None:
            try:
                return self._exchange(kept, request)
            except errors.ConnectError as error:
                if not request.may_be_repeated(error.__cause__):
                    raise
        return self._exchange(self._connect(), request)

    def fork(self) -> HttpTransport:
        """Another transport to the same service, with connections of its own."""
        context = self._context if self.url.startswith("https") else None
        return HttpTransport(self.url, ssl_context=context)

    def close(self) -> None:
        """Ends outstanding requests at once: their threads get an `errors.ConnectError`."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy.values())
        for connection in idle:
            connection.close()
        for sock in busy:
            _shut(sock)

    def failure(self, error: Exception) -> errors.ConnectError:
        """What went wrong, in words, with the way out."""
        if self._closed:
            return errors.ConnectError(f"the transport to {self.url} is closed")
        text = next(text for kind, text in _REASONS if isinstance(error, kind))
        return errors.ConnectError(text.format(url=self.url, error=error))

    def interrupt(self, connection: HTTPConnection) -> None:
        """Lets a thread that reads from a connection come to its end at once."""
        with self._lock:
            sock = self._busy.get(connection)
        if sock is not None:
            _shut(sock)

    def release(self, connection: HTTPConnection, *, keep: bool) -> None:
        """Takes back a connection from the thread that used it, to keep or to close it."""
        with self._lock:
            self._busy.pop(connection, None)
            if keep and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _take_kept(self) -> HTTPConnection | None:
        with self._lock:
            self._refuse_if_closed()
            while self._idle:
                connection = self._idle.pop()
                if not _readable(connection.sock):
                    self._busy[connection] = connection.sock
                    return connection
                connection.close()  # the service has closed it meanwhile
        return None

    def _connect(self) -> HTTPConnection:
        connection = self._new_connection()
        try:
            connection.connect()
        except OSError as error:
            raise self.failure(error) from error
        with self._lock:
            if not self._closed:
                self._busy[connection] = connection.sock
                return connection
        connection.close()
        raise errors.ConnectError(f"the transport to {self.url} is closed")

    def _new_connection(self) -> HTTPConnection:
        if self._context is None:
            return HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT)
        return HTTPSConnection(
            self._host, self._port, timeout=CONNECT_TIMEOUT, context=self._context
        )

    def _exchange(self, connection: HTTPConnection, request: _Request) -> Stream:
        try:
            request.send(connection)
            response = connection.getresponse()
        except _FAILURES as error:
            self.release(connection, keep=False)
            raise self.failure(error) from error
        return _HttpStream(self, connection, response)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise errors.ConnectError(f"the transport to {self.url} is closed")


class _HttpStream(Stream):
    """Only the thread that reads closes the response: http.client is not made for two."""

    def __init__(
        self, transport: HttpTransport, connection: HTTPConnection, response: HTTPResponse
    ) -> None:
        self.status = response.status
        self.headers = Headers(response.getheaders())
        self._transport = transport
        self._connection = connection
        self._response = response
        self._lock = threading.Lock()
        self._reading = False
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._next():
            yield piece

    def _next(self) -> bytes:
        with self._lock:
            if self._closed:
                return b""
            self._reading = True
        try:
            return self._read()
        except _FAILURES as error:
            if self._closed:
                return b""
            raise self._transport.failure(error) from error
        finally:
            with self._lock:
                self._reading = False
                closed = self._closed
            if closed:
                self._release()

    def _read(self) -> bytes:
        piece = self._response.read1(_PIECE)
        if not piece and self._response.length:
            raise IncompleteRead(b"", self._response.length)
        return piece

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            reading = self._reading
        if reading:
            self._transport.interrupt(self._connection)
        else:
            self._release()

    def _release(self) -> None:
        whole = self._response.isclosed() or self._response.length == 0
        keep = whole and not self._response.will_close
        self._response.close()
        self._transport.release(self._connection, keep=keep)


def _readable(sock: socket.socket) -> bool:
    """Whether something has come on an idle connection, which can only be its end."""
    with _Selector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, whose own shutdown would wait
