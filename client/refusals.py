"""Refusals that a test expects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType

from .records import Request


class ExpectedRefusal:
    """A context, `with` or `async with`, in which a push must be refused.

    `begin` gives the cursor behind the journal's newest request; `collect`, and awaited `twin`,
    give the refused requests after a cursor, or raise `errors.WaitError`.
    """

    def __init__(
        self,
        begin: Callable[[], str | None],
        collect: Callable[[str | None], list[Request]],
        twin: Callable[[str | None], Awaitable[list[Request]]],
    ) -> None:
        self._begin = begin
        self._collect = collect
        self._twin = twin
        self._since: str | None = None
        self._requests: list[Request] = []

    def __enter__(self) -> list[Request]:
        self._since = self._begin()
        return self._requests

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._requests += self._collect(self._since)

    async def __aenter__(self) -> list[Request]:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._requests += await self._twin(self._since)
