"""Lanes: which cases may run at once, and which of them begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .case import Case


def lanes(cases: Sequence[Case], *, jobs: int) -> list[list[Case]]:
    """The cases of one lane run one after another, those of several lanes at once.

    The longest begin: those of thousands of messages, those that last as long as a job may, and
    all that have to take turns.
    """
    if jobs == 1:
        return [list(cases)]
    thorough = [case for case in cases if case.thorough]
    turns = [case for case in cases if case.takes_turns]
    rest = [case for case in cases if not (case.thorough or case.takes_turns)]
    silent = [case for case in rest if case.silent]
    others = [case for case in rest if not case.silent]
    return [*([case] for case in (*thorough, *silent)), turns, *([case] for case in others)]
