"""Notifications that user agents show (Notifications API), as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

MAX_TEXT: Final = 4096
"""Characters of a title, a text or another word of a notification; the rest is cut off."""
MAX_ACTIONS: Final = 16
"""Buttons; browsers show two or three."""
MAX_CLICKS: Final = 100
"""The newest clicks on one notification that are kept."""


class NotificationState(StrEnum):
    """What has become of a notification. A click leaves it where it is: the page may close it."""

    SHOWN = "shown"
    CLOSED = "closed"
    REPLACED = "replaced"
    """by another one with the same tag"""


class Action(NamedTuple):
    """A button of a notification. `action` is its name on the page, if that is known."""

    title: str
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """What a user sees, at `at` in real time.

    `origin` is the page's. `message`: the push message that made the worker show it, if one did.
    `clicks`: titles of the buttons clicked, None for the notification itself, the newest
    `MAX_CLICKS`. Storage sets `sequence`, which orders them.
    """

    id: str
    user_agent: str
    at: float
    title: str
    body: str
    origin: str | None = None
    tag: str | None = None
    actions: tuple[Action, ...] = ()
    message: str | None = None
    state: NotificationState = NotificationState.SHOWN
    clicks: tuple[str | None, ...] = ()
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Appearance:
    """What a user agent shows, of which subscription or message, as far as it is known."""

    title: str
    body: str = ""
    origin: str | None = None
    tag: str | None = None
    actions: tuple[Action, ...] = ()
    subscription: str | None = None
    message: str | None = None
