"""Toolchains: what installs and runs the ready senders of a language. All of it is data."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Final

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """How the senders of a language are installed and run.

    `install` are commands that run one after another in a copy of the sender's folder; `run` is the
    one that takes a job a line. In both `{here}` stands for that copy, and in `run` `{entry}` for
    what the sender names there. `discards` are folders in it that only the installation needs.
    `advice` says how to get the programs. Where `depends` changes, senders are installed anew.
    """

    language: str
    install: tuple[Command, ...]
    run: Command
    advice: str
    discards: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()

    def steps(self, here: Path) -> list[list[str]]:
        """The commands that install, in their order."""
        return [_filled(command, here=here) for command in self.install]

    def command(self, here: Path, entry: str) -> list[str]:
        """The command that takes the jobs."""
        return _filled(self.run, here=here, entry=entry)

    def missing(self, *, installed: bool) -> str | None:
        """Which programs are not on PATH, in a sentence; once `installed`, only `run` needs any."""
        needed = _programs((self.run,) if installed else (*self.install, self.run))
        absent = [name for name in needed if which(name) is None]
        return f"{' and '.join(absent)} not found: {self.advice}" if absent else None


def _programs(commands: Iterable[Command]) -> Iterator[str]:
    """What the commands look for on PATH, each once."""
    first = dict.fromkeys(program for program, *_ in commands)
    return (program for program in first if not program.startswith("{"))


def _filled(command: Command, **values: object) -> list[str]:
    program, *arguments = (word.format(**values) for word in command)
    return [which(program) or program, *arguments]


_HARNESS: Final = Path(__file__).parents[1]
_VENV: Final = "{here}/venv"
_VENV_PYTHON: Final = f"{_VENV}/Scripts/python.exe" if os.name == "nt" else f"{_VENV}/bin/python"

# -I: neither PYTHONPATH nor the user's own packages stand in for what is installed here.
_ISOLATED: Final = (_VENV_PYTHON, "-I")

PYTHON: Final = Toolchain(
    language="Python",
    install=(
        (sys.executable, "-m", "venv", _VENV),
        (*_ISOLATED, "-m", "pip", "install", "--no-user", "--requirement", "requirements.txt"),
    ),
    run=(*_ISOLATED, str(_HARNESS / "python_sender.py"), "{here}/{entry}"),
    advice="install Python's venv module, on Debian and Ubuntu the package python3-venv",
    depends=(sys.version, sys.base_prefix),
)

NODE: Final = Toolchain(
    language="JavaScript",
    install=(("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),),
    run=("node", "{here}/{entry}"),
    advice="install Node.js 20 or newer, which has both node and npm",
)

_EXE: Final = ".exe" if os.name == "nt" else ""
_BUILT: Final = f"{{here}}/sender{_EXE}"

GO: Final = Toolchain(
    language="Go",
    install=(("go", "build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-o", _BUILT, "."),),
    run=(_BUILT,),
    advice="install Go 1.21 or newer",
)

RUST: Final = Toolchain(
    language="Rust",
    install=(
        (
            *("cargo", "install", "--quiet", "--locked", "--path", "."),
            *("--root", "{here}", "--target-dir", "target"),
        ),
    ),
    run=(f"{{here}}/bin/sender{_EXE}",),
    discards=("target",),
    advice=(
        "install Rust 1.80 or newer, and what its openssl crate needs, on Debian and Ubuntu the "
        "packages build-essential, pkg-config and libssl-dev"
    ),
)

_CLASSES: Final = os.pathsep.join(("{here}/target/classes", "{here}/target/lib/*"))

JAVA: Final = Toolchain(
    language="Java",
    install=(
        (
            *("mvn", "--quiet", "--batch-mode", "compile", "dependency:copy-dependencies"),
            "-DoutputDirectory=target/lib",
        ),
    ),
    run=("java", "-cp", _CLASSES, "Sender"),
    advice="install Maven and a JDK, 17 or newer",
)
