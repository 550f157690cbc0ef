"""The tenant's clock, in the hands of a test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .api import Api


class Clock:
    """The clock by which messages and subscriptions live; real time passes as it does."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @property
    def now(self) -> datetime:
        """The time on this clock, with its time zone."""
        return _now(self._api.get("clock"))

    def advance(self, by: str | float | timedelta) -> datetime:
        """Puts the clock forward by `"8h"`, `"8d"`, `"1h30m"`, seconds or a timedelta.

        Returns the new time once everything that became due has happened.
        """
        amount = by.total_seconds() if isinstance(by, timedelta) else by
        return _now(self._api.post("clock", body={"advance": amount}))

    def freeze(self) -> datetime:
        """Stops the clock at its present time."""
        return _now(self._api.post("clock", body={"freeze": True}))

    def resume(self) -> datetime:
        """Lets the clock run on from its present time."""
        return _now(self._api.post("clock", body={"resume": True}))


def _now(answer: Any) -> datetime:
    return datetime.fromisoformat(answer["now"])
