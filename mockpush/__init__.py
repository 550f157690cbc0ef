"""A Web Push service for tests.

`PushService` is the service without a network, `Server` puts it on one; `inspect` judges a
captured push request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockpush._lazy import lazy_names

if TYPE_CHECKING:
    from mockpush import errors
    from mockpush._version import __version__
    from mockpush.captures import inspect, inspect_all
    from mockpush.protocol.model import Urgency
    from mockpush.server import Server
    from mockpush.service import PushService

__all__ = ["PushService", "Server", "Urgency", "__version__", "errors", "inspect", "inspect_all"]

_MODULES = {
    "PushService": "mockpush.service",
    "Server": "mockpush.server",
    "Urgency": "mockpush.protocol.model",
    "__version__": "mockpush._version",
    "errors": "mockpush.errors",
    "inspect": "mockpush.captures",
    "inspect_all": "mockpush.captures",
}

if not TYPE_CHECKING:  # a visible __getattr__ would make every misspelt name pass type checkers
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
