"""What two know of one notification: the desktop that shows it, and the driver of its browser.

The desktop knows the buttons and where to click; the driver knows the tag, and which message made
it, if one did. Each comes by a way of its own, so that either may be first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from mockpush.protocol.notifications import Appearance, Notification

PATIENCE: Final = 5.0
"""Real seconds that the one is waited for after the other: both come within milliseconds."""
_MOST_UNTOLD: Final = 100
"""So many of those of which the driver has not told yet are remembered."""


@dataclass(slots=True, eq=False)
class Word:
    """What a driver has told of a notification that has not been seen yet."""

    appearance: Appearance
    seen: asyncio.Future[Notification]

    def keep(self, notification: Notification) -> None:
        """It has been seen."""
        if not self.seen.done():
            self.seen.set_result(notification)


class Witnesses:
    """Those of one user agent."""

    def __init__(self) -> None:
        self._untold: dict[str, Appearance] = {}
        self._words: list[Word] = []
        self._blind = False

    def word_for(self, appearance: Appearance) -> Word | None:
        """What the driver has told of what is seen now."""
        self._blind = False
        found = next((each for each in self._words if _same(each.appearance, appearance)), None)
        if found is not None:
            self._words.remove(found)
        return found

    def await_word(self, notification_id: str, appearance: Appearance) -> None:
        """The driver has not told of this one."""
        self._untold[notification_id] = appearance
        if len(self._untold) > _MOST_UNTOLD:
            del self._untold[next(iter(self._untold))]

    def seen(self, word: Appearance) -> str | None:
        """The id of the oldest that was seen, and that the driver speaks of now."""
        found = next((each for each, at in self._untold.items() if _same(at, word)), None)
        if found is not None:
            del self._untold[found]
        return found

    async def await_sight(self, word: Appearance) -> Notification | None:
        """The notification, once it is seen. Where nothing is to be seen this waits only once."""
        waiting = Word(word, asyncio.get_running_loop().create_future())
        self._words.append(waiting)
        try:
            async with asyncio.timeout(0 if self._blind else PATIENCE):
                return await waiting.seen
        except TimeoutError:
            self._words.remove(waiting)
            self._blind = True
            return None

    def forget(self, notification_id: str) -> None:
        """Nobody asks for it any more."""
        self._untold.pop(notification_id, None)


def _same(one: Appearance, other: Appearance) -> bool:
    """Whether both may be the same; a desktop may not know the origin, and stops at a NUL."""
    origins = {one.origin, other.origin} - {None}
    return len(origins) < 2 and _shown(one) == _shown(other)


def _shown(appearance: Appearance) -> tuple[str, str]:
    return appearance.title.partition("\0")[0], appearance.body.partition("\0")[0]
