"""Storage in memory: notifications."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

from mockpush.protocol.model import NO_TENANT
from mockpush.protocol.notifications import Notification
from mockpush.storage.base import Limits


class Notifications:
    """The part of `MemoryStorage` about what user agents show."""

    _limits: Limits
    _notifications: dict[str, Notification]
    _last_notification = 0

    @abstractmethod
    def _wake(self, tenant: str) -> None: ...

    async def keep_notification(self, notification: Notification) -> Notification:
        if notification.id not in self._notifications:
            self._last_notification += 1
            notification = replace(notification, sequence=self._last_notification)
            self._make_room_for_notification(notification.user_agent)
        self._notifications[notification.id] = notification
        self._wake(NO_TENANT)
        return notification

    async def notification(self, notification_id: str) -> Notification | None:
        return self._notifications.get(notification_id)

    async def notifications(self, *, after: int = 0) -> Sequence[Notification]:
        return [each for each in self._notifications.values() if each.sequence > after]

    async def forget_notifications(self, match: Callable[[Notification], bool]) -> int:
        gone = [each.id for each in self._notifications.values() if match(each)]
        for each in gone:
            del self._notifications[each]
        return len(gone)

    def _make_room_for_notification(self, user_agent: str) -> None:
        """Forgets the oldest: of this user agent, so that it takes none from others, or of all."""
        kept = self._notifications
        own = [each.id for each in kept.values() if each.user_agent == user_agent]
        if len(own) >= self._limits.notifications_each:
            del kept[own[0]]
        elif len(kept) >= self._limits.notifications:
            del kept[next(iter(kept))]
