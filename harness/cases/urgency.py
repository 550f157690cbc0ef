"""Urgency (RFC 8030, Section 5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.model import Urgency

from ..case import Ask, CaseTable
from ..trial import Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

TABLE.free_of(
    "rfc8030/5.3/urgency-valid",
    "A push message has at most one Urgency, one of the four.",
    "urgency.*",
    asks=[Ask(), Ask(urgency=Urgency.HIGH)],
)


@TABLE.judged(
    "rfc8030/5.3/urgency-as-asked",
    "The Urgency is the one that was asked for.",
)
def urgency_as_asked(trial: Trial) -> Iterator[Problem]:
    every = [Ask(urgency=urgency) for urgency in Urgency]
    for ask in (*every, Ask(urgency=Urgency.LOW, ttl=0)):
        yield from trial.compare_field(trial.send(ask), "Urgency", ask.urgency)


@TABLE.judged(
    "rfc8030/5.3/urgency-normal-by-default",
    "A push message without an urgency is a normal one.",
)
def normal_by_default(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask())
    if push.requests[0].headers.get("Urgency") is not None:
        yield from trial.compare_field(push, "Urgency", Urgency.NORMAL)
