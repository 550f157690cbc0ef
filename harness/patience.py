"""Patience: a sender that hangs again and again is given up, so that every run has an end."""

from __future__ import annotations

from threading import Lock
from typing import Final

IN_A_ROW: Final = 3
"""Cases one after another whose limit a sender exceeds before it is given up."""
IN_ALL: Final = 20
"""Cases whose limit it exceeds before it is given up, whatever it does between them."""
MARGIN: Final = 0.1
"""So much of a limit is waited beyond it."""


def with_margin(limit: float) -> float:
    """Seconds to wait for a result.

    A sender that gives up after just `limit` seconds, which it has been told, still has to say so.
    """
    return limit * (1 + MARGIN)


class Patience:
    """Counts the cases in which a sender gave no result in time. Many threads may use it."""

    def __init__(self, *, in_a_row: int = IN_A_ROW, in_all: int = IN_ALL) -> None:
        self._limits = in_a_row, in_all
        self._in_a_row = 0
        self._in_all = 0
        self._reason: str | None = None
        self._lock = Lock()

    def saw(self, *, hung: bool) -> None:
        """A case has ended; the sender hung in it, or it did not."""
        with self._lock:
            self._in_a_row = self._in_a_row + 1 if hung else 0
            self._in_all += hung
            in_a_row, in_all = self._limits
            if self._in_a_row >= in_a_row:
                self._give_up(f"{in_a_row} cases in a row")
            elif self._in_all >= in_all:
                self._give_up(f"{in_all} cases")

    def _give_up(self, when: str) -> None:
        self._reason = self._reason or (
            f"not run: the sender was given up, since it did not answer in time in {when}"
        )

    @property
    def lost(self) -> str | None:
        """Why the sender is given up, None if it is not."""
        return self._reason
