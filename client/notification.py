"""A notification that a browser shows, as the service knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .records import Member, Record


class Notification(Record):
    """What a page or a worker has shown, at the moment when it was read.

    `actions` are its buttons, `{action, title}`; `message` is the id of the push message that made
    it, and `clicks` has the titles of the buttons that were clicked, None for the notification.
    """

    __slots__ = ()

    id = Member[str]()
    title = Member[str]()
    body = Member[str]()
    origin = Member["str | None"]()
    tag = Member["str | None"]()
    actions = Member["list[dict[str, str]]"]()
    message = Member["str | None"]()
    state = Member[str]()
    """`shown`, `closed` or `replaced`"""
    clicks = Member["list[str | None]"]()

    def __repr__(self) -> str:
        buttons = "".join(f" [{each['title']}]" for each in self.actions)
        return f"<Notification {self.id} {self.state} {self.title!r} {self.body!r}{buttons}>"


def notifications(page: Mapping[str, Any]) -> list[Notification]:
    """Those of a page of the list."""
    return [Notification(raw) for raw in page["items"]]
