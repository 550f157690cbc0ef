"""How far a check has come, in a line on the terminal that the next one overwrites."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .verdict import CaseResult

_ERASE_LINE: Final = "\r\x1b[K"


class Progress:
    """`12/52, 1 failed: rfc8030/5.4/topic-valid`: what is done, and the first case that is not.

    Nothing is shown if standard error is not a terminal. `cases` are ids in the order in which
    they run; the line goes with the context.
    """

    def __init__(self, cases: Iterable[str]) -> None:
        self._left = dict.fromkeys(cases)
        self._total = len(self._left)
        self._failed = 0
        self._visible = sys.stderr.isatty()

    def __enter__(self) -> None:
        self._show()

    def __call__(self, result: CaseResult) -> None:
        """Counts a case that has ended."""
        self._left.pop(result.id, None)
        self._failed += result.verdict == "failed"
        self._show()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write("")

    def _show(self) -> None:
        failed = f", {self._failed} failed" if self._failed else ""
        current = next(iter(self._left), "")
        self._write(f"{self._total - len(self._left)}/{self._total}{failed}  {current}")

    def _write(self, line: str) -> None:
        if self._visible:
            width = shutil.get_terminal_size().columns - 1  # a line that wraps is not erased
            sys.stderr.write(f"{_ERASE_LINE}{line[:width]}")
            sys.stderr.flush()
