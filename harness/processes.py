"""Senders as processes: a process group of their own, bounded output, and nothing left behind.

Each pipe belongs to a thread of its own, so no sender can block the judge: neither one that never
reads its input, nor one that floods its output.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Condition, Event, Lock, Thread
from typing import IO, Final

from .errors import SenderError
from .strays import kill_strays, marked

GRACE: Final = 0.5
"""Seconds that a process gets for each step of its end, before the next, harder one."""
LINE_LIMIT: Final = 4 << 20
"""Octets of one line of output; a result has some hundred, but an error may quote a long answer."""
LOG_LIMIT: Final = 8 << 10
"""Octets of standard error that are kept for the report: the last ones."""
QUEUED_LINES: Final = 4

# Without process groups (Windows) only the process itself can be ended.
_signal_group: Final[Callable[[int, int], None]] = getattr(os, "killpg", os.kill)
_KILL: Final[int] = getattr(signal, "SIGKILL", signal.SIGTERM)


class Tail:
    """The last `limit` octets that come out of a pipe, all that is in it when somebody asks."""

    def __init__(self, pipe: IO[bytes], *, limit: int) -> None:
        self._pipe = pipe
        self._limit = limit
        self._octets = b""
        self._ended = False
        self._lock = Lock()
        self._thread = _start(self._read)

    def _read(self) -> None:
        with self._pipe:
            with suppress(OSError):
                while not self._ended:
                    _wait_for_octets(self._pipe)
                    with self._lock:
                        self._take()
            self._ended = True

    def _take(self) -> None:
        """Reads once, which does not block: the lock is held and there is something to read."""
        chunk = os.read(self._pipe.fileno(), 1 << 16) if _has_octets(self._pipe) else None
        if chunk is not None:
            self._ended = not chunk
            self._octets = (self._octets + chunk)[-self._limit :]

    def _catch_up(self) -> None:
        """What was written before now is here, whether or not the thread has got to it yet."""
        with self._lock, suppress(OSError):
            while not self._ended and _CAN_ASK and _has_octets(self._pipe):
                self._take()

    def clear(self) -> None:
        """Forget what came so far."""
        self._catch_up()
        self._octets = b""

    def octets(self) -> bytes:
        """What is kept now."""
        self._catch_up()
        return self._octets

    def finish(self) -> bytes:
        """What is kept at the end of the pipe."""
        self._thread.join(GRACE)  # a process that cannot be found may hold the pipe open
        return self._octets


# Only POSIX can ask whether a pipe has something to read; elsewhere the thread alone reads.
_CAN_ASK: Final = hasattr(select, "poll")


def _wait_for_octets(pipe: IO[bytes], *, timeout: float | None = None) -> bool:
    """Whether there is something to read, or the end; always true where one cannot ask."""
    if not _CAN_ASK:
        return True
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(timeout))


def _has_octets(pipe: IO[bytes]) -> bool:
    return _wait_for_octets(pipe, timeout=0)


class Lines:
    """The lines that come out of a pipe, without their ends; a sender that floods has to wait.

    Of a line longer than `LINE_LIMIT` its first octets come, one more than the limit.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lines: deque[bytes] = deque()
        self._changed = Condition()
        self._ended = False
        self._thread = _start(self._read)

    def _read(self) -> None:
        with suppress(OSError), self._pipe:
            while line := self._pipe.readline(LINE_LIMIT + 1):
                self._put(line.rstrip(b"\r\n"))
                while len(line) > LINE_LIMIT and not line.endswith(b"\n"):
                    line = self._pipe.readline(LINE_LIMIT + 1)
        self._end()

    def _put(self, line: bytes) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._lines) < QUEUED_LINES)
            self._lines.append(line)
            self._changed.notify_all()
            if self._ended:
                self._lines.clear()

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def next(self, *, timeout: float) -> bytes | None:
        """The next line, or None at the end; `TimeoutError` if `timeout` seconds bring neither."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._lines or self._ended, timeout):
                raise TimeoutError
            line = self._lines.popleft() if self._lines else None
            self._changed.notify_all()
            return line

    def waiting(self) -> bytes | None:
        """A line that nobody waits for: it is here already."""
        with self._changed:
            return self._lines[0] if self._lines else None

    def discard(self) -> None:
        """Drop what is here and what still comes."""
        self._end()
        with self._changed:
            self._lines.clear()
        self._thread.join(GRACE)


class SenderProcess:
    """A running sender; `SenderError` if it cannot be started.

    When it ends, by itself or by `stop()`, so does every process that it started: its group, and
    what has left that.
    """

    def __init__(
        self, command: Sequence[str], *, environ: Mapping[str, str], directory: Path | None = None
    ) -> None:
        self._environ = marked(environ)
        self._process = _popen(command, self._environ, directory)
        self._log = Tail(_pipe(self._process.stderr), limit=LOG_LIMIT)
        self.stdout = _pipe(self._process.stdout)
        self._input: SimpleQueue[bytes | None] = SimpleQueue()
        self._asked = False
        self._exited = Event()
        _start(self._feed)
        _start(self._watch)

    def _feed(self) -> None:
        with suppress(OSError), _pipe(self._process.stdin) as stdin:
            while (data := self._input.get()) is not None:
                stdin.write(data)
                stdin.flush()

    def _watch(self) -> None:
        self._process.wait()
        with suppress(OSError):
            _signal_group(self._process.pid, _KILL)
        kill_strays(self._environ)
        self._exited.set()

    def write(self, data: bytes) -> None:
        """Hand `data` to the sender, without waiting for it to read."""
        if self._asked:  # what it says before its first job belongs to that
            self._log.clear()
        self._asked = True
        self._input.put(data)

    def end_input(self) -> None:
        """Close its standard input once it has read what was written."""
        self._input.put(None)

    @property
    def log(self) -> str:
        """The end of what it wrote to standard error since its input was last written."""
        octets = self._log.finish() if self._exited.is_set() else self._log.octets()
        return octets.decode(errors="replace")

    def wait(self, *, timeout: float) -> int | None:
        """The exit code, or None if the process still runs after `timeout` seconds."""
        return self._process.returncode if self._exited.wait(timeout) else None

    def stop(self) -> None:
        """End it in peace: close its input, and wait for it to end, before it is terminated."""
        try:
            self.end_input()
            self.wait(timeout=GRACE)
        finally:
            self.terminate()

    def terminate(self) -> None:
        """End it by SIGTERM, else by SIGKILL."""
        try:
            self._signal(signal.SIGTERM)
            self.wait(timeout=GRACE)
        finally:  # also when the judge is interrupted while it waits
            self._signal(_KILL)
            self._exited.wait()

    def _signal(self, number: int) -> None:
        with suppress(OSError):
            if not self._exited.is_set():
                _signal_group(self._process.pid, number)


def ended(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _start(target: Callable[[], None]) -> Thread:
    thread = Thread(target=target, daemon=True)
    thread.start()
    return thread


def _popen(
    command: Sequence[str], environ: Mapping[str, str], directory: Path | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - running what the user names is the purpose
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise SenderError(f"the sender cannot be started: {command[0]}: {_reason(error)}") from None


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
