"""The fault plans of a tenant in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mockpush.errors import LimitError
from mockpush.faults import Fault, Push, meet


class FaultBook:
    """At most `limit` plans, oldest first, with their numbers of hits."""

    def __init__(self, limit: int) -> None:
        self.plans: dict[str, Fault] = {}
        self._limit = limit
        self._last = 0

    @property
    def waits(self) -> bool:
        """Whether one of them takes time, or the connection itself."""
        return any(fault.waits for fault in self.plans.values())

    def add(self, fault: Fault) -> Fault:
        """Keeps a plan under the next number; numbers are never given twice."""
        if len(self.plans) >= self._limit:
            raise LimitError(
                f"there are {self._limit} fault plans already: delete those that have done their "
                "work, or raise the limit (--max-faults, MOCKPUSH_MAX_FAULTS)",
                setting="max_faults",
            )
        self._last += 1
        added = replace(fault, id=f"f{self._last}", sequence=self._last)
        self.plans[added.id] = added
        return added

    def forget(self, match: Callable[[Fault], bool]) -> int:
        """Forgets plans; how many."""
        forgotten = [name for name, fault in self.plans.items() if match(fault)]
        for name in forgotten:
            del self.plans[name]
        return len(forgotten)

    def strike(self, push: Push, now: float) -> Fault | None:
        """Shows a request to every plan; the oldest that strikes."""
        striking: Fault | None = None
        for name, fault in self.plans.items():
            met = self.plans[name] = meet(fault, push, now, struck=striking is not None)
            if met.hits > fault.hits:
                striking = met
        return striking
