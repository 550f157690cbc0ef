"""What the service keeps: messages and the journal of requests."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mockpush.protocol.delivery import OPEN, Step
from mockpush.protocol.inspection import Decryption, Inspection, Payload
from mockpush.protocol.judging import Judgement
from mockpush.protocol.model import MessageState, PushRequest
from mockpush.protocol.relaying import Fields


class TimelineEntry(NamedTuple):
    """One step in the life of a message."""

    at: float
    step: Step
    detail: str | None = None


@dataclass(slots=True)
class PushMessage:
    """An accepted push message and its message resource (RFC 8030, Section 5).

    Only storage changes `state` and `steps`; `payload` is set once somebody looks. `request` is the
    number of the request that brought it, which orders the messages of a tenant. `ttl` is the time
    granted, in seconds; `steps` are those after the acceptance; `fields` are delivered with the
    body.
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
    fields: Fields = ()

    @property
    def topic(self) -> str | None:
        """The topic that replaces earlier messages (RFC 8030, Section 5.4)."""
        return self.inspection.topic

    @property
    def timeline(self) -> tuple[TimelineEntry, ...]:
        """Every step with its time, the acceptance first."""
        return (TimelineEntry(self.received_at, Step.ACCEPT), *self.steps)

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


class PackedFields:
    """Field lines as one object: the journal keeps thousands, and many small objects slow the rest.

    Iterates over (name, value) pairs.
    """

    __slots__ = ("_packed",)

    def __init__(self, lines: Iterable[tuple[bytes, bytes]]) -> None:
        self._packed = marshal.dumps([(name, value) for name, value in lines])

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(marshal.loads(self._packed))  # noqa: S302 - our own octets, never from outside


@dataclass(slots=True)
class RequestRecord:
    """One request to a push resource in the journal, with everything that led to its answer.

    `id` counts the requests of the tenant; `message` is the id of the message it made, if any.
    """

    id: int
    tenant: str
    subscription: str | None
    message: str | None
    request: PushRequest
    inspection: Inspection
    judgement: Judgement
    answer: WireAnswer
