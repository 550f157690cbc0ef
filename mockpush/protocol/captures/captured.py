"""One request as a tool captured it, whatever the format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from mockpush.errors import CaptureError

Fields: TypeAlias = tuple[tuple[bytes, bytes], ...]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"
_CODINGS: Final = (b"aes128gcm", b"aesgcm")
_SCHEMES: Final = (b"vapid ", b"webpush ")
_OF_PUSHES: Final = frozenset((b"ttl", b"crypto-key", b"encryption"))


class Format(StrEnum):
    """How a request was written down."""

    HAR = "har"
    RAW = "raw"
    CURL = "curl"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Captured:
    """A request in a capture.

    `url` is absolute, or only its path if no host was captured; `scheme_assumed`: the capture does
    not say whether it was https. `headers` have names in lower case. `body` is None if there was
    one that the capture does not hold. `at` is in seconds since the epoch. `remarks` are sentences
    about the capture itself, for people.
    """

    format: Format
    method: str
    url: str
    headers: Fields
    body: bytes | None
    at: float | None = None
    scheme_assumed: bool = False
    remarks: tuple[str, ...] = ()

    def values(self, name: bytes) -> list[bytes]:
        """The values of a header field, without white space around them."""
        return [value.strip() for each, value in self.headers if each == name]

    @property
    def date(self) -> float | None:
        """What the Date field says (RFC 9110, Section 6.6.1)."""
        try:
            text = self.values(b"date")[0].decode("ascii")
            return datetime.strptime(text, _DATE).replace(tzinfo=UTC).timestamp()
        except (IndexError, ValueError):
            return None

    @property
    def is_push(self) -> bool:
        """Whether it is a POST with a header field that hardly anything but a push has."""
        return self.method == "POST" and (
            any(name in _OF_PUSHES for name, _ in self.headers)
            or any(value.lower() in _CODINGS for value in self.values(b"content-encoding"))
            or any(value.lower().startswith(_SCHEMES) for value in self.values(b"authorization"))
        )


def origin_of(url: str) -> str:
    """The origin of a URL (RFC 6454, Section 6.2); `CaptureError` if it has none."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in _DEFAULT_PORTS or not host:
        raise CaptureError(
            f"{url[:200]!r} is not the URL of an endpoint: it must begin with https:// and a host"
        )
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[scheme]) else "")


def announced_length(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """What Content-Length says, if it says anything."""
    values = [value.strip() for name, value in headers if name == b"content-length"]
    return int(values[0]) if values and values[0].isdigit() and len(values[0]) < 10 else None


def measured(captured: Captured, length: int | None = None) -> Captured:
    """With a remark if the body is not as long as was announced; None if it is not there at all."""
    announced = announced_length(captured.headers) if length is None else length
    if captured.body is None or announced is None or announced == len(captured.body):
        return captured
    if not captured.body:
        remark = f"the capture does not hold the body of {announced} octets: it was not inspected"
        return replace(captured, body=None, remarks=(*captured.remarks, remark))
    remark = (
        f"the capture has {len(captured.body)} octets of body, of {announced} that were sent: "
        "it was cut, or damaged by a tool that takes it for text"
    )
    return replace(captured, remarks=(*captured.remarks, remark))
