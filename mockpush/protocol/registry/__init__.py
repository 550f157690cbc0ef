"""The registry of findings: every code with its level, section, text and hint.

Codes are dotted, lower case and stable. To add one, add a row to the table of its theme.
"""

from __future__ import annotations

from itertools import chain
from typing import Final

from . import encryption, request, vapid
from .row import Code, Level

__all__ = ["REGISTRY", "Code", "Level"]

REGISTRY: Final[dict[str, Code]] = {
    row.code: row for row in chain(request.CODES, vapid.CODES, encryption.CODES)
}
