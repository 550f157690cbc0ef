"""What senders leave behind: processes that have left the group of the one that started them.

A daemon is in a session of its own and nobody's child, but it has inherited its environment, and in
that is a mark.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from time import monotonic
from typing import Final
from uuid import uuid4

MARK: Final = "MOCKPUSH_CHECK_SENDER"
"""The variable that is another for each sender process; those that it starts inherit it."""
PATIENCE: Final = 2.0
"""Seconds for which processes are killed that start others meanwhile."""

_PS: Final = ("/bin/ps", "-A", "-E", "-ww", "-o", "pid=,command=")
"""What shows the environment of one's own processes on macOS."""


def marked(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with a mark that no other sender has."""
    return {**environ, MARK: uuid4().hex}


def kill_strays(environ: Mapping[str, str], *, patience: float = PATIENCE) -> None:
    """Kill all processes that still have the mark of this environment, and what they start."""
    mark = f"{MARK}={environ[MARK]}".encode()
    end = monotonic() + patience
    while found := list(_having(mark)):
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if monotonic() > end:
            break


def _in_proc(mark: bytes) -> Iterator[int]:
    """Linux: what has ended, and what belongs to others, has no environment that can be read."""
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError), open(f"/proc/{name}/environ", "rb", buffering=0) as environ:
                if mark in environ.read():
                    yield int(name)


def _in_list(mark: bytes) -> Iterator[int]:
    listed = subprocess.run(_PS, capture_output=True, check=False)  # noqa: S603 - no input
    for line in listed.stdout.splitlines():
        if mark in line:
            yield int(line.split()[0])


def _nowhere(mark: bytes) -> Iterator[int]:
    yield from ()


_WAYS: Final[Mapping[str, Callable[[bytes], Iterator[int]]]] = {
    "linux": _in_proc,
    "darwin": _in_list,
}
_having: Final = _WAYS.get(sys.platform, _nowhere)
