"""What can go wrong with a sender.

MockpushError
├── SenderError            a sender did not answer a job as the protocol says
└── ConfigurationError
    └── SenderStartError   the sender could not be started, or gave no valid answer to `hello`
"""

from __future__ import annotations

from mockpush.errors import ConfigurationError, MockpushError


class SenderError(MockpushError):
    """A sender died, printed rubbish or exceeded the limit; the text says which."""


class SenderStartError(ConfigurationError):
    """A sender that cannot be judged at all; the text says why and what the sender printed."""
