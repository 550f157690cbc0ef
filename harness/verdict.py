"""Verdicts: what is wrong with a sender, how much that weighs, and the result of a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from mockpush.protocol.findings import Level

if TYPE_CHECKING:
    from .evidence import Evidence
    from .jobs import Hello


class Verdict(StrEnum):
    """The result of a case, heaviest first."""

    FAILED = "failed"
    WARNING = "warning"
    INFO = "info"
    PASSED = "passed"
    SKIPPED = "skipped"


VERDICTS: Final[Mapping[Level, Verdict]] = {
    Level.MUST: Verdict.FAILED,
    Level.SHOULD: Verdict.WARNING,
    Level.PRACTICE: Verdict.WARNING,
    Level.VENDOR: Verdict.WARNING,
    Level.INFORMATION: Verdict.INFO,
}
"""What a problem of each level makes of its case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is not as it should be, with what was expected and what came instead.

    `code` is that of the finding if the service stated it; `request` the id of the request that
    shows it, if one does.
    """

    level: Level
    section: str
    text: str
    expected: str | None = None
    actual: str | None = None
    hint: str | None = None
    code: str | None = None
    request: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.text}" if self.code else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of one case. `reason` says why it did not pass, or why it was skipped.

    `reproduce` is the command line that runs this case alone; `seconds` is what it took.
    """

    id: str
    requirement: str
    level: Level
    section: str
    verdict: Verdict
    reason: str | None
    problems: tuple[Problem, ...]
    evidence: Evidence
    reproduce: str
    seconds: float


def worst(problems: Iterable[Problem], *, strict: bool = False) -> Verdict:
    """The verdict that problems add up to; `strict` turns warnings into failures."""
    verdicts = {VERDICTS[problem.level] for problem in problems}
    verdict = next((each for each in Verdict if each in verdicts), Verdict.PASSED)
    return Verdict.FAILED if strict and verdict is Verdict.WARNING else verdict


def heaviest(problems: Iterable[Problem]) -> Problem | None:
    """The problem that decides, the first of several of one level."""
    order = list(Level)
    return min(problems, key=lambda problem: order.index(problem.level), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What all cases came to, in their order. `seconds` is what the whole run took.

    `known` are the ids of the failures that a baseline lists; None: there is no baseline.
    """

    sender: Hello
    profile: str
    strict: bool
    results: tuple[CaseResult, ...]
    seconds: float
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    known: frozenset[str] | None = None

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many cases have each verdict."""
        return {each: sum(result.verdict is each for result in self.results) for each in Verdict}

    @property
    def failed(self) -> frozenset[str]:
        """The ids of the cases that failed, whether that is known or not."""
        return frozenset(each.id for each in self.results if each.verdict is Verdict.FAILED)

    @property
    def passed(self) -> bool:
        """Whether no case failed of which that was not known."""
        return self.failed <= (self.known or frozenset())

    @property
    def exit_code(self) -> int:
        """0 if the run passed, else 1."""
        return int(not self.passed)

    def assert_passed(self) -> None:
        """`ChecksFailedError`, an `AssertionError` with all that there is to say, if it did not."""
        from .errors import ChecksFailedError
        from .report.text import failures

        if not self.passed:
            raise ChecksFailedError(failures(self))

    def __str__(self) -> str:
        """The report as `mockpush check` prints it, without colours."""
        from .report.text import plain

        return plain(self)
