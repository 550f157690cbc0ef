"""Delivery: the life of a push message, and how user agents get it, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mockpush.protocol.model import MessageState


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a kind of user agent gets its messages, in order of arrival.

    `window`: how many may be delivered without being acknowledged (None: any number).
    `collapse_delivered`: a topic also replaces a message that is delivered, not yet acknowledged.
    `message_limit`: the oldest of more pending messages than this is dropped (None: no limit).
    """

    window: int | None
    collapse_delivered: bool = False
    message_limit: int | None = None


RFC8030: Final = Delivery(window=1)
"""Monitoring by long poll: one message an answer (RFC 8030, Section 6)."""


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
