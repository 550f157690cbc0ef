"""The user agent: an emulated browser, and the control API as seen from a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockpush._lazy import lazy_names

if TYPE_CHECKING:
    from .control import Control
    from .launch import Launch
    from .notification import Notification
    from .push_subscription import PushSubscription
    from .real_user_agent import RealUserAgent
    from .receipts import Receipt, ReceiptMonitor
    from .user_agent import UserAgent

__all__ = [
    "Control",
    "Launch",
    "Notification",
    "PushSubscription",
    "RealUserAgent",
    "Receipt",
    "ReceiptMonitor",
    "UserAgent",
]

_MODULES = {
    "Control": "mockpush.client.control",
    "Launch": "mockpush.client.launch",
    "Notification": "mockpush.client.notification",
    "PushSubscription": "mockpush.client.push_subscription",
    "RealUserAgent": "mockpush.client.real_user_agent",
    "Receipt": "mockpush.client.receipts",
    "ReceiptMonitor": "mockpush.client.receipts",
    "UserAgent": "mockpush.client.user_agent",
}

if not TYPE_CHECKING:  # a visible __getattr__ would make every misspelt name pass type checkers
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
