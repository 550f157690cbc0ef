"""Fault plans: what goes wrong, when and how often, as values and a pure decision.

A plan is asked about every request to a push resource of its tenant. It counts those that its
match describes, and strikes at some of them. Times are seconds since the epoch on the tenant's
clock, but for `Action.delay` and dates in Retry-After, which are real.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from email.utils import formatdate
from enum import StrEnum
from math import ceil
from typing import Final, NamedTuple

from mockpush.errors import InvalidRequestError
from mockpush.protocol.fault_kinds import (
    KINDS,
    NAMING,
    REDIRECTS,
    WITHOUT_ANSWER,
    FaultKind,
    InjectedFault,
)
from mockpush.protocol.judging import Profile

MAX_DELAY: Final = 3600.0
"""Real seconds."""
WITHOUT_BODY: Final = (204, 304)
"""Statuses of answers that have no content (RFC 9110, Section 6.4.1)."""

_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OF_THE_CONNECTION: Final = frozenset(("connection", "content-length", "date", "transfer-encoding"))
_SPAN: Final = re.compile(r"([1-9][0-9]{0,8})(?:(-)([1-9][0-9]{0,8})?)?")

DEFAULT_STATUS: Final = {FaultKind.REDIRECT: 307}
_DEFAULT_ANSWER: Final = {FaultKind.RATE_LIMIT: "throttled"}


class Span(NamedTuple):
    """Which of the requests, counted from 1; `last` None: all from `first` on."""

    first: int
    last: int | None

    @classmethod
    def parse(cls, text: str) -> Span:
        """Of `3`, `2-5` and `4-`; `ValueError`."""
        found = _SPAN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a number such as 3, nor a range such as 2-5 or 4-")
        first = int(found[1])
        last = int(found[3]) if found[3] else None if found[2] else first
        if last is not None and last < first:
            raise ValueError(f"{text!r} ends before it begins")
        return cls(first, last)

    def __contains__(self, number: object) -> bool:
        return (
            isinstance(number, int)
            and number >= self.first
            and (self.last is None or number <= self.last)
        )

    def __str__(self) -> str:
        if self.first == self.last:
            return str(self.first)
        return f"{self.first}-{'' if self.last is None else self.last}"


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests; what is None does not matter.

    `nth` counts the requests that match otherwise. `probability` is drawn for each of them from
    `seed`, so that the same requests are struck in every run. From `begins_at` on, and before
    `ends_at`.
    """

    subscription: str | None = None
    profile: str | None = None
    topic: str | None = None
    nth: Span | None = None
    probability: float | None = None
    seed: int | None = None
    begins_at: float | None = None
    ends_at: float | None = None

    def __post_init__(self) -> None:
        if self.seed is not None and self.probability is None:
            raise InvalidRequestError("seed is what probability is drawn from: give both, or none")
        if self.ends_at is not None and self.ends_at <= (self.begins_at or float("-inf")):
            raise InvalidRequestError("until must be later than from")

    def describes(self, push: Push, now: float) -> bool:
        """Whether a request matches but for its number and chance."""
        return (
            (self.subscription is None or self.subscription == push.subscription)
            and (self.profile is None or self.profile == push.profile.name)
            and (self.topic is None or self.topic == push.topic)
            and (self.begins_at is None or self.begins_at <= now)
            and (self.ends_at is None or now < self.ends_at)
        )

    def chooses(self, number: int) -> bool:
        """Whether it is the turn of the request of this number."""
        if self.nth is not None and number not in self.nth:
            return False
        if self.probability is None:
            return True
        return random.Random(f"{self.seed}/{number}").random() < self.probability  # noqa: S311


class RetryAfter(NamedTuple):
    """Seconds, or the text of a date; `as_date`: the seconds as a date, from the real time on."""

    value: float | str
    as_date: bool = False

    def field(self, real: float) -> str:
        """The value of the header field (RFC 9110, Section 10.2.3)."""
        if isinstance(self.value, str):
            return self.value
        if self.as_date:
            return formatdate(ceil(real + self.value), usegmt=True)
        return str(ceil(self.value))


class RateLimit(NamedTuple):
    """So many requests in each window of so many seconds."""

    requests: int
    window: float


