"""What came of the ready senders: who was judged, the cases, and the deviations known before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from documentation.deviations import DEVIATIONS, Deviation
from documentation.markdown import code, table
from mockpush.harness.cases import CASES

RESULTS: Final = Path(__file__).resolve().parents[2] / "docs" / "sender-results.json"

MARKS: Final = {"failed": "✗", "warning": "!", "info": "i", "passed": "", "skipped": "–"}
OF_APPLICATIONS: Final = "app/"
NOT_RUN: Final = "?"
"""A case that is newer than the results of a sender."""

Json = Mapping[str, Any]


def senders() -> str:
    """Who was judged, with numbers that stand for them in the other tables."""
    return table(
        ("", "sender", "library", "", "run with", "on", "✗", "!", "i", "✓", "–"),
        (
            (
                str(number),
                code(name),
                f"{each['library']} {each['version']}",
                each["language"],
                each["ran_with"],
                each["date"],
                *(str(len(each["cases"][verdict])) for verdict in MARKS),
            )
            for number, (name, each) in enumerate(_results().items(), 1)
        ),
    )


def cases() -> str:
    """The cases that not everybody passed, and how many others there are."""
    return _matrix(_results(), lambda case: not case.startswith(OF_APPLICATIONS))


def of_applications() -> str:
    """The same of those that keep subscriptions."""
    applications = {
        name: each
        for name, each in _results().items()
        if any(case.startswith(OF_APPLICATIONS) for case in each["cases"]["passed"])
    }
    return _matrix(applications, lambda case: case.startswith(OF_APPLICATIONS))


def _matrix(results: Mapping[str, Json], selects: Callable[[str], bool]) -> str:
    verdicts = [_by_case(each) for each in results.values()]
    judged = set().union(*verdicts)
    ids = [case.id for case in CASES if selects(case.id) and case.id in judged]
    rows = {each: [column.get(each, NOT_RUN) for column in verdicts] for each in ids}
    passed = [case for case, row in rows.items() if set(row) == {"passed"}]
    cells = (
        (code(case), *(MARKS.get(each, each) for each in row))
        for case, row in rows.items()
        if case not in passed
    )
    numbers = {name: str(number) for number, name in enumerate(_results(), 1)}
    return f"{table(('', *(numbers[name] for name in results)), cells)}\n{_same(passed)}"


def deviations() -> str:
    """What was known of these libraries, beside what the judge says of it."""
    results = _results()
    return table(
        ("known before", "senders", "case", "judged", ""),
        (_deviation(each, results) for each in DEVIATIONS),
    )


def found(case: str, results: Mapping[str, Json]) -> dict[str, str]:
    """The verdict of each sender that did not pass a case, or skip it."""
    verdicts = {name: _by_case(each).get(case, "skipped") for name, each in results.items()}
    return {name: each for name, each in verdicts.items() if each not in ("passed", "skipped")}


def _deviation(row: Deviation, results: Mapping[str, Json]) -> Sequence[str]:
    verdicts = found(row.case, results) if row.case else {}
    marks = (f"{MARKS[verdict]} {_names(names)}" for verdict, names in _grouped(verdicts))
    return (row.what, _names(row.senders), code(row.case), "; ".join(marks), row.note)


def _grouped(verdicts: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    for verdict in MARKS:
        if names := [name for name, each in verdicts.items() if each == verdict]:
            yield verdict, names


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _same(cases: Sequence[str]) -> str:
    """By section, since there are many."""
    sections = groupby(cases, key=lambda case: case.rpartition("/")[0])
    parts = (f"`{section}` ({len(list(below))})" for section, below in sections)
    return f"Everybody passed the {len(cases)} others: {', '.join(parts)}.\n"


def _results() -> dict[str, Json]:
    results: dict[str, Json] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return results


def _by_case(result: Json) -> dict[str, str]:
    return {case: verdict for verdict, ids in result["cases"].items() for case in ids}
