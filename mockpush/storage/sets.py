"""The subscription sets of one tenant (RFC 8030, Section 4.1)."""

from __future__ import annotations

from mockpush.protocol.model import Subscription


class SubscriptionSets:
    """The ids of the active members of each set, oldest first.

    A set may be empty: its user agent may offer it again.
    """

    __slots__ = ("_departed", "_members")

    def __init__(self) -> None:
        self._members: dict[str, dict[str, None]] = {}
        self._departed: set[str] = set()

    def __contains__(self, set_id: str | None) -> bool:
        return set_id in self._members

    def members(self, set_id: str) -> list[str]:
        """The members of a set, none if it is not there."""
        return list(self._members.get(set_id, ()))

    def join(self, subscription: Subscription, *, most: int) -> None:
        """A new subscription joins its set, or begins it; of `most` sets an empty one gives way.

        There is one, since there are fewer other subscriptions than that.
        """
        set_id = subscription.set_id
        if set_id is None:
            return
        if set_id not in self and len(self._members) >= most:
            self.remove(next(each for each, members in self._members.items() if not members))
        self._members.setdefault(set_id, {})[subscription.id] = None

    def leave(self, subscription: Subscription) -> None:
        """A subscription that has ended leaves its set (RFC 8030, Section 7.3.1)."""
        members = self._members.get(subscription.set_id or "", {})
        if subscription.set_id is not None and subscription.id in members:
            del members[subscription.id]
            self._departed.add(subscription.set_id)

    def departed(self, set_id: str) -> bool:
        """Whether somebody has left since this was asked last."""
        if set_id not in self._departed:
            return False
        self._departed.remove(set_id)
        return True

    def remove(self, set_id: str) -> None:
        """Forgets a set."""
        self._members.pop(set_id, None)
        self._departed.discard(set_id)

    def clear(self) -> None:
        """Forgets all."""
        self._members.clear()
        self._departed.clear()
