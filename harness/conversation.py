"""Conversations: what the judge and running senders say to each other, `hello` first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from queue import LifoQueue
from typing import TypeVar

from .adapters import Adapter
from .errors import SenderError, SenderStartError
from .jobs import Hello, HelloJob, Job, parse_line

R = TypeVar("R")


class Conversation:
    """One with one sender, which is started and greeted when a job needs it, also once again."""

    def __init__(self, adapter: Adapter, *, hello: HelloJob, start_timeout: float) -> None:
        self._adapter = adapter
        self._hello = hello
        self._start_timeout = start_timeout
        self._greeted = False

    def start(self) -> Hello:
        """Greet the sender; `SenderStartError` with what it printed if it answers wrongly."""
        try:
            return self._greet()
        except SenderError as error:
            log = self.log.strip()
            raise SenderStartError(f"{error}\n{log}" if log else str(error)) from error

    def send(self, job: Job[R]) -> R:
        """The result of one job; `SenderError` if there is no valid result within the limit."""
        if not (self._greeted and self._adapter.alive):
            self._greet()
        return job.result(self._ask(job.as_json(), self._hello.timeout))

    @property
    def log(self) -> str:
        """The end of what the sender wrote to standard error during its last job."""
        return self._adapter.log

    @property
    def lasting(self) -> bool:
        """Whether one process of the sender answers all jobs."""
        return self._adapter.lasting

    def close(self) -> None:
        """End the sender. Another thread may do this."""
        self._adapter.close()

    def _greet(self) -> Hello:
        hello = Hello.parse(self._ask(self._hello.as_json(), self._start_timeout))
        self._greeted = True
        return hello

    def _ask(self, members: Mapping[str, object], timeout: float) -> dict[str, object]:
        line = json.dumps(members, separators=(",", ":")).encode()
        return parse_line(self._adapter.ask(line, timeout=timeout))


class Conversations:
    """As many conversations with senders of one kind as cases run at once."""

    def __init__(self, make: Callable[[], Conversation], *, count: int) -> None:
        self._all = [make() for _ in range(count)]
        # The last one that was free is the next: a sender that nobody needs is never started.
        self._free: LifoQueue[Conversation] = LifoQueue()
        for each in reversed(self._all):
            self._free.put(each)

    def start(self) -> Hello:
        """Greet the first; `SenderStartError` if it does not answer rightly."""
        return self._all[0].start()

    @contextmanager
    def one(self) -> Iterator[Conversation]:
        """One that nobody else has meanwhile."""
        conversation = self._free.get()
        try:
            yield conversation
        finally:
            self._free.put(conversation)

    def close(self) -> None:
        """End all senders and the jobs that are under way. Another thread may do this."""
        with ExitStack() as closing:  # ends every one, also when it is interrupted on the way
            for each in self._all:
                closing.callback(each.close)
