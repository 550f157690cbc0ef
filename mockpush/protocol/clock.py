"""A tenant's clock: real time plus an offset, running until it is frozen. Time never goes back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)\s*")
MAX_DURATION: Final = 3.2e9
"""Seconds; about a hundred years, so that every time can be written as a date."""
MIN_TIME: Final = -62_135_596_800
MAX_TIME: Final = 253_402_300_799
"""Seconds since the epoch: the first and the last of dates with years of four digits."""
_SPANS: Final[tuple[tuple[str, int], ...]] = (("days", 86400), ("h", 3600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class Clock:
    """`offset` in seconds; `frozen_at` in seconds since the epoch, None while it runs.

    `real` is always the real time, seconds since the epoch.
    """

    offset: float = 0.0
    frozen_at: float | None = None

    def now(self, real: float) -> float:
        """The time on this clock."""
        return real + self.offset if self.frozen_at is None else self.frozen_at

    def advanced(self, seconds: float) -> Clock:
        """This clock, put forward; `ValueError` if it would go back or out of range."""
        if not 0 <= seconds <= MAX_DURATION or self.offset + seconds > MAX_DURATION:
            raise ValueError(f"a clock only goes forward, by at most {MAX_DURATION:.0f} s in all")
        frozen_at = None if self.frozen_at is None else self.frozen_at + seconds
        return Clock(self.offset + seconds, frozen_at)

    def frozen(self, real: float) -> Clock:
        """This clock, stopped at its present time."""
        return Clock(self.offset, self.now(real))

    def resumed(self, real: float) -> Clock:
        """This clock, running on from its present time."""
        return Clock(self.now(real) - real, None)


def parse_duration(text: str) -> float:
    """Seconds of `90`, `90s`, `8d`, `1h30m`, `1.5h`; `ValueError` for anything else."""
    compact = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        return float(compact)
    parts = _DURATION.findall(compact)
    if not parts or _DURATION.sub("", compact):
        raise ValueError(
            f"{text!r} is not a duration: write seconds, or 90s, 15m, 8h, 30d, 2w, 1h30m"
        )
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def checked_time(seconds: float) -> float:
    """A time that can be written as a date; `ValueError` if it cannot."""
    if not MIN_TIME <= seconds <= MAX_TIME:
        raise ValueError(f"{seconds} s after 1970 is no date")
    return seconds


def parse_time(text: str) -> float:
    """Seconds since the epoch of `1738324800` or `2025-01-31T12:00:00Z`; `ValueError` otherwise.

    ISO 8601 means UTC unless it says otherwise.
    """
    try:
        if re.fullmatch(r"\d{1,12}(\.\d+)?", text):
            return checked_time(float(text))
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return checked_time(aware.timestamp())
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text[:100]!r} is no time such as 2025-01-31T12:00:00Z or 1738324800"
        ) from None


def span(seconds: float) -> str:
    """How long it is, `3 h` or `40 days`, in the largest unit of which there are two."""
    size = abs(seconds)
    unit, divisor = next(each for each in _SPANS if size >= 2 * each[1] or each[1] == 1)
    return f"{size / divisor:.0f} {unit}"
