"""Fills in the generated parts of the documentation: README.md and docs/*.md.

    scripts/docs [--check]

Between `<!-- generated: NAME -->` and `<!-- end -->` stands what the function for NAME returns.
The block of code behind `<!-- example: FILE[::FUNCTION] -->` is that file, or that function of it.
All else is written by hand. With --check nothing is written, and the exit code is 1 if something is
out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from documentation import (
    check_report,
    command_line,
    conformance,
    control_api,
    faults,
    findings,
    profiles,
    sender_results,
)
from documentation.examples import example

ROOT: Final = Path(__file__).resolve().parents[1]

GENERATED: Final[Mapping[str, Callable[[], str]]] = {
    "settings": command_line.settings,
    "commands": command_line.commands,
    "levels": findings.levels,
    "profile": findings.profile_table,
    "finding-codes": findings.finding_codes,
    "profiles": profiles.overview,
    "vendors": profiles.vendors,
    "variants": profiles.variants,
    "conformance": conformance.conformance,
    "fault-kinds": faults.kinds,
    "routes": control_api.routes,
    "documents": control_api.documents,
    "report-members": check_report.members,
    "sender-results": sender_results.senders,
    "sender-cases": sender_results.cases,
    "sender-applications": sender_results.of_applications,
    "sender-deviations": sender_results.deviations,
}
"""What is generated, by the name in its comment."""

_GENERATED: Final = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_EXAMPLE: Final = re.compile(
    r"^(<!-- example: (\S+) -->\n)(?:```\w+\n.*?^```\n)?", re.DOTALL | re.MULTILINE
)


def pages(root: Path) -> list[Path]:
    """The pages of the documentation."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def filled(text: str) -> str:
    """A page with its generated parts as they should be."""
    text = _EXAMPLE.sub(lambda match: f"{match[1]}{example(ROOT, match[2])}", text)
    return _GENERATED.sub(lambda match: f"{match[1]}{GENERATED[match[2]]()}{match[3]}", text)


def run(arguments: Sequence[str], *, root: Path = ROOT) -> int:
    """Writes the pages that are out of date, or only names them."""
    texts = {page: page.read_text(encoding="utf-8") for page in pages(root)}
    outdated = {page: new for page, text in texts.items() if (new := filled(text)) != text}
    for page, text in outdated.items():
        sys.stdout.write(f"{page.relative_to(root).as_posix()}\n")
        if "--check" not in arguments:
            page.write_text(text, encoding="utf-8")
    return 1 if outdated and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
