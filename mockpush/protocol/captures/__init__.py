"""Captured requests in the formats that people have them in, recognised by themselves."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from typing import Any, Final

from mockpush.errors import CaptureError
from mockpush.protocol.captures.captured import Captured, Format, origin_of
from mockpush.protocol.captures.curl import is_curl, read_curl
from mockpush.protocol.captures.har import read_har, read_request
from mockpush.protocol.captures.wire import is_wire, read_wire
from mockpush.protocol.headers import shown

__all__ = ["Captured", "Format", "origin_of", "read_captures"]

FORMATS: Final = (
    "a HAR file, raw HTTP (request line, header fields, an empty line, the body), a curl command, "
    "or a JSON object with url, method, headers, body"
)


def read_captures(source: str | bytes | Mapping[str, Any]) -> list[Captured]:
    """The requests of a capture in any format; `CaptureError` says what is wrong with it."""
    if isinstance(source, Mapping):
        return _read_object(source)
    data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    text = data.removeprefix(codecs.BOM_UTF8).lstrip()
    if text[:1] in (b"{", b"["):
        return _read_object(_parsed(text))
    if is_curl(text):
        return [read_curl(text)]
    if is_wire(text):
        return [read_wire(text)]
    first = text.partition(b"\n")[0].strip()
    found = f"it begins with {shown(first)}" if first else "it is empty"
    raise CaptureError(f"there is no request to be read: {found}; what can be read is {FORMATS}")


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:200] if isinstance(error, ValueError) else "it is nested too deeply"
        raise CaptureError(f"the capture is no JSON: {reason}") from None


def _read_object(document: object) -> list[Captured]:
    if isinstance(document, Mapping) and "log" in document:
        return read_har(document)
    if isinstance(document, Mapping) and "url" in document:
        return [read_request(document)]
    raise CaptureError(
        f"the JSON has neither log, as a HAR has, nor url; what can be read is {FORMATS}"
    )
