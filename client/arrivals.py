"""Messages and requests in the order of their arrival, each given to one wait only."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Generic, NamedTuple

from .api import LONGEST_WAIT, PAGE, Api, Json
from .deadlines import Deadline
from .matching import Difference, Kind, NearMiss, R


class Taken:
    """The ids that waits have returned; waits in several threads share it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ids: set[str] = set()


class Shortfall(NamedTuple):
    """Too few came: how many did, and the closest of the others."""

    found: int
    closest: list[NearMiss]


class Arrivals(Generic[R]):
    """One list of the control API and what of it has been taken.

    `api` is what the records go on to use, `line` what the list is read through.
    """

    def __init__(self, kind: Kind[R], api: Api, taken: Taken, line: Api | None = None) -> None:
        self.kind = kind
        self._api = api
        self._taken = taken
        self._line = line or api

    def through(self, line: Api) -> Arrivals[R]:
        """The same arrivals, read over another transport."""
        return Arrivals(self.kind, self._api, self._taken, line)

    def anew(self) -> Arrivals[R]:
        """The same list, of which nothing has been taken."""
        return Arrivals(self.kind, self._api, Taken(), self._line)

    def all(self, **query: object) -> list[R]:
        """Everything there is, taken or not."""
        items = self._line.items(self.kind.path, **query)
        return [self.kind.make(item, self._api) for item in items]

    def after(self, cursor: str | None) -> tuple[list[R], str | None]:
        """Everything behind a cursor, and the cursor behind that."""
        found: list[R] = []
        for page in self._line.pages(self.kind.path, since=cursor):
            found += [self.kind.make(item, self._api) for item in page["items"]]
            cursor = page["next"]
        return found, cursor

    def end(self) -> str | None:
        """The cursor behind the newest."""
        return self.after(None)[1]

    def take(
        self, count: int, match: Mapping[str, Any], timeout: float, *, since: str | None = None
    ) -> list[R] | Shortfall:
        """The oldest `count` that match and that no wait has taken, within `timeout` seconds.

        It takes all of them or none.
        """
        self.kind.check(match)
        deadline = Deadline(timeout)
        reading = _Reading(self._line, self.kind.path, self.kind.query(match), since)
        reading.read()
        while True:
            found, closest = self._take_from(reading.items(), match, count)
            if len(found) >= count:
                return found
            if reading.timed_out and not deadline.remaining:
                return Shortfall(len(found), [*self._untaken(reading.closest()), *closest][:3])
            reading.wait(count - len(found), min(deadline.remaining, LONGEST_WAIT))

    def _take_from(
        self, items: Iterable[Json], match: Mapping[str, Any], count: int
    ) -> tuple[list[R], list[NearMiss]]:
        found: list[R] = []
        misses: list[NearMiss] = []
        with self._taken.lock:
            for item in items:
                if item["id"] in self._taken.ids:
                    continue
                record = self.kind.make(item, self._api)
                if differences := self.kind.differences(record, match):
                    misses.append(NearMiss(record.id, differences))
                else:
                    found.append(record)
            found = found[:count]
            if len(found) == count:
                self._taken.ids.update(record.id for record in found)
        return found, sorted(misses, key=lambda miss: len(miss.differences))

    def _untaken(self, misses: Iterable[NearMiss]) -> list[NearMiss]:
        return [miss for miss in misses if miss.id not in self._taken.ids]


class _Reading:
    """What the service lists for one query, read again until it suffices.

    Full pages are read once. The last one is read from its beginning again, because what is on it
    may have come to match, or ceased to.
    """

    def __init__(self, api: Api, path: str, query: dict[str, object], since: str | None) -> None:
        self._api = api
        self._path = path
        self._query = {**query, "limit": PAGE}
        self._since = since
        self._earlier: list[Json] = []
        self._page: Json = {}

    @property
    def timed_out(self) -> bool:
        """Whether the service has waited in vain."""
        return self._page.get("complete") is False

    def items(self) -> list[Json]:
        """Everything read, oldest first."""
        return [*self._earlier, *self._page["items"]]

    def closest(self) -> list[NearMiss]:
        """What the service says came closest."""
        return [_near_miss(miss) for miss in self._page.get("closest", ())]

    def read(self) -> None:
        """Reads what is there now."""
        self._page = self._get()
        self._turn_pages()

    def wait(self, more: int, timeout: float) -> None:
        """Reads on when `more` have come or `timeout` seconds have passed."""
        wanted = min(PAGE, len(self._page["items"]) + more)
        self._page = self._get(wait=wanted, timeout=timeout)
        self._turn_pages()

    def _turn_pages(self) -> None:
        while self._page["more"] or len(self._page["items"]) >= PAGE:
            self._earlier += self._page["items"]
            self._since = self._page["next"]
            self._page = self._get()

    def _get(self, *, timeout: float = 0.0, wait: int | None = None) -> Json:
        page: Json = self._api.get(
            self._path,
            patience=timeout,
            **self._query,
            since=self._since,
            wait=wait,
            timeout=None if wait is None else timeout,
        )
        return page


def _near_miss(miss: Json) -> NearMiss:
    differences = miss["differences"]
    return NearMiss(
        miss["id"],
        tuple(Difference(each["field"], each["expected"], each["actual"]) for each in differences),
    )
