"""What GitHub Actions shows of a run: annotations, and the summary of the workflow.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ..verdict import Verdict
from .markdown import markdown
from .record import CaseRecord, RunRecord
from .words import clean

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""The variable that names the file to which the summary is appended."""

_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = str.maketrans({"%": "%25", ":": "%3A", ",": "%2C"})


def in_github(environ: Mapping[str, str]) -> bool:
    """Whether a workflow runs this."""
    return environ.get("GITHUB_ACTIONS") == "true"


def workflow_commands(records: Sequence[RunRecord]) -> str:
    """A line for each new failure and each warning, the heaviest first: GitHub shows ten of each.

    A known failure has none; one that is none any more is a notice.
    """
    lines = [line for record in records for line in _of(record)]
    return "".join(f"{line}\n" for line in lines)


def append_summary(records: Sequence[RunRecord], environ: Mapping[str, str]) -> str | None:
    """Adds the report to the summary of the workflow; why that was not possible, else None."""
    file = environ.get(SUMMARY)
    if not file:
        return f"{SUMMARY} is not set"
    try:
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(markdown(records))
    except OSError as error:
        return f"{file}: {error.strerror}"
    return None


def _of(record: RunRecord) -> Iterator[str]:
    for case in record.of(Verdict.FAILED):
        if case.fails:
            yield _command("error", _title(record, case.id), _message(case))
    for case in record.of(Verdict.WARNING):
        yield _command("warning", _title(record, case.id), _message(case))
    for name in record.baseline.fixed if record.baseline else ():
        yield _command("notice", _title(record, name), "fixed; take it out of the baseline")


def _title(record: RunRecord, case_id: str) -> str:
    return f"{clean(record.sender.name)} {case_id}"


def _message(case: CaseRecord) -> str:
    told = (("expected", case.expected), ("actual", case.actual), ("reproduce", case.reproduce))
    lines = [f"{clean(case.reason or '')} [{case.requirement}]"]
    lines += [f"{name}: {clean(value)}" for name, value in told if value is not None]
    return "\n".join(lines)


def _command(name: str, title: str, message: str) -> str:
    return f"::{name} title={title.translate(_PROPERTY)}::{message.translate(_DATA)}"
