"""Installations: ready senders in the user's cache, each in a folder of its own.

A folder is complete or not there: it is made under another name, and renamed at the end.
"""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import TemporaryDirectory
from typing import Final

from mockpush._cache import cache_directory

from ..errors import SenderError, SenderStartError
from ..processes import LOG_LIMIT, SenderProcess, Tail, ended
from .toolchains import Toolchain

TICK: Final = 0.2
"""Seconds after which an interruption is seen at the latest."""

_MADE_BY_TOOLS: Final = frozenset({"__pycache__", "node_modules", "target"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What `toolchain` makes of the folder `source`. `environ` is the whole environment."""

    source: Path
    toolchain: Toolchain
    environ: Mapping[str, str]

    @property
    def directory(self) -> Path:
        """Where it is, or would be; other files, commands or machines have another place."""
        name = f"{self.source.name}-{self._digest()}"
        return cache_directory(self.environ) / "senders" / name

    @property
    def exists(self) -> bool:
        return self.directory.is_dir()

    def make(self) -> None:
        """Install it; `SenderStartError` has the end of what a tool that failed has said."""
        try:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=".making-", dir=self.directory.parent) as name:
                self._make(Path(name, "here"))
        except OSError as error:
            raise SenderStartError(f"{error.filename}: {error.strerror}") from error

    def _make(self, here: Path) -> None:
        for file in self._files():
            copy = here / file.relative_to(self.source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copyfile(file, copy)
        for command in self.toolchain.steps(here):
            self._run(command, here)
        for discarded in self.toolchain.discards:
            rmtree(here / discarded)
        self._publish(here)

    def _publish(self, here: Path) -> None:
        try:
            here.rename(self.directory)
        except OSError:
            if not self.exists:  # or another process was faster
                raise

    def _run(self, command: Sequence[str], here: Path) -> None:
        try:
            process = SenderProcess(command, environ=self.environ, directory=here)
        except SenderError as error:
            raise SenderStartError(str(error)) from error
        output = Tail(process.stdout, limit=LOG_LIMIT)
        code = _exit_code(process)
        if code != 0:
            said = f"{output.finish().decode(errors='replace')}\n{process.log}".strip()
            shown = " ".join([Path(command[0]).name, *command[1:]])
            raise SenderStartError(f"`{shown}` {ended(code)}\n{said}")

    def _digest(self) -> str:
        facts = (sysconfig.get_platform(), self.toolchain.install, self.toolchain.depends)
        digest = hashlib.sha256(repr(facts).encode())
        for file in self._files():
            name = file.relative_to(self.source).as_posix()
            digest.update(repr((name, file.read_bytes())).encode())
        return digest.hexdigest()[:12]

    def _files(self) -> Iterator[Path]:
        for file in sorted(self.source.rglob("*")):
            if file.is_file() and _MADE_BY_TOOLS.isdisjoint(file.relative_to(self.source).parts):
                yield file


def _exit_code(process: SenderProcess) -> int:
    """That of a process that is given no input, once it has ended."""
    try:
        process.end_input()
        while (code := process.wait(timeout=TICK)) is None:
            pass
    finally:
        process.terminate()
    return code
