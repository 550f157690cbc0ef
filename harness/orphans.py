"""Orphans: what senders leave behind, in an environment that does not tell so.

Linux gives the children of a process that has ended to a process above it that asks for them, see
PR_SET_CHILD_SUBREAPER in prctl(2). That is a property of the whole process, so it is for those that
do nothing but check.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final

from .strays import PATIENCE

_SET_CHILD_SUBREAPER: Final = 36
_CAN_ADOPT: Final = sys.platform == "linux"


@contextmanager
def orphans_ended() -> Iterator[None]:
    """Ends the processes that have lost their parents in the block, where that is possible."""
    if not _CAN_ADOPT:
        yield
        return
    before = _children()
    _adopt(1)
    try:
        yield
    finally:
        _kill_children(before)
        _adopt(0)


def _adopt(wanted: int) -> None:
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, wanted, 0, 0, 0)


def _kill_children(kept: set[int], *, patience: float = PATIENCE) -> None:
    """Ends all children but the `kept` ones, and those that come from them as they end."""
    end = monotonic() + patience
    while left := _children() - kept:
        for pid in left:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
        if monotonic() > end:
            break


def _children() -> set[int]:
    """The processes whose parent is this one, ended ones as well that nobody has waited for."""
    return {pid for pid, parent in _parents() if parent == os.getpid()}


def _parents() -> Iterator[tuple[int, int]]:
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb", buffering=0) as stat:
                # pid (name) state parent …, see proc_pid_stat(5); a name may have spaces
                yield int(name), int(stat.read().rpartition(b")")[2].split()[1])
