"""The cases, one file for each theme; a new one adds its table here. `reports` is for several."""

from __future__ import annotations

from typing import Final

from ..case import Case, place
from . import (
    answers,
    arrival,
    coding,
    connections,
    delivery,
    fan_out,
    freshness,
    gone,
    identity,
    inputs,
    keys,
    lengths,
    notices,
    payload,
    pruning,
    reasons,
    redirects,
    request_line,
    retries,
    secrecy,
    shapes,
    thorough,
    token,
    topic,
    ttl,
    urgency,
    waiting,
)

_OF_MESSAGES: Final = (delivery, ttl, urgency, topic, gone, request_line, identity, arrival)
_OF_CONTENTS: Final = (coding, freshness, payload, lengths, inputs, token, keys, shapes, secrecy)
_OF_ANSWERS: Final = (reasons, answers, waiting, redirects, connections)
_OF_APPLICATIONS: Final = (pruning, fan_out, notices, retries)
_THEMES: Final = (*_OF_MESSAGES, *_OF_CONTENTS, thorough, *_OF_ANSWERS, *_OF_APPLICATIONS)

CASES: Final[tuple[Case, ...]] = tuple(
    sorted(
        (case for theme in _THEMES for case in theme.TABLE.cases),
        key=lambda case: place(case.id),
    )
)
"""Every case in the order in which they run and are reported: by section, then as declared."""
