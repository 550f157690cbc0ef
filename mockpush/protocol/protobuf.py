"""Protocol Buffers on the wire, for messages that are dataclasses.

https://protobuf.dev/programming-guides/encoding/, proto2. Google's own library would be the largest
dependency of all (2.7 MB, 45 ms to import, and a version that collides with the one that the user's
gRPC wants); a dozen flat messages need no more than this, and the tests compare it with that
library. Groups, packed fields, `float` and `sint` are not here: no message of ours has them.

    @dataclass(frozen=True, slots=True)
    class AppData:
        key: str = wire(1, Kind.STRING)
        value: str = wire(2, Kind.STRING)

A field without a default is required, one whose default is a tuple is repeated, and None says that
an optional one is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, field, fields
from enum import Enum
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

M = TypeVar("M")

_VARINT: Final = 0
_EIGHT_OCTETS: Final = 1
_LENGTH_DELIMITED: Final = 2
_FOUR_OCTETS: Final = 5

_VARINT_OCTETS: Final = 10
_MORE: Final = 0x80
_64_BITS: Final = (1 << 64) - 1
_SIGN: Final = 1 << 63
_MAX_KEY: Final = (1 << 32) - 1


class WireError(ValueError):
    """Octets that are no message of this kind; the text says why."""


class Kind(Enum):
    """How a field is written: `INT64` also for the other plain integers."""

    INT64 = "int64"
    BOOL = "bool"
    FIXED64 = "fixed64"
    STRING = "string"
    BYTES = "bytes"


_WIRE_TYPES: Final = {
    Kind.INT64: _VARINT,
    Kind.BOOL: _VARINT,
    Kind.FIXED64: _EIGHT_OCTETS,
    Kind.STRING: _LENGTH_DELIMITED,
    Kind.BYTES: _LENGTH_DELIMITED,
}


def wire(number: int, kind: Kind | type, default: Any = MISSING) -> Any:
    """A field of a message: its number, and its kind or the dataclass of an embedded message."""
    return field(default=default, metadata={"number": number, "kind": kind})


class _Column(NamedTuple):
    """A field as both directions want it."""

    name: str
    number: int
    kind: Kind | type
    required: bool
    repeated: bool

    @property
    def wire_type(self) -> int:
        return _WIRE_TYPES[self.kind] if isinstance(self.kind, Kind) else _LENGTH_DELIMITED


@cache
def _columns(message: Any) -> dict[int, _Column]:
    """The fields of a class of messages by their numbers."""
    columns = [
        _Column(
            each.name,
            each.metadata["number"],
            each.metadata["kind"],
            required=each.default is MISSING,
            repeated=each.default == (),
        )
        for each in fields(message)
    ]
    return {each.number: each for each in sorted(columns, key=lambda column: column.number)}


def encode(message: Any) -> bytes:
    """The message on the wire, in the order of its field numbers."""
    parts: list[bytes] = []
    of_its_kind: Any = type(message)
    for column in _columns(of_its_kind).values():
        value = getattr(message, column.name)
        for each in value if column.repeated else [] if value is None else [value]:
            parts += (varint(column.number << 3 | column.wire_type), _written(each, column.kind))
    return b"".join(parts)


def _written(value: Any, kind: Kind | type) -> bytes:
    if kind is Kind.FIXED64:
        return int.to_bytes(value, 8, "little")
    if kind is Kind.INT64 or kind is Kind.BOOL:
        return varint(int(value))
    if kind is Kind.STRING:
        value = value.encode()
    elif kind is not Kind.BYTES:
        value = encode(value)
    return varint(len(value)) + bytes(value)


def decode(message: type[M], data: bytes) -> M:
    """The message; fields that it does not know are skipped. `WireError`."""
    found: dict[int, list[int | bytes]] = {}
    of_this_kind: Any = message
    columns = _columns(of_this_kind)
    for number, wire_type, value in _fields(data):
        if number in columns and columns[number].wire_type == wire_type:
            found.setdefault(number, []).append(value)
    values = {columns[number].name: _read(each, columns[number]) for number, each in found.items()}
    missing = [each.name for each in columns.values() if each.required and each.number not in found]
    if missing:
        raise WireError(f"{message.__name__} has no {missing[0]}")
    return message(**values)


def _read(found: list[Any], column: _Column) -> Any:
    """The value of a field that came once or more often; the parts of a message are merged."""
    if column.repeated:
        return tuple(_value(each, column.kind) for each in found)
    whole = found[-1] if isinstance(column.kind, Kind) else b"".join(found)
    return _value(whole, column.kind)


def _value(raw: Any, kind: Kind | type) -> Any:
    if not isinstance(kind, Kind):
        return decode(kind, raw)
    if kind is Kind.INT64:
        return raw - (1 << 64) if raw & _SIGN else raw
    if kind is Kind.BOOL:
        return raw != 0
    if kind is Kind.STRING:
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise WireError(f"a string is not UTF-8: {error.reason}") from None
    return raw


def _fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Number, wire type and raw value of all fields, in order."""
    at = 0
    while at < len(data):
        key, at = _varint_at(data, at)
        number, wire_type = key >> 3, key & 7
        if not number or key > _MAX_KEY:
            raise WireError(f"there is no field {number}")
        value: int | bytes
        if wire_type == _VARINT:
            value, at = _varint_at(data, at)
        elif wire_type == _LENGTH_DELIMITED:
            length, at = _varint_at(data, at)
            value, at = _octets_at(data, at, length)
        elif wire_type in (_EIGHT_OCTETS, _FOUR_OCTETS):
            octets, at = _octets_at(data, at, 8 if wire_type == _EIGHT_OCTETS else 4)
            value = int.from_bytes(octets, "little")
        else:
            raise WireError(f"field {number} has wire type {wire_type}")
        yield number, wire_type, value


def _octets_at(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    end = at + length
    if end > len(data):
        raise WireError("it ends in the middle of a field")
    return data[at:end], end


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    value, length = read_varint(data, at, _VARINT_OCTETS)
    if not length:
        raise WireError("it ends in the middle of a number")
    return value & _64_BITS, at + length


def varint(value: int) -> bytes:
    """The octets of an integer; a negative one has ten."""
    value &= _64_BITS
    octets = bytearray()
    while value >= _MORE:
        octets.append(value & 0x7F | _MORE)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def read_varint(data: bytes | bytearray, at: int, longest: int) -> tuple[int, int]:
    """An integer and its length in octets, which is 0 while its end has not come. `WireError`."""
    value = 0
    for length, octet in enumerate(data[at : at + longest], 1):
        value |= (octet & 0x7F) << 7 * (length - 1)
        if octet < _MORE:
            return value, length
    if len(data) - at >= longest:
        raise WireError(f"a number has more than {longest} octets")
    return 0, 0
