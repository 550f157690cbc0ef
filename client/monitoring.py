"""The thread that waits for messages while a user agent is online."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Self

from mockpush import errors

from .transports.base import Transport

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


class Turn:
    """A re-entrant lock that knows whether the calling thread holds it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._holder: int | None = None

    @property
    def mine(self) -> bool:
        """Whether this thread holds it."""
        return self._holder == threading.get_ident()

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._holder = threading.get_ident()
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._holder = None
        self._lock.release()


class Monitor:
    """Calls `turn(monitor)` in a daemon thread again and again until it is stopped.

    A turn waits for one message over `transport`, which belongs to the monitor alone, so that
    `stop` ends it at once. When the service cannot be reached it tries again, ever more rarely. Any
    other error ends the thread and goes to `failed`.
    """

    def __init__(
        self,
        transport: Transport,
        turn: Callable[[Monitor], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.transport = transport
        self.asking = False
        self._turn = turn
        self._failed = failed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mockpush-user-agent", daemon=True)
        self._thread.start()

    @property
    def stopped(self) -> bool:
        """Whether what it still gets is to be left alone."""
        return self._stopped.is_set()

    @property
    def alive(self) -> bool:
        """Whether its thread still runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ends its request at once; its thread ends as soon as it can."""
        self._stopped.set()
        self.transport.close()

    def join(self) -> None:
        """Waits for its thread to end, unless that is the calling one."""
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self.stopped:
            try:
                self._turn(self)
                pause = _FIRST_PAUSE
            except errors.ConnectError:
                self._stopped.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except BaseException as error:  # there is nobody else to tell
                self.stop()
                self._failed(error)
