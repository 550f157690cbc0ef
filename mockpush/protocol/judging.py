"""Judgement: a profile's table turns an inspection into an answer.

A profile is data. Its rows are walked in order and the first match decides, so the order of the
rows is the vendor's order of checks. A row's condition is a set of codes, or a measure compared
with a number or a named limit by one of a closed set of operators.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple

from mockpush.protocol.delivery import RFC8030, Delivery
from mockpush.protocol.findings import REGISTRY
from mockpush.protocol.inspection import Inspection


class Scope(StrEnum):
    """The subscriptions to which a row applies."""

    ANY = "any"
    RESTRICTED = "restricted"
    """those made with an applicationServerKey (RFC 8292, Section 4)"""
    MANAGED = "managed"
    """those whose private key the service holds"""


class Measure(StrEnum):
    """The numbers of an inspection that a row can compare."""

    BODY_SIZE = "body_size"
    TTL = "ttl"
    EXP_IN = "exp_in"
    TOPIC_LENGTH = "topic_length"


class Operator(StrEnum):
    """How a row compares a measure; `mod_4` is the remainder of a division by four."""

    ABOVE = "above"
    BELOW = "below"
    EQUALS = "equals"
    MOD_4 = "mod_4"


_COMPARISONS: Final[Mapping[Operator, Callable[[float, float], bool]]] = {
    Operator.ABOVE: operator.gt,
    Operator.BELOW: operator.lt,
    Operator.EQUALS: operator.eq,
    Operator.MOD_4: lambda value, remainder: value % 4 == remainder,
}


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """An answer before it is filled in, equal only to itself.

    Placeholders in headers and body: `{location}` the message resource, `{receipt}` the receipt
    subscription, `{ttl}` the seconds granted, `{uuid}` a fresh UUID, `{problem}` an RFC 9457
    document about the deciding finding.
    `word` is the vendor's own word for the reason.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Codes:
    """Matches when one of these findings is there."""

    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Compare:
    """Matches when a measure is there and compares; `reports` is the code that it decides by.

    `value` is a number or the name of one of the profile's limits.
    """

    measure: Measure
    operator: Operator
    value: float | str
    reports: str


@dataclass(frozen=True, slots=True)
class Row:
    """A condition and its answer. `evidence` says where the row comes from."""

    when: Codes | Compare
    answer: Template
    scope: Scope = Scope.ANY
    evidence: str = ""


def on(*codes: str) -> Codes:
    """A condition on any of these codes; `ValueError` for one that the registry does not have."""
    unknown = [code for code in codes if code not in REGISTRY]
    if unknown:
        raise ValueError(f"not in the registry: {', '.join(unknown)}")
    return Codes(frozenset(codes))


