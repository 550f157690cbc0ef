"""What the service keeps: messages and the journal of requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from mockpush.protocol.delivery import OPEN, Report, Step
from mockpush.protocol.fault_kinds import InjectedFault
from mockpush.protocol.inspection import Decryption, Inspection, Payload
from mockpush.protocol.judging import Judgement
from mockpush.protocol.model import MessageState, PushRequest


class TimelineEntry(NamedTuple):
    """One step in the life of a message, or what its user agent reported."""

    at: float
    step: Step | Report
    detail: str | None = None


MAX_TIMELINE: Final = 200
"""Steps of a message behind which what its user agent reports is an event, and no entry."""
MAX_DETAIL: Final = 4096
"""Characters of what a user agent says about a message; the rest is cut off."""

RECEIVED_AT_ONCE: Final = (TimelineEntry(0.0, Step.DELIVER), TimelineEntry(0.0, Step.ACKNOWLEDGE))
"""The steps of all messages that are received when they are accepted."""


@dataclass(slots=True)
class PushMessage:
    """An accepted push message and its message resource (RFC 8030, Section 5).

    Only storage changes `state` and `steps`; `payload` is set once somebody looks. `request` is the
    number of the request that brought it, which orders the messages of a tenant. `ttl` is the time
    granted, in seconds; `steps` are those after the acceptance, and `RECEIVED_AT_ONCE` two at the
    same time. `receipt` is the id of the receipt subscription that hears what becomes of it,
    `fault` what came over its answer.
    """

    id: str
    tenant: str
    subscription: str
    request: int
    body: bytes
    inspection: Inspection
    ttl: int
    received_at: float
    expires_at: float
    state: MessageState = MessageState.PENDING
    steps: tuple[TimelineEntry, ...] = ()
    payload: Payload | None = None
    receipt: str | None = None
    fault: InjectedFault | None = None

    @property
    def topic(self) -> str | None:
        """The topic that replaces earlier messages (RFC 8030, Section 5.4)."""
        return self.inspection.topic

    @property
    def timeline(self) -> tuple[TimelineEntry, ...]:
        """Every step with its time, the acceptance first."""
        at = self.received_at
        steps = self.steps
        if steps is RECEIVED_AT_ONCE:
            steps = tuple(step._replace(at=at) for step in steps)
        return (TimelineEntry(at, Step.ACCEPT), *steps)

    @property
    def open(self) -> bool:
        """Whether it is still to be delivered or acknowledged."""
        return self.state in OPEN

    @property
    def decryption(self) -> Decryption:
        """What became of the payload."""
        return Decryption.PENDING if self.payload is None else self.payload.decryption


class WireAnswer(NamedTuple):
    """An answer as it went out."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""


@dataclass(slots=True)
class RequestRecord:
    """One request to a push resource in the journal, with everything that led to its answer.

    `id` counts the requests of the tenant; `message` is the id of the message it made, if any.
    `judgement` is the profile's, also where a `fault` came over the answer, and `answer` is None
    where that let none go out.
    """

    id: int
    tenant: str
    subscription: str | None
    message: str | None
    request: PushRequest
    inspection: Inspection
    judgement: Judgement
    answer: WireAnswer | None
    fault: InjectedFault | None = None

    @property
    def status(self) -> int | None:
        """That of the answer."""
        return None if self.answer is None else self.answer.status
