"""What a sender reports, held against what it was answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Unpack

from mockpush.client.faults import FaultMembers
from mockpush.client.push_subscription import PushSubscription
from mockpush.client.records import Request
from mockpush.protocol.findings import Level

from ..case import Ask
from ..evidence import Push
from ..jobs import SendResult, quoted
from ..trial import Trial
from ..verdict import Problem

REPEATS: Final = 5
"""How often a push that failed may be sent again before its sender gives up."""
ENOUGH: Final = REPEATS + 2
"""Answers that show who repeats too often. Then the push passes, so that even that comes to an end.
"""
PAUSE: Final = 0.2
"""Seconds below which a repetition only adds to what the push service cannot bear already."""
SLACK: Final = 0.05
"""Seconds that a timer may be early, and clocks may differ."""


def answered(
    trial: Trial,
    *,
    to: PushSubscription | None = None,
    times: int = ENOUGH,
    **fault: Unpack[FaultMembers],
) -> Push:
    """A push that meets this fault at most so many times, and its repetitions."""
    plan = trial.control.faults.add(times=times, **fault)
    push = trial.send(Ask(), to=to)
    plan.remove()
    return push


def accepted(push: Push) -> bool:
    """Whether the push service has answered with success in the end."""
    return any(each.status is not None and not each.refused for each in push.requests)


def seen(result: SendResult) -> str:
    """What the caller gets to see."""
    status = "no status" if result.status is None else f"status {result.status}"
    return f"{status}, {quoted(result.error)}" if result.error else status


def success(trial: Trial, push: Push) -> Iterator[Problem]:
    """A problem if the sender reports a failure."""
    if not push.result.ok:
        yield trial.problem(
            "the sender reports that the push failed",
            expected=f"success, as the push service answered {push.requests[0].status}",
            actual=f"failure, {seen(push.result)}",
            hint="Every 2xx is success: whoever sends such a message again sends it twice.",
            request=push.requests[0],
        )


def failure(trial: Trial, push: Push) -> Iterator[Problem]:
    """Problems if a push that was not accepted is reported as sent, or its subscription as gone."""
    if not accepted(push):
        yield from _not_success(trial, push)
    yield from _not_gone(trial, push)


def _not_success(trial: Trial, push: Push) -> Iterator[Problem]:
    result, last = push.result, push.requests[-1]
    if result.ok:
        what = "gave no answer" if last.status is None else f"answered {last.status}"
        yield trial.problem(
            f"the sender reports success, though the push service {what}",
            expected="failure",
            actual=f"success, {seen(result)}",
            # The caller of a library that hands over the plain response can still see it.
            level=Level.PRACTICE if (result.status or 0) >= 300 else None,
            request=last,
        )


def _not_gone(trial: Trial, push: Push) -> Iterator[Problem]:
    if push.result.gone:
        yield trial.problem(
            "the sender says that the subscription is gone, which it is not",
            expected="a failure of another kind: only 404 and 410 end a subscription",
            actual=f"gone, {seen(push.result)}",
            hint="Whoever believes it deletes a subscription that works, and cannot get it back.",
            request=push.requests[-1],
        )


def hurried(requests: Sequence[Request]) -> Iterator[tuple[Request, Request]]:
    """The first request and its repetition, if there is no pause between them."""
    for first, again in pairwise(requests[:2]):
        if (again.received_at - first.received_at).total_seconds() < PAUSE - SLACK:
            yield first, again


def few(trial: Trial, push: Push) -> Iterator[Problem]:
    """A problem if the push was repeated too often."""
    if len(push.requests) > 1 + REPEATS:
        yield trial.problem(
            "the sender does not give up",
            expected=f"at most {REPEATS} repetitions",
            actual=f"{len(push.requests) - 1} repetitions",
            hint="Give up after some attempts, with growing pauses between them.",
            level=Level.PRACTICE,
            request=push.requests[-1],
        )
