"""Event loops that the user's frozen clock cannot stop, and a thread that owns one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")
LoopFactory = Callable[[], asyncio.AbstractEventLoop]

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


# freezegun replaces `time.monotonic` wherever it finds it, but leaves `clock_gettime` alone;
# time-machine changes only what `clock_gettime` says of CLOCK_REALTIME.
_monotonic: Final = (
    partial(time.monotonic)
    if sys.platform == "win32"
    else partial(time.clock_gettime, time.CLOCK_MONOTONIC)
)


class SteadyEventLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, whose timers fire while freezegun or time-machine hold the clock."""

    def time(self) -> float:
        """Seconds of a real monotonic clock."""
        return _monotonic()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A uvloop, which has its own clock, where it is installed; else a `SteadyEventLoop`."""
    try:
        import uvloop
    except ImportError:
        return SteadyEventLoop()
    return uvloop.new_event_loop()


def run(main: Coroutine[Any, Any, T], *, loop_factory: LoopFactory = new_event_loop) -> T:
    """`asyncio.run` on a loop of ours."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(main)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set instead of ending the process; main thread only."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        wake = partial(loop.call_soon_threadsafe, asked.set)
        before = {number: signal.signal(number, lambda *_: wake()) for number in STOP_SIGNALS}
        try:
            yield asked
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    else:
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, asked.set)
        try:
            yield asked
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)


class LoopThread:
    """A daemon thread that owns an event loop until `stop()`."""

    def __init__(self, *, name: str, loop_factory: LoopFactory = new_event_loop) -> None:
        self._loop = loop_factory()
        self._asked = asyncio.Event()
        self._open = True
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._wait())

    async def _wait(self) -> None:
        await self._asked.wait()

    @property
    def inherited(self) -> bool:
        """Whether this process is a forked child of the one that has the thread: use nothing."""
        return os.getpid() != self._owner

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `coroutine` on the loop; `RuntimeError` after the stop and in a forked child."""
        # Under the lock nothing is scheduled after the stop, so every future comes to an end.
        if not self.inherited:
            with self._lock:
                if self._open:
                    return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        coroutine.close()
        raise RuntimeError("the server's event loop does not run in this process")

    def stop(self) -> None:
        """Cancel what still runs on the loop, close it, and return when the thread has ended."""
        with self._lock:
            if self._open:
                self._open = False
                self._loop.call_soon_threadsafe(self._asked.set)
        self._thread.join()
