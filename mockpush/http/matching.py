"""Matching: what a record differs in from what is wanted. No difference is a match."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

R = TypeVar("R")
Fields: TypeAlias = Mapping[str, Callable[[R], object]]
"""How each field that can be asked for is read from a record."""

NEAREST: Final = 3
"""How many near misses an answer names."""


class Difference(NamedTuple):
    """One field in which a record is not what was wanted."""

    field: str
    expected: object
    actual: object


def differences(record: R, wanted: Mapping[str, object], fields: Fields[R]) -> list[Difference]:
    """What keeps a record from matching."""
    compared = ((name, expected, fields[name](record)) for name, expected in wanted.items())
    return [Difference(*each) for each in compared if each[1] != each[2]]


def closest(
    records: Iterable[R], wanted: Mapping[str, object], fields: Fields[R]
) -> list[tuple[R, list[Difference]]]:
    """The records that match in all but the fewest fields, the newest of them first."""
    compared: list[tuple[Any, list[Difference]]] = [
        (record, differences(record, wanted, fields)) for record in records
    ]
    misses = [(record, found) for record, found in reversed(compared) if found]
    return sorted(misses, key=lambda miss: len(miss[1]))[:NEAREST]
