"""Connections that break, and push services that keep silent (RFC 9112, Sections 8 and 9.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Unpack

from mockpush.client.faults import FaultMembers
from mockpush.protocol.fault_kinds import FaultKind

from ..case import CaseTable
from ..errors import SenderError
from ..trial import Trial
from ..verdict import Problem
from .reports import ENOUGH, answered, failure, few

TABLE: Final = CaseTable()


_NO_ANSWER: Final = (
    "Without a time limit one silent push service holds up all other messages: set one. `hello` "
    "says in timeout_s how long a job may take."
)
_BROKEN: Final = (
    "Look for the error of the answer, not only for that of the request: HTTP clients that hand "
    "over an answer before it is complete tell there that it broke off."
)


def _given_up(
    trial: Trial, hint: str, *, times: int = ENOUGH, **fault: Unpack[FaultMembers]
) -> Iterator[Problem]:
    """Problems with a push that meets this fault, if its sender gives no result above all."""
    try:
        push = answered(trial, times=times, **fault)
    except SenderError as error:
        yield trial.problem(
            "the sender does not come to an end",
            expected="a result within the limit of the job",
            actual=str(error),
            hint=hint,
        )
    else:
        yield from failure(trial, push)
        yield from few(trial, push)


@TABLE.judged(
    "rfc9112/9.5/reset-is-an-error",
    "A push whose connection is reset before an answer is reported as failed.",
)
def reset(trial: Trial) -> Iterator[Problem]:
    return _given_up(trial, _BROKEN, kind=FaultKind.RESET)


@TABLE.judged(
    "rfc9112/9.5/silence-is-an-error",
    "A push that is never answered is given up within the limit of the job.",
    silent=True,
)
def silence(trial: Trial) -> Iterator[Problem]:
    # Once: who has waited for its limit may try again, and is to be within that of the job.
    return _given_up(trial, _NO_ANSWER, times=1, kind=FaultKind.NO_ANSWER)


@TABLE.judged(
    "rfc9112/8/reset-in-the-answer",
    "A connection that is reset in the middle of an error (503) is an error.",
)
def reset_in_the_answer(trial: Trial) -> Iterator[Problem]:
    body = "The service is not available. " * 20
    return _given_up(trial, _BROKEN, kind=FaultKind.RESET_MIDWAY, status=503, body=body)


@TABLE.judged(
    "rfc9112/8/wrong-length",
    "An error (400) with less of a body than Content-Length says is an error.",
)
def wrong_length(trial: Trial) -> Iterator[Problem]:
    return _given_up(trial, _BROKEN, kind=FaultKind.WRONG_LENGTH, status=400, body="no")


@TABLE.judged(
    "rfc9112/8/acceptance-breaks-off",
    "A connection that breaks after 201 ends the job, and no subscription.",
)
def acceptance_breaks_off(trial: Trial) -> Iterator[Problem]:
    # The message is there, which the sender may know by the status, or may not: both are right.
    return _given_up(trial, _BROKEN, times=1, kind=FaultKind.RESET_MIDWAY)
