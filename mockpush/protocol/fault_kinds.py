"""What a fault plan can do to a request: a closed set, with what each kind takes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class FaultKind(StrEnum):
    """What goes wrong."""

    ANSWER = "answer"
    REDIRECT = "redirect"
    RATE_LIMIT = "rate_limit"
    DELAY = "delay"
    SLOW_HEADERS = "slow_headers"
    WRONG_LENGTH = "wrong_length"
    RESET = "reset"
    RESET_MIDWAY = "reset_midway"
    NO_ANSWER = "no_answer"


EXTENSION: Final = "mockpush.connection"
"""The extension of an ASGI scope through which the connection itself can be disturbed."""


class Rule(NamedTuple):
    """A kind in words, and which members of an action it takes.

    `needs`: one of these must be there (none: nothing is needed). `disturbs` the connection: it
    cannot be had where there is none, as with ASGI in process.
    """

    text: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    disturbs: bool = False


_ANSWER: Final = ("status", "answer", "headers", "body", "retry_after")

KINDS: Final[Mapping[FaultKind, Rule]] = {
    FaultKind.ANSWER: Rule(
        "an answer of your own, or the vendor's own of this name",
        ("status", "answer"),
        (*_ANSWER, "delay"),
    ),
    FaultKind.REDIRECT: Rule(
        "an answer that leads elsewhere: 307 unless `status` is 301, 302, 303 or 308",
        ("location",),
        ("location", "status", "headers", "body", "retry_after", "delay"),
    ),
    FaultKind.RATE_LIMIT: Rule(
        "so many requests in each window of the tenant's clock pass, the others get the vendor's "
        "`throttled` (or another answer) with the time that is left in Retry-After",
        ("limit",),
        ("limit", *_ANSWER, "delay"),
    ),
    FaultKind.DELAY: Rule("the service's own answer, later", ("delay",), ("delay",)),
    FaultKind.SLOW_HEADERS: Rule(
        "status line and header fields one by one, in `delay` seconds",
        ("delay",),
        (*_ANSWER, "delay"),
        disturbs=True,
    ),
    FaultKind.WRONG_LENGTH: Rule(
        "Content-Length promises more octets than come before the connection is closed",
        (),
        (*_ANSWER, "delay"),
        disturbs=True,
    ),
    FaultKind.RESET: Rule(
        "the connection is reset before anything is answered", (), ("delay",), disturbs=True
    ),
    FaultKind.RESET_MIDWAY: Rule(
        "the connection is reset in the middle of the answer",
        (),
        (*_ANSWER, "delay"),
        disturbs=True,
    ),
    FaultKind.NO_ANSWER: Rule("nothing ever comes", (), (), disturbs=True),
}
"""Every kind. Those that take no answer, or are given none, damage the service's own."""

WITHOUT_ANSWER: Final = frozenset((FaultKind.RESET, FaultKind.NO_ANSWER))
"""The kinds in which no answer goes out at all."""

NAMING: Final[Mapping[str, FaultKind]] = {
    "location": FaultKind.REDIRECT,
    "limit": FaultKind.RATE_LIMIT,
    "status": FaultKind.ANSWER,
    "answer": FaultKind.ANSWER,
    "delay": FaultKind.DELAY,
}
"""The kind that is meant when none is named: that of the first of these members that is there."""

REDIRECTS: Final = (301, 302, 303, 307, 308)


class InjectedFault(NamedTuple):
    """The mark of a fault in the journal: which plan, and what it did.

    `replaces`: its own answer went out, or none; otherwise the service's own, late or damaged.
    `delay` in real seconds.
    """

    id: str
    kind: FaultKind
    replaces: bool
    delay: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether the answer takes time, or the connection itself."""
        return self.delay > 0 or self.disturbs

    @property
    def disturbs(self) -> bool:
        """Whether it is done to the connection."""
        return KINDS[self.kind].disturbs

    @property
    def silent(self) -> bool:
        """Whether no answer goes out."""
        return self.kind in WITHOUT_ANSWER

    def __str__(self) -> str:
        return f"{self.id} ({self.kind})"
