"""Deadlines of many connections under one timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Calls `missed` with what was started `seconds` ago and not stopped; real time.

    All have the same length, so that they are missed in the order in which they were started.
    """

    def __init__(self, seconds: float, missed: Callable[[T], None]) -> None:
        self._seconds = seconds
        self._missed = missed
        self._ends: dict[T, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._ends)

    def start(self, each: T) -> None:
        """Starts it, or starts it again."""
        loop = asyncio.get_running_loop()
        self._ends.pop(each, None)
        self._ends[each] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)

    def stop(self, each: T) -> None:
        """Whatever it was waiting for has happened."""
        self._ends.pop(each, None)
        if not self._ends and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = []
        for each, end in self._ends.items():
            if end > now:
                self._timer = loop.call_at(end, self._look)
                break
            due.append(each)
        for each in due:
            del self._ends[each]
        for each in due:
            self._missed(each)
