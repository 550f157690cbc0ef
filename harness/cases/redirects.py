"""Redirections: the message travels on, or is reported as failed (RFC 9110, Section 15.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.client.push_subscription import PushSubscription
from mockpush.client.records import Request
from mockpush.protocol.findings import Level

from ..case import Ask, CaseTable
from ..evidence import Push
from ..trial import Trial
from ..verdict import Problem
from .reports import answered, seen

TABLE: Final = CaseTable()

LONGEST_CHAIN: Final = 50
"""Redirections that the most patient of common HTTP clients follows; browsers follow 20."""

_ROWS: Final = ((301, "15.4.2"), (302, "15.4.3"), (307, "15.4.8"), (308, "15.4.9"))
"""Status, section of RFC 9110."""


def _declare(status: int, section: str) -> None:
    @TABLE.judged(
        f"rfc9110/{section}/{status}-loses-nothing",
        f"A push that is redirected ({status}) is posted there, or is reported as failed.",
    )
    def loses_nothing(trial: Trial) -> Iterator[Problem]:
        push, there = _redirected(trial, status, trial.control.subscribe())
        if push.result.ok and not any(each.method == "POST" and each.body for each in there):
            came = ", ".join(each.method for each in there) or "nothing"
            yield trial.problem(
                f"the sender reports success, though the message was lost by the {status}",
                expected="a POST with the message to the new place, or failure",
                actual=f"success, {seen(push.result)}; at the new place came {came}",
                hint="Many HTTP clients turn a redirected POST into a GET without a body: do not "
                "follow redirections, and take 3xx for a failure.",
                level=Level.PRACTICE if (push.result.status or 0) >= 300 else None,
                request=push.requests[-1],
            )


for _row in _ROWS:
    _declare(*_row)


def _redirected(
    trial: Trial, status: int, target: PushSubscription
) -> tuple[Push, tuple[Request, ...]]:
    """A push that is led to `target`, which welcomes whatever comes; and what came there."""
    welcome = trial.control.faults.add(status=201, subscription=target)
    push = answered(trial, status=status, location=target.endpoint, subscription=trial.subscription)
    welcome.remove()
    return push, tuple(each for each in push.requests if each.subscription == target.id)


@TABLE.judged(
    "rfc9110/15.4/credentials-stay",
    "A push that is redirected to another host does not take its Authorization there.",
)
def credentials_stay(trial: Trial) -> Iterator[Problem]:
    other = trial.control.subscribe(origin=trial.origins[1])
    for status in (302, 307):
        _, there = _redirected(trial, status, other)
        for request in there:
            if request.headers.get("Authorization") is not None:
                yield trial.problem(
                    f"the sender shows its token to another host ({status})",
                    expected="no Authorization, or no request",
                    actual=str(request),
                    hint="Whoever gets it can use it where it came from, until it expires.",
                    request=request,
                )


@TABLE.judged(
    "rfc9110/15.4/circles-end",
    "A redirection that leads round in a circle is given up.",
    level=Level.SHOULD,
)
def circles_end(trial: Trial) -> Iterator[Problem]:
    own = trial.subscription.endpoint
    trial.control.faults.add(times=LONGEST_CHAIN + 5, status=307, location=own)
    push = trial.send(Ask())
    if len(push.requests) > LONGEST_CHAIN + 1:
        yield trial.problem(
            "the sender follows redirections for ever",
            expected=f"at most {LONGEST_CHAIN}",
            actual=f"{len(push.requests) - 1}",
            request=push.requests[-1],
        )
