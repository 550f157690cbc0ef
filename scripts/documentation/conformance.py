"""The table of requirements, from docs/conformance.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from documentation.markdown import code, table

SOURCE: Final = Path(__file__).resolve().parents[2] / "docs" / "conformance.toml"

PARTIES: Final = {
    "PS": ("The push service", "`mockpush`"),
    "AS": ("The application server", "the sender under test: judged, by findings and by cases"),
    "UA": ("The user agent", "`mockpush.client`"),
}
"""The headings, by what the ids begin with."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row: what is asked for, what does or judges it, and what proves that."""

    id: str
    section: str
    level: str
    text: str
    by: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()

    @property
    def party(self) -> str:
        """`PS`, `AS` or `UA`."""
        return self.id.partition("-")[0]


def _requirement(row: Mapping[str, Any]) -> Requirement:
    members: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in row.items()
    }
    return Requirement(**members)


def requirements() -> list[Requirement]:
    """All rows, in the order of their ids within each party."""
    rows = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["requirement"]
    read = [_requirement(row) for row in rows]
    return sorted(read, key=lambda each: (list(PARTIES).index(each.party), each.id))


def conformance() -> str:
    """A table for each party."""
    parts = []
    for party, (title, where) in PARTIES.items():
        rows = [_row(each) for each in requirements() if each.party == party]
        head = ("id", "section", "level", "requirement", "by", "proved by")
        parts.append(f"## {title}\n\n{len(rows)} requirements on {where}.\n\n{table(head, rows)}")
    return "\n".join(parts)


def _row(row: Requirement) -> tuple[str, ...]:
    by = (*row.by, *row.findings)
    return (row.id, row.section, row.level, row.text, _listed(by), _listed(_proofs(row)))


def _proofs(row: Requirement) -> Iterator[str]:
    yield from row.cases
    yield from (name.removeprefix("tests/") for name in row.tests)


def _listed(names: Iterator[str] | tuple[str, ...]) -> str:
    return "<br>".join(code(name) for name in names)
