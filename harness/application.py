"""Senders that are applications: a job is a `POST` to their URL."""

from __future__ import annotations

import http.client
import socket
from contextlib import closing, suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from .errors import OverdueError, SenderError
from .jobs import quoted
from .patience import with_margin
from .processes import LINE_LIMIT


class Application:
    """The job as JSON in `POST url`, the result as the answer.

    A thread of its own asks, since the time-out of a socket does not bound an answer that trickles.
    """

    alive: Final = True
    lasting: Final = True
    log: Final = ""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, job: bytes, *, timeout: float) -> bytes:
        connection = self._connection = self._connect(with_margin(timeout))
        target = self._url._replace(scheme="", netloc="", fragment="").geturl() or "/"
        answers: SimpleQueue[bytes | SenderError] = SimpleQueue()
        Thread(target=lambda: answers.put(_answer(connection, target, job)), daemon=True).start()
        try:
            answer = answers.get(timeout=with_margin(timeout))
        except Empty:
            raise OverdueError(f"the application did not answer within {timeout:g} s") from None
        finally:
            self.close()
        if isinstance(answer, SenderError):
            raise answer
        return answer

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        secure = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=timeout)
        try:
            connection.connect()
        except OSError as error:
            url = self._url.geturl()
            raise SenderError(f"the application cannot be reached at {url}: {error}") from None
        return connection

    def close(self) -> None:
        if self._connection is not None and (sock := self._connection.sock) is not None:
            with suppress(OSError):  # the plain socket's: a TLS one would forget its session first
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _answer(connection: http.client.HTTPConnection, target: str, job: bytes) -> bytes | SenderError:
    try:
        with closing(connection):
            connection.request("POST", target, job, {"Content-Type": "application/json"})
            response = connection.getresponse()
            body = response.read(LINE_LIMIT + 1)
            if response.length and len(body) <= LINE_LIMIT:  # what `read` of so many lets pass
                raise http.client.IncompleteRead(body, response.length)
    except (OSError, http.client.HTTPException, ValueError) as error:  # a chunk of -5 octets
        return SenderError(f"the application's answer cannot be read: {error!r}")
    if not 200 <= response.status < 300:
        what = f"{response.status} {response.reason}"
        return SenderError(f"the application answered {what}: {quoted(body)}")
    if len(body) > LINE_LIMIT:
        return SenderError(f"the application answered with more than {LINE_LIMIT} octets")
    return body
