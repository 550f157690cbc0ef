"""Several runs beside each other: cases down, senders across."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from ..case import place
from ..verdict import Verdict
from .record import CaseRecord, RunRecord

Row: TypeAlias = "tuple[str, Sequence[CaseRecord | None]]"
"""The id of a case and what it came to in each run, None if it was not there."""


def rows(records: Sequence[RunRecord]) -> list[Row]:
    """Every case of any run, in the order in which the first run that has it has it."""
    by_id = [{case.id: case for case in record.cases} for record in records]
    names = dict.fromkeys(case.id for record in records for case in record.cases)
    ordered = sorted(names, key=place)
    return [(name, [cases.get(name) for cases in by_id]) for name in ordered]


def differing(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows in which not everybody passed."""
    for name, cases in rows:
        if any(case is None or case.verdict is not Verdict.PASSED for case in cases):
            yield name, cases
