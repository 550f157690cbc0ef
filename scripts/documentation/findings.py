"""The codes of findings and the tables of profiles, from the registry and the profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from documentation.markdown import code, table
from mockpush.profiles import PROFILES, STRICT
from mockpush.protocol.judging import Codes, Compare, Profile, Row
from mockpush.protocol.judging import Scope as Applies
from mockpush.protocol.registry import TABLES, Code, Level

THEMES: Final = (
    "The request",
    "Receipts",
    "VAPID",
    "The body: aes128gcm",
    "The keys of the encryption",
    "The draft coding: aesgcm",
    "The payload",
    "Beside other requests and subscriptions",
)
"""The headings of the registry's tables, in their order."""

_LEVELS: Final = {
    Level.MUST: "breaks a MUST or MUST NOT",
    Level.SHOULD: "breaks a SHOULD",
    Level.PRACTICE: "legal, yet it loses messages or breaks at some push services",
    Level.VENDOR: "legal, yet at least one real push service refuses it",
    Level.INFORMATION: "worth knowing",
}


def levels() -> str:
    """How much a finding weighs."""
    return table(("level", ""), ((code(level.value), _LEVELS[level]) for level in Level))


def finding_codes() -> str:
    """Every code under the heading of its theme."""
    parts = []
    for theme, codes in zip(THEMES, TABLES, strict=True):
        parts.append(f"## {theme}\n")
        parts.extend(_code(each) for each in codes)
    return "\n".join(parts)


def _code(row: Code) -> str:
    facts = [row.level.value, row.section, *_answers(row)]
    if row.needs_keys:
        facts.append("seen when the message is decrypted")
    if row.explains:
        facts.append(f"explains {_links(row.explains, '')}")
    return f"### {row.code}\n\n**{row.text}**\n\n{' · '.join(facts)}\n\n{row.hint}\n"


def _answers(row: Code) -> Iterator[str]:
    """What the default profile answers because of a code, and what it answers under --strict."""
    usual, strict = (_refusal(each["rfc"], row.code) for each in (PROFILES, STRICT))
    if usual:
        yield f"refused with {usual}"
    if strict and strict != usual:
        yield f"refused with {strict} under `--strict`"


def _refusal(profile: Profile, name: str) -> str | None:
    row = next((row for row in profile.rows if name in _codes(row)), None)
    where = "" if row is None or row.scope is Applies.ANY else f" at {row.scope} subscriptions"
    return None if row is None else f"{row.answer.status}{where}"


def _codes(row: Row) -> frozenset[str]:
    return row.when.codes if isinstance(row.when, Codes) else frozenset((row.when.reports,))


def profile_table() -> str:
    """The rows of the default profile, in the order of the checks."""
    rfc = PROFILES["rfc"]
    return table(
        ("", "if", "answer", "subscriptions", "because"),
        (
            (str(at), condition(row, rfc), str(row.answer.status), row.scope.value, row.evidence)
            for at, row in enumerate(rfc.rows, 1)
        ),
    )


def condition(row: Row, profile: Profile, *, page: str = "") -> str:
    """When a row matches, with links to its codes on `page`."""
    names = _links(_codes(row), page)
    if isinstance(row.when, Compare):
        bound = row.when.value
        limit = profile.limits[bound] if isinstance(bound, str) else bound
        return f"{names}: {row.when.measure.value} {row.when.operator.value} {limit:g}"
    return f"{names} without {_links(row.when.unless, page)}" if row.when.unless else names


def _links(names: Iterable[str], page: str) -> str:
    return ", ".join(f"[{name}]({page}#{_anchor(name)})" for name in sorted(names))


def _anchor(heading: str) -> str:
    """The name that a heading has as the target of a link."""
    return heading.lower().replace(".", "")
