"""Our Protocol Buffers against Google's own library, with the same messages."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import get_args, get_type_hints

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol import gcm, mcs_frames
from mockpush.protocol.protobuf import Kind, WireError, decode, encode, read_varint, varint, wire

MESSAGES = (
    gcm.CheckinRequest,
    gcm.CheckinResponse,
    *mcs_frames.MESSAGES.values(),
    mcs_frames.AppData,
    mcs_frames.ErrorInfo,
    mcs_frames.Extension,
)
INT32 = st.integers(-(2**31), 2**31 - 1)
VALUES = {
    Kind.INT64: INT32,  # what is an int32 to the other side is an int64 to us
    Kind.BOOL: st.booleans(),
    Kind.FIXED64: st.integers(0, 2**64 - 1),
    Kind.STRING: st.text(max_size=200),
    Kind.BYTES: st.binary(max_size=200),
}


def values(message):
    """Any messages of this class."""
    members = {}
    for each in fields(message):
        kind = each.metadata["kind"]
        one = VALUES[kind] if isinstance(kind, Kind) else values(kind)
        if each.default == ():
            members[each.name] = st.lists(one, max_size=3).map(tuple)
        else:
            members[each.name] = one if each.default is not None else st.none() | one
    return st.builds(message, **members)


def given_to(target, message):
    """Copies our message into one of Google's."""
    for each in fields(message):
        value = getattr(message, each.name)
        if isinstance(value, tuple):
            for item in value:
                if isinstance(item, str):
                    getattr(target, each.name).append(item)
                else:
                    given_to(getattr(target, each.name).add(), item)
        elif hasattr(value, "__dataclass_fields__"):
            given_to(getattr(target, each.name), value)
            getattr(target, each.name).SetInParent()
        elif value is not None:
            setattr(target, each.name, value)
    return target


everything = st.one_of([values(each) for each in MESSAGES])


@given(everything)
def test_what_is_written_is_what_google_writes(google, message):
    theirs = given_to(getattr(google, type(message).__name__)(), message)
    assert encode(message) == theirs.SerializeToString(deterministic=True)


@given(everything)
def test_what_google_writes_is_read(google, message):
    theirs = given_to(getattr(google, type(message).__name__)(), message)
    assert decode(type(message), theirs.SerializeToString()) == message


@given(everything, st.binary(max_size=60), st.integers(0, 60))
def test_what_is_damaged_is_read_or_refused_as_google_does(google, message, noise, at):
    whole = encode(message)
    data = whole[:at] + noise + whole[at + len(noise) :]
    theirs = getattr(google, type(message).__name__)()
    try:
        ours = decode(type(message), data)
    except WireError:
        ours = None
    try:
        theirs.ParseFromString(data)
        fine = theirs.IsInitialized() and _is_text(theirs)
    except DecodeError:
        fine = False
    if fine and not _has_groups(data):
        assert ours is not None
    if ours is not None:
        assert fine


def _is_text(message) -> bool:
    """proto2 lets strings be any octets, which nobody wants to have."""
    try:
        str(message)
        for field, value in message.ListFields():
            for each in value if field.is_repeated else [value]:
                if hasattr(each, "ListFields"):
                    if not _is_text(each):
                        return False
                elif field.type == field.TYPE_STRING and isinstance(each, bytes):
                    return False
    except UnicodeDecodeError:
        return False
    return True


def _has_groups(data: bytes) -> bool:
    return any(octet & 7 in (3, 4) for octet in data)


def test_every_message_has_the_fields_that_the_protocol_has(google):
    for message in MESSAGES:
        theirs = getattr(google, message.__name__).DESCRIPTOR.fields_by_name
        hints = get_type_hints(message)
        for each in fields(message):
            column = theirs[each.name]
            assert column.number == each.metadata["number"]
            assert column.is_repeated == (each.default == ())
            assert column.is_required == (type(None) not in get_args(hints[each.name])) or (
                column.is_repeated
            )


@given(st.integers(0, 2**64 - 1), st.binary(max_size=4))
def test_a_number_is_read_back_with_its_length(number, rest):
    written = varint(number)
    assert read_varint(written + rest, 0, 10) == (number, len(written))


@pytest.mark.parametrize(
    ("data", "number"),
    [(b"\x00", 0), (b"\x01", 1), (b"\x7f", 127), (b"\x80\x01", 128), (b"\xac\x02", 300)],
)
def test_numbers_are_written_as_the_specification_shows(data, number):
    """150 and 300 are the examples of protobuf.dev; the others are its limits."""
    assert varint(number) == data


def test_a_number_is_incomplete_until_its_last_octet_has_come():
    assert read_varint(b"", 0, 5) == (0, 0)
    assert read_varint(b"\xff\xff\xff\xff", 0, 5) == (0, 0)
    with pytest.raises(WireError, match="more than 5 octets"):
        read_varint(b"\xff\xff\xff\xff\xff", 0, 5)


@dataclass(frozen=True, slots=True)
class Inner:
    first: int | None = wire(1, Kind.INT64, None)
    second: int | None = wire(2, Kind.INT64, None)


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner | None = wire(1, Inner, None)
    many: tuple[int, ...] = wire(2, Kind.INT64, ())


def test_the_last_of_several_values_counts_and_the_parts_of_a_message_are_merged():
    parts = encode(Outer(Inner(first=1))) + encode(Outer(Inner(second=2)))
    assert decode(Outer, parts) == Outer(Inner(1, 2))
    assert decode(Inner, encode(Inner(1)) + encode(Inner(2))) == Inner(2)


def test_an_empty_message_is_not_the_same_as_none():
    assert decode(Outer, encode(Outer(Inner()))) == Outer(Inner())
    assert decode(Outer, b"") == Outer()


def test_a_negative_number_comes_back():
    assert decode(Inner, encode(Inner(-1))) == Inner(-1)
    assert len(encode(Inner(-1))) == 11


def test_unknown_fields_and_known_ones_of_another_type_are_skipped():
    unknown = b"\x18\x05" + b"\x21" + bytes(8) + b"\x2a\x02hi" + b"\x35" + bytes(4)
    of_another_type = b"\x0a\x01x"
    assert decode(Inner, unknown + of_another_type + encode(Inner(7))) == Inner(7)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x08", "in the middle of a number"),
        (b"\x08" + b"\xff" * 10, "more than 10 octets"),
        (b"\x2a\x05hi", "in the middle of a field"),
        (b"\x21\x00", "in the middle of a field"),
        (b"\x00\x00", "there is no field 0"),
        (b"\x0b", "wire type 3"),
        (b"\x0f", "wire type 7"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(data, reason):
    with pytest.raises(WireError, match=reason):
        decode(Inner, data)


def test_a_message_without_what_it_needs_is_refused():
    with pytest.raises(WireError, match="AppData has no value"):
        decode(mcs_frames.AppData, b"\x0a\x03key")


def test_a_string_that_is_not_utf8_is_refused():
    with pytest.raises(WireError, match="not UTF-8"):
        decode(mcs_frames.AppData, b"\x0a\x01\xff\x12\x00")


def test_messages_are_values():
    pair = mcs_frames.AppData("key", "value")
    assert replace(pair, value="other") != pair == mcs_frames.AppData("key", "value")
