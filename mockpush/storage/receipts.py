"""The receipt subscriptions of one tenant, and the receipts that wait in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from mockpush.protocol.receipts import GONE, STATUS, Receipt, ReceiptSubscription
from mockpush.protocol.records import PushMessage


@dataclass(slots=True)
class ReceiptQueue:
    """A receipt subscription and its receipts that have not been delivered, oldest first."""

    subscription: ReceiptSubscription
    waiting: deque[Receipt]


class ReceiptQueues:
    """By id of the receipt subscription, oldest first."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: dict[str, ReceiptQueue] = {}

    def __len__(self) -> int:
        return len(self._queues)

    def get(self, receipt_id: str) -> ReceiptSubscription | None:
        """The receipt subscription of this id."""
        found = self._queues.get(receipt_id)
        return None if found is None else found.subscription

    def open(self, subscription: ReceiptSubscription, *, most: int) -> None:
        """Adds one that keeps its newest `most` receipts."""
        self._queues[subscription.id] = ReceiptQueue(subscription, deque(maxlen=most))

    def close(self, receipt_id: str) -> bool:
        """Forgets one and its receipts; whether it was there."""
        return self._queues.pop(receipt_id, None) is not None

    def oldest(self) -> str:
        """The id of the one that was opened first."""
        return next(iter(self._queues))

    def clear(self) -> None:
        """Forgets all."""
        self._queues.clear()

    def note(self, message: PushMessage) -> None:
        """What became of a message, if that makes a receipt and somebody wants it.

        One that is still open is forgotten: it never will be delivered.
        """
        queue = self._queues.get(message.receipt or "")
        status = GONE if message.open else STATUS.get(message.state)
        if queue is not None and status is not None:
            queue.waiting.append(Receipt(message.id, status))

    def take(self, receipt_id: str, limit: int | None) -> Sequence[Receipt]:
        """Takes out the oldest receipts, at most `limit`."""
        waiting = self._queues[receipt_id].waiting
        taken = list(islice(waiting, limit))
        for _ in taken:
            waiting.popleft()
        return taken

    def put_back(self, receipt_id: str, receipts: Sequence[Receipt]) -> None:
        """Puts back what was taken and not delivered, as long as there is room."""
        waiting = self._queues[receipt_id].waiting
        room = (waiting.maxlen or 0) - len(waiting)
        waiting.extendleft(list(reversed(receipts))[:room])
