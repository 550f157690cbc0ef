"""The symptoms of docs/diagnosis.md, each with the mistake behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Mistake = Callable[..., None]
ROWS: dict[int, Mistake] = {}
"""Makes the mistake of a row, and reads what a user reads about it."""

ELSEWHERE = {
    33: "tests/http/test_push_resource.py",
    34: "docs/vendor-hosts.md",
    35: "docs/start.md",
}
"""Rows that are not about a push request: what answers them."""


def row(number: int) -> Callable[[Mistake], Mistake]:
    """The decorated function is that of this row."""

    def register(mistake: Mistake) -> Mistake:
        assert number not in ROWS
        ROWS[number] = mistake
        return mistake

    return register


def assert_told(text: str, *parts: Any) -> None:
    """All parts are in what a user reads."""
    missing = [str(part) for part in parts if str(part) not in text]
    assert not missing, f"{missing} not in: {text}"
