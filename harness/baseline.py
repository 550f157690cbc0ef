"""Baselines: a file of the failures that are known, so that only new ones fail a run.

    # mockpush baseline 1
    rfc8030/5.4/topic-as-asked
    rfc8292/2/aud-is-origin  # fixed in the next release

A case id a line, sorted; what follows `#` is a comment, and stays when the file is rewritten.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TextIO, TypeAlias

from mockpush.errors import ConfigurationError

from .cases import CASES
from .files import opened, read_text, replace
from .portability import DOCUMENT
from .verdict import CaseResult, Report, Verdict

VERSION: Final = 1

_HEAD: Final = re.compile(r"# mockpush baseline (\d+)")
_CASE_ID: Final = re.compile(r"[a-z0-9]+(/[a-z0-9.-]+)+")

Baseline: TypeAlias = Mapping[str, str]
"""The comment of each known failure, "" if it has none; by the id of the case."""


class Known(NamedTuple):
    """The known failures of a run, None without a baseline; `stream` is where new ones go."""

    baseline: Baseline | None
    stream: TextIO | None = None

    @property
    def ids(self) -> frozenset[str] | None:
        """The cases that are known to fail."""
        return None if self.baseline is None else frozenset(self.baseline)

    def settled(self, report: Report) -> Report:
        """The report, with all failures known once they are written."""
        if self.stream is None:
            return report
        new = updated(self.baseline or {}, report)
        replace(self.stream, text_of(new))
        return dataclasses.replace(report, known=frozenset(new))


@contextmanager
def known_failures(file: str | None, *, update: bool) -> Iterator[Known]:
    """What the file lists; with `update` it need not exist, and must be one that can be written.

    `ConfigurationError` if the file cannot be that.
    """
    if file is None:
        yield Known(None)
    elif update:
        baseline = read_baseline(file) if Path(file).exists() else {}
        with opened(file) as stream:
            yield Known(baseline, stream)
    else:
        yield Known(read_baseline(file))


def read_baseline(file: str) -> Baseline:
    """The known failures of a file; `ConfigurationError` names the line that cannot be."""
    head, *lines = read_text(file).splitlines() or [""]
    match = _HEAD.fullmatch(head.strip())
    if match is None:
        wanted = f"# mockpush baseline {VERSION}"
        raise ConfigurationError(f"{file} is not a baseline: its first line is not {wanted!r}")
    if int(match[1]) != VERSION:
        raise ConfigurationError(
            f"{file} is a baseline of version {match[1]}; this mockpush reads version {VERSION}"
        )
    numbered = enumerate(lines, start=2)
    return dict(_entry(line, f"{file}:{number}") for number, line in numbered if line.strip())


def text_of(baseline: Baseline) -> str:
    """The file: the same for the same known failures."""
    lines = [f"# mockpush baseline {VERSION}"]
    lines += [
        f"{name}  # {comment}" if comment else name for name, comment in sorted(baseline.items())
    ]
    return "\n".join(lines) + "\n"


def updated(baseline: Baseline, report: Report) -> Baseline:
    """The failures of a report, and those of the baseline that it does not judge."""
    gone = fixed(baseline, report.results)
    kept = {name: comment for name, comment in baseline.items() if name not in gone}
    return {**dict.fromkeys(report.failed, ""), **kept}


def fixed(known: Collection[str], results: Iterable[CaseResult]) -> list[str]:
    """The known failures that are none any more: the case does not fail, or does not exist.

    Cases of push services exist only in runs that require them.
    """
    of_vendors = [name for name in known if name.startswith(f"{DOCUMENT}/")]
    not_run = dict.fromkeys((*of_vendors, *(case.id for case in CASES)), Verdict.SKIPPED)
    verdicts = not_run | {result.id: result.verdict for result in results}
    open_ = (Verdict.FAILED, Verdict.SKIPPED)
    return sorted(name for name in known if verdicts.get(name) not in open_)


def _entry(line: str, place: str) -> tuple[str, str]:
    name, _, comment = (part.strip() for part in line.partition("#"))
    if _CASE_ID.fullmatch(name) is None:
        raise ConfigurationError(f"{place}: {name or line.strip()!r} is not the id of a case")
    return name, comment
