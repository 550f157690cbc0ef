"""The gate: push services that must take every push, and what they would have refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from mockpush.errors import InvalidRequestError
from mockpush.protocol.judging import Profile
from mockpush.protocol.portability import Tally, objections, shown
from mockpush.protocol.records import RequestRecord

_MOST: Final = 10_000
"""Tenants that can have a requirement of their own; those that set theirs first are forgotten."""


class Gate:
    """Judges each push as it comes, because journals are emptied and tenants deleted meanwhile.

    `profiles` are the push services' own tables, `required` the names of those that must take the
    pushes of every tenant that does not say otherwise. `tally` is about all tenants. `watches` is
    whether there is anything to judge.
    """

    def __init__(self, profiles: Mapping[str, Profile], required: Iterable[str]) -> None:
        self.profiles = profiles
        self.tally = Tally()
        self._required = tuple(required)
        self._own: dict[str, tuple[str, ...]] = {}
        self.watches = bool(self._required)

    def required(self, tenant: str) -> tuple[str, ...]:
        """The push services that must take the pushes of this tenant."""
        return self._own.get(tenant, self._required)

    def require(self, tenant: str, names: Iterable[str]) -> None:
        """Replaces those of one tenant; `InvalidRequestError` names the valid ones."""
        chosen = tuple(dict.fromkeys(names))
        for name in chosen:
            if name not in self.profiles:
                valid = ", ".join(self.profiles)
                raise InvalidRequestError(f"there is no profile {name!r}; there is: {valid}")
        self._own[tenant] = chosen
        if len(self._own) > _MOST:
            del self._own[next(iter(self._own))]
        self._look()

    def forget(self, tenant: str) -> None:
        """The tenant is gone: its name means what the others do. What was counted stays."""
        self._own.pop(tenant, None)
        self._look()

    def _look(self) -> None:
        self.watches = bool(self._required) or any(self._own.values())

    def note(self, record: RequestRecord) -> None:
        """Counts a push, refused or not."""
        required = self.required(record.tenant)
        if not required:
            return
        tables = {name: self.profiles[name] for name in required}
        self.tally.add(shown(objections(record.inspection, tables)), required)
