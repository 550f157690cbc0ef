"""The request itself, its success and its size (RFC 8030, Sections 5 and 7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.findings import Level

from ..case import Ask, CaseTable
from ..trial import NotApplicableError, Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

LONGEST_PAYLOAD: Final = 3993
"""Octets that encryption makes 4096 of, which every push service takes (RFC 8291, Section 4)."""

TABLE.free_of(
    "rfc8030/5/post",
    "A push message is sent with POST to the endpoint.",
    "request.*",
)


@TABLE.judged(
    "rfc8030/5/sent-once",
    "A push message is sent once.",
    level=Level.PRACTICE,
)
def sent_once(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask())
    yield from trial.compare("the number of requests", 1, len(push.requests))


@TABLE.judged(
    "rfc8030/5/201-is-success",
    "An accepted push message (201) is reported as sent.",
    section="RFC 8030, Section 5; RFC 9110, Section 15",
)
def accepted_is_success(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask())
    trial.message(push)
    if not push.result.ok:
        yield trial.problem(
            "the sender reports that the push failed",
            expected="success, as the push service answered 201",
            actual=f"failure: {push.result.error or push.result.status or 'no reason given'}",
            request=push.requests[0],
        )


TABLE.free_of(
    "rfc8030/5.1/asks-for-receipts-rightly",
    "Who asks for a receipt does so with Prefer, and names only receipt subscriptions that are.",
    "receipt.*",
    "!receipt.requested",
    "prefer.*",
)


@TABLE.judged(
    "rfc8030/7.2/4096-octets",
    f"A payload of {LONGEST_PAYLOAD} octets makes a body of at most 4096.",
    level=Level.PRACTICE,
    codes=("body.*",),
)
def fits(trial: Trial) -> Iterator[Problem]:
    push = trial.attempt(Ask(payload=b"x" * LONGEST_PAYLOAD))
    if push.requests:
        yield from trial.findings("body.*")
    elif push.result.ok:
        yield trial.nothing_arrived(push)
    else:
        raise NotApplicableError("the sender refuses such a payload by itself")
