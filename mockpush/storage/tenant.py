"""One tenant in memory: what it holds, and what happens to its messages."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mockpush.protocol.clock import Clock
from mockpush.protocol.delivery import NOBODY_THERE, Delivery, Report, Step, next_state
from mockpush.protocol.events import Event, EventKind
from mockpush.protocol.model import MessageState, Subscription
from mockpush.protocol.records import (
    MAX_DETAIL,
    MAX_TIMELINE,
    RECEIVED_AT_ONCE,
    PushMessage,
    RequestRecord,
    TimelineEntry,
)
from mockpush.storage.base import Events
from mockpush.storage.event_log import EventLog
from mockpush.storage.fault_book import FaultBook
from mockpush.storage.receipts import ReceiptQueues
from mockpush.storage.sets import SubscriptionSets

REAL_TIME: Final = Clock()
_KINDS: Final = {step: EventKind(f"message.{step}") for step in (*Step, *Report)}


@dataclass(slots=True)
class Tenant:
    """Everything that one tenant holds.

    `queues` has the open messages of each subscription, `topics` the open message of each topic,
    `expiries` a heap of (time, message or subscription id); entries of what is gone are skipped.
    `closed` are the ids of the messages that make room for others, first to go first. `notify` is
    called with the tenant's name after each event.
    """

    name: str
    events: EventLog
    journal: deque[RequestRecord]
    faults: FaultBook
    notify: Callable[[str], None]
    clock: Clock = REAL_TIME
    last_request: int = 0
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    messages: dict[str, PushMessage] = field(default_factory=dict)
    queues: dict[str, dict[str, PushMessage]] = field(default_factory=dict)
    topics: dict[tuple[str, str], PushMessage] = field(default_factory=dict)
    expiries: list[tuple[float, str]] = field(default_factory=list)
    closed: deque[str] = field(default_factory=deque)
    open: int = 0
    sets: SubscriptionSets = field(default_factory=SubscriptionSets)
    receipts: ReceiptQueues = field(default_factory=ReceiptQueues)

    def replaced(self, message: PushMessage, delivery: Delivery) -> PushMessage | None:
        """The message that a new one of the same topic replaces (RFC 8030, Section 5.4)."""
        earlier = self.topics.get((message.subscription, message.topic or ""))
        if earlier is None or delivery.collapse_delivered:
            return earlier
        return earlier if earlier.state is MessageState.PENDING else None

    def enqueue(
        self,
        message: PushMessage,
        replaced: PushMessage | None,
        delivery: Delivery,
        *,
        online: bool,
    ) -> list[Event]:
        """Keeps a new message until it is claimed, expires, or too many came after it."""
        now = message.received_at
        events = [self.emit(now, EventKind.MESSAGE_ACCEPTED, message.subscription, message.id)]
        if replaced is not None:
            events += self.step(replaced, Step.REPLACE, now, f"by {message.id}")
        queue = self.queues[message.subscription]
        queue[message.id] = message
        self.open += 1
        if message.topic is not None:
            self.topics[message.subscription, message.topic] = message
        if message.ttl:
            heapq.heappush(self.expiries, (message.expires_at, message.id))
        elif not online:
            return events + self.step(message, Step.DROP, now, NOBODY_THERE)
        if delivery.message_limit is not None and len(queue) > delivery.message_limit:
            oldest = next(iter(queue.values()))
            events += self.step(oldest, Step.DROP, now, "more messages than are kept")
        return events

    def deliver_at_once(self, message: PushMessage, now: float) -> list[Event]:
        """The service acts for the user agent: what was pending is delivered and acknowledged."""
        return [
            *self.step(message, Step.DELIVER, now),
            *self.step(message, Step.ACKNOWLEDGE, now),
        ]

    def receive_at_once(self, message: PushMessage, record: RequestRecord) -> Events:
        """As `deliver_at_once`, for a message that has not been in a queue, with its record."""
        message.state = MessageState.ACKNOWLEDGED
        message.steps = RECEIVED_AT_ONCE
        self.closed.append(message.id)
        if message.receipt is not None:
            self.receipts.note(message)
        self.journal.append(record)
        events = self.events.add_reception(record)
        self.notify(self.name)
        return events

    def go_away(self, message: PushMessage, now: float) -> list[Event]:
        """What becomes of an open message when its user agent goes away."""
        if message.state is MessageState.DELIVERED:
            return self.give_back(message, now)
        if message.ttl == 0:
            return self.step(message, Step.DROP, now, NOBODY_THERE)
        return []

    def give_back(self, message: PushMessage, now: float) -> list[Event]:
        """What was delivered and not acknowledged is pending again, if it still can be."""
        events = self.step(message, Step.RELEASE, now)
        if message.ttl == 0:
            return events + self.step(message, Step.DROP, now, "TTL 0 is delivered once")
        if message.expires_at <= now:
            return events + self.step(message, Step.EXPIRE, now)
        newer = self.topics.get((message.subscription, message.topic or ""), message)
        if newer is not message:
            return events + self.step(message, Step.REPLACE, now, f"by {newer.id}")
        return events

    def step(
        self,
        message: PushMessage,
        step: Step,
        now: float,
        detail: str | None = None,
    ) -> list[Event]:
        """Takes one step of `delivery.TRANSITIONS`; `ValueError` if it is not possible."""
        state = next_state(message.state, step)
        if state is None:
            raise ValueError(f"a message that is {message.state} cannot be {step}")
        message.state = state
        message.steps += (TimelineEntry(now, step, detail),)
        if not message.open:
            self.leave_queue(message)
            self.closed.append(message.id)
            if message.receipt is not None:
                self.receipts.note(message)
        kind = _KINDS[step]
        return [self.emit(now, kind, message.subscription, message.id, detail)]

    def report(
        self, message: PushMessage, report: Report, now: float, detail: str | None
    ) -> list[Event]:
        """Writes what the user agent tells about a message: each time an event, and an entry."""
        detail = None if detail is None else detail[:MAX_DETAIL]
        if len(message.steps) < MAX_TIMELINE:
            message.steps = (*message.timeline[1:], TimelineEntry(now, report, detail))
        return [self.emit(now, _KINDS[report], message.subscription, message.id, detail)]

    def leave_queue(self, message: PushMessage) -> None:
        """The message is not open any more, or is forgotten."""
        if self.queues.get(message.subscription, {}).pop(message.id, None) is None:
            return
        self.open -= 1
        if message.topic is not None:
            key = (message.subscription, message.topic)
            if self.topics.get(key) is message:
                del self.topics[key]
        if len(self.expiries) > 2 * (self.open + len(self.subscriptions)) + 64:
            self.prune_expiries()

    def prune_expiries(self) -> None:
        """Drops the entries of what is gone."""
        self.expiries = [
            entry
            for entry in self.expiries
            if entry[1] in self.subscriptions
            or ((message := self.messages.get(entry[1])) is not None and message.open)
        ]
        heapq.heapify(self.expiries)

    def record(self, record: RequestRecord) -> Event:
        """Writes the journal."""
        self.journal.append(record)
        event = self.events.add_request(record)
        self.notify(self.name)
        return event

    def emit(
        self,
        at: float,
        kind: EventKind,
        subscription: str | None = None,
        message: str | None = None,
        detail: str | None = None,
        request: int | None = None,
    ) -> Event:
        """Writes one event."""
        event = self.events.add(at, kind, subscription, message, detail, request)
        self.notify(self.name)
        return event
