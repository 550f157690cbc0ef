"""Delivery: the life of a push message, and how user agents get it, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from mockpush.protocol.model import MessageState


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a kind of user agent gets its messages, in order of arrival.

    `window`: how many may be delivered without being acknowledged (None: any number).
    `collapse_delivered`: a topic also replaces a message that is delivered, not yet acknowledged.
    `message_limit`: the oldest of more pending messages than this is dropped (None: no limit).
    `topics_first`: so many messages with a topic go before all others, with nothing else at the
    same time (0: they take their turn).
    `acknowledge`: whether a message is done with when it is acknowledged, or with its batch; then
    the next batch is claimed when the one before is done with, whatever else is on its way.
    `backlog_limit`: a user agent that comes and finds more messages than this is given up, with
    all its subscriptions (None: no limit).
    """

    window: int | None
    collapse_delivered: bool = False
    message_limit: int | None = None
    topics_first: int = 0
    acknowledge: Literal["each", "batch"] = "each"
    backlog_limit: int | None = None


RFC8030: Final = Delivery(window=1)
"""Monitoring by long poll: one message an answer (RFC 8030, Section 6)."""

AUTOPUSH: Final = Delivery(window=10, topics_first=11, acknowledge="batch", backlog_limit=150)
"""What waits when Firefox comes. What arrives while it is there is in no window (autopush-rs)."""

GCM: Final = Delivery(window=100)
"""Chromium over MCS. It acknowledges each message at once; one that does not gets no more."""

NOBODY_THERE: Final = "TTL 0 and nobody there"
"""Why a message is dropped whose user agent is not connected (RFC 8030, Section 5.2)."""


class Step(StrEnum):
    """What happens to a message; each is an event of the same name."""

    __hash__ = str.__hash__  # as for MessageState

    ACCEPT = "accepted"
    DELIVER = "delivered"
    RELEASE = "released"
    """the user agent went away without acknowledging"""
    ACKNOWLEDGE = "acknowledged"
    EXPIRE = "expired"
    REPLACE = "replaced"
    DROP = "dropped"
    CANCEL = "cancelled"


class Report(StrEnum):
    """What a user agent tells about a message it got; each is an event of the same name.

    None changes the state of the message.
    """

    DECRYPTED = "decrypted"
    NOT_DECRYPTED = "not_decrypted"
    DISPATCHED = "dispatched"
    """the push event has been fired"""
    COMPLETED = "completed"
    """its handlers have ended"""
    REJECTED = "rejected"
    """they have failed"""
    NOTIFICATION_SHOWN = "notification_shown"
    NOTIFICATION_CLICKED = "notification_clicked"
    NOTIFICATION_CLOSED = "notification_closed"


TRANSITIONS: Final[dict[tuple[MessageState, Step], MessageState]] = {
    (MessageState.PENDING, Step.DELIVER): MessageState.DELIVERED,
    (MessageState.PENDING, Step.EXPIRE): MessageState.EXPIRED,
    (MessageState.PENDING, Step.REPLACE): MessageState.REPLACED,
    (MessageState.PENDING, Step.DROP): MessageState.DROPPED,
    (MessageState.PENDING, Step.CANCEL): MessageState.CANCELLED,
    (MessageState.DELIVERED, Step.ACKNOWLEDGE): MessageState.ACKNOWLEDGED,
    (MessageState.DELIVERED, Step.RELEASE): MessageState.PENDING,
    (MessageState.DELIVERED, Step.REPLACE): MessageState.REPLACED,
    (MessageState.DELIVERED, Step.DROP): MessageState.DROPPED,
}
"""Every legal step. A state without a row of its own is terminal."""

OPEN: Final = frozenset(state for state, _ in TRANSITIONS)
"""The states of messages that are still to be delivered or acknowledged."""


def next_state(state: MessageState, step: Step) -> MessageState | None:
    """The state after `step`, or None when the step is not possible in this state."""
    return TRANSITIONS.get((state, step))
