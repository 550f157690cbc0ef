"""What a body visibly is when it is not the octets that encryption produced: text."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final, NamedTuple

MIN_OCTETS: Final = 18
"""No encrypted body is shorter: padding of one or two octets and a tag of 16."""

_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2})+")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_\s-]+={0,2}")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_REPLACEMENT: Final = "\ufffd"


class Form(NamedTuple):
    """A form of text; `octets` undoes it, and returns None for a body that does not have it."""

    code: str
    expected: str
    actual: str
    octets: Callable[[bytes], bytes | None]


def readable_prefix(data: bytes) -> bytes:
    """The longest beginning that is UTF-8 text of printable characters and white space."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        text = data[: error.start].decode()
    end = next((at for at, character in enumerate(text) if not _readable(character)), len(text))
    return text[:end].encode()


def _readable(character: str) -> bool:
    return character.isprintable() or character in "\t\n\r"


def is_readable(data: bytes) -> bool:
    """Whether all of it is text."""
    return readable_prefix(data) == data


def _from_hex(body: bytes) -> bytes | None:
    text = _unquoted(body)
    return _binary(bytes.fromhex(text.decode())) if _HEX.fullmatch(text) else None


def _from_base64(body: bytes) -> bytes | None:
    text = _unquoted(body)
    if not _BASE64.fullmatch(text):
        return None
    digits = b"".join(text.rstrip(b"=").split()).translate(_STANDARD)
    try:
        return _binary(base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True))
    except binascii.Error:
        return None


def _unquoted(body: bytes) -> bytes:
    return body.strip().strip(b'"')


def _binary(octets: bytes) -> bytes | None:
    """What can be an encrypted body; a word that happens to be base64 is too short for one."""
    return octets if len(octets) >= MIN_OCTETS and not is_readable(octets) else None


def _plain(body: bytes) -> bytes | None:
    return body if body and is_readable(body) else None


def _from_utf8(body: bytes) -> bytes | None:
    try:
        octets = body.decode().encode("latin-1")
    except UnicodeError:
        return None
    return _binary(octets) if octets != body else None


def _damaged(body: bytes) -> bytes | None:
    try:
        return body if _REPLACEMENT in body.decode() else None
    except UnicodeDecodeError:
        return None


FORMS: Final = (
    Form("encryption.body.hex", "the octets themselves", "their hexadecimal digits", _from_hex),
    Form("encryption.body.base64", "the octets themselves", "their base64 text", _from_base64),
    Form("encryption.plaintext.sent", "an encrypted body", "readable text", _plain),
    Form(
        "encryption.body.utf8_encoded",
        "the octets themselves",
        "each octet as a character of Latin-1, encoded in UTF-8",
        _from_utf8,
    ),
    Form(
        "encryption.body.text_conversion",
        "the octets themselves",
        "UTF-8 text in which U+FFFD replaces what was not text",
        _damaged,
    ),
)
"""In this order: hexadecimal digits are base64, and base64 is readable, too."""
