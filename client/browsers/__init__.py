"""Real browsers, unmodified, whose push service is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockpush._lazy import lazy_names

if TYPE_CHECKING:
    from ..notification import Notification
    from .browser import Browser
    from .chromium import Chromium
    from .firefox import Firefox

__all__ = ["Browser", "Chromium", "Firefox", "Notification"]

_MODULES = {
    "Browser": "mockpush.client.browsers.browser",
    "Chromium": "mockpush.client.browsers.chromium",
    "Firefox": "mockpush.client.browsers.firefox",
    "Notification": "mockpush.client.notification",
}

if not TYPE_CHECKING:  # a visible __getattr__ would make every misspelt name pass type checkers
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
