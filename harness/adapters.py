"""Senders that are commands: one process for each job, or one that takes them all.

An adapter hands over one job as a line of JSON and gives back the line of the result. It is used by
one thread; `close()` may come from another, and ends what is under way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final, Protocol

from .errors import OverdueError, SenderError
from .jobs import quoted
from .patience import with_margin
from .processes import GRACE, LINE_LIMIT, Lines, SenderProcess, Tail, ended


class Adapter(Protocol):
    """One way to reach a sender."""

    @property
    def alive(self) -> bool:
        """Whether the sender that answered `hello` is still there."""
        ...

    @property
    def lasting(self) -> bool:
        """Whether one process answers all jobs, so that what it remembers is of weight."""
        ...

    @property
    def log(self) -> str:
        """The end of what the sender wrote to standard error during its last job."""
        ...

    def ask(self, job: bytes, *, timeout: float) -> bytes:
        """The line of the result; `SenderError` if none comes in `timeout` seconds and a margin."""
        ...

    def close(self) -> None:
        """End the sender and what it started."""
        ...


class _Command:
    """Starts the processes of one sender, one at a time, until it is closed."""

    def __init__(self, command: Sequence[str], *, environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._lock = Lock()
        self._closed = False
        self._process: SenderProcess | None = None

    @property
    def log(self) -> str:
        return self._process.log if self._process is not None else ""

    def _start(self) -> SenderProcess:
        with self._lock:
            if self._closed:
                raise SenderError("the sender has been closed")
            self._process = SenderProcess(self._command, environ=self._environ)
            return self._process

    def close(self) -> None:
        with self._lock:
            self._closed = True
        if self._process is not None:
            self._process.stop()


class OneShot(_Command):
    """A process for each job: the job on its standard input, the result as its last line."""

    alive: Final = True
    lasting: Final = False

    def ask(self, job: bytes, *, timeout: float) -> bytes:
        process = self._start()
        output = Tail(process.stdout, limit=2 * LINE_LIMIT)
        try:
            process.write(job + b"\n")
            process.end_input()
            code = process.wait(timeout=with_margin(timeout))
        finally:
            process.terminate()
        if code is None:
            raise OverdueError(f"the sender did not end within {timeout:g} s")
        return _last_line(output.finish(), code)


class Stream(_Command):
    """One process for all jobs: a job a line, a result a line. It starts when a job needs it."""

    lasting: Final = True
    _output: Lines | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.wait(timeout=0) is None

    def ask(self, job: bytes, *, timeout: float) -> bytes:
        process, output = self._running()
        try:
            return _exchange(process, output, job, timeout)
        except BaseException:
            process.terminate()
            output.discard()
            raise

    def _running(self) -> tuple[SenderProcess, Lines]:
        if self._process is None or self._output is None or not self.alive:
            self._discard()
            process = self._start()
            self._output = Lines(process.stdout)
            return process, self._output
        return self._process, self._output

    def _discard(self) -> None:
        if self._output is not None:
            self._output.discard()

    def close(self) -> None:
        super().close()
        self._discard()


def _exchange(process: SenderProcess, output: Lines, job: bytes, timeout: float) -> bytes:
    if (line := output.waiting()) is not None:
        raise SenderError(f"the sender printed a line that no job asked for: {quoted(line)}")
    process.write(job + b"\n")
    try:
        answer = output.next(timeout=with_margin(timeout))
    except TimeoutError:
        raise OverdueError(
            f"the sender did not answer within {timeout:g} s; does it flush its output after each "
            "line?"
        ) from None
    if answer is None:
        code = process.wait(timeout=GRACE)
        how = "closed its output" if code is None else ended(code)
        raise SenderError(f"the sender {how} before it answered")
    return _whole(answer)


def _last_line(output: bytes, code: int) -> bytes:
    line = output.rstrip().rpartition(b"\n")[2]
    if not line:
        raise SenderError(f"the sender {ended(code)} and printed no result")
    return _whole(line)


def _whole(line: bytes) -> bytes:
    if len(line) > LINE_LIMIT:
        raise SenderError(f"the sender printed a line of more than {LINE_LIMIT} octets")
    return line
