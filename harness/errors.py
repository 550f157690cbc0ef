"""What can go wrong with a sender.

MockpushError
├── SenderError                        a sender did not answer a job as the protocol says
│   └── OverdueError                   it gave no result within the limit
├── ChecksFailedError (AssertionError) a sender failed cases; the text is that of the report
└── ConfigurationError
    └── SenderStartError               it could not be started, or gave no valid answer to `hello`

What passes, but is worth a look, is a `CheckWarning` of Python.
"""

from __future__ import annotations

from mockpush.errors import ConfigurationError, MockpushError


class SenderError(MockpushError):
    """A sender died, printed rubbish or exceeded the limit; the text says which."""


class OverdueError(SenderError):
    """A sender gave no result within the limit."""


class ChecksFailedError(MockpushError, AssertionError):
    """What failed, with the evidence, as the report on the terminal has it."""


class CheckWarning(UserWarning):
    """A case that a sender passed with a warning, or that a baseline lists though it passes."""


class SenderStartError(ConfigurationError):
    """A sender that cannot be judged at all; the text says why and what the sender printed."""
