"""HTTP/1.1 as text: a request as it went over the wire, or as `curl -v` prints it (RFC 9112)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from mockpush.errors import CaptureError
from mockpush.protocol.captures.captured import (
    Captured,
    Fields,
    Format,
    announced_length,
    measured,
)
from mockpush.protocol.headers import shown

_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE: Final = re.compile(
    rb"(%b) +(?:(\S+) +HTTP/\d(?:\.\d)?|(https?://\S+))[ \t]*" % _TOKEN
)
_VERBOSE: Final = re.compile(rb"^> (?=%b \S+ HTTP/)" % _TOKEN, re.MULTILINE)
_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_NAME: Final = re.compile(rb":?" + _TOKEN)
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r?\n")


def is_wire(data: bytes) -> bool:
    """Whether this begins with a request line, or has one behind `> `."""
    return is_verbose(data) or _REQUEST_LINE.fullmatch(_first_line(data)) is not None


def is_verbose(data: bytes) -> bool:
    """Whether this is what `curl -v` prints."""
    return _VERBOSE.search(data) is not None and not _REQUEST_LINE.fullmatch(_first_line(data))


def _first_line(data: bytes) -> bytes:
    return data.partition(b"\n")[0].rstrip(b"\r")


def read_wire(data: bytes) -> Captured:
    """One request: request line, header fields, an empty line, the body; lines may end in LF only.

    `CaptureError` names the line that is not as it should be.
    """
    if is_verbose(data):
        return _read(_sent(data), b"")
    parts = _END_OF_HEAD.split(data, maxsplit=1)
    return _read(parts[0].splitlines(), parts[1] if len(parts) > 1 else b"")


def _sent(data: bytes) -> list[bytes]:
    """The lines that `curl -v` sent first; it does not print the body."""
    start = _VERBOSE.search(data)
    lines = data[start.start() if start else 0 :].splitlines()
    sent = [line[1:].strip() for line in lines if line.startswith(b">")]
    return sent[: sent.index(b"")] if b"" in sent else sent


def _read(lines: list[bytes], rest: bytes) -> Captured:
    start = _REQUEST_LINE.fullmatch(lines[0])
    if start is None:
        raise CaptureError(f"{shown(lines[0])} is no request line such as POST /path HTTP/1.1")
    fields = _fields(lines[1:])
    method = start[1].decode("ascii")
    target = (start[2] or start[3]).decode("latin-1")
    headers = tuple((name, value) for name, value in fields if not name.startswith(b":"))
    captured = Captured(Format.RAW, method, target, headers, _body(headers, rest))
    return measured(_located(captured, fields))


def _fields(lines: list[bytes]) -> Fields:
    """Header fields, those folded over several lines as one (RFC 9112, Section 5.2)."""
    fields: list[tuple[bytes, bytes]] = []
    for number, line in enumerate(lines, 2):
        if line[:1] in (b" ", b"\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, value + b" " + line.strip())
            continue
        match = _NAME.match(line)
        if match is None or line[match.end() : match.end() + 1] != b":":
            raise CaptureError(
                f"line {number} is no header field such as TTL: 60, but {shown(line)}; "
                "an empty line comes before the body"
            )
        fields.append((match[0].lower(), line[match.end() + 1 :].strip()))
    return tuple(fields)


def _located(captured: Captured, fields: Fields) -> Captured:
    """With an absolute URL, as far as the capture tells."""
    if not captured.url.startswith("/"):
        return captured
    hosts = [value for name, value in fields if name in (b"host", b":authority") and value]
    if not hosts:
        return captured
    host = hosts[0].decode("latin-1")
    scheme = "http" if host.endswith(":80") else "https"
    return replace(captured, url=f"{scheme}://{host}{captured.url}", scheme_assumed=True)


def _body(headers: Fields, rest: bytes) -> bytes:
    """The body without its chunks, and without the line end that editors add."""
    coding = b",".join(value for name, value in headers if name == b"transfer-encoding")
    if b"chunked" in coding.lower():
        return _joined(rest)
    length = announced_length(headers)
    if length is None:
        return rest if rest.strip() else b""
    return rest if rest[length:].strip() else rest[:length]


def _joined(rest: bytes) -> bytes:
    """The content of the chunks (RFC 9112, Section 7.1); what is not in chunks as it is."""
    content, at = b"", 0
    while chunk := _CHUNK.match(rest, at):
        size = int(chunk[1], 16)
        if size == 0:
            return content
        at = chunk.end() + size
        content += rest[chunk.end() : at]
        at += 2 if rest[at : at + 2] == b"\r\n" else 1
    return rest
