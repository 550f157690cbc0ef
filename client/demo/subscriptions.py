"""The subscriptions that the application server keeps."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from mockpush.errors import ConfigurationError, InvalidRequestError, ServiceError
from mockpush.http.kinds import decoded, record
from mockpush.protocol.keys import parse_application_server_key
from mockpush.protocol.model import AUTH_SECRET_LENGTH, base64url_decode

MOST: Final = 1000

Subscription = dict[str, Any]
"""What a browser's `JSON.stringify(subscription)` gives: `{"endpoint": …, "keys": {…}}`."""


def _auth(value: str) -> str:
    if len(base64url_decode(value)) != AUTH_SECRET_LENGTH:
        raise ValueError(f"it has not {AUTH_SECRET_LENGTH} octets")
    return value


def _point(value: str) -> str:
    parse_application_server_key(value)
    return value


KEYS: Final = record(
    {"p256dh": decoded("a P-256 point", _point), "auth": decoded("16 octets in base64url", _auth)},
    required=("p256dh", "auth"),
)


class Subscriptions:
    """Those that browsers have given, by endpoint, oldest first; kept in `file` if there is one.

    `ConfigurationError` for a file that cannot be used, `ServiceError` for more than `MOST`, and
    when the file cannot be written: then all is as before.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._kept = {each["endpoint"]: each for each in _read(file)}

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._kept.values()))

    def add(self, subscription: Subscription, *, replaces: str | None = None) -> None:
        """Keeps it, with the newest keys, instead of the one whose endpoint is `replaces`."""
        kept = {name: each for name, each in self._kept.items() if name != replaces}
        kept[subscription["endpoint"]] = subscription
        if len(kept) > MOST:
            raise ServiceError(f"the demo keeps no more than {MOST} subscriptions", status=503)
        self._keep(kept)

    def remove(self, endpoint: str) -> bool:
        """Forgets it; whether it was there."""
        if endpoint not in self._kept:
            return False
        self._keep({name: each for name, each in self._kept.items() if name != endpoint})
        return True

    def _keep(self, kept: dict[str, Subscription]) -> None:
        if self._file is not None:
            try:
                _write(self._file, list(kept.values()))
            except OSError as error:
                text = f"{self._file} cannot be written: {error.strerror}"
                raise ServiceError(text, status=507) from error
        self._kept = kept


def _read(file: Path | None) -> list[Subscription]:
    if file is None or not file.exists():
        return []
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return [
            {
                "endpoint": urlsplit(str(each["endpoint"])).geturl(),
                "keys": KEYS.parse("keys", each["keys"]),
            }
            for each in found
        ]
    except (OSError, ValueError, TypeError, KeyError, InvalidRequestError) as error:
        raise ConfigurationError(
            f"{file} does not hold the subscriptions of the demo ({error}): delete it"
        ) from error


def _write(file: Path, content: list[Subscription]) -> None:
    """The file changes as a whole; it is for nobody else to read, as who has it can push."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=1)
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
