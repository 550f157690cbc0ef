"""The profiles, as the tables that they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from documentation.findings import condition
from documentation.markdown import code, table
from mockpush.profiles import PROFILES
from mockpush.protocol.judging import Profile, Row, Scope, Template

_SCOPES: Final = {
    Scope.ANY: "",
    Scope.RESTRICTED: "restricted subscriptions",
    Scope.MANAGED: "managed subscriptions",
    Scope.WITH_BODY: "with a body",
    Scope.WITH_CRYPTO_KEY: "with Crypto-Key",
    Scope.VAPID_SCHEME: "scheme `vapid`",
    Scope.DRAFT_SCHEME: "schemes of the drafts",
}


def overview() -> str:
    """What each imitates, and where its endpoints are."""
    return table(
        ("profile", "imitates", "endpoint", "hosts", "octets", "longest TTL", "accepted with"),
        (
            (
                name if name == "rfc" else f"[{name}](#{name})",
                profile.title,
                "<br>".join(code(path) for path in _endpoints(profile)),
                "<br>".join(map(code, profile.hosts)),
                f"{profile.limits['body']:g}",
                _days(profile.limits["ttl"]),
                _answer(profile.success),
            )
            for name, profile in PROFILES.items()
        ),
    )


def _endpoints(profile: Profile) -> list[str]:
    query = f"?{profile.query}=" if profile.query else ""
    first = [profile.prefix, *([profile.open_prefix] if profile.open_prefix else [])]
    return [f"{prefix}{query}…" for prefix in dict.fromkeys([*first, *profile.aliases])]


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:g} days" if seconds % 86_400 == 0 else f"{seconds:.0f} s"


def _answer(template: Template) -> str:
    names = [name for name, _ in template.headers]
    return f"{template.status} {', '.join(map(code, names))}".rstrip()


def vendors() -> str:
    """The rows, the named answers and the variants of each vendor."""
    return "\n".join(_vendor(profile) for name, profile in PROFILES.items() if name != "rfc")


def _vendor(profile: Profile) -> str:
    rows = (
        (
            str(at),
            condition(row, profile, page="finding-codes.md"),
            _refusal(row.answer),
            _where(row, profile),
            row.evidence,
        )
        for at, row in enumerate(profile.rows, 1)
    )
    checks = table(("", "if", "answer", "only", "evidence"), rows)
    return f"### {profile.name}\n\n{checks}\n{_named(profile)}"


def _refusal(template: Template) -> str:
    return " ".join(filter(None, (str(template.status), code(_one_line(template.word)))))


def _one_line(word: str | None) -> str | None:
    return word if word is None or len(word) <= 90 else f"{word[:89]}…"


def _where(row: Row, profile: Profile) -> str:
    chosen = "" if row.variant is None else f"variant {code(f'{profile.name}.{row.variant}')}"
    return ", ".join(filter(None, (_SCOPES[row.scope], chosen)))


def _named(profile: Profile) -> str:
    answers = ", ".join(
        f"{code(name)} ({template.status})" for name, template in profile.named_answers.items()
    )
    return f"Answers that no request provokes: {answers}.\n"


def variants() -> str:
    """What can be taken the other way."""
    return table(("variant", ""), _variants())


def _variants() -> Iterator[tuple[str, str]]:
    for profile in PROFILES.values():
        for name, variant in profile.variants.items():
            yield code(f"{profile.name}.{name}"), variant.text
