"""Work that events ask for, outside of the callbacks that bring them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

LOGGER: Final = logging.getLogger("mockpush.server")


class Work:
    """Does something once more whenever it is asked to, never twice at a time.

    There is a task only while there is something to do: most connections idle. An error is logged.
    """

    __slots__ = ("_again", "_do", "_task")

    def __init__(self, do: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._do = do
        self._again = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """It is to be done, from the beginning."""
        self._again = True
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(_tell)

    async def _run(self) -> None:
        try:
            while self._again:
                self._again = False
                await self._do()
        finally:
            self._task = None  # here, not in a callback: what is asked for in between would be lost


def _tell(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        LOGGER.error("a user agent cannot be served", exc_info=error)
