"""The cases, one file for each theme. A new file adds its table here."""

from __future__ import annotations

from typing import Final

from ..case import Case
from . import coding, delivery, gone, keys, payload, token, topic, ttl, urgency

_THEMES: Final = (delivery, ttl, urgency, topic, gone, coding, payload, token, keys)

CASES: Final[tuple[Case, ...]] = tuple(
    sorted(
        (case for theme in _THEMES for case in theme.TABLE.cases),
        key=lambda case: case.id.partition("/")[0],
    )
)
"""Every case in the order in which they run and are reported: by document, then as declared."""
