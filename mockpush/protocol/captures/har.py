"""HTTP Archives (HAR 1.2), as browsers and intercepting proxies save them, and single requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from mockpush.errors import CaptureError
from mockpush.protocol.captures.captured import (
    Captured,
    Fields,
    Format,
    announced_length,
    measured,
)
from mockpush.protocol.clock import parse_time
from mockpush.protocol.keys import decode_any_base64

T = TypeVar("T")

_WORDS: Final[Mapping[type, str]] = {dict: "an object", list: "an array", str: "a text"}
_CODECS: Final = (("latin-1", "strict"), ("utf-8", "surrogateescape"), ("utf-8", "surrogatepass"))
"""How tools make text of octets, most usual first; the last can encode any text."""


def read_har(document: Mapping[str, Any]) -> list[Captured]:
    """Every request of the archive; `CaptureError` names the member that is not as it should be."""
    entries = _member(_member(document, "log", dict, "the HAR"), "entries", list, "log")
    return [_entry(entry, f"log.entries[{at}]") for at, entry in enumerate(entries)]


def _member(value: object, name: str, kind: type[T], place: str) -> T:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, kind):
        raise CaptureError(f"{name} of {place} must be {_WORDS[kind]}")
    return found


def _entry(entry: object, place: str) -> Captured:
    request = _member(entry, "request", dict, place)
    place = f"{place}.request"
    headers = _fields(_member(request, "headers", list, place), place)
    length = _length(request, headers)
    captured = Captured(
        Format.HAR,
        _member(request, "method", str, place),
        _member(request, "url", str, place),
        headers,
        _body(request.get("postData"), length, place),
        at=_started(entry),
    )
    return measured(captured, length)


def _fields(lines: list[Any], place: str) -> Fields:
    """Header fields; the pseudo-fields of HTTP/2 are none."""
    pairs = [
        (_member(each, "name", str, place), _member(each, "value", str, place)) for each in lines
    ]
    return tuple(field(name, value) for name, value in pairs if not name.startswith(":"))


def field(name: str, value: str) -> tuple[bytes, bytes]:
    """A header field as it went over the wire, its name in lower case."""
    return encoded(name).lower(), encoded(value)


def encoded(text: str, length: int | None = None) -> bytes:
    """The octets that a tool shows as this text: of several possible ones those of this length."""
    found = []
    for codec, errors in _CODECS:
        try:
            found.append(text.encode(codec, errors))
        except UnicodeEncodeError:
            continue
    return next((octets for octets in found if len(octets) == length), found[0])


def _length(request: Mapping[str, Any], headers: Fields) -> int | None:
    size = request.get("bodySize")
    known = isinstance(size, int) and not isinstance(size, bool) and size > 0
    announced = announced_length(headers)
    return size if announced is None and known else announced


def _body(data: object, length: int | None, place: str) -> bytes:
    """The body; binary ones come as base64, as characters up to U+00FF, or with surrogates."""
    if data is None:
        return b""
    if not isinstance(data, Mapping) or not isinstance(data.get("text", ""), str):
        raise CaptureError(f"postData of {place} must be an object with a text")
    text: str = data.get("text", "")
    if "base64" in (data.get("encoding"), data.get("_encoding")):
        return _decoded(text, f"postData.text of {place}")
    return encoded(text, length)


def _decoded(text: str, name: str) -> bytes:
    try:
        return decode_any_base64(encoded("".join(text.split())))
    except ValueError:
        raise CaptureError(f"{name} must be base64") from None


def _started(entry: object) -> float | None:
    """When the request was sent, if the archive says so in a way that can be read."""
    started = entry.get("startedDateTime") if isinstance(entry, Mapping) else None
    try:
        return parse_time(started) if isinstance(started, str) else None
    except ValueError:
        return None


_MEMBERS: Final = ("url", "method", "headers", "body")


def read_request(document: Mapping[str, Any]) -> Captured:
    """`{url, method?, headers?, body?}`: headers as an object or as pairs, the body in base64.

    The body may also be as the control API shows it, `{base64, size}`.
    """
    unknown = [name for name in document if name not in _MEMBERS]
    if unknown:
        raise CaptureError(
            f"a request has no {unknown[0][:100]!r}, but {', '.join(_MEMBERS)}; a HAR has log"
        )
    body = document.get("body")
    text = body.get("base64") if isinstance(body, Mapping) else body or ""
    if not isinstance(text, str):
        raise CaptureError("body of the request must be base64")
    captured = Captured(
        Format.REQUEST,
        _member({"method": "POST", **document}, "method", str, "the request"),
        _member(document, "url", str, "the request"),
        _pairs(document.get("headers") or {}),
        _decoded(text, "body of the request"),
    )
    return measured(captured)


def _pairs(headers: object) -> Fields:
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
    if not isinstance(pairs, list) or not all(_is_pair(each) for each in pairs):
        raise CaptureError(
            "headers of the request must be an object of texts, or an array of [name, value]"
        )
    return tuple(field(name, value) for name, value in pairs)


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(each, str) for each in value)
    )
