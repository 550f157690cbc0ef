"""Senders that are callables of this process: objects with a state of their own, as tests have."""

from __future__ import annotations

import asyncio
import inspect
import json
import traceback
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, TypeAlias

from .adapters import Adapter
from .errors import OverdueError, SenderError
from .jobs import quoted
from .patience import with_margin
from .python_sender import Handler

_Answer: TypeAlias = "bytes | SenderError"


@dataclass(frozen=True, slots=True, eq=False)
class CallableSender:
    """A callable of this process that is given each job as a dict and returns the result.

    It is called in a thread of its own, one job after another. What is `async` is awaited in one
    event loop, so that it may keep its connections. Two of them are equal if they call the same.
    """

    target: Handler

    @property
    def arguments(self) -> tuple[str, ...]:
        """A function can be imported by a command line; what else there is must get a name."""
        module, name = self.target.__module__, getattr(self.target, "__qualname__", "<>")
        importable = inspect.isfunction(self.target) and "<" not in name and module != "__main__"
        return ("--python", f"{module}:{name}" if importable else "MODULE:CALLABLE")

    def open(self, environ: Mapping[str, str]) -> Adapter:
        """See `Sender.open`; `environ` is for others, since this process has one already."""
        return Called(self.target)

    @property
    def _identity(self) -> tuple[object, ...]:
        """That of a method is its object, since it is another method each time it is asked for."""
        owner = getattr(self.target, "__self__", self.target)
        return id(owner), getattr(self.target, "__name__", None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CallableSender) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)


class Called:
    """The adapter to a callable.

    A call that does not end in time cannot be ended; it is left alone, and the sender is greeted
    anew in another thread.
    """

    lasting: Final = True

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._thread: _Thread | None = None
        self._closed = False

    @property
    def alive(self) -> bool:
        return self._thread is not None

    @property
    def log(self) -> str:
        """Where the last job has raised something."""
        return self._thread.log if self._thread is not None else ""

    def ask(self, job: bytes, *, timeout: float) -> bytes:
        thread = self._thread = self._thread or _Thread(self._handler)
        if self._closed:
            thread.leave()
        thread.jobs.put(json.loads(job))
        try:
            answer = thread.answers.get(timeout=with_margin(timeout))
        except Empty:
            self._thread = None
            thread.leave()
            raise OverdueError(f"the sender did not return within {timeout:g} s") from None
        if isinstance(answer, SenderError):
            raise answer
        return answer

    def close(self) -> None:
        self._closed = True
        if (thread := self._thread) is not None:
            thread.leave()


class _Thread:
    """The thread that calls, with an event loop for what is to be awaited."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.log = ""
        self.jobs: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.answers: SimpleQueue[_Answer] = SimpleQueue()
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._awaiting: asyncio.Task[object] | None = None
        Thread(target=self._serve, name="mockpush-sender", daemon=True).start()

    def leave(self) -> None:
        """Ends the thread after the call that is under way; one that awaits is ended at once."""
        self.jobs.put(None)
        self.answers.put(SenderError("the sender has been closed"))
        if (task := self._awaiting) is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(task.cancel)

    def _serve(self) -> None:
        with self._runner:
            while (job := self.jobs.get()) is not None:
                self.log = ""
                self.answers.put(self._answer(job))

    def _answer(self, job: dict[str, Any]) -> _Answer:
        try:
            result = self._handler(job)
            if inspect.iscoroutine(result):
                result = self._runner.run(self._awaited(result))
        except Exception as error:
            self.log = traceback.format_exc()
            result = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        except BaseException as error:  # a test that is skipped or exits in the midst of a job
            return SenderError(f"the sender ended before it answered: {error!r}")
        return _line(result)

    async def _awaited(self, result: Coroutine[Any, Any, object]) -> object:
        self._awaiting = asyncio.current_task()
        return await result


def _line(result: object) -> _Answer:
    if not isinstance(result, Mapping):
        return SenderError(f"the sender returned {quoted(result)}, which is not a dict")
    try:
        return json.dumps(dict(result)).encode()
    except (TypeError, ValueError) as error:
        return SenderError(f"the sender returned what JSON does not have: {error}")
