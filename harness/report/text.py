"""The report for people, in colour: `click.echo` drops the codes where they do not belong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

import click

from ..case import Case
from ..senders.registry import ReadySender
from ..verdict import VERDICTS, CaseResult, Report, Verdict
from .matrix import differing, rows
from .record import CaseRecord, RunRecord, case_record, recorded
from .words import (
    IN_DETAIL,
    MARKS,
    about,
    baseline_lines,
    clean,
    counts,
    decisive,
    evidence_lines,
    heading,
    log_lines,
    problem_lines,
    total,
)

_COLOURS: Final = {
    Verdict.FAILED: "red",
    Verdict.WARNING: "yellow",
    Verdict.INFO: "cyan",
    Verdict.PASSED: "green",
    Verdict.SKIPPED: "bright_black",
}


def text(records: Sequence[RunRecord]) -> str:
    """Every run: its cases by document and section, then what there is to say of them."""
    lines = [line for record in records for line in (*_run(record), "")]
    if len(records) > 1:
        lines += [*_matrix(records), ""]
    return "\n".join(lines[:-1])


def plain(report: Report) -> str:
    """A run, for where there are no colours."""
    return click.unstyle(text([recorded(report)]))


def failures(report: Report) -> str:
    """How many cases failed that were not known to, and all that there is to say of each."""
    record = recorded(report)
    failing = [case for case in record.cases if case.fails]
    lines = [f"{len(failing)} of {total(record)} failed: {about(record)}"]
    for case in failing:
        lines += ["", *_detail(case)]
    return click.unstyle("\n".join(lines))


def explained(result: CaseResult) -> str:
    """What there is to say of one case, for where there are no colours."""
    return click.unstyle("\n".join(_detail(case_record(result))))


def mark(verdict: Verdict) -> str:
    """The sign of a verdict in its colour."""
    return click.style(MARKS[verdict], fg=_COLOURS[verdict])


def case_list(cases: Iterable[Case]) -> str:
    """The cases that there are."""
    return "\n".join(_table((case.id, case.level, _listed(case)) for case in cases))


def sender_list(senders: Iterable[ReadySender]) -> str:
    """The ready senders, with what they are driven with, and what is missing."""
    return "\n".join(
        _table(
            (each.name, each.toolchain.language, f"{each.library} {each.version}", _state(each))
            for each in senders
        )
    )


def _state(sender: ReadySender) -> str:
    if sender.own_version is not None:
        return "installed beside mockpush"
    return sender.missing or ("installed" if sender.installed else "is installed when it is used")


def _listed(case: Case) -> str:
    return f"{case.requirement} (--thorough)" if case.thorough else case.requirement


def _run(record: RunRecord) -> Iterator[str]:
    yield click.style(about(record), bold=True)
    for document, cases in groupby(record.cases, key=lambda case: case.document):
        yield ""
        yield click.style(heading(document), bold=True)
        for section, below in groupby(cases, key=lambda case: case.section):
            if section:
                yield f"  Section {section}"
            yield from map(_line, below)
    for case in record.of(*IN_DETAIL):
        yield ""
        yield from _detail(case)
    yield ""
    yield from baseline_lines(record)
    yield f"{total(record)}: {', '.join(_coloured(record))}"


def _line(case: CaseRecord) -> str:
    known = "  (known)" if case.known else ""
    why = f"  ({clean(case.reason or '')})" if case.verdict is Verdict.SKIPPED else ""
    return f"    {mark(case.verdict)} {case.slug}  {case.title}{known}{why}"


def _detail(case: CaseRecord) -> Iterator[str]:
    known = "  (known)" if case.known else ""
    yield f"{mark(case.verdict)} {click.style(case.id, bold=True)}  {case.title}{known}"
    for problem in case.problems:
        first, *rest = problem_lines(problem)
        level = click.style(problem.level, fg=_COLOURS[VERDICTS[problem.level]])
        yield f"    {level}{first.removeprefix(problem.level)}"
        yield from (f"    {line}" for line in rest)
    yield from (f"    {line}" for line in evidence_lines(decisive(case)))
    yield from (f"    | {line}" for line in log_lines(case))
    yield f"    reproduce {clean(case.reproduce)}"


def _coloured(record: RunRecord) -> list[str]:
    return [click.style(words, fg=_COLOURS[verdict]) for verdict, words in counts(record)]


def _matrix(records: Sequence[RunRecord]) -> Iterator[str]:
    """The cases that not all senders passed, a column for each sender."""
    yield click.style("Cases that not all passed", bold=True)
    numbers = [str(number) for number, _ in enumerate(records, 1)]
    cells = [
        (name, *("" if case is None else MARKS[case.verdict] for case in cases))
        for name, cases in differing(rows(records))
    ]
    yield from _table([("", *numbers), *cells])
    yield from (f"{number}: {about(each)}" for number, each in zip(numbers, records, strict=True))


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
