"""The contact in a token, `sub` (RFC 8292, Section 2.1), and what push services make of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from mockpush.protocol.findings import Finding
from mockpush.protocol.jwt import shown_claim

_EXPECTED: Final = "mailto:name@example.com or an https: URI"
_MAILTO: Final = "mailto:"
_MARKS: Final = re.compile(r"[\s<>]")
_LOCAL: Final = frozenset(("localhost", "local", "invalid"))
"""Top-level names for which users report that Apple refuses the token."""


def check_contact(claims: Mapping[str, Any], findings: list[Finding]) -> None:
    """Appends what is odd about `sub`."""
    if "sub" not in claims:
        findings.append(Finding("vapid.sub.missing", _EXPECTED, "none"))
        return
    contact = claims["sub"]
    code = _code(contact) if isinstance(contact, str) else "vapid.sub.type"
    if code is not None:
        findings.append(Finding(code, _EXPECTED, shown_claim(contact)))


@lru_cache(maxsize=256)
def _code(contact: str) -> str | None:
    lowered = contact.lower()
    if lowered.startswith(_MAILTO * 2):
        return "vapid.sub.doubled_mailto"
    if _MARKS.search(contact):
        return "vapid.sub.malformed"
    if lowered.startswith(_MAILTO):
        local, _, host = lowered.removeprefix(_MAILTO).partition("?")[0].rpartition("@")
        return _host_code(host) if local and host else "vapid.sub.malformed"
    if lowered.startswith("https:"):
        return _host_code(_host(lowered)) or "vapid.sub.https"
    return (
        "vapid.sub.bare_address"
        if "@" in contact and ":" not in contact
        else "vapid.sub.not_a_contact"
    )


def _host(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def _host_code(host: str) -> str | None:
    if not host:
        return "vapid.sub.malformed"
    return "vapid.sub.local_host" if host.rpartition(".")[2] in _LOCAL else None
