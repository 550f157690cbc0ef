"""What callers in Python may name a sender by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from mockpush.errors import ConfigurationError

from .in_process import CallableSender
from .jobs import quoted
from .sender import ApplicationSender, CommandSender, PythonSender, Sender
from .senders.registry import ready_sender

AnySender: TypeAlias = "Sender | Callable[[dict[str, Any]], Any] | str | Sequence[str]"
"""A callable, `MODULE:CALLABLE`, a command, the URL of an application, a ready sender's name."""


def sender_of(value: AnySender) -> Sender:
    """The sender that `value` names; `ConfigurationError` says what could be given in its place."""
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, Sequence) and value and all(isinstance(each, str) for each in value):
        return CommandSender(tuple(value))
    if not isinstance(value, type):
        if hasattr(value, "open") and hasattr(value, "arguments"):
            return cast("Sender", value)
        if callable(value):
            return CallableSender(value)
    raise ConfigurationError(
        f"{quoted(value)} is no sender: give a callable that takes a job, 'MODULE:CALLABLE', a "
        "command as a list, StreamSender(command), a URL, or the name of a ready sender"
    )


def _of_text(text: str) -> Sender:
    if text.startswith(("http:", "https:")):
        return ApplicationSender(text)
    return PythonSender(text) if ":" in text else ready_sender(text)
