"""curl command lines, as people share them and tools copy them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from mockpush.errors import CaptureError
from mockpush.protocol.captures.captured import Captured, Fields, Format, measured
from mockpush.protocol.captures.curl_options import BODIES, FILES, SHORT, SWITCHES, VALUED
from mockpush.protocol.captures.shell_words import split_words
from mockpush.protocol.headers import shown

_COMMAND: Final = re.compile(rb"(?:\$\s+)?curl(?:\.exe)?(?=[\s\\]|\Z)")
_QUOTED_BY_CMD: Final = re.compile(rb"\^[\"\r\n]")


class _Option(NamedTuple):
    """An option by its long name, or a URL."""

    name: str
    value: bytes


def is_curl(data: bytes) -> bool:
    """Whether this is a command line that runs curl."""
    return _COMMAND.match(data) is not None


def read_curl(command: bytes) -> Captured:
    """The request that the command sends; `CaptureError` for what curl or this cannot read.

    A body that stands in a file is not in the capture.
    """
    if _QUOTED_BY_CMD.search(command):
        raise CaptureError("the command is quoted for cmd.exe: copy it for bash instead")
    match = _COMMAND.match(command)
    words = split_words(command[match.end() if match else 0 :])
    options = list(_options(words))
    _refuse_strange(options)
    urls = [value for name, value in options if name == "url"]
    if len(urls) != 1:
        raise CaptureError(
            f"the curl command has {len(urls)} URLs ({', '.join(map(shown, urls[:3])) or 'none'}): "
            "inspect one request at a time"
        )
    captured = Captured(Format.CURL, _method(options), _url(urls[0]), _headers(options), b"")
    return _with_body(captured, options)


def _options(words: Sequence[bytes]) -> Iterator[_Option]:
    rest = iter(words)
    literal = False
    for word in rest:
        if literal or not word.startswith(b"-") or word == b"-":
            yield _Option("url", word)
        elif word == b"--":
            literal = True
        elif word.startswith(b"--"):
            yield _long(word[2:].decode("latin-1"), rest)
        else:
            yield from _short(word[1:], rest)


def _long(name: str, rest: Iterator[bytes]) -> _Option:
    return _Option(name, _value(name, rest) if name in VALUED else b"")


def _value(name: str, rest: Iterator[bytes]) -> bytes:
    value = next(rest, None)
    if value is None:
        raise CaptureError(f"the curl command ends where --{name} needs a value")
    return value


def _short(letters: bytes, rest: Iterator[bytes]) -> Iterator[_Option]:
    """`-sSd DATA`: letters together; the first that takes a value takes what follows it."""
    for at in range(len(letters)):
        letter = letters[at : at + 1].decode("latin-1")
        name = SHORT.get(letter, f"-{letter}")
        if name not in VALUED:
            yield _Option(name, b"")
            continue
        yield _Option(name, letters[at + 1 :] or _value(name, rest))
        return


def _refuse_strange(options: Sequence[_Option]) -> None:
    known = VALUED | SWITCHES
    strange = next((each.name for each in options if each.name not in known), None)
    if strange is not None:
        name = shown(strange.encode("latin-1")).removeprefix("-")
        flag = f"-{name}" if strange.startswith("-") else f"--{name}"
        raise CaptureError(
            f"{flag} of curl is not understood here: leave it out if the request is the same "
            "without it, otherwise inspect the request as raw HTTP"
        )


def _method(options: Sequence[_Option]) -> str:
    names = {each.name for each in options}
    given = [value for name, value in options if name == "request"]
    if given:
        return given[-1].decode("latin-1")
    if "head" in names:
        return "HEAD"
    if names.intersection(FILES):
        return "PUT"
    return "POST" if names.intersection(BODIES) else "GET"


def _url(text: bytes) -> str:
    url = text.decode("latin-1")
    return url if "://" in url else f"http://{url}"


def _headers(options: Sequence[_Option]) -> Fields:
    """What -H says: `Name: value`; `Name;` is an empty field, `Name:` none."""
    fields = []
    for name, line in options:
        if name != "header":
            continue
        label, separator, value = line.partition(b":")
        if separator and value.strip():
            fields.append((label.strip().lower(), value.strip()))
        elif not separator and line.endswith(b";"):
            fields.append((line[:-1].strip().lower(), b""))
        elif not separator:
            raise CaptureError(f"-H {shown(line)} is no header field such as 'TTL: 60'")
    return tuple(fields)


def _with_body(captured: Captured, options: Sequence[_Option]) -> Captured:
    data = [each for each in options if each.name in BODIES or each.name in FILES]
    files = [file for each in data if (file := _file(each)) is not None]
    if not files:
        return measured(replace(captured, body=b"&".join(each.value for each in data)))
    place = "standard input" if files[0] in (b"-", b".") else f"the file {shown(files[0])}"
    remark = (
        f"the body is in {place}, which is not part of the command: it was not inspected. "
        "Write its octets as --data-binary $'…', or inspect the request as raw HTTP"
    )
    return replace(captured, body=None, remarks=(remark,))


def _file(option: _Option) -> bytes | None:
    """The file that an option takes the body from, if it does."""
    if option.name in FILES:
        return option.value
    reads = option.name != "data-raw" and option.value.startswith(b"@")
    return option.value[1:] if reads else None
