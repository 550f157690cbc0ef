"""Messages that come by D-Bus, as far as they may be read.

jeepney reads what a bus has looked at before. Here nobody has: it is given only what it can come to
the end of, and whatever it stumbles over is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from jeepney import Header, HeaderFields
from jeepney.low_level import parse_signature

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Octets. The specification allows 128 MiB; notifications bring no more than pictures."""
MAX_HEADER: Final = 16 * 1024
"""Octets of it up to the body: names, which the specification limits to 255 each, and a path."""

_VERSION: Final = 1
_FIXED_HEAD: Final = 16
"""Octets up to the length of the header fields, that included."""
_ORDERS: Final = {ord("l"): "<", ord("B"): ">"}
_EMPTY: Final = b"()"
"""A structure without members, which D-Bus does not have: jeepney reads an array of them for ever.

No name, path or signature in a right header has these octets.
"""
_NUMBERS: Final = {HeaderFields.reply_serial, HeaderFields.unix_fds}
"""The header fields that are no texts."""


class DBusError(ValueError):
    """What was received is no D-Bus message."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message whose header has been read; nobody has looked at `body`, nor at its signature."""

    header: Header
    body: bytes

    def __getitem__(self, name: HeaderFields) -> Any:
        """A header field, or None."""
        return self.header.fields.get(name)

    def read(self, signature: str) -> tuple[Any, ...]:
        """The values with which the body begins, one for each type; `DBusError`.

        No variants: they may hold whatever the sender likes.
        """
        with _refused():
            kind = parse_signature(list(f"({signature})"))
            values: tuple[Any, ...] = kind.parse_data(self.body, 0, self.header.endianness)[0]
        return values


def size_of(data: bytes | bytearray) -> int | None:
    """Octets of the message that begins here; None if too little is there to say. `DBusError`."""
    if len(data) < _FIXED_HEAD:
        return None
    head, body = _lengths(data)
    if head > MAX_HEADER or head + body > MAX_MESSAGE:
        raise DBusError(f"a message of {head} and {body} octets")
    return head + body


def receive(data: bytes) -> Received:
    """A whole message; `DBusError` if it is none."""
    end, _ = _lengths(data)
    if _EMPTY in data[_FIXED_HEAD:end]:
        raise DBusError("an empty structure")
    with _refused():
        header, _ = Header.from_buffer(data[:end])
    if header.protocol_version != _VERSION:
        raise DBusError(f"a message of version {header.protocol_version}")
    for name, value in header.fields.items():
        if not isinstance(value, int if name in _NUMBERS else str):
            raise DBusError(f"a header field {name.name} of another type")
    return Received(header, data[end:])


def _lengths(data: bytes | bytearray) -> tuple[int, int]:
    """Octets of the header and of the body (D-Bus Specification, Message Format); `DBusError`."""
    order = _ORDERS.get(data[0])
    if order is None:
        raise DBusError(f"a message that begins with {data[0]:#x}")
    body, _, fields = struct.unpack_from(f"{order}III", data, 4)
    return _FIXED_HEAD + fields + -fields % 8, body


@contextmanager
def _refused() -> Iterator[None]:
    """Of what it does not expect jeepney makes errors of any class, also asserted ones."""
    try:
        yield
    except Exception as error:
        raise DBusError(f"no message: {type(error).__name__}") from error
