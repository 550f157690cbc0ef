"""Web Linking (RFC 8288): the relations of RFC 8030, and what a Link field points to."""

from __future__ import annotations

import re
from typing import Final

PUSH: Final = "urn:ietf:params:push"
PUSH_SET: Final = "urn:ietf:params:push:set"
RECEIPT: Final = "urn:ietf:params:push:receipt"

_LINK: Final = re.compile(r"<([^>]*)>((?:\s*;\s*[^\s=;,]+\s*=\s*(?:\"[^\"]*\"|[^\s;,]*))*)")
_RELATION: Final = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,]*))", re.IGNORECASE)


def link(target: str, relation: str) -> str:
    """The value of a Link field."""
    return f'<{target}>; rel="{relation}"'


def linked(field: str, relation: str) -> str | None:
    """The target of the first link with this relation, or None (RFC 8288, Section 3).

    `field` is the value of the field, its lines joined with commas.
    """
    for target, parameters in _LINK.findall(field):
        match = _RELATION.search(parameters)
        if match and relation in (match[1] or match[2] or "").split():
            return str(target)
    return None
