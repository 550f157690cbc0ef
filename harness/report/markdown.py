"""The report as Markdown: for the summary of a workflow, and as a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ..verdict import Verdict
from .matrix import differing, rows
from .record import CaseRecord, RunRecord
from .words import (
    IN_DETAIL,
    MARKS,
    about,
    baseline_lines,
    clean,
    counts,
    decisive,
    evidence_lines,
    log_lines,
    problem_lines,
    total,
)

LIMIT: Final = 60_000
"""Characters: a comment on GitHub has at most 65 536."""
LONG_CELL: Final = 200

_SHOWN: Final = (*IN_DETAIL, Verdict.SKIPPED)
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|~&#])")
_TICKS: Final = re.compile(r"`+")


def markdown(records: Sequence[RunRecord]) -> str:
    """Every run: a line that sums it up, a table of what did not pass, the details folded.

    Details are left out, and it says so, where they would make it too long for a comment.
    """
    parts = [part for record in records for part in _run(record)]
    if len(records) > 1:
        parts[:0] = ["### Cases that not all passed", _matrix(records)]
    details = [part for record in records for part in map(_detail, record.of(*IN_DETAIL))]
    return "\n\n".join([*parts, *_fitting(details, LIMIT - sum(map(len, parts)))]) + "\n"


def _run(record: RunRecord) -> Iterator[str]:
    failed = any(case.fails for case in record.cases)
    sign = MARKS[Verdict.FAILED if failed else Verdict.PASSED]
    yield f"### {sign} mockpush check: {escaped(about(record))}"
    yield f"{total(record)}: {', '.join(words for _, words in counts(record))}"
    if shown := record.of(*_SHOWN):
        head = ("", "case", "requirement", "what came of it")
        yield table(head, map(_row, shown))
    if lines := baseline_lines(record):
        yield "\n".join([lines[0], "", *(f"- {code(line.strip())}" for line in lines[1:])])


def _row(case: CaseRecord) -> Sequence[str]:
    known = " (known)" if case.known else ""
    verdict = f"{MARKS[case.verdict]} {case.verdict}{known}"
    requirement = f"{escaped(case.title)} [{escaped(case.requirement)}]"
    return verdict, code(case.id), requirement, "<br>".join(_told(case))


def _told(case: CaseRecord) -> Iterator[str]:
    yield escaped(_cell(case.reason or ""))
    for name, value in (("expected", case.expected), ("actual", case.actual)):
        if value is not None:
            yield f"{name} {code(_cell(value))}"


def _cell(text: str) -> str:
    text = clean(text)
    return text if len(text) <= LONG_CELL else f"{text[:LONG_CELL]}…"


def _matrix(records: Sequence[RunRecord]) -> str:
    cells = [
        (code(name), *("" if case is None else MARKS[case.verdict] for case in cases))
        for name, cases in differing(rows(records))
    ]
    return table(("case", *(escaped(clean(record.name)) for record in records)), cells)


def _detail(case: CaseRecord) -> str:
    lines = [
        *(line for problem in case.problems for line in problem_lines(problem)),
        "",
        *evidence_lines(decisive(case)),
        *(f"| {line}" for line in log_lines(case)),
        "",
        clean(case.reproduce),
    ]
    title = f"{MARKS[case.verdict]} <code>{case.id}</code>"
    return f"<details><summary>{title}</summary>\n\n{fence(lines)}\n\n</details>"


def _fitting(details: Sequence[str], room: int) -> Iterator[str]:
    for number, detail in enumerate(details):
        room -= len(detail) + 2
        if room < 0:
            left = len(details) - number
            yield f"The details of {left} more would make this too long for a comment."
            return
        yield detail


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """A text that means nothing in Markdown, and mentions nobody."""
    return _SPECIAL.sub(r"\\\1", text).replace("@", "@<!-- -->")


def code(text: str) -> str:
    """A span of code, also in a table."""
    ticks = "`" * (_longest(text) + 1)
    space = " " if "`" in text else ""
    return f"{ticks}{space}{text}{space}{ticks}".replace("|", "\\|")


def fence(lines: Sequence[str]) -> str:
    """A block of code that nothing in it can end."""
    ticks = "`" * max(3, max(map(_longest, lines), default=0) + 1)
    return "\n".join([f"{ticks}text", *lines, ticks])


def _longest(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)
