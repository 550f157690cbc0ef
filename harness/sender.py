"""Senders: what there is to drive, and how it is reached."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from mockpush.errors import ConfigurationError

from .adapters import Adapter, OneShot, Stream
from .application import Application

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

    command: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "command", tuple(self.command))

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
        module, _, name = self.target.rpartition(":")
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


def environment(trust: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with the variables that make senders trust the service.

    A Python sender that forgets to flush would never be heard, so Python is told not to buffer.
    """
    return {**os.environ, "PYTHONUNBUFFERED": "1", **trust}
