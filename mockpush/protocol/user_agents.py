"""User agents that are connected through a gateway, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


class UserAgentKind(StrEnum):
    """What a user agent speaks: the protocol of Mozilla's push service, or of Google's."""

    FIREFOX = "firefox"
    CHROMIUM = "chromium"


class Refusal(StrEnum):
    """What a push service refuses a subscription with, in the words of Google's.

    Chromium rejects `subscribe()` with an AbortError at once, but for AUTHENTICATION_FAILED, after
    which it tries again for minutes.
    """

    INVALID_PARAMETERS = "INVALID_PARAMETERS"
    INVALID_SENDER = "INVALID_SENDER"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    TOO_MANY_REGISTRATIONS = "TOO_MANY_REGISTRATIONS"
    AUTHENTICATION_FAILED = "AUTHENTICATION_FAILED"


MAX_CHANGES: Final = 100


class SubscriptionChange(NamedTuple):
    """A `pushsubscriptionchange` event: the endpoints before and after it, as far as it says."""

    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, slots=True)
class UserAgent:
    """A browser, say. It belongs to no tenant; its next subscriptions belong to `tenant`.

    `device` is how its gateway knows it (None: it has not come yet, or is to get a new identity),
    `kind` what it speaks (None until it comes). `known`: it has subscribed, so that its device is
    still valid when it comes back. `away`: taken offline, though it may be `connected`. `since` is
    when it last came or went, in real time. Its next `refusals` subscriptions are refused with
    `refusal`. `badge` is the number on the icon of its application (0: one without a number), and
    `changes` are the newest `pushsubscriptionchange` events, as far as its pages tell. Storage sets
    `sequence`, which orders them.
    """

    id: str
    tenant: str
    since: float
    kind: UserAgentKind | None = None
    device: str | None = None
    known: bool = False
    connected: bool = False
    away: bool = False
    refusal: Refusal | None = None
    refusals: int = 0
    badge: int | None = None
    changes: tuple[SubscriptionChange, ...] = ()
    sequence: int = 0

    @property
    def online(self) -> bool:
        """Whether messages reach it."""
        return self.connected and not self.away

    @property
    def named(self) -> bool:
        """Whether somebody gave it its id; otherwise that is the device's."""
        return self.id != self.device
