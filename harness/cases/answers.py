"""Answers by status: what is success, what is an error, and what each body says (RFC 9110)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from mockpush.client.records import Request
from mockpush.protocol.findings import Level

from ..case import CaseTable
from ..trial import Trial
from ..verdict import Problem
from .reports import PAUSE, answered, failure, few, hurried, success

TABLE: Final = CaseTable()

_SUCCESS: Final = (
    (200, "15.3.1", "RFC 9110, Section 15.3.1", Level.MUST),
    (202, "15.3.3", "RFC 9110, Section 15.3.3; RFC 8030, Section 5.1", Level.MUST),
    # No push service is known to answer it; whoever takes it for an error sends a message twice.
    (204, "15.3.5", "RFC 9110, Section 15.3.5", Level.PRACTICE),
)
"""Status, section of RFC 9110, sections, level."""

_ERRORS: Final = (
    (400, "15.5.1"),
    (401, "15.5.2"),
    (403, "15.5.4"),
    (413, "15.5.14"),
    (500, "15.6.1"),
    (502, "15.6.3"),
    (503, "15.6.4"),
    (504, "15.6.5"),
)
"""Status, section of RFC 9110. What they say of the subscription is nothing."""

_BODIES: Final = (
    ("empty-body", "An error (400) without a body is an error.", ""),
    ("huge-body", "An error (400) with a body of a megabyte is an error.", "x" * 1_000_000),
    ("cut-json", "An error (400) whose JSON breaks off is an error.", '{"reason": "Bad'),
    (
        "other-json",
        "An error (400) with JSON of another shape is an error.",
        '[null, {"errno": 1}]',
    ),
    ("html", "An error (400) with a page of HTML is an error.", "<html><title>Oops</title>"),
)
"""Slug, requirement, body; all are said to be JSON."""


def _declare_success(status: int, section: str, sections: str, level: Level) -> None:
    @TABLE.judged(
        f"rfc9110/{section}/{status}-is-success",
        f"A push message that is answered with {status} is reported as sent.",
        section=sections,
        level=level,
    )
    def is_success(trial: Trial) -> Iterator[Problem]:
        yield from success(trial, answered(trial, status=status))


def _declare_error(status: int, section: str) -> None:
    @TABLE.judged(
        f"rfc9110/{section}/{status}-is-an-error",
        f"A push that is answered with {status} is reported as failed; its subscription lives on.",
    )
    def is_an_error(trial: Trial) -> Iterator[Problem]:
        yield from failure(trial, answered(trial, status=status))


def _declare_body(slug: str, requirement: str, body: str) -> None:
    @TABLE.judged(f"rfc9110/15.5/{slug}", requirement)
    def is_an_error(trial: Trial) -> Iterator[Problem]:
        fields = {"Content-Type": "application/json"}
        yield from failure(trial, answered(trial, status=400, headers=fields, body=body))


for _success in _SUCCESS:
    _declare_success(*_success)
for _error in _ERRORS:
    _declare_error(*_error)
for _body in _BODIES:
    _declare_body(*_body)


@TABLE.judged(
    "rfc9110/15.5/not-repeated-as-it-was",
    "What was refused (400, 401, 403, 413) is not sent again as it was.",
    level=Level.PRACTICE,
)
def not_repeated(trial: Trial) -> Iterator[Problem]:
    for status in (400, 401, 403, 413):
        push = answered(trial, status=status)
        # A sender may try once more, with a token of now, or with less of a body.
        if len(push.requests) > 2 or same(push.requests):
            yield trial.problem(
                f"the sender repeats a push that was answered {status}",
                expected="no repetition, or one with another token or a smaller body",
                actual=f"{len(push.requests)} requests",
                hint="It is refused again, and again: report the error.",
                request=push.requests[-1],
            )


def same(requests: tuple[Request, ...]) -> bool:
    """Whether a request is like the one before, but for the encryption."""
    shapes = [(each.headers.get("Authorization"), len(each.body)) for each in requests]
    return any(former == latter for former, latter in pairwise(shapes))


@TABLE.judged(
    "rfc9110/15.6/few-repetitions",
    "What fails for the push service's own reasons (500) is repeated 5 times at most.",
    level=Level.PRACTICE,
)
def few_repetitions(trial: Trial) -> Iterator[Problem]:
    yield from few(trial, answered(trial, status=500))


@TABLE.judged(
    "rfc9110/15.6/pauses-before-it-repeats",
    "What fails for the push service's own reasons (500, 503) is repeated after a pause.",
    level=Level.PRACTICE,
)
def pauses(trial: Trial) -> Iterator[Problem]:
    for status in (500, 503):
        for first, again in hurried(answered(trial, status=status).requests):
            apart = (again.received_at - first.received_at).total_seconds()
            yield trial.problem(
                "the sender repeats the push at once",
                expected=f"no repetition, or a pause of at least {PAUSE} s",
                actual=f"another request {apart:.3f} s after a {status}",
                hint="What overloads a push service is repeated by everybody at once.",
                request=again,
            )