@dataclass(frozen=True, slots=True)
class Action:
    """What happens to a request; `InvalidRequestError` names members that make no sense together.

    `answer` is the name of a vendor's own; `headers`, `body` and `retry_after` change an answer.
    Without `status` and `answer` the service's own is meant, where the kind allows that. `delay` in
    real seconds. `kind` is never None afterwards.
    """

    kind: FaultKind | None = None
    status: int | None = None
    answer: str | None = None
    headers: tuple[tuple[str, str], ...] | None = None
    body: str | None = None
    retry_after: RetryAfter | None = None
    location: str | None = None
    limit: RateLimit | None = None
    delay: float | None = None

    def __post_init__(self) -> None:
        given = [name for name in _MEMBERS if getattr(self, name) is not None]
        kind = self.kind or next((NAMING[each] for each in NAMING if each in given), None)
        if kind is None:
            raise InvalidRequestError(
                f"the action does not say what happens: give one of {', '.join(NAMING)}, or a kind "
                f"({', '.join(KINDS)})"
            )
        object.__setattr__(self, "kind", kind)
        _check_members(kind, given)
        self._check_answer(kind)
        _check_fields(self.headers or ())
        _check_fields((("Location", self.location or ""),))

    def _check_answer(self, kind: FaultKind) -> None:
        if self.status is not None and self.answer is not None:
            raise InvalidRequestError("status and answer are two answers: give one of them")
        if kind is FaultKind.REDIRECT and self.status not in (None, *REDIRECTS):
            known = ", ".join(map(str, REDIRECTS))
            raise InvalidRequestError(f"status {self.status} is no redirection: those are {known}")
        if self.status in WITHOUT_BODY and self.body:
            raise InvalidRequestError(f"an answer of status {self.status} has no body")
        own = self.status is None and self.answer is None
        changed = [name for name in ("headers", "body", "retry_after") if getattr(self, name)]
        if own and changed and not self.replaces:
            raise InvalidRequestError(
                f"{changed[0]} belongs to an answer: give status or answer as well"
            )

    @property
    def does(self) -> FaultKind:
        """The kind."""
        assert self.kind is not None
        return self.kind

    @property
    def replaces(self) -> bool:
        """Whether its own answer, or none, takes the place of the service's own."""
        kind = self.does
        named = self.status is not None or self.answer is not None
        return named or kind in WITHOUT_ANSWER or kind in DEFAULT_STATUS or kind in _DEFAULT_ANSWER

    @property
    def named(self) -> str | None:
        """The name of the vendor's answer that it gives, if it gives one."""
        if self.status is not None:
            return None
        return self.answer or _DEFAULT_ANSWER.get(self.does)


_MEMBERS: Final = tuple(name for name in Action.__slots__ if name != "kind")


def _check_members(kind: FaultKind, given: list[str]) -> None:
    rule = KINDS[kind]
    foreign = [name for name in given if name not in rule.takes]
    if foreign:
        takes = ", ".join(rule.takes) or "nothing else"
        raise InvalidRequestError(f"{foreign[0]} does not go with {kind}, which takes: {takes}")
    if rule.needs and not set(rule.needs) & set(given):
        raise InvalidRequestError(f"{kind} needs {' or '.join(rule.needs)}")


def _check_fields(headers: tuple[tuple[str, str], ...]) -> None:
    for name, value in headers:
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise InvalidRequestError(f"headers: {name[:40]!r} and its value are no header field")
        if name.lower() in _OF_THE_CONNECTION:
            raise InvalidRequestError(
                f"headers: {name} is written by the connection itself; the kinds wrong_length and "
                "reset are for damaged answers"
            )


class Push(NamedTuple):
    """What a plan looks at in a request."""

    subscription: str
    profile: Profile
    topic: str | None


class FaultState(StrEnum):
    """Where a plan is in its life, by the clock and its hits."""

    WAITING = "waiting"
    ACTIVE = "active"
    SPENT = "spent"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Fault:
    """A plan with what has become of it. Storage gives it `id` and `sequence`.

    `times`: it strikes at most so often. `seen` counts the requests that its match describes,
    `hits` those that it struck; `window` are the time at which its window began and the requests
    that passed in it.
    """

    created_at: float
    match: Match
    action: Action
    times: int | None = None
    id: str = ""
    sequence: int = 0
    seen: int = 0
    hits: int = 0
    window: tuple[float, int] = (float("-inf"), 0)

    @property
    def waits(self) -> bool:
        """Whether its answers take time, or the connection itself."""
        return self.mark.waits

    @property
    def mark(self) -> InjectedFault:
        """What the journal says about a request that it struck."""
        action = self.action
        return InjectedFault(self.id, action.does, action.replaces, action.delay or 0.0)

    def state(self, now: float) -> FaultState:
        """What can still come of it."""
        if self.times is not None and self.hits >= self.times:
            return FaultState.SPENT
        if self.match.ends_at is not None and self.match.ends_at <= now:
            return FaultState.OVER
        if self.match.begins_at is not None and now < self.match.begins_at:
            return FaultState.WAITING
        return FaultState.ACTIVE

    def left(self, now: float) -> float:
        """Seconds until the next window of a rate limit."""
        assert self.action.limit is not None
        return self.window[0] + self.action.limit.window - now


def meet(fault: Fault, push: Push, now: float, *, struck: bool) -> Fault:
    """The plan after a request; it strikes if its hits have grown.

    `struck`: another plan has struck already; then this one only counts. A plan whose answer the
    vendor does not know does not match.
    """
    named = fault.action.named
    if not fault.match.describes(push, now) or (
        named is not None and named not in push.profile.named_answers
    ):
        return fault
    fault = replace(fault, seen=fault.seen + 1)
    spent = fault.times is not None and fault.hits >= fault.times
    if struck or spent or not fault.match.chooses(fault.seen):
        return fault
    if fault.action.limit is None:
        return replace(fault, hits=fault.hits + 1)
    return _within_limit(fault, fault.action.limit, now)


def _within_limit(fault: Fault, limit: RateLimit, now: float) -> Fault:
    began, passed = fault.window
    if now >= began + limit.window:
        began, passed = now, 0
    if passed < limit.requests:
        return replace(fault, window=(began, passed + 1))
    return replace(fault, hits=fault.hits + 1)
