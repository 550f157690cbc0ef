"""Connections that break, and push services that keep silent (RFC 9112, Sections 8 and 9.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.fault_kinds import FaultKind

from ..case import CaseTable
from ..errors import SenderError
from ..trial import Trial
from ..verdict import Problem
from .reports import answered, failure, few

TABLE: Final = CaseTable()


@TABLE.judged(
    "rfc9112/9.5/reset-is-an-error",
    "A push whose connection is reset before an answer is reported as failed.",
)
def reset(trial: Trial) -> Iterator[Problem]:
    push = answered(trial, kind=FaultKind.RESET)
    yield from failure(trial, push)
    yield from few(trial, push)


@TABLE.judged(
    "rfc9112/9.5/silence-is-an-error",
    "A push that is never answered is given up within the limit of the job.",
)
def silence(trial: Trial) -> Iterator[Problem]:
    try:
        push = answered(trial, kind=FaultKind.NO_ANSWER)
    except SenderError as error:
        yield trial.problem(
            "the sender does not give up a push service that keeps silent",
            expected="an error within the limit of the job",
            actual=str(error),
            hint="Without a time limit one silent push service holds up all other messages: set "
            "one. `hello` says in timeout_s how long a job may take.",
        )
    else:
        yield from failure(trial, push)


@TABLE.judged(
    "rfc9112/8/reset-in-the-answer",
    "A connection that is reset in the middle of an error (503) is an error.",
)
def reset_in_the_answer(trial: Trial) -> Iterator[Problem]:
    body = "The service is not available. " * 20
    yield from failure(trial, answered(trial, kind=FaultKind.RESET_MIDWAY, status=503, body=body))


@TABLE.judged(
    "rfc9112/8/wrong-length",
    "An error (400) with less of a body than Content-Length says is an error.",
)
def wrong_length(trial: Trial) -> Iterator[Problem]:
    yield from failure(trial, answered(trial, kind=FaultKind.WRONG_LENGTH, status=400, body="no"))


@TABLE.judged(
    "rfc9112/8/acceptance-breaks-off",
    "A connection that breaks after 201 ends the job, and no subscription.",
)
def acceptance_breaks_off(trial: Trial) -> Iterator[Problem]:
    # The message is there, which the sender may know by the status, or may not: both are right.
    yield from failure(trial, answered(trial, times=1, kind=FaultKind.RESET_MIDWAY))
