"""Every exception that mockpush raises on purpose.

MockpushError
├── KeyFormatError (ValueError)       a key or a token that cannot be read
├── CaptureError (ValueError)         a captured request that cannot be read: names the way out
├── DecryptionError                   what a browser would discard; carries the finding's code
├── ConfigurationError                a setting, flag or file is unusable: names it and the way out
├── ServiceError                      the service refused an operation (its answer, if it had one)
│   ├── NotFoundError                   no such subscription, message, request or tenant
│   ├── InvalidRequestError             the request does not have the right shape
│   └── LimitError                      a limit is reached; names the setting
├── ConnectError                      the service cannot be reached
├── BrowserError                      a real browser does not do what it is told; says what
│   ├── BrowserNotFoundError            it is not installed; says how to
│   └── ScriptError                     what JavaScript has thrown
├── PushManagerError                  what `PushManager.subscribe()` rejects with (W3C Push API)
│   ├── NotAllowedError                 permission denied
│   ├── NotSupportedError               the options are not supported
│   ├── InvalidStateError               subscribed with another key already
│   ├── InvalidAccessError              applicationServerKey is not a point on P-256
│   ├── InvalidCharacterError           applicationServerKey is not base64url
│   └── AbortError                      the push service refused or could not be reached
├── WaitError (AssertionError)        what was waited for did not come; says what came instead
├── PortabilityError (AssertionError) a real push service would have refused a push
└── BlockingWaitError (RuntimeError)  a blocking wait inside a running event loop could never end

The judge adds its own, below `MockpushError` too: `harness/errors.py`.
"""

from __future__ import annotations


class MockpushError(Exception):
    """Base of all errors of this package."""


class KeyFormatError(MockpushError, ValueError):
    """A key or token that cannot be read; the text names the format found and the one wanted."""


class CaptureError(MockpushError, ValueError):
    """What was captured, or is said about it, cannot be read; the text says why and what can."""


class DecryptionError(MockpushError):
    """A body that a conforming user agent discards.

    `code` is the code of the finding that names the cause (see `protocol/findings.py`).
    """

    def __init__(
        self, code: str, *, expected: str | None = None, actual: str | None = None
    ) -> None:
        super().__init__(code if actual is None else f"{code}: {actual}")
        self.code = code
        self.expected = expected
        self.actual = actual


class ConfigurationError(MockpushError):
    """A setting, flag, variable or file is unusable."""


class ServiceError(MockpushError):
    """The service refused an operation.

    `status` is the HTTP status that expresses it; `problem` the members of its RFC 9457 document.
    """

    status = 400

    def __init__(self, message: str, *, status: int | None = None, **problem: object) -> None:
        super().__init__(message)
        if status is not None:
            self.status = status
        self.problem = problem


class NotFoundError(ServiceError):
    """No such subscription, message, request or tenant."""

    status = 404


class InvalidRequestError(ServiceError):
    """A request of the wrong shape; the text names the member and what it must be."""


class LimitError(ServiceError):
    """A limit is reached; `setting` is the name of the setting that raises it."""

    status = 503

    def __init__(self, message: str, *, setting: str, status: int | None = None) -> None:
        super().__init__(message, status=status, setting=setting)
        self.setting = setting


class ConnectError(MockpushError):
    """The service cannot be reached; the text names its URL."""


class BrowserError(MockpushError):
    """A real browser cannot do what it is told: it has gone, or takes too long."""


class BrowserNotFoundError(BrowserError):
    """A browser is not installed; the text says how to install it."""


class ScriptError(BrowserError):
    """JavaScript in a page or a worker has thrown; the text is what it has thrown."""


class PushManagerError(MockpushError):
    """Base of what `PushManager.subscribe()` rejects with; the names are the W3C Push API's."""


class NotAllowedError(PushManagerError):
    """The permission state is `denied`."""


class NotSupportedError(PushManagerError):
    """The options ask for something this user agent does not support."""


class InvalidStateError(PushManagerError):
    """There is a subscription with another applicationServerKey already."""


class InvalidAccessError(PushManagerError):
    """applicationServerKey does not describe a valid point on the P-256 curve."""


class InvalidCharacterError(PushManagerError):
    """applicationServerKey is a string that is not base64url."""


class AbortError(PushManagerError):
    """The push service refused the subscription or could not be reached."""


class WaitError(MockpushError, AssertionError):
    """What was waited for did not come in time."""


class PortabilityError(MockpushError, AssertionError):
    """Real push services would have refused pushes; says which, in which words, and the way out."""


class BlockingWaitError(MockpushError, RuntimeError):
    """A blocking wait inside a running event loop; the text names the awaitable twin."""
