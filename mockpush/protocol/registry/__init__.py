"""The registry of findings: every code with its level, section, text and hint.

Codes are dotted, lower case and stable. To add one, add a row to the table of its theme.
"""

from __future__ import annotations

from itertools import chain
from typing import Final

from .encryption import CODES as _ENCRYPTION
from .request import CODES as _REQUEST
from .row import Code, Level
from .vapid import CODES as _VAPID

__all__ = ["REGISTRY", "Code", "Level"]

REGISTRY: Final[dict[str, Code]] = {
    row.code: row for row in chain(_REQUEST, _VAPID, _ENCRYPTION)
}
