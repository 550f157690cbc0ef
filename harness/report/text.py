"""The report for people, in colour: `click.echo` drops the codes where they do not belong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Final

import click

from ..case import Case
from ..evidence import Push, Unanswered
from ..senders.registry import ReadySender
from ..verdict import VERDICTS, CaseResult, Problem, Report, Verdict

LONG: Final = 60
"""Characters of a member of a job that are shown."""

_MARKS: Final = {
    Verdict.FAILED: ("✗", "red"),
    Verdict.WARNING: ("!", "yellow"),
    Verdict.INFO: ("i", "cyan"),
    Verdict.PASSED: ("✓", "green"),
    Verdict.SKIPPED: ("-", "bright_black"),
}
_IN_DETAIL: Final = (Verdict.FAILED, Verdict.WARNING, Verdict.INFO)


def text(report: Report) -> str:
    """The whole report: every case, grouped by document, and what there is to say of it."""
    return "\n".join(_lines(report))


def mark(result: CaseResult) -> str:
    """The verdict and the case in one line."""
    sign, colour = _MARKS[result.verdict]
    return f"{click.style(sign, fg=colour)} {result.id}"


def case_list(cases: Iterable[Case]) -> str:
    """The cases that there are."""
    rows = [(case.id, case.level, case.requirement) for case in cases]
    return "\n".join(_table(rows))


def sender_list(senders: Iterable[ReadySender]) -> str:
    """The ready senders, and how to install those that are missing."""
    rows = [
        (each.name, each.language, each.version or f"not installed: {each.install}")
        for each in senders
    ]
    return "\n".join(_table(rows))


def _lines(report: Report) -> Iterator[str]:
    sender = report.sender
    about = " ".join(filter(None, (sender.name, sender.version)))
    language = f" ({sender.language})" if sender.language else ""
    yield click.style(f"{about}{language}, profile {report.profile}", bold=True)
    for document, results in groupby(report.results, key=_document):
        yield ""
        yield click.style(document, bold=True)
        for result in results:
            yield from _case(result)
    yield ""
    yield _summary(report)


def _document(result: CaseResult) -> str:
    return result.id.partition("/")[0].replace("rfc", "RFC ")


def _case(result: CaseResult) -> Iterator[str]:
    yield f"  {mark(result)}  {result.requirement}"
    if result.verdict is Verdict.SKIPPED:
        yield f"      {_clean(result.reason or '')}"
    for problem in result.problems:
        yield from _problem(problem)
    if result.problems:
        yield from _reproduction(result)


def _problem(problem: Problem) -> Iterator[str]:
    level = click.style(problem.level, fg=_MARKS[VERDICTS[problem.level]][1])
    yield f"      {level}  {_clean(str(problem))}  [{problem.section}]"
    told = (("expected", problem.expected), ("actual", problem.actual), ("hint", problem.hint))
    for name, value in told:
        if value is not None:
            yield f"        {name:<9} {_clean(value)}"


def _reproduction(result: CaseResult) -> Iterator[str]:
    yield f"      reproduce   {_clean(result.reproduce)}"
    job = _decisive(result)
    if job is not None:
        yield f"      job         {_short(job.job.as_json())}"
        yield f"      answer      {_answer(job)}"
    for line in result.evidence.log.splitlines():
        yield f"      | {_clean(line)}"


def _decisive(result: CaseResult) -> Push | Unanswered | None:
    """The job that the first problem is about, else the last one."""
    jobs = result.evidence.jobs
    request = result.problems[0].request
    for job in jobs:
        if isinstance(job, Push) and request in [each.id for each in job.requests]:
            return job
    return jobs[-1] if jobs else None


def _answer(job: Push | Unanswered) -> str:
    if isinstance(job, Unanswered):
        return f"none: {_clean(job.error)}"
    given = {name: value for name, value in asdict(job.result).items() if value is not None}
    return _short(given)


def _short(members: dict[str, object]) -> str:
    """JSON in one line, long texts cut."""
    return json.dumps(_cut(members), ensure_ascii=False)


def _cut(value: object) -> object:
    if isinstance(value, dict):
        return {name: _cut(member) for name, member in value.items()}
    if isinstance(value, str) and len(value) > LONG:
        return f"{value[:LONG]}… ({len(value)} characters)"
    return value


def _clean(text: str) -> str:
    """The words of others, without what would control the terminal."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _summary(report: Report) -> str:
    counts = report.counts
    parts = [
        click.style(f"{counts[verdict]} {verdict}", fg=_MARKS[verdict][1])
        for verdict in Verdict
        if counts[verdict]
    ]
    number = len(report.results)
    cases = "1 case" if number == 1 else f"{number} cases"
    return f"{cases} in {report.seconds:.1f} s: {', '.join(parts)}"


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
