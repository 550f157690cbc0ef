"""The judge: drives a sender through cases and says what it does right and wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockpush._lazy import lazy_names

if TYPE_CHECKING:
    from .errors import CheckWarning
    from .runner import run_checks
    from .sender import StreamSender

__all__ = ["CheckWarning", "StreamSender", "run_checks"]

_MODULES = {
    "CheckWarning": "mockpush.harness.errors",
    "StreamSender": "mockpush.harness.sender",
    "run_checks": "mockpush.harness.runner",
}

if not TYPE_CHECKING:  # a visible __getattr__ would make every misspelt name pass type checkers
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
