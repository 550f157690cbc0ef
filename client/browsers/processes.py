"""The processes of a browser and their files, none of which outlives the run that started them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from mockpush import errors

from . import guardian

GRACE: Final = 5.0
"""Seconds that a process has to end before it is killed."""
_KILLED: Final = 10.0
"""Seconds in which what was killed is gone."""
_ROOM: Final = 50 << 20
"""Octets that a browser needs at least: with less it hangs."""
_SHORT: Final = "/tmp"  # noqa: S108 - what is made there is private
_LONGEST: Final = 30
"""Characters of a directory that leave enough of the 108 that Linux gives to a socket's path."""
LOG_LIMIT: Final = 2000
"""So many octets from the end of a log are quoted."""


class Process:
    """A running command in a process group of its own; all of it ends with the run."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        grace: float,
        keeps: int,
    ) -> None:
        """`keeps` is a descriptor that stays open for as long as the process lives."""
        self.program = command[0]
        self._log = log
        self._grace = grace
        arguments = ("run", str(grace), *command)
        with log.open("ab") as output:
            self._guardian = _guard(
                *arguments, environ=environ, output=output.fileno(), pass_fds=(keeps,)
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._guardian.poll() is None

    @property
    def log(self) -> str:
        """The end of what it has written to its standard output and error."""
        return self._log.read_bytes()[-LOG_LIMIT:].decode(errors="replace")

    def wait(self, *, timeout: float | None) -> int | None:
        """The exit code, or None if it still runs after `timeout` seconds (None: no limit)."""
        try:
            return self._guardian.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ends it by SIGTERM, else by SIGKILL, with all that is left of its group."""
        _release(self._guardian, within=self._grace + _KILLED)


class Home:
    """A private directory for the files of a browser; `environ` is for who lives there.

    It is removed when it is closed, or when the run has ended, after all processes in it have, for
    which they have `grace` seconds before they are killed.
    """

    def __init__(self, *, grace: float = GRACE) -> None:
        self._grace = grace
        self._processes: list[Process] = []
        self.path = _directory()
        self._guardian = _guard("remove", str(self.path))
        (self.path / "tmp").mkdir()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the run, but for where files are."""
        own = {"HOME": str(self.path), "TMPDIR": str(self.path / "tmp")}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
        return {**kept, **own}

    def run(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        log: str = "browser.log",
    ) -> Process:
        """Starts a command here; `environ` is added to that of the home."""
        assert self._guardian.stdin is not None
        process = Process(
            command,
            environ={**self.environ, **(environ or {})},
            log=self.path / log,
            grace=self._grace,
            keeps=self._guardian.stdin.fileno(),
        )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """Ends what still runs here, then removes the directory."""
        for process in self._processes:
            process.stop()
        _release(self._guardian, within=_KILLED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _directory() -> Path:
    """A new one with room for a profile, and a path that is short enough for sockets in it.

    `errors.BrowserError` if there is none.
    """
    usual = tempfile.gettempdir()
    place = _SHORT if len(usual) > _LONGEST and os.access(_SHORT, os.W_OK) else usual
    free = shutil.disk_usage(place).free
    if free < _ROOM:
        raise errors.BrowserError(
            f"a browser needs {_ROOM >> 20} MB for its profile, and {place} has {free >> 20} MB "
            "left: set TMPDIR to another directory"
        )
    return Path(tempfile.mkdtemp(prefix="mockpush-browser-", dir=place))


def _guard(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    output: int | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", guardian.__file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        env=None if environ is None else dict(environ),
        pass_fds=pass_fds,
        start_new_session=True,
    )


def _release(guarded: subprocess.Popen[bytes], *, within: float) -> None:
    assert guarded.stdin is not None
    guarded.stdin.close()
    try:
        guarded.wait(within)
    except subprocess.TimeoutExpired:
        guarded.kill()
        guarded.wait()
