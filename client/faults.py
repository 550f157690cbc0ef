"""Fault plans in the hands of a test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final, TypeAlias, TypedDict, Unpack

from mockpush.protocol.fault_kinds import FaultKind

from .api import Api, Json
from .records import Member, Record

Duration: TypeAlias = str | float | timedelta
"""`"8h"`, seconds, or a timedelta."""


RetryAfter: TypeAlias = Duration | datetime | Mapping[str, Any]
"""A duration, the time of a date, or `{"date": duration}` for a date so far ahead."""


class FaultMatch(TypedDict, total=False):
    """Which pushes, as in the control API; and what changes their answers.

    `from_` and `until` are times on the tenant's clock, or durations from now on.
    """

    subscription: str | Mapping[str, Any]
    profile: str
    topic: str
    nth: int | str
    probability: float
    seed: int
    from_: Duration | datetime
    until: Duration | datetime
    headers: Mapping[str, str]
    body: str
    delay: Duration


class FaultMembers(FaultMatch, total=False):
    """What a plan matches, and what it does. `limit`: `{"requests": n, "window": duration}`."""

    kind: FaultKind | str
    status: int
    answer: str
    retry_after: RetryAfter
    location: str
    limit: Mapping[str, Any]


_OF_MATCH: Final = frozenset(
    ("subscription", "profile", "topic", "nth", "probability", "seed", "from_", "until")
)


class Fault(Record):
    """A fault plan as it was when it was read."""

    __slots__ = ("_faults",)

    id = Member[str]()
    match = Member["Json"]()
    action = Member["Json"]()
    times = Member["int | None"]()
    seen = Member[int]()
    """how many requests its match described"""
    hits = Member[int]()
    """how many of them it struck"""
    state = Member[str]()
    """`waiting`, `active`, `spent` or `over`"""

    def __init__(self, raw: Mapping[str, Any], faults: Faults) -> None:
        super().__init__(raw)
        self._faults = faults

    @property
    def kind(self) -> FaultKind:
        """What it does."""
        return FaultKind(self.action["kind"])

    def remove(self) -> None:
        """Ends the plan."""
        self._faults.remove(self.id)

    def __repr__(self) -> str:
        times = "" if self.times is None else f" of {self.times}"
        return f"<Fault {self.id} {self.kind} {self.state}, {self.hits}{times} hits>"


class Faults:
    """The fault plans of one tenant: `add`, `list`, `clear`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def add(
        self,
        *,
        times: int | None = None,
        match: Mapping[str, Any] | None = None,
        action: Mapping[str, Any] | None = None,
        **members: Unpack[FaultMembers],
    ) -> Fault:
        """Keeps a plan, which strikes from the next push on, at most `times`.

        Its members are given one by one, or as the `match` and `action` of the control API.
        `errors.InvalidRequestError` names those that make no sense.
        """
        own = {name.rstrip("_"): value for name, value in members.items() if name in _OF_MATCH}
        rest = {name: value for name, value in members.items() if name not in _OF_MATCH}
        plan: Json = {
            "match": _written("match", {**(match or {}), **own}),
            "times": times,
            "action": _written("action", {**(action or {}), **rest}),
        }
        return Fault(self._api.post("faults", body=plan), self)

    def list(self) -> list[Fault]:
        """Every plan, oldest first."""
        return [Fault(item, self) for item in self._api.items("faults")]

    def get(self, fault_id: str) -> Fault:
        """The plan with this id."""
        return Fault(self._api.get("faults", fault_id), self)

    def remove(self, fault_id: str) -> None:
        """Ends one plan."""
        self._api.delete("faults", fault_id)

    def clear(self) -> None:
        """Ends all plans."""
        self._api.delete("faults")


def _written(name: str, value: Any) -> object:
    """A member as the control API takes it, and the members that it has."""
    if name == "subscription":
        return getattr(value, "id", value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        utc = value.astimezone(UTC)
        return format_datetime(utc, usegmt=True) if name == "retry_after" else utc.isoformat()
    if isinstance(value, Mapping):
        return {each: _written(each, item) for each, item in value.items()}
    return value
