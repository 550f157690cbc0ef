"""What several cases of a run look at, and which is made only once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Shared:
    """Values by name. The first case that asks makes one, and others that ask meanwhile wait."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """The value of this name; what `make` raises is raised, and made again for the next."""
        with self._lock:
            if name not in self._values:
                self._values[name] = make()
            value: T = self._values[name]
            return value
