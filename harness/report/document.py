"""The report as JSON, and what else `mockpush check` prints as JSON.

`docs/check-report.schema.json` describes the report. Members may be added; none goes away or
changes its meaning without a new `schema`.
"""

from __future__ import annotations

import json
from typing import Final

from mockpush.errors import ConfigurationError

from ..case import Case
from ..senders.registry import ReadySender
from .reading import UnreadableError, read
from .record import Json, RunRecord, members, summary

SCHEMA: Final = 1


def document(record: RunRecord) -> Json:
    """The whole report."""
    said = members(record)
    cases = said.pop("cases")
    return {"schema": SCHEMA, **said, "summary": summary(record), "cases": cases}


def parse(text: str, name: str) -> RunRecord:
    """A report that was written as JSON; `ConfigurationError` says what file `name` has instead."""
    try:
        return _record(json.loads(text))
    except (json.JSONDecodeError, RecursionError):
        raise ConfigurationError(f"{name} is not a report: it is not JSON") from None
    except UnreadableError as error:
        raise ConfigurationError(f"{name} is not a report: {error}") from None


def listed(case: Case) -> Json:
    """A case in the list of cases."""
    return {
        "id": case.id,
        "title": case.requirement,
        "level": case.level,
        "requirement": case.section,
        "thorough": case.thorough,
    }


def ready(sender: ReadySender) -> Json:
    """A sender in the list of ready ones; `missing` is null if it can be installed and driven."""
    return {
        "name": sender.name,
        "language": sender.toolchain.language,
        "library": sender.library,
        "version": sender.version,
        "pinned": sender.pinned,
        "installed": sender.installed,
        "missing": sender.missing,
    }


def dump(value: object) -> str:
    """As text, for people to read, too."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _record(value: object) -> RunRecord:
    if not isinstance(value, dict) or "schema" not in value:
        raise UnreadableError("it has no schema")
    if value["schema"] != SCHEMA:
        raise UnreadableError(f"its schema is {value['schema']}, and this mockpush reads {SCHEMA}")
    return read(RunRecord, value)
