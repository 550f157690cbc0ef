"""How long a wait may take, and where it may not wait at all."""

from __future__ import annotations

import asyncio
import sys
import time


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
    """Whether waiting here would stop a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
