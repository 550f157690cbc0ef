"""Payloads, octet for octet (RFC 8291)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..case import TEXT, Ask, CaseTable
from ..trial import Trial
from ..verdict import Problem
from .delivery import LONGEST_PAYLOAD

TABLE: Final = CaseTable()

_ROWS: Final = (
    ("text", "A text arrives as it was given.", TEXT),
    ("json", "JSON arrives as it was given.", b'{"title": "Shipped", "order": 7}'),
    ("emoji", "Text beyond ASCII arrives as UTF-8.", "Grüße, 世界 👋🏽".encode()),
    ("binary", "Octets that are not text arrive unchanged.", bytes(range(256))),
    ("one-octet", "A payload of one octet arrives.", b"!"),
    ("white-space", "White space at both ends is part of the payload.", b" \r\n payload\n\n"),
    ("long", "A payload of 3000 octets arrives.", b"0123456789" * 300),
    ("longest", "A payload of 3993 octets arrives.", b"." * LONGEST_PAYLOAD),
)
"""Slug, requirement, payload."""


def _declare(slug: str, requirement: str, payload: bytes) -> None:
    @TABLE.judged(f"rfc8291/3.4/payload-{slug}", requirement)
    def arrives(trial: Trial) -> Iterator[Problem]:
        yield from trial.compare_payload(trial.send(Ask(payload=payload)), payload)


for _row in _ROWS:
    _declare(*_row)


@TABLE.judged(
    "rfc8030/5/no-payload",
    "A push message without a payload has no body.",
)
def no_payload(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask(payload=None))
    trial.message(push)
    size = len(push.requests[0].body)
    yield from trial.compare("the size of the body", 0, size, push=push)


@TABLE.judged(
    "rfc8030/5/empty-payload",
    "A push message with an empty payload has no body, or one that decrypts to nothing.",
)
def empty_payload(trial: Trial) -> Iterator[Problem]:
    yield from trial.compare_payload(trial.send(Ask(payload=b"")), b"")
