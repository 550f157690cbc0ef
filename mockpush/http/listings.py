"""Lists of the API: pages, cursors, filters, and waits that say what came closest.

A cursor is the number of a record behind the letter of its list. Numbers only grow, also when the
tenant is reset, so that a cursor never becomes invalid.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar

from mockpush.errors import NotFoundError
from mockpush.gateways.exchange import while_connected
from mockpush.http.kinds import Json, Kind, decoded, integer, number
from mockpush.http.matching import Fields, closest, differences
from mockpush.http.operations import Call
from mockpush.protocol.model import NO_TENANT
from mockpush.service import PushService

R = TypeVar("R")

MAX_LIMIT: Final = 1000
MAX_WAITED_FOR: Final = 100_000
MAX_TIMEOUT: Final = 600.0

LIMIT: Final = integer(1, MAX_LIMIT, default=100)
WAITS: Final[Mapping[str, Kind[Any]]] = {
    "wait": integer(0, MAX_WAITED_FOR, default=0),
    "timeout": number(0, MAX_TIMEOUT, default=2),
}

Since: TypeAlias = int | float
"""A place in a list: behind the record of this number, or from this time on (seconds)."""


@dataclass(frozen=True, slots=True)
class Found(Generic[R]):
    """The records that match, of `records` behind the place `start`; whether there are enough."""

    start: int
    records: Sequence[R]
    matching: Sequence[R]
    complete: bool


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """One kind of record: where it comes from, in which order, and how it looks.

    `read(service, tenant, after)` gives the records behind a number, oldest first; `at` is the time
    of a record in seconds, `fields` those that can be asked for. `show(service, tenant, records)`
    sees all that are shown at once, since some explain each other. What is not `scoped` belongs to
    no tenant.
    """

    letter: str
    read: Callable[[PushService, str, int], Awaitable[Sequence[R]]]
    number: Callable[[R], int]
    at: Callable[[R], float]
    show: Callable[[PushService, str, Sequence[R]], Awaitable[Sequence[Json]]]
    name: Callable[[R], str]
    fields: Fields[R]
    kinds: Mapping[str, Kind[Any]] = field(default_factory=dict)
    waits: bool = False
    scoped: bool = True

    @property
    def query(self) -> Mapping[str, Kind[Any]]:
        """The parameters of the list."""
        return {**self.narrowing, "limit": LIMIT}

    @property
    def narrowing(self) -> Mapping[str, Kind[Any]]:
        """The parameters that say which records."""
        return {**self.kinds, "since": since(self.letter), **(WAITS if self.waits else {})}

    def wanted(self, call: Call) -> dict[str, object]:
        """The fields that the request asks for."""
        return {name: value for name, value in call.query.items() if name in self.fields}

    async def find(self, call: Call, *, count: int) -> Found[R]:
        """The matching records, as soon as there are `count`, at the latest at the time-out."""
        start = await self._start(call)
        wanted = self.wanted(call)

        async def look() -> Found[R]:
            records = await self.read(call.service, call.tenant, start)
            matching = [each for each in records if not differences(each, wanted, self.fields)]
            return Found(start, records, matching, len(matching) >= count)

        async def look_again() -> Found[R] | None:
            found = await look()
            return found if found.complete else None

        tenant = call.tenant if self.scoped else NO_TENANT
        await call.service.now(tenant)
        found = await look()
        if found.complete:
            return found
        timeout = call.query.get("timeout", WAITS["timeout"].schema["default"])
        waiting = call.service.wait(tenant, look_again, timeout=timeout)
        return await while_connected(call.request, waiting) or await look()

    async def page(self, call: Call) -> Json:
        """The page that the request asks for."""
        count = call.query.get("wait", 0)
        found = await self.find(call, count=count)
        limit = call.query.get("limit", LIMIT.schema["default"])
        shown = found.matching[:limit]
        page: Json = {
            "items": await self.show(call.service, call.tenant, shown),
            "next": self.cursor(self.number(shown[-1]) if shown else found.start),
            "more": len(found.matching) > limit,
        }
        if count:
            page["complete"] = found.complete
        if not found.complete:
            page["closest"] = self.closest(call, found)
        return page

    async def latest(self, call: Call) -> R:
        """The newest matching record; `NotFoundError` with what came closest."""
        found = await self.find(call, count=call.query.get("wait", 0))
        if not found.matching:
            raise NotFoundError("nothing matches", closest=self.closest(call, found))
        return found.matching[-1]

    def closest(self, call: Call, found: Found[R]) -> list[Json]:
        """What came closest to what was asked for, and why it does not match."""
        near = closest(found.records, self.wanted(call), self.fields)
        return [
            {"id": self.name(record), "differences": [each._asdict() for each in why]}
            for record, why in near
        ]

    def cursor(self, position: int) -> str:
        """The place behind the record of this number."""
        return f"{self.letter}{position}"

    async def _start(self, call: Call) -> int:
        """The number behind which the request wants to read."""
        place: Since = call.query.get("since", 0)
        records = () if isinstance(place, int) else await self.read(call.service, call.tenant, 0)
        return self.position(records, place)

    def position(self, records: Sequence[R], place: Since) -> int:
        """The number of the last record in front of a place."""
        if isinstance(place, int):
            return place
        return max((self.number(each) for each in records if self.at(each) < place), default=0)


def one_by_one(
    view: Callable[[R], Json],
) -> Callable[[PushService, str, Sequence[R]], Awaitable[Sequence[Json]]]:
    """Shows records one by one, as they are."""

    async def show(_: PushService, __: str, records: Sequence[R]) -> Sequence[Json]:
        return [view(record) for record in records]

    return show


def since(letter: str) -> Kind[Since]:
    """A cursor of a list, or a time."""

    def decode(text: str) -> Since:
        if match := re.fullmatch(rf"{letter}([0-9]{{1,18}})", text):
            return int(match[1])
        return read_time(text)

    return decoded("a cursor of this list (its `next`) or an ISO 8601 time", decode)


def read_time(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time, in UTC unless it says otherwise."""
    # A plus sign that was not percent-encoded arrives as a space.
    time = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
