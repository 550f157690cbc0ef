"""Payloads, octet for octet (RFC 8291)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.findings import Level

from ..case import Ask, CaseTable
from ..trial import Trial
from ..verdict import Problem
from .delivery import LONGEST_PAYLOAD

TABLE: Final = CaseTable()

_LONG: Final = b"0123456789" * 300
_LONGEST: Final = b"." * LONGEST_PAYLOAD
_ROWS: Final = (
    ("text", "A text arrives as it was given.", b"The quick brown fox jumps over the lazy dog."),
    ("json", "JSON arrives as it was given.", b'{"title": "Shipped", "order": 7}'),
    ("emoji", "Text beyond ASCII arrives as UTF-8.", "Grüße, e\u0301tude, 世界 👋🏽".encode()),
    ("binary", "Octets that are not text arrive unchanged.", bytes(range(256))),
    ("byte-order-mark", "A byte order mark is part of the payload.", "\ufeffpayload".encode()),
    ("nul", "NUL at both ends is part of the payload.", b"\0\0payload\0\0"),
    ("one-octet", "A payload of one octet arrives, also if it is a zero.", b"0"),
    ("white-space", "White space at both ends is part of the payload.", b" \r\n payload\n\n"),
    ("long", "A payload of 3000 octets arrives.", _LONG),
    ("longest", "A payload of 3993 octets arrives.", _LONGEST),
)
"""Slug, requirement, payload."""
_REFUSABLE: Final = (_LONG, _LONGEST, b"")
"""A sender that says that it does not send them loses nothing, but keeps from its user what works.
"""


def _declare(slug: str, requirement: str, payload: bytes) -> None:
    @TABLE.judged(f"rfc8291/3.4/payload-{slug}", requirement)
    def arrives(trial: Trial) -> Iterator[Problem]:
        return _arrives(trial, payload)


def _arrives(trial: Trial, payload: bytes) -> Iterator[Problem]:
    push = trial.attempt(Ask(payload=payload))
    if push.requests:
        yield from trial.compare_payload(push, payload)
    elif push.result.ok or payload not in _REFUSABLE:
        yield trial.nothing_arrived(push)
    else:
        yield trial.problem(
            f"the sender refuses a payload of {len(payload)} octets",
            expected="a push: every push service takes it",
            actual=push.result.error or "a failure, and no request",
            level=Level.PRACTICE,
        )


for _row in _ROWS:
    _declare(*_row)


@TABLE.judged(
    "rfc8030/5/no-payload",
    "A push message without a payload has no body.",
)
def no_payload(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask(payload=None))
    trial.message(push)
    request = push.requests[0]
    if request.body:
        # An encrypted nothing arrives: only what the page gets is empty, and not null.
        harmless = not any(trial.compare_payload(push, b""))
        yield trial.problem(
            "the body is not empty",
            expected="no body",
            actual=f"{len(request.body)} octets" + (", of no payload" if harmless else ""),
            level=Level.PRACTICE if harmless else None,
            request=request,
        )


@TABLE.judged(
    "rfc8030/5/empty-payload",
    "A push message with an empty payload has no body, or one that decrypts to nothing.",
)
def empty_payload(trial: Trial) -> Iterator[Problem]:
    return _arrives(trial, b"")
