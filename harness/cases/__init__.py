"""The cases, one file for each theme; a new one adds its table here. `reports` is for several."""

from __future__ import annotations

from typing import Final

from ..case import Case
from . import (
    answers,
    coding,
    connections,
    delivery,
    gone,
    keys,
    payload,
    reasons,
    redirects,
    token,
    topic,
    ttl,
    urgency,
    waiting,
)

_THEMES: Final = (
    *(delivery, ttl, urgency, topic, gone, coding, payload, token, keys),
    *(reasons, answers, waiting, redirects, connections),
)


def _place(case: Case) -> tuple[str, tuple[int, ...]]:
    document, section, _ = case.id.split("/")
    return document, tuple(map(int, section.split(".")))


CASES: Final[tuple[Case, ...]] = tuple(
    sorted((case for theme in _THEMES for case in theme.TABLE.cases), key=_place)
)
"""Every case in the order in which they run and are reported: by section, then as declared."""
