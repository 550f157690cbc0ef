"""Ends what belongs to a run once the run has ended, however that was: also by SIGKILL.

A program of its own, which needs nothing but the standard library. Its standard input is a pipe
whose other end the run holds: at the end of it the run is gone, or is done with what is guarded.

    guardian.py run GRACE COMMAND…  runs the command; then nothing of its process group is left
    guardian.py remove DIRECTORY    removes the directory

`GRACE` is the time in seconds between SIGTERM and SIGKILL.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread, Timer

_PR_SET_PDEATHSIG = 1
_ATTEMPTS = 5


def run(grace: float, command: Sequence[str]) -> int:
    """Runs a command until it ends or the input does; its exit code."""
    child = subprocess.Popen(  # noqa: S603 - what the run asks for
        command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_dies_with_us()
    )
    Thread(target=_end, args=(child, grace), daemon=True).start()
    code = child.wait()
    _kill_group(child.pid)
    return code if code >= 0 else 128 - code


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    _wait_for_the_end()
    child.terminate()
    killer = Timer(grace, _kill_group, (child.pid,))
    killer.daemon = True
    killer.start()


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 1 << 10):
        pass


def _kill_group(leader: int) -> None:
    with suppress(OSError):
        os.killpg(leader, signal.SIGKILL)


def _dies_with_us() -> Callable[[], None] | None:
    """Lets the command end also if the guardian is killed; only Linux can."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def remove(directory: Path) -> int:
    """Removes a directory once the input has ended; 1 if that fails."""
    _wait_for_the_end()
    for _ in range(_ATTEMPTS):  # who has just been killed may still have created a file
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return 0
    return 1


def main(arguments: Sequence[str]) -> int:
    """Not to be interrupted with the run: the end of the input says what is to be done."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # SIG_IGN would be the command's, too
    kind, first, *rest = arguments
    return run(float(first), rest) if kind == "run" else remove(Path(first))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
