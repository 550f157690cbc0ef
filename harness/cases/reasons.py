"""The push services' own words, and the answer that tempts to delete what lives (RFC 8292, 4.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from mockpush.client.headers import Headers
from mockpush.client.records import Request
from mockpush.protocol.findings import Level
from mockpush.protocol.portability import VENDORS
from mockpush.vapid_keys import VapidKeys

from ..case import Ask, CaseTable
from ..evidence import Push
from ..trial import NotApplicableError, Trial
from ..verdict import Problem
from .reports import accepted, failure, seen

TABLE: Final = CaseTable()

_DESCRIPTION: Final = "X-WNS-Error-Description"


@TABLE.judged(
    "rfc8292/4.2/other-key-is-not-gone",
    "Who signs with another key than the subscription's is told so; the subscription lives on.",
)
def other_key(trial: Trial) -> Iterator[Problem]:
    for vendor in VENDORS:  # 403 at one, 401, 400, 401 at the others
        yield from failure(trial, _refused(trial, vendor))


def _refused(trial: Trial, vendor: str) -> Push:
    """A push that this push service refuses, as the subscription belongs to another key."""
    key = VapidKeys.generate().public_key
    to = trial.control.subscribe(profile=vendor, application_server_key=key)
    return trial.send(Ask(), to=to)


def _sent_with_ttl_zero(trial: Trial, vendor: str) -> Push:
    """What WNS gives a reason for: it gives none for another key."""
    return trial.send(Ask(ttl=0), to=trial.control.subscribe(profile=vendor))


_PROVOKED: Final = {"wns": _sent_with_ttl_zero}

_ROWS: Final = (
    ("fcm", "Chrome's", Level.PRACTICE),
    ("mozilla", "Firefox's", Level.PRACTICE),
    ("apple", "Safari's", Level.PRACTICE),
    # It stands in a header field, where few look for a reason; some hand over the fields instead.
    ("wns", "Edge's", Level.INFORMATION),
)
"""Profile, whose it is, level."""


def _declare(vendor: str, whose: str, level: Level) -> None:
    @TABLE.judged(
        f"rfc8292/4.2/reason-of-{vendor}",
        f"The reason that {whose} push service gives is part of the error.",
        level=level,
    )
    def tells_the_reason(trial: Trial) -> Iterator[Problem]:
        push = _PROVOKED.get(vendor, _refused)(trial, vendor)
        if accepted(push):
            raise NotApplicableError(f"there is no reason: {whose} push service took the push")
        place, reason = _reason(push.requests[-1])
        if reason not in (push.result.error or ""):
            yield trial.problem(
                "the error does not say why the push service refused the push",
                expected=f"{reason!r}, as {place} says",
                actual=seen(push.result),
                hint="It is what tells a wrong key from a wrong clock, and both from a lost "
                "subscription.",
                request=push.requests[-1],
            )


for _row in _ROWS:
    _declare(*_row)


def _reason(request: Request) -> tuple[str, str]:
    """Where the push service's own word stands, and the word."""
    assert request.answer is not None
    body: str = request.answer["body"]
    fields = Headers(request.answer["headers"])
    if _DESCRIPTION in fields:
        return f"its {_DESCRIPTION}", fields[_DESCRIPTION]
    with suppress(ValueError):
        members = json.loads(body)
        for name in ("reason", "message"):
            if isinstance(members, dict) and name in members:
                return f"{name!r} in the JSON of its answer", str(members[name])
    return "the body of its answer", body.strip()
