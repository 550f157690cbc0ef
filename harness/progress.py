"""How far a check has come, in a line on the terminal that the next one overwrites."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .verdict import CaseResult

_ERASE_LINE: Final = "\r\x1b[K"


class Progress:
    """`12/52, 1 failed: rfc8030/5.4/topic-valid`: what is done, and the first case that is not.

    Of a case that is long it shows how long: `rfc8291/3.4/every-size  1200/3994, 3 min left`.
    Nothing is shown if standard error is not a terminal. `cases` are ids in the order in which
    they run; the line goes with the context. If that is interrupted, what is known until then is
    told, on a terminal or not.
    """

    def __init__(self, cases: Iterable[str]) -> None:
        self._left = dict.fromkeys(cases)
        self._total = len(self._left)
        self._judged = 0
        self._failed: list[CaseResult] = []
        self._visible = sys.stderr.isatty()
        self._long: dict[str, tuple[float, str]] = {}

    def __enter__(self) -> None:
        self._show()

    def __call__(self, result: CaseResult) -> None:
        """Counts a case that has ended."""
        self._left.pop(result.id, None)
        self._judged += result.verdict != "skipped"
        if result.verdict == "failed":
            self._failed.append(result)
        self._show()

    def step(self, case_id: str, done: int, total: int) -> None:
        """Shows how far a long case has come; any thread may tell."""
        now = monotonic()
        began, _ = self._long.setdefault(case_id, (now, ""))
        left = (now - began) / done * (total - done)
        self._long[case_id] = began, f"  {done}/{total}, {_duration(left)} left"
        self._show(case_id)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write("")
        if self._judged and isinstance(error, KeyboardInterrupt | SystemExit):
            self._tell()

    def _tell(self) -> None:
        from .report.words import clean

        sys.stderr.write(
            f"Interrupted: {self._judged} of {self._total} cases were judged, "
            f"{len(self._failed)} failed\n"
        )
        for each in self._failed:
            sys.stderr.write(f"  {each.id}  {clean(each.reason or '')}\n")

    def _show(self, case_id: str | None = None) -> None:
        failed = f", {len(self._failed)} failed" if self._failed else ""
        current = case_id or next(iter(self._left), "")
        _, far = self._long.get(current, (0.0, ""))
        self._write(f"{self._total - len(self._left)}/{self._total}{failed}  {current}{far}")

    def _write(self, line: str) -> None:
        if self._visible:
            width = shutil.get_terminal_size().columns - 1  # a line that wraps is not erased
            sys.stderr.write(f"{_ERASE_LINE}{line[:width]}")
            sys.stderr.flush()


def _duration(seconds: float) -> str:
    """Roughly, for people: `40 s`, `3 min`."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
