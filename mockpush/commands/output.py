"""What commands print for people: findings, times, payloads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import click

_COLOURS: Final = {"must": "red", "should": "yellow", "practice": "yellow", "vendor": "yellow"}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_EXCERPT: Final = 100


def print_json(value: object) -> None:
    """One line of JSON on standard output, at once, in ASCII: whatever the encoding there is."""
    click.echo(json.dumps(value))


def rows(pairs: Iterable[tuple[str, object]], *, indent: int = 0) -> Iterator[str]:
    """Lines of a name and a value each, aligned; what is None is left out."""
    given = [(name, value) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in given), default=0)
    for name, value in given:
        yield f"{' ' * indent}{name:<{width}}  {value}".rstrip()


def finding_lines(finding: Mapping[str, Any], *, indent: int = 0) -> Iterator[str]:
    """One finding (its members in the control API), with what was expected and what to do."""
    margin = " " * indent
    level = click.style(finding["level"], fg=_COLOURS.get(finding["level"]))
    yield f"{margin}{level} {finding['code']}: {finding['text']} [{finding['section']}]"
    yield from rows(
        [(name, finding.get(name)) for name in ("expected", "actual", "hint")], indent=indent + 4
    )


def fault_text(fault: Mapping[str, Any]) -> str:
    """The mark of a fault: `fault f1 (reset)`."""
    return f"fault {fault['id']} ({fault['kind']})"


def matrix_line(record: Mapping[str, Any]) -> str:
    """What each push service would have answered to a message or a request, refusals in red."""
    from mockpush.client.portability import matrix

    texts = (finding["text"] for finding in record["findings"])
    return " · ".join(
        printable(answer.text) if answer.accepted else click.style(printable(answer.text), fg="red")
        for answer in matrix(record["answers"], texts)
    )


def objections_line(record: Mapping[str, Any]) -> str:
    """What `matrix_line` says if a push service objects, else nothing."""
    return matrix_line(record) if record["objections"] else ""


def count(number: int, noun: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def instant(seconds: float) -> str:
    """A time in UTC, as ISO 8601; empty if there is no such date."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")[:19] + "Z"
    except (ValueError, OverflowError, OSError):
        return ""


def span(seconds: float) -> str:
    """`5 min ahead`, `2 d ago`, in the largest unit of which there are two."""
    size = abs(seconds)
    divisor, unit = next(
        ((divisor, unit) for divisor, unit in _UNITS if size >= 2 * divisor), (1, "s")
    )
    return f"{size / divisor:.0f} {unit} {'ago' if seconds < 0 else 'ahead'}"


def printable(text: str, *, limit: int | None = _EXCERPT) -> str:
    """Text of others for a terminal: in one line, without control characters, cut to `limit`."""
    cut = text if limit is None or len(text) <= limit else f"{text[:limit]}…"
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in cut)
