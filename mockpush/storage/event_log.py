"""The latest events of a tenant in memory.

Most events are those of messages that are received at once. They are kept as one entry and become
events when somebody looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mockpush.protocol.events import Event, EventKind
from mockpush.protocol.records import RequestRecord

_KINDS: Final = (
    EventKind.MESSAGE_ACCEPTED,
    EventKind.MESSAGE_DELIVERED,
    EventKind.MESSAGE_ACKNOWLEDGED,
)


@dataclass(slots=True)
class Reception:
    """What happens with a message that is received at once; `sequence` is the last event's."""

    sequence: int
    at: float
    subscription: str | None
    message: str | None
    request: int
    status: int | None

    def __iter__(self) -> Iterator[Event]:
        """The message is accepted, delivered and acknowledged, and its request answered."""
        at, subscription, message = self.at, self.subscription, self.message
        for number, kind in enumerate(_KINDS, self.sequence - len(_KINDS)):
            yield Event(number, at, kind, subscription, message)
        yield _answered(self.sequence, at, subscription, message, self.request, self.status)


def _answered(
    sequence: int,
    at: float,
    subscription: str | None,
    message: str | None,
    request: int,
    status: int | None,
) -> Event:
    detail = "no answer" if status is None else str(status)
    return Event(sequence, at, EventKind.REQUEST, subscription, message, request, detail)


class EventLog:
    """At most `limit` events, numbered without a gap; the oldest give way."""

    def __init__(self, limit: int) -> None:
        self.sequence = 0
        self._limit = limit
        self._entries: deque[Event | Reception] = deque()

    def add(
        self,
        at: float,
        kind: EventKind,
        subscription: str | None = None,
        message: str | None = None,
        detail: str | None = None,
        request: int | None = None,
    ) -> Event:
        """Writes one event."""
        self.sequence += 1
        event = Event(self.sequence, at, kind, subscription, message, request, detail)
        self._append(event)
        return event

    def add_request(self, record: RequestRecord) -> Event:
        """Writes that a request was answered."""
        self.sequence += 1
        at, status = record.request.received_at, record.status
        event = _answered(self.sequence, at, record.subscription, record.message, record.id, status)
        self._append(event)
        return event

    def add_reception(self, record: RequestRecord) -> Reception:
        """Writes that a message was accepted and received at once, and its request answered."""
        self.sequence += len(_KINDS) + 1
        reception = Reception(
            self.sequence,
            record.request.received_at,
            record.subscription,
            record.message,
            record.id,
            record.status,
        )
        self._append(reception)
        return reception

    def _append(self, entry: Event | Reception) -> None:
        entries = self._entries
        entries.append(entry)
        oldest = self.sequence - self._limit
        while entries and entries[0].sequence <= oldest:
            entries.popleft()

    def after(self, sequence: int) -> Sequence[Event]:
        """The events after this number, oldest first."""
        oldest = max(sequence, self.sequence - self._limit)
        events: list[Event] = []
        for entry in self._entries:
            if entry.sequence > oldest:
                events += entry if isinstance(entry, Reception) else [entry]
        return [event for event in events if event.sequence > oldest]
