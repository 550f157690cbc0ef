"""The report as one page of HTML: no scripts, nothing from elsewhere, light and dark, for print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Final

from ..verdict import VERDICTS, Problem, Verdict
from .matrix import rows
from .record import CaseRecord, RunRecord
from .words import (
    MARKS,
    baseline_lines,
    clean,
    evidence_lines,
    heading,
    log_lines,
    total,
)

_CONTENT: Final = "default-src 'none'; style-src 'unsafe-inline'"
_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{content}">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""


def page(records: Sequence[RunRecord]) -> str:
    """Every run; if there are several, a matrix of senders and cases goes before them."""
    title = f"mockpush check: {', '.join(clean(record.name) for record in records)}"
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    parts = [
        _HEAD.format(content=escape(_CONTENT), title=escape(title), style=style),
        *_filter(records),
        "<main>\n",
        *(_matrix(records) if len(records) > 1 else ()),
        *(part for number, record in enumerate(records, 1) for part in _run(record, number)),
        f"</main>\n<footer>mockpush {escape(records[0].mockpush)}</footer>\n</body>\n</html>\n",
    ]
    return "".join(parts)


def _filter(records: Sequence[RunRecord]) -> Iterator[str]:
    """A switch for each verdict; the style sheet hides the cases of those that are off."""
    yield '<nav aria-label="Verdicts that are shown">\n'
    for verdict in Verdict:
        if count := sum(record.counts[verdict] for record in records):
            yield (
                f'<label class="{verdict}"><input type="checkbox" id="show-{verdict}" checked>'
                f" {_mark(verdict)} {count} {verdict}</label>\n"
            )
    yield "</nav>\n"


def _matrix(records: Sequence[RunRecord]) -> Iterator[str]:
    yield '<section class="matrix">\n<h1>Senders and cases</h1>\n<table>\n<thead><tr><th></th>'
    for number, record in enumerate(records, 1):
        yield f'<th scope="col"><a href="#run-{number}">{_text(record.name)}</a></th>'
    yield "</tr></thead>\n"
    for document, below in groupby(rows(records), key=lambda row: row[0].partition("/")[0]):
        span = len(records) + 1
        yield f'<tbody>\n<tr><th colspan="{span}" scope="rowgroup">{_text(heading(document))}</th>'
        yield "</tr>\n"
        yield from (_matrix_row(name, cases) for name, cases in below)
        yield "</tbody>\n"
    yield "</table>\n</section>\n"


def _matrix_row(name: str, cases: Sequence[CaseRecord | None]) -> str:
    title = next(case.title for case in cases if case is not None)
    cells = (_matrix_cell(case, number) for number, case in enumerate(cases, 1))
    return f'<tr><th scope="row" title="{_text(title)}">{_text(name)}</th>{"".join(cells)}</tr>\n'


def _matrix_cell(case: CaseRecord | None, number: int) -> str:
    if case is None:
        return '<td title="not run"></td>'
    said = f"{case.verdict}: {case.reason}" if case.reason else case.verdict
    return (
        f'<td class="{case.verdict}"><a href="#{_anchor(case, number)}" title="{_text(said)}">'
        f"{_mark(case.verdict)}</a></td>"
    )


def _run(record: RunRecord, number: int) -> Iterator[str]:
    yield f'<section class="run" id="run-{number}">\n<h1>{_text(record.name)}</h1>\n'
    yield f'<p class="about">{_about(record)}</p>\n{_bar(record)}'
    if lines := baseline_lines(record):
        yield f"<pre>{_text_lines(lines)}</pre>\n"
    for document, cases in groupby(record.cases, key=lambda case: case.document):
        yield f'<div class="part">\n<h2>{_text(heading(document))}</h2>\n'
        for section, below in groupby(cases, key=lambda case: case.section):
            name = f"<h3>Section {_text(section)}</h3>\n" if section else ""
            yield f'<div class="part">\n{name}'
            yield from (_case(case, number) for case in below)
            yield "</div>\n"
        yield "</div>\n"
    yield "</section>\n"


def _about(record: RunRecord) -> str:
    said = (
        record.sender.language,
        f"profile {record.profile}",
        "strict" if record.strict else None,
        total(record),
        record.started_at,
    )
    return " · ".join(_text(each) for each in said if each)


def _bar(record: RunRecord) -> str:
    """The shares of the verdicts; the numbers stand in the text that is read out."""
    counts = [(verdict, count) for verdict, count in record.counts.items() if count]
    label = ", ".join(f"{count} {verdict}" for verdict, count in counts)
    shares = (f'<i class="{verdict}" style="flex:{count}">{count}</i>' for verdict, count in counts)
    return f'<div class="bar" role="img" aria-label="{label}">{"".join(shares)}</div>\n'


def _case(case: CaseRecord, number: int) -> str:
    known = ' <em class="known">known</em>' if case.known else ""
    opened = " open" if case.fails else ""
    return (
        f'<details class="case {case.verdict}" id="{_anchor(case, number)}"{opened}>\n'
        f"<summary>{_mark(case.verdict)} <b>{_text(case.title)}</b>{known} "
        f"<code>{_text(case.id)}</code></summary>\n{''.join(_inside(case))}</details>\n"
    )


def _inside(case: CaseRecord) -> Iterator[str]:
    if case.verdict is Verdict.SKIPPED:
        yield f"<p>{_text(case.reason or '')}</p>\n"
    yield from map(_problem, case.problems)
    yield f'<p class="facts">{_text(case.requirement)} · {case.level} · {case.duration_ms} ms</p>\n'
    yield from _folded("Evidence", list(evidence_lines(case.evidence.jobs)))
    yield from _folded("What the sender logged", log_lines(case))
    command = f"<pre><code>{_text(case.reproduce)}</code></pre>"
    yield f'<div class="reproduce"><small>reproduce</small>{command}</div>\n'


def _problem(problem: Problem) -> str:
    told = (("expected", problem.expected), ("actual", problem.actual), ("hint", problem.hint))
    rows = (f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in told if value is not None)
    return (
        f'<div class="problem {VERDICTS[problem.level]}"><p>{_text(str(problem))} '
        f"<small>{_text(problem.section)}, {problem.level}</small></p>\n"
        f"<dl>{''.join(rows)}</dl></div>\n"
    )


def _folded(name: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"<details><summary>{name}</summary><pre>{_text_lines(lines)}</pre></details>\n"


def _anchor(case: CaseRecord, number: int) -> str:
    return _text(f"{number}/{case.id}")


def _mark(verdict: Verdict) -> str:
    return f'<span class="mark" title="{verdict}">{MARKS[verdict]}</span>'


def _text_lines(lines: Iterable[str]) -> str:
    return "\n".join(map(_text, lines))


def _text(text: str) -> str:
    """The words of others as text, without characters that HTML must not have."""
    return escape(clean(text))
