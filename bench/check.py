"""How long `mockpush check` takes: every case, from the start of the command to its end.

    python bench/check.py [--rounds N] [--json FILE]

pywebpush      the ready sender: a process of Python takes one job after another
node, one-shot web-push as a command that is started anew for each job

The ready senders are installed first, if they are not. The median of N runs counts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from results import Result, tell

from mockpush.harness.senders.installation import Installation
from mockpush.harness.senders.registry import READY, ReadySender

CHECK: Final = (sys.executable, "-m", "mockpush.cli", "check")
LIMITS: Final = {"pywebpush": 10, "node, one-shot": 60}
"""Seconds that a run may take."""


def command(sender: ReadySender) -> list[str]:
    """The command of a ready sender that takes jobs until its input ends, so also a single one."""
    sender.install()
    installation = Installation(
        source=sender.source, toolchain=sender.toolchain, environ=os.environ
    )
    return sender.toolchain.command(installation.directory, sender.entry)


def check(arguments: list[str]) -> tuple[float, int]:
    """Seconds that all cases take, and how many there are; a sender may fail some."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        started = time.perf_counter()
        run = subprocess.run(
            [*CHECK, "--json", str(report), *arguments], capture_output=True, check=False
        )
        seconds = time.perf_counter() - started
        if run.returncode not in (0, 1):
            raise RuntimeError(run.stderr.decode())
        return seconds, len(json.loads(report.read_text())["cases"])


def measure(rounds: int) -> Iterator[Result]:
    """All of it."""
    senders = {
        "pywebpush": ["--sender", "pywebpush"],
        "node, one-shot": ["--", *command(READY["web-push"])],
    }
    for name, arguments in senders.items():
        runs = [check(arguments) for _ in range(rounds)]
        seconds = statistics.median(seconds for seconds, _ in runs)
        yield Result(f"{name}, {runs[0][1]} cases", seconds, "s", LIMITS[name])


if __name__ == "__main__":
    tell(__doc__, measure, rounds=3)
