"""Judgement: a profile's table turns an inspection into an answer.

A profile is data. Its rows are walked in order and the first match decides, so the order of the
rows is the vendor's order of checks. A row's condition is a set of codes, or a measure compared
with a number or a named limit by one of a closed set of operators.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple

from mockpush.protocol.delivery import RFC8030, Delivery
from mockpush.protocol.findings import REGISTRY
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.vapid import Scheme


class Scope(StrEnum):
    """The subscriptions and requests to which a row applies."""

    ANY = "any"
    RESTRICTED = "restricted"
    """those made with an applicationServerKey (RFC 8292, Section 4)"""
    MANAGED = "managed"
    """those whose private key the service holds"""
    WITH_BODY = "with_body"
    """requests that have a body"""
    WITH_CRYPTO_KEY = "with_crypto_key"
    """requests that have a Crypto-Key field"""
    VAPID_SCHEME = "vapid_scheme"
    """requests whose sender identifies itself as in RFC 8292"""
    DRAFT_SCHEME = "draft_scheme"
    """requests whose sender does it as in the drafts, by `WebPush` or `Bearer`"""


_IN_SCOPE: Final[Mapping[Scope, Callable[[Inspection], bool]]] = {
    Scope.ANY: lambda _: True,
    Scope.RESTRICTED: lambda inspection: inspection.restricted,
    Scope.MANAGED: lambda inspection: inspection.managed,
    Scope.WITH_BODY: lambda inspection: inspection.body_size > 0,
    Scope.WITH_CRYPTO_KEY: lambda inspection: inspection.parameters.has_crypto_key,
    Scope.VAPID_SCHEME: lambda inspection: _scheme(inspection) is Scheme.VAPID,
    Scope.DRAFT_SCHEME: lambda inspection: _scheme(inspection) in (Scheme.WEBPUSH, Scheme.BEARER),
}


def _scheme(inspection: Inspection) -> Scheme | None:
    return None if inspection.vapid is None else inspection.vapid.scheme


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
    subscription, `{origin}` that of the endpoint, `{ttl}` the seconds granted, `{uuid}` a fresh
    UUID in capitals, `{usec}` the time of arrival in microseconds, `{hex16}` and `{HEX16}` sixteen
    fresh hexadecimal digits, `{excess}` the characters by which the body in base64 exceeds 4096,
    `{problem}` an RFC 9457 document about the deciding finding. `word` is the vendor's own word for
    the reason.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Codes:
    """Matches when one of these findings is there, and none of `unless`."""

    codes: frozenset[str]
    unless: frozenset[str] = frozenset()


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
    """A condition and its answer. `evidence` says where the row comes from.

    A row of a `variant` counts only where that is chosen; it stands before those that it overrules.
    """

    when: Codes | Compare
    answer: Template
    scope: Scope = Scope.ANY
    evidence: str = ""
    variant: str | None = None


def on(*codes: str, unless: Iterable[str] = ()) -> Codes:
    """A condition on any of these codes; `ValueError` for one that the registry does not have."""
    unknown = [code for code in (*codes, *unless) if code not in REGISTRY]
    if unknown:
        raise ValueError(f"not in the registry: {', '.join(unknown)}")
    return Codes(frozenset(codes), frozenset(unless))


@dataclass(frozen=True, slots=True)
class Variant:
    """Another reading of a doubtful fact, for who asks for it by name.

    `text` says what it does; its rows are in the table; `success` replaces that of the profile.
    """

    text: str
    success: Template | None = None


@dataclass(frozen=True)
class Profile:
    """How one push service behaves, as data.

    `prefix` (and `query`, if the token is a query parameter) is the shape of its endpoints here,
    `open_prefix` that of subscriptions without an applicationServerKey, if it differs; `aliases`
    are taken as well. `hosts` are the vendor's own, as patterns whose `*` is one or more labels;
    the first is a name, for new endpoints. `host_prefixes` are the shapes there, if not the same.
    `limits` are named numbers that rows and clamps refer to: `body` octets, `ttl` seconds.
    `receipt` is the success answer when a receipt is wanted; None: the service gives no receipts.
    `named_answers` are those that no request provokes, for fault plans; `throttled` and
    `unavailable` are always among them. `deletes_again`: DELETE on a message resource is answered
    204 whether or not there was anything left to do. `variants` can be chosen, and `chosen` are.
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
    deletes_again: bool = False
    variants: Mapping[str, Variant] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()

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

    def with_variants(self, names: Iterable[str]) -> Profile:
        """This profile with other readings; `KeyError` for one that it does not have."""
        chosen = tuple(names)
        successes = (self.variants[name].success for name in chosen)
        success = next((each for each in successes if each is not None), self.success)
        return replace(self, chosen=frozenset(chosen), success=success)

    @cached_property
    def active(self) -> tuple[Row, ...]:
        """The rows that count: those of no variant, and of the chosen ones."""
        return tuple(row for row in self.rows if row.variant is None or row.variant in self.chosen)

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
            for row in self.active
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
        """The codes on which some row depends."""
        conditions = [row.when for row in self.active if isinstance(row.when, Codes)]
        return frozenset().union(*(each.codes | each.unless for each in conditions))


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
    refusals = refusals_by(profile, inspection)
    if not refusals:
        return profile.accepting(inspection)
    return Judgement(profile, next(iter(refusals.values())), tuple(refusals))


def refusals_by(profile: Profile, inspection: Inspection) -> dict[str, Template]:
    """All that the profile objects to, by code, in the order of its table; the first decides."""
    codes = inspection.codes
    refusals: dict[str, Template] = {}
    for row in profile.active:
        for code in _match(row, codes, inspection, profile):
            refusals.setdefault(code, row.answer)
    return refusals


def _measures_pass(inspection: Inspection, profile: Profile) -> bool:
    """Whether no row on a measure matches: the usual case, on the path of every message."""
    for row, measure, compare, bound in profile.measured:
        value = getattr(inspection, measure)
        if value is not None and compare(value, bound) and _IN_SCOPE[row.scope](inspection):
            return False
    return True


def _match(row: Row, codes: list[str], inspection: Inspection, profile: Profile) -> list[str]:
    if row.scope is not Scope.ANY and not _IN_SCOPE[row.scope](inspection):
        return []
    condition = row.when
    if isinstance(condition, Codes):
        if not condition.unless.isdisjoint(codes):
            return []
        return [code for code in codes if code in condition.codes]
    value = getattr(inspection, condition.measure)
    if value is None:
        return []
    compare = _COMPARISONS[condition.operator]
    return [condition.reports] if compare(value, profile.bound(condition)) else []
