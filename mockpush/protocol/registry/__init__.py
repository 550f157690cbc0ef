"""The registry of findings: every code with its level, section, text and hint.

Codes are dotted, lower case and stable. To add one, add a row to the table of its theme.
"""

from __future__ import annotations

from itertools import chain
from typing import Final

from mockpush.protocol.registry import (
    aesgcm,
    encryption,
    history,
    key_derivation,
    payload,
    receipts,
    request,
    vapid,
)
from mockpush.protocol.registry.row import Code, Level

__all__ = ["HISTORY", "REGISTRY", "TABLES", "Code", "Level"]

TABLES: Final = (
    request.CODES,
    receipts.CODES,
    vapid.CODES,
    encryption.CODES,
    key_derivation.CODES,
    aesgcm.CODES,
    payload.CODES,
    history.CODES,
)

REGISTRY: Final[dict[str, Code]] = {row.code: row for row in chain(*TABLES)}

HISTORY: Final = frozenset(row.code for row in history.CODES)
"""The codes that a request alone cannot show, so that they never decide an answer."""
