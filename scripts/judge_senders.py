"""Judges the ready senders, at their pinned versions, and keeps what came of it.

    scripts/senders [--install] [NAME…]

Writes `docs/sender-results.json`: for each sender what ran, when, and its cases by verdict. Of
senders that are not named the file keeps what it has. With --install they are only installed.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mockpush.harness.runner import run_checks
from mockpush.harness.senders.registry import READY, ReadySender, ready_sender
from mockpush.harness.signals import ended_by_signals
from mockpush.harness.verdict import Report, Verdict

RESULTS: Final = Path(__file__).resolve().parents[1] / "docs" / "sender-results.json"

SHORT: Final = 5.0
"""Seconds for a job of the first run: only who waits for ever needs them all."""

_TOOLS: Final = {
    "JavaScript": ("Node.js", ("node", "--version")),
    "Go": ("", ("go", "version")),
    "Rust": ("", ("rustc", "--version")),
    "Java": ("", ("java", "--version")),
}
"""Of each language what its tool is called, unless it says so itself, and how to ask it."""

Json = dict[str, Any]


def pinned(name: str) -> ReadySender:
    """A ready sender at its pinned version, also if there is another one beside mockpush."""
    return replace(ready_sender(name), own_first=False)


def verdicts(sender: ReadySender, told: Mapping[str, str]) -> dict[str, Verdict]:
    """The verdict of each case. `told` are those of a run before, as far as there was one.

    Where it is another one, or none and not passed, the case runs once more, by itself and with
    more time: what is slow because others run beside it is not what is to be told.
    """
    first = _by_case(run_checks(sender, timeout=SHORT))
    other = [case for case, verdict in first.items() if verdict != told.get(case, Verdict.PASSED)]
    return first | (_by_case(run_checks(sender, cases=other, jobs=1)) if other else {})


def _by_case(report: Report) -> dict[str, Verdict]:
    return {each.id: each.verdict for each in report.results}


def told(results: Mapping[str, Json], name: str) -> dict[str, str]:
    """What the file has of a sender: the verdict of each case."""
    cases = results[name]["cases"] if name in results else {}
    return {case: verdict for verdict, ids in cases.items() for case in ids}


def judged(name: str, before: Mapping[str, str]) -> Json:
    """What the file keeps of a sender."""
    sender = pinned(name)
    found = verdicts(sender, before)
    return {
        "library": sender.library,
        "version": sender.pinned,
        "language": sender.toolchain.language,
        "ran_with": tool(sender.toolchain.language),
        "date": datetime.now(UTC).date().isoformat(),
        "cases": {
            str(verdict): [case for case, each in found.items() if each is verdict]
            for verdict in Verdict
        },
    }


def tool(language: str) -> str:
    """What runs the senders of a toolchain, with its version, in one line."""
    if language not in _TOOLS:
        return f"Python {platform.python_version()}"
    name, command = _TOOLS[language]
    told = subprocess.run(  # noqa: S603 - one of the commands above
        command, capture_output=True, text=True, check=True
    )
    return f"{name} {told.stdout.splitlines()[0]}".lstrip()


def written(results: Mapping[str, Json]) -> str:
    """The text of the file."""
    senders = {name: results[name] for name in READY if name in results}
    return json.dumps(senders, indent=2, ensure_ascii=False) + "\n"


def install(names: Iterable[str]) -> None:
    for name in names:
        pinned(name).install()


def main(arguments: Sequence[str]) -> None:
    names = [each for each in arguments if each != "--install"] or list(READY)
    install(names)
    if "--install" in arguments:
        return
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in names:
        kept[name] = judged(name, told(kept, name))
        counts = ", ".join(f"{len(ids)} {verdict}" for verdict, ids in kept[name]["cases"].items())
        sys.stderr.write(f"{name}: {counts}\n")
    RESULTS.write_text(written(kept), encoding="utf-8")


if __name__ == "__main__":
    with ended_by_signals():
        main(sys.argv[1:])
