"""Subscriptions that no longer exist (RFC 8030, Section 7.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.findings import Level

from ..case import Ask, CaseTable
from ..jobs import SendResult
from ..trial import Trial
from ..verdict import Problem
from .reports import seen

TABLE: Final = CaseTable()

GONE: Final = (410, 404)
"""What push services answer, all vendors 410 for what they once knew, RFC 8030 404."""


def _declare(status: int) -> None:
    @TABLE.judged(
        f"rfc8030/7.3/{status}-is-not-success",
        f"A push to an expired subscription ({status}) is not reported as sent.",
        section="RFC 8030, Section 7.3; RFC 9110, Section 15",
    )
    def not_success(trial: Trial) -> Iterator[Problem]:
        result = _refused(trial, status)
        if result.ok:
            yield trial.problem(
                f"the sender reports success, though the push service answered {status}",
                expected=f"failure, or the status {status}",
                actual=f"success, {seen(result)}",
                # The caller of a library that hands over the plain response can still see it.
                level=Level.PRACTICE if result.status == status else None,
            )

    @TABLE.judged(
        f"rfc8030/7.3/{status}-is-gone",
        f"The caller can tell that the subscription no longer exists ({status}).",
        level=Level.PRACTICE,
    )
    def tells_gone(trial: Trial) -> Iterator[Problem]:
        result = _refused(trial, status)
        if result.status != status and not result.gone:
            yield trial.problem(
                "the sender does not tell an expired subscription from another failure",
                expected=f"the status {status}, or gone",
                actual=seen(result),
                hint="Without it applications keep dead subscriptions and push to them for ever.",
            )


def _refused(trial: Trial, status: int) -> SendResult:
    trial.subscription.expire(status)
    return trial.send(Ask()).result


for _status in GONE:
    _declare(_status)