@dataclass(frozen=True)
class Profile:
    """How one push service behaves, as data.

    `prefix` (and `query`, if the token is a query parameter) is the shape of its endpoints here,
    `open_prefix` that of subscriptions without an applicationServerKey, if it differs; `aliases`
    are taken as well. `hosts` are the vendor's own, as patterns whose `*` is one or more labels;
    the first is none, for new endpoints. `host_prefixes` are the shapes there, if not the same.
    `limits` are named numbers that rows and clamps refer to: `body` octets, `ttl` seconds.
    `receipt` is the success answer when a receipt is wanted; None: the service gives no receipts.
    """

    name: str
    title: str
    prefix: str
    rows: tuple[Row, ...]
    success: Template
    full: Template
    limits: Mapping[str, float]
    query: str | None = None
    open_prefix: str | None = None
    aliases: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    host_prefixes: tuple[str, ...] = ()
    delivery: Delivery = RFC8030
    receipt: Template | None = None
    named_answers: Mapping[str, Template] = field(default_factory=dict)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Those of all paths that lead to its push resources here, the longest first."""
        prefixes = {self.prefix, self.open_prefix or self.prefix, *self.aliases}
        return tuple(sorted(prefixes, key=lambda prefix: (-len(prefix), prefix)))

    def endpoint(self, token: str, *, restricted: bool = True, own_host: bool = False) -> str:
        """The path and query of the push resource with this token, here or at the vendor's host."""
        prefix = self.prefix if restricted or self.open_prefix is None else self.open_prefix
        if own_host and self.host_prefixes:
            prefix = self.host_prefixes[0]
        return prefix + (token if self.query is None else f"?{self.query}={token}")

    @cached_property
    def measured(self) -> tuple[_Measured, ...]:
        """The rows that can match without any finding, ready to be compared."""
        return tuple(
            _Measured(
                row,
                row.when.measure.value,
                _COMPARISONS[row.when.operator],
                self.bound(row.when),
            )
            for row in self.rows
            if isinstance(row.when, Compare)
        )

    def bound(self, condition: Compare) -> float:
        """The number that a condition compares with."""
        value = condition.value
        return self.limits[value] if isinstance(value, str) else value

    @cached_property
    def longest_ttl(self) -> int:
        """Seconds that a message is kept at most."""
        return int(self.limits["ttl"])

    @cached_property
    def acceptance(self) -> Judgement:
        """The judgement on such a request that wants no receipt, as most do."""
        return Judgement(self, self.success)

    def accepting(self, inspection: Inspection) -> Judgement:
        """The judgement on a request to which no row objects."""
        if self.receipt is None or not inspection.wants_receipt:
            return self.acceptance
        return Judgement(self, self.receipt)

    @cached_property
    def named_codes(self) -> frozenset[str]:
        """The codes that some row names."""
        return frozenset().union(
            *(row.when.codes for row in self.rows if isinstance(row.when, Codes))
        )


class _Measured(NamedTuple):
    """A row on a measure: the name of the measure, how it compares, and with what."""

    row: Row
    measure: str
    compare: Callable[[float, float], bool]
    bound: float


class Judgement(NamedTuple):
    """What a profile says to an inspection: the template of its answer and the codes behind it.

    `codes[0]` decided; the others are what it also objects to, in the order of its table.
    """

    profile: Profile
    template: Template
    codes: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the message is taken."""
        template, profile = self.template, self.profile
        return template is profile.success or template is profile.receipt


def judge(inspection: Inspection, profile: Profile) -> Judgement:
    """Walks the profile's table: the first row that matches decides."""
    codes: list[str] = []
    if inspection.findings:
        named = profile.named_codes
        codes = [finding[0] for finding in inspection.findings if finding[0] in named]
    if not codes and _measures_pass(inspection, profile):
        asked = inspection.head.receipt
        return profile.acceptance if asked is None else profile.accepting(inspection)
    template: Template | None = None
    reported: dict[str, None] = {}
    for row in profile.rows:
        matched = _match(row, codes, inspection, profile)
        if matched:
            template = template or row.answer
            reported.update(dict.fromkeys(matched))
    if template is None:
        return profile.accepting(inspection)
    return Judgement(profile, template, tuple(reported))


def _measures_pass(inspection: Inspection, profile: Profile) -> bool:
    """Whether no row on a measure matches: the usual case, on the path of every message."""
    for row, measure, compare, bound in profile.measured:
        value = getattr(inspection, measure)
        if value is not None and compare(value, bound) and _in_scope(row.scope, inspection):
            return False
    return True


def _match(row: Row, codes: list[str], inspection: Inspection, profile: Profile) -> list[str]:
    if not _in_scope(row.scope, inspection):
        return []
    condition = row.when
    if isinstance(condition, Codes):
        return [code for code in codes if code in condition.codes]
    value = getattr(inspection, condition.measure)
    if value is None:
        return []
    compare = _COMPARISONS[condition.operator]
    return [condition.reports] if compare(value, profile.bound(condition)) else []


def _in_scope(scope: Scope, inspection: Inspection) -> bool:
    if scope is Scope.RESTRICTED:
        return inspection.restricted
    return scope is Scope.ANY or inspection.managed
