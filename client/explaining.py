"""The words of a wait that ended without what it waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .api import Json
from .arrivals import Shortfall
from .matching import shown
from .records import Request

_MOST: Final = 5
"""So many of a kind are told in full."""


def shortfall(
    noun: str,
    count: int,
    *,
    timeout: float,
    match: Mapping[str, Any],
    outcome: Shortfall,
    refused: Sequence[Request],
    strays: Sequence[Json],
) -> str:
    """What was expected, what came instead, and what may explain it."""
    wanted = f"{counted(count, noun)}{_wanted(match)}"
    parts = [
        f"expected {wanted} within {timeout:g} s, got {outcome.found}",
        _list("closest", outcome.closest),
        _list("refused meanwhile", refused),
        _list("the server got, for no subscription", [stray(entry) for entry in strays]),
    ]
    return "; ".join(part for part in parts if part)


def counted(count: int, noun: str) -> str:
    """`1 push message`, `2 push messages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def stray(entry: Mapping[str, Any]) -> str:
    """An entry of the server's own journal in a line."""
    text = str(entry["kind"]).replace("_", " ")
    request = entry.get("request")
    if request:
        text += f": {request['method']} {request['target']}"
    detail = ", ".join(f"{name}={value}" for name, value in (entry.get("detail") or {}).items())
    return f"{text} ({detail})" if detail else text


def _wanted(match: Mapping[str, Any]) -> str:
    wanted = ", ".join(f"{name}={shown(value)}" for name, value in match.items())
    return f" with {wanted}" if wanted else ""


def _list(title: str, items: Sequence[object]) -> str:
    if not items:
        return ""
    more = f", and {len(items) - _MOST} more" if len(items) > _MOST else ""
    return f"{title}: {', '.join(str(item) for item in items[:_MOST])}{more}"
