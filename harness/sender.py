"""Senders: how to start one, and the conversation with it once it runs (`hello`, then jobs)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from mockpush.errors import ConfigurationError

from .adapters import Adapter, OneShot, Stream
from .application import Application
from .errors import SenderError, SenderStartError
from .jobs import Hello, HelloJob, SendJob, SendResult, parse_line

_CHILD: Final = "mockpush.harness.python_sender"


class Sender(Protocol):
    """A sender that can be started: one of the four below, or a ready one."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of `mockpush check` that name it."""
        ...

    def open(self, environ: Mapping[str, str]) -> Adapter:
        """A way to reach it; nothing is started yet. `environ` is the whole environment."""
        ...


@dataclass(frozen=True, slots=True)
class CommandSender:
    """A command that takes one job on standard input and prints the result as its last line."""

    command: tuple[str, ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--", *self.command)

    def open(self, environ: Mapping[str, str]) -> Adapter:
        return OneShot(self.command, environ=environ)


@dataclass(frozen=True, slots=True)
class StreamSender:
    """A command that takes a job a line and prints a result a line."""

    command: tuple[str, ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--stream", "--", *self.command)

    def open(self, environ: Mapping[str, str]) -> Adapter:
        return Stream(self.command, environ=environ)


@dataclass(frozen=True, slots=True)
class PythonSender:
    """A Python callable, `MODULE:CALLABLE`, that is given each job as a dict.

    It runs in a process of its own, so it reads the trust variables when it starts, and whatever it
    does to its process it does not do to the judge.
    """

    target: str

    def __post_init__(self) -> None:
        module, _, name = self.target.partition(":")
        if not module or not name:
            raise ConfigurationError(f"--python takes MODULE:CALLABLE, not {self.target!r}")

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--python", self.target)

    def open(self, environ: Mapping[str, str]) -> Adapter:
        return Stream((sys.executable, "-m", _CHILD, self.target), environ=environ)


@dataclass(frozen=True, slots=True)
class ApplicationSender:
    """A running application that takes jobs as `POST` at `url`."""

    url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(f"--app takes an http: or https: URL, not {self.url!r}")

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--app", self.url)

    def open(self, environ: Mapping[str, str]) -> Adapter:
        return Application(self.url)


class Conversation:
    """What the judge and one running sender say to each other.

    A sender that has ended is started and greeted anew before the next job.
    """

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

    def send(self, job: SendJob) -> SendResult:
        """One job; `SenderError` if there is no valid result within the limit."""
        if not (self._greeted and self._adapter.alive):
            self._greet()
        return SendResult.parse(self._ask(job, self._hello.timeout))

    @property
    def log(self) -> str:
        """The end of what the sender wrote to standard error during its last job."""
        return self._adapter.log

    def close(self) -> None:
        """End the sender. Another thread may do this."""
        self._adapter.close()

    def _greet(self) -> Hello:
        hello = Hello.parse(self._ask(self._hello, self._start_timeout))
        self._greeted = True
        return hello

    def _ask(self, job: HelloJob | SendJob, timeout: float) -> dict[str, object]:
        line = json.dumps(job.as_json(), separators=(",", ":")).encode()
        return parse_line(self._adapter.ask(line, timeout=timeout))


def environment(trust: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with the variables that make senders trust the service.

    A Python sender that forgets to flush would never be heard, so Python is told not to buffer.
    """
    return {**os.environ, "PYTHONUNBUFFERED": "1", **trust}
