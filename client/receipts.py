"""The application server's side of receipts (RFC 8030, Section 6.3)."""

from __future__ import annotations

import math
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from mockpush import errors

from .api import problem
from .deadlines import Deadline, blocking_wait, in_event_loop
from .several import responses
from .transports.base import REQUEST_TIMEOUT, Transport

_LONGEST_WAIT: Final = 30
"""Seconds of one request."""


class Receipt(NamedTuple):
    """What became of a push message; `message_url` is the path of its message resource.

    `status` is 204 when its user agent has acknowledged it, 410 when it never will.
    """

    message_url: str
    status: int

    @property
    def delivered(self) -> bool:
        """Whether the user agent has the message."""
        return self.status == 204

    @property
    def message_id(self) -> str:
        """The id of the message."""
        return self.message_url.rpartition("/")[2]


class ReceiptMonitor:
    """Monitors one receipt subscription, blocking.

    `url` is the Link `urn:ietf:params:push:receipt` of an answer 202 to a push. The service gives
    each receipt once: whoever monitors the same subscription elsewhere takes some away. One that
    is gone raises `errors.NotFoundError`.
    """

    def __init__(self, transport: Transport, url: str) -> None:
        self.url = url
        self._transport = transport
        self._path = urlsplit(url).path
        self._received: list[Receipt] = []
        self._returned = 0

    @property
    def received(self) -> list[Receipt]:
        """Every receipt so far, oldest first."""
        self._fetch(0)
        return list(self._received)

    def wait(self, timeout: float = 2.0) -> Receipt:
        """The oldest receipt that no wait has returned yet; `errors.WaitError` after `timeout`.

        Inside a running event loop it does not wait for what is not there:
        `errors.BlockingWaitError`.
        """
        self._fetch(0)
        deadline = Deadline(0 if in_event_loop() else timeout)
        while self._returned == len(self._received) and deadline.remaining:
            self._fetch(deadline.remaining)
        if self._returned == len(self._received):
            raise self._missing(timeout)
        self._returned += 1
        return self._received[self._returned - 1]

    def close(self) -> None:
        """Ends the receipt subscription: there are no more receipts (RFC 8030, Section 7.3)."""
        response = self._transport.request("DELETE", self._path)
        if response.status >= 400:
            raise problem(response)

    def _fetch(self, wait: float) -> None:
        seconds = math.ceil(min(wait, _LONGEST_WAIT))
        response = self._transport.request(
            "GET",
            self._path,
            headers=[("Prefer", f"wait={seconds}")],
            timeout=seconds + REQUEST_TIMEOUT,
        )
        if response.status >= 400 and "content-location" not in response.headers:
            raise problem(response)
        for each in responses(response):
            url = urljoin(self._path, each.headers["Content-Location"])
            self._received.append(Receipt(urlsplit(url).path, each.status))

    def _missing(self, timeout: float) -> errors.WaitError | errors.BlockingWaitError:
        if in_event_loop():
            return blocking_wait("await asyncio.to_thread(monitor.wait)")
        return errors.WaitError(
            f"expected another receipt within {timeout:g} s, got none; "
            f"before: {len(self._received)}"
        )
