"""The words of a command line as a POSIX shell or bash splits it, as octets.

`shlex` does not know `$'…'`, in which binary bodies are written. Unlike there, line ends separate
words, and blanks may stand between a backslash and the end of its line: commands are pasted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from mockpush.errors import CaptureError
from mockpush.protocol.headers import shown

_PIECE: Final = re.compile(
    rb"""
      (?P<joint>\\[ \t]*\r?\n)
    | (?P<space>[ \t\r\n]+)
    | (?P<end>[|;&<>])
    | \$'(?P<ansi>(?:[^'\\]|\\.)*)'
    | '(?P<single>[^']*)'
    | \$?"(?P<double>(?:[^"\\]|\\.)*)"
    | \\(?P<escaped>.)
    | (?P<variable>\$[A-Za-z_{(]|`)
    | (?P<plain>[^\s'"\\$`|;&<>]+|\$)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE: Final = re.compile(rb'\\([$`"\\])|\\\r?\n|(?P<variable>\$[A-Za-z_{(]|`)', re.DOTALL)
_IN_ANSI: Final = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))",
    re.DOTALL,
)
_LETTERS: Final[Mapping[bytes, bytes]] = {
    b"a": b"\a",
    b"b": b"\b",
    b"e": b"\x1b",
    b"E": b"\x1b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}


def split_words(command: bytes) -> list[bytes]:
    """The words of the first command; `CaptureError` for open quotes, variables, substitutions."""
    words: list[bytes] = []
    parts: list[bytes] | None = None
    for kind, text in _pieces(command):
        if kind == "joint":
            continue
        if kind not in ("space", "end"):
            parts = [*(parts or ()), _READERS[kind](text)]
        elif parts is not None:
            words.append(b"".join(parts))
            parts = None
        if kind == "end":
            break
    return words if parts is None else [*words, b"".join(parts)]


def _pieces(command: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(command):
        piece = _PIECE.match(command, at)
        if piece is None:
            raise CaptureError(f"a quote is not closed: {shown(command[at : at + 60])}")
        at = piece.end()
        kind = str(piece.lastgroup)
        yield kind, piece[kind]


def _refuse(text: bytes) -> bytes:
    raise CaptureError(
        f"the command takes something from the shell ({shown(text)}…): put the value in its place"
    )


def _double(text: bytes) -> bytes:
    def unescaped(match: re.Match[bytes]) -> bytes:
        return _refuse(match[0]) if match["variable"] else match[1] or b""

    return _IN_DOUBLE.sub(unescaped, text)


def _ansi(text: bytes) -> bytes:
    return _IN_ANSI.sub(_octets, text)


def _octets(match: re.Match[bytes]) -> bytes:
    hexadecimal, octal, short, long, control, letter = match.groups()
    if letter:
        return _LETTERS.get(letter, letter if letter in b"\\'\"?" else match[0])
    if control:
        return bytes([control[0] & 0x1F])
    if hexadecimal or octal:
        return bytes([(int(hexadecimal, 16) if hexadecimal else int(octal, 8)) & 0xFF])
    number = int(short or long, 16)
    if number > 0x10FFFF:
        raise CaptureError(f"{shown(match[0])} is no character")
    return chr(number).encode("utf-8", "surrogatepass")


def _same(text: bytes) -> bytes:
    return text


_READERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "ansi": _ansi,
    "single": _same,
    "double": _double,
    "escaped": _same,
    "variable": _refuse,
    "plain": _same,
}
