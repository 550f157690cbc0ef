"""Messages that come by D-Bus, from those who speak it and from those who do not."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney import Endianness, Header, HeaderFields, Message, MessageType
from jeepney.low_level import Array, Struct, Variant, simple_types

from mockpush.gateways.dbus import MAX_HEADER, MAX_MESSAGE, DBusError, receive, size_of

NOTIFY = "susssasa{sv}i"
CHROMIUM = (
    b"l\1\0\1\x54\1\0\0\x1b\0\0\0\x9f\0\0\0"
    b"\2\1s\0\x1d\0\0\0org.freedesktop.Notifications\0\0\0\3\1s\0\6\0\0\0Notify\0\0"
    b"\10\1g\0\rsusssasa{sv}i\0\0\0\0\0\0\6\1s\0\x1d\0\0\0org.freedesktop.Notifications\0\0\0"
    b"\1\1o\0\x1e\0\0\0/org/freedesktop/Notifications\0\0"
    b"\10\0\0\0Chromium\0\0\0\0\0\0\0\0Z\0\0\0file:///tmp/mockpush-browser-pam6wqfg/tmp/"
    b"org.chromium.Chromium.scoped_dir.yzQeGe/logo.png\0\0\4\0\0\0Sale\0\0\0\0"
    b';\0\0\0<a href="http://localhost:43343/">localhost:43343</a>\n\nbody\0'
    b"M\0\0\0\1\0\0\0000\0\0\0\6\0\0\0Buy it\0\0\7\0\0\0default\0\10\0\0\0Activate\0\0\0\0"
    b"\10\0\0\0settings\0\0\0\0\10\0\0\0Settings\0\0\0\0008\0\0\0\r\0\0\0desktop-entry\0"
    b"\1s\0\0\0\0\10\0\0\0chromium\0\0\0\0\7\0\0\0urgency\0\1y\0\1\xff\xff\xff\xff"
)
"""What Chromium 156 wrote with libdbus."""
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**32 - 1)
bodies = st.one_of(
    st.tuples(st.just(""), st.just(())),
    st.tuples(st.just("su"), st.tuples(texts, numbers)),
    st.tuples(
        st.just("susssas"),
        st.tuples(texts, numbers, texts, texts, texts, st.lists(texts, max_size=5)),
    ),
)


def written(signature: str, body: tuple, order: Endianness = Endianness.little) -> bytes:
    fields = {
        HeaderFields.path: "/org/freedesktop/Notifications",
        HeaderFields.destination: "org.freedesktop.Notifications",
        HeaderFields.member: "Notify",
        **({HeaderFields.signature: signature} if signature else {}),
    }
    header = Header(order, MessageType.method_call, 0, 1, -1, 7, fields)
    return Message(header, body).serialise()


def headed(*fields: tuple[int, tuple]) -> bytes:
    """A message without a body that has these header fields, whatever they are."""
    array = Array(Struct([simple_types["y"], Variant()]))
    head = b"l\1\0\1" + struct.pack("<II", 0, 7)
    head += array.serialise(list(fields), len(head), Endianness.little)
    return head + bytes(-len(head) % 8)


@given(bodies, st.sampled_from(Endianness))
def test_what_others_write_is_read(body, order):
    signature, values = body
    data = written(signature, values, order)
    assert size_of(data) == len(data)
    message = receive(data)
    assert message.header.serial == 7
    assert message[HeaderFields.member] == "Notify"
    assert message[HeaderFields.sender] is None
    assert message.read(signature) == values


def test_what_a_browser_writes_is_read():
    assert size_of(CHROMIUM) == len(CHROMIUM)
    message = receive(CHROMIUM)
    assert message[HeaderFields.signature] == NOTIFY
    _, _, icon, title, body, actions = message.read("susssas")
    assert icon.endswith("/logo.png")
    assert (title, body[-8:]) == ("Sale", "a>\n\nbody")
    assert actions == ["0", "Buy it", "default", "Activate", "settings", "Settings"]


def test_no_more_is_read_than_is_wanted():
    hints = {"image-data": ("(iiibiiay)", (1, 1, 1, False, 8, 1, b"\0")), "urgency": ("y", 1)}
    data = written(NOTIFY, ("Chromium", 7, "", "title", "body", ["0", "Go"], hints, -1))
    broken = data.replace(b"(iiibiiay)", b"a((((((((z")
    assert receive(broken).read("susssas") == ("Chromium", 7, "", "title", "body", ["0", "Go"])


@given(st.binary(min_size=16, max_size=200))
def test_any_octets_are_read_or_refused(data):
    for begin in (b"l\1\0\1", b"B\1\0\1", b"l\1\0\1\0\0\0\0\1\0\0\0\x20\0\0\0", b""):
        octets = begin + data
        with suppress(DBusError):
            size = size_of(octets)
            receive(octets[:size]).read("susssas")


@given(bodies, st.data())
def test_a_message_that_was_tampered_with_is_read_or_refused(body, data):
    signature, values = body
    octets = bytearray(written(signature, values))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DBusError):
        receive(bytes(octets)).read(signature)


@given(bodies, st.data())
def test_a_message_that_was_cut_is_read_or_refused(body, data):
    signature, values = body
    octets = written(signature, values)
    with suppress(DBusError):
        receive(octets[: data.draw(st.integers(16, len(octets)))]).read(signature)


def nested(depth: int) -> tuple:
    value = ("s", "end")
    for _ in range(depth):
        value = ("v", value)
    return value


PATH = (1, ("o", "/"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x" + bytes(15), "begins with 0x78"),
        (b"l\1\0\2" + bytes(12), "version 2"),
        (b"l\x09\0\1" + bytes(12), "ValueError"),
        (headed(PATH)[:20], "error"),
        (headed(PATH, (10, ("s", "?"))), "ValueError"),
        (headed(PATH, (3, ("u", 1))), "member of another type"),
        (headed(PATH, (8, ("as", ["s"]))), "signature of another type"),
        (headed(PATH, (5, ("s", "1"))), "reply_serial of another type"),
        (headed(PATH, (3, nested(100))), "member of another type"),
        (headed(PATH, (3, ("s", "\xff"))).replace(b"\xc3\xbf", b"\xff\xff"), "Unicode"),
        (headed((1, ("a()", []))), "an empty structure"),
        (headed((1, ("a(())", []))), "an empty structure"),
        (b"l\1\0\1\4\0\0\0\7\0\0\0\10\0\0\0\3\1s\0\1\0\0\0X\0\0\0", "AssertionError"),
        (headed((1, ("(y)", (1,)))).replace(b"(y)", b"((("), "IndexError"),
    ],
)
def test_what_is_no_message_is_refused(data, why):
    with pytest.raises(DBusError, match=why):
        receive(data)


def test_variants_in_each_other_end_somewhere():
    depth = 5000
    variants = b"\1v\0" * depth + b"\1y\0\1"
    fields = b"\3" + variants
    data = b"l\1\0\1" + struct.pack("<III", 0, 7, len(fields)) + fields
    with pytest.raises(DBusError, match="RecursionError"):
        receive(data + bytes(-len(data) % 8))


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("s", struct.pack("<I", 2**32 - 1)),
        ("s", b"\1\0\0\0\xff\0"),
        ("as", struct.pack("<I", 2**32 - 1) + bytes(8)),
        ("u", b"\0"),
    ],
    ids=["length", "text", "array", "number"],
)
def test_what_is_no_body_is_refused(signature, body):
    message = receive(headed(PATH, (8, ("g", signature))) + body)
    with pytest.raises(DBusError):
        message.read(signature)


def test_a_message_has_a_largest_size_and_so_has_its_header():
    head = b"l\1\0\1" + struct.pack("<III", MAX_MESSAGE, 1, 0)
    with pytest.raises(DBusError, match="octets"):
        size_of(head)
    assert size_of(head[:15]) is None
    fields = MAX_HEADER - 16
    assert size_of(b"l\1\0\1" + struct.pack("<III", 0, 1, fields)) == MAX_HEADER
    with pytest.raises(DBusError, match="octets"):
        size_of(b"l\1\0\1" + struct.pack("<III", 0, 1, fields + 1))
    assert size_of(b"l\1\0\1" + struct.pack("<III", MAX_MESSAGE - 16, 1, 0)) == MAX_MESSAGE
