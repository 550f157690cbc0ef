"""What a transport is: blocking requests to one service, from any thread."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

from ..headers import Headers

REQUEST_TIMEOUT: Final = 30.0
"""Seconds that a request waits for the next octet of its answer unless told otherwise."""

Fields: TypeAlias = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes


class Stream(ABC):
    """An answer whose body is still coming: iterate over its pieces, then close it.

    `close` may be called from any thread and ends the iteration at once.
    """

    status: int
    headers: Headers

    @abstractmethod
    def __iter__(self) -> Iterator[bytes]: ...

    @abstractmethod
    def close(self) -> None:
        """Ends the answer; the connection is given back or closed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transport(ABC):
    """Sends requests to the service at `url` and waits for the answers; safe for threads.

    An outstanding request never holds up another. `timeout` is in seconds and counts from one octet
    to the next. Everything that keeps an answer from coming is an `errors.ConnectError`.
    """

    url: str

    @abstractmethod
    def stream(
        self,
        method: str,
        target: str,
        *,
        headers: Fields = (),
        body: bytes = b"",
        timeout: float | None = None,
    ) -> Stream:
        """Sends a request and returns once its status and header fields are there.

        `target` is a path with its query. Without a `timeout` it waits for as long as it takes.
        """

    @abstractmethod
    def fork(self) -> Transport:
        """Another transport to the same service, to be closed on its own."""

    @abstractmethod
    def close(self) -> None:
        """Ends every outstanding request at once and refuses further ones."""

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Fields = (),
        body: bytes = b"",
        timeout: float | None = None,
    ) -> Response:
        """Sends a request and returns its whole answer; waits `REQUEST_TIMEOUT` if not told."""
        limit = REQUEST_TIMEOUT if timeout is None else timeout
        with self.stream(method, target, headers=headers, body=body, timeout=limit) as stream:
            return Response(stream.status, stream.headers, b"".join(stream))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
