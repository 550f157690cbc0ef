"""How long a wait may take, and where it may not wait at all."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from mockpush import errors

from .transports.base import Transport

T = TypeVar("T")


def real_monotonic() -> float:
    """Seconds on a clock that runs on while freezegun holds the clocks of the user's test."""
    freezegun = sys.modules.get("freezegun.api")
    return float(freezegun.real_monotonic()) if freezegun is not None else time.monotonic()


class Deadline:
    """So many seconds from now."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = real_monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds until then, at least 0."""
        return max(0.0, self._end - real_monotonic())


def in_event_loop() -> bool:
    """Whether waiting here would stop a running event loop.

    Only what a task runs counts: Playwright's blocking API leaves a loop running around its caller.
    """
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def blocking_wait(twin: str) -> errors.BlockingWaitError:
    """What a wait is in an event loop; `twin` is what to write there instead."""
    return errors.BlockingWaitError(
        f"a blocking wait in a running event loop keeps what it waits for from coming: use `{twin}`"
    )


async def in_thread(transport: Transport, wait: Callable[[Transport], T]) -> T:
    """Runs a wait in a thread, over a transport of its own: cancelled, it ends at once."""
    with transport.fork() as own:
        return await asyncio.to_thread(wait, own)
