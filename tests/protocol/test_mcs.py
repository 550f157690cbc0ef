"""The MCS machine, spoken to with frames that Google's protobuf library has written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.mcs import (
    EXPECTED,
    MAX_FRAME,
    Acknowledged,
    Closed,
    Connection,
    Login,
    State,
)
from mockpush.protocol.mcs_frames import MESSAGES, AppData, DataMessage, Tag

TAGS = {
    "HeartbeatPing": 0,
    "HeartbeatAck": 1,
    "LoginRequest": 2,
    "LoginResponse": 3,
    "Close": 4,
    "Iq": 7,
    "DataMessage": 8,
    "StreamError": 10,
}
"""Chromium's mcs_util.h, and the tag that it has for what the server calls an error."""


def number(value: int) -> bytes:
    """A size, as protobuf.dev describes it."""
    octets = b""
    while value > 127:
        octets += bytes([value % 128 + 128])
        value //= 128
    return octets + bytes([value])


def framed(message) -> bytes:
    body = message.SerializeToString()
    return bytes([TAGS[type(message).__name__]]) + number(len(body)) + body


def unframed(google, data: bytes) -> list:
    """The messages in what the server has written, after its version."""
    names = {tag: name for name, tag in TAGS.items()}
    found = []
    while data:
        tag, size, length = data[0], 0, 0
        while True:
            octet = data[1 + length]
            size += (octet % 128) << (7 * length)
            length += 1
            if octet < 128:
                break
        body, data = data[1 + length : 1 + length + size], data[1 + length + size :]
        found.append(getattr(google, names[tag]).FromString(body))
    return found


def events(machine: Connection, data: bytes = b"") -> list:
    machine.receive(data)
    found = []
    while (event := machine.next_event()) is not None:
        found.append(event)
    return found


@pytest.fixture
def login(google):
    """What Chromium begins with."""
    request = google.LoginRequest(
        id="chrome-156.0.8078.79",
        domain="mcs.android.com",
        user="4454059231578608835",
        resource="4454059231578608835",
        auth_token="123",
        device_id="android-3dcfd2b5c8a2b0c3",
        received_persistent_id=["m1", "m2"],
        adaptive_heartbeat=False,
        use_rmq2=True,
        auth_service=2,
        network_type=1,
    )
    request.setting.add(name="new_vc", value="1")
    return b"\x29" + framed(request)


@pytest.fixture
def machine(login):
    """A connection with a browser logged in, and its answer taken."""
    machine = Connection()
    events(machine, login)
    machine.accept(now=1000.5)
    machine.take()
    return machine


def message(persistent_id: str | None = "m3", **members) -> DataMessage:
    return DataMessage("key", "app", (AppData("subtype", "wp:"),), persistent_id, **members)


def test_a_login_says_who_it_is_and_what_it_has(login):
    machine = Connection()
    assert events(machine, login) == [Login("4454059231578608835", "123", ("m1", "m2"))]
    assert machine.state is State.DECISION
    assert machine.take() == b""


def test_an_accepted_login_is_answered_with_its_id_and_the_first_frame_counts(google, login):
    machine = Connection()
    events(machine, login)
    machine.accept(now=1000.5)
    assert machine.state is State.OPEN
    data = machine.take()
    assert data[:1] == b"\x29"
    (answer,) = unframed(google, data[1:])
    assert answer == google.LoginResponse(
        id="chrome-156.0.8078.79", last_stream_id_received=1, server_timestamp=1_000_500
    )


def test_a_refused_login_is_told_why_and_nothing_more_is_heard(google, login):
    machine = Connection()
    events(machine, login + framed(google.HeartbeatPing()))
    machine.refuse(code=401, message="no")
    (answer,) = unframed(google, machine.take()[1:])
    assert (answer.error.code, answer.error.message) == (401, "no")
    assert machine.state is State.CLOSED
    assert events(machine, framed(google.HeartbeatPing())) == []
    assert machine.take() == b""


def test_what_comes_before_the_decision_is_heard_after_it(google, login):
    machine = Connection()
    assert len(events(machine, login + framed(google.HeartbeatPing()))) == 1
    assert events(machine) == []
    machine.accept(now=0)
    assert events(machine) == []
    _, pong = unframed(google, machine.take()[1:])
    assert pong == google.HeartbeatAck(last_stream_id_received=2)


def test_the_version_is_said_once(machine):
    machine.send(message())
    assert machine.take()[0] == Tag.DATA_MESSAGE


def test_a_ping_is_answered_with_the_number_of_frames_that_came(google, machine):
    for count in (2, 3, 4):
        assert events(machine, framed(google.HeartbeatPing())) == []
        assert unframed(google, machine.take()) == [
            google.HeartbeatAck(last_stream_id_received=count)
        ]


def test_a_message_is_sent_with_the_number_of_frames_that_came(google, machine):
    events(machine, framed(google.HeartbeatAck()))
    machine.send(message(raw_data=b"\x00\xff", ttl=60, sent=5, immediate_ack=True))
    expected = google.DataMessage(
        from_="key",
        category="app",
        persistent_id="m3",
        last_stream_id_received=2,
        ttl=60,
        sent=5,
        raw_data=b"\x00\xff",
        immediate_ack=True,
    )
    expected.app_data.add(key="subtype", value="wp:")
    assert unframed(google, machine.take()) == [expected]


def stream_ack(google, count: int):
    iq = google.Iq(type=1, id="", last_stream_id_received=count)
    iq.extension.id, iq.extension.data = 13, b""
    return iq


def test_an_iq_acknowledges_all_frames_up_to_its_number_and_is_confirmed(google, machine):
    for each in "abc":
        machine.send(message(each))
    machine.take()
    assert machine.unacknowledged == 3
    # The login answer was the first frame, so the messages are 2, 3 and 4.
    assert events(machine, framed(stream_ack(google, 3))) == [Acknowledged(("a", "b"))]
    assert machine.unacknowledged == 1
    assert unframed(google, machine.take()) == [stream_ack(google, 2)]


def test_every_frame_of_ours_counts(google, machine):
    events(machine, framed(google.HeartbeatPing()))  # answered: our second frame
    machine.send(message("a"))
    assert events(machine, framed(stream_ack(google, 2))) == []  # confirmed: our fourth
    machine.send(message("b"))
    assert events(machine, framed(stream_ack(google, 3))) == [Acknowledged(("a",))]
    assert events(machine, framed(stream_ack(google, 5))) == [Acknowledged(("b",))]


@pytest.mark.parametrize("kind", ["HeartbeatPing", "HeartbeatAck", "DataMessage"])
def test_heartbeats_and_messages_acknowledge_too(google, machine, kind):
    members = {"from_": "gcm@android.com", "category": "c"} if kind == "DataMessage" else {}
    machine.send(message("a"))
    frame = getattr(google, kind)(last_stream_id_received=2, **members)
    assert events(machine, framed(frame)) == [Acknowledged(("a",))]


def test_a_message_without_an_id_is_not_waited_for(google, machine):
    machine.send(message(None))
    assert machine.unacknowledged == 0
    assert events(machine, framed(stream_ack(google, 2))) == []


def test_acknowledging_twice_or_what_was_never_sent_does_nothing(google, machine):
    machine.send(message("a"))
    assert events(machine, framed(stream_ack(google, 99))) == [Acknowledged(("a",))]
    assert events(machine, framed(stream_ack(google, 99))) == []
    assert machine.state is State.OPEN


def test_an_iq_about_something_else_is_not_confirmed(google, machine):
    iq = google.Iq(type=0, id="x")
    assert events(machine, framed(iq)) == []
    iq.extension.id, iq.extension.data = 12, b""
    assert events(machine, framed(iq)) == []
    assert machine.take() == b""


def test_a_close_ends_the_connection_silently(google, machine):
    assert events(machine, framed(google.Close()) + framed(google.HeartbeatPing())) == [Closed()]
    assert machine.state is State.CLOSED
    assert machine.take() == b""


def test_closing_says_goodbye_once(google, machine):
    machine.close()
    machine.close()
    assert unframed(google, machine.take()) == [google.Close()]
    assert machine.state is State.CLOSED


@pytest.mark.parametrize("state", [State.LOGIN, State.OPEN])
def test_only_the_frames_of_the_table_are_taken(login, state):
    for tag in range(256):
        machine = Connection()
        events(machine, b"\x29" if state is State.LOGIN else login)
        if state is State.OPEN:
            machine.accept(now=0)
        found = events(machine, bytes([tag, 0x80]))
        if tag in EXPECTED[state]:
            assert (found, machine.state) == ([], state)  # it waits for the rest
        else:
            name = Tag(tag).name if tag in MESSAGES else f"tag {tag}"
            assert found == [Closed(f"{name} while the connection waits for: {state}")]
            assert machine.state is State.CLOSED


def test_the_table_says_what_a_user_agent_may_send():
    assert {
        State.LOGIN: {Tag.LOGIN_REQUEST},
        State.OPEN: {
            Tag.HEARTBEAT_PING,
            Tag.HEARTBEAT_ACK,
            Tag.CLOSE,
            Tag.IQ,
            Tag.DATA_MESSAGE,
        },
    } == EXPECTED


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16\x03\x01", "version 22; 41 is spoken here"),
        (b"\x26", "version 38"),
        (b"\x29\x02\x81\x80\x04", f"a frame of 65537 octets; {MAX_FRAME} are allowed"),
        (b"\x29\x02\xff\xff\xff\xff\xff", "more than 5 octets"),
        (b"\x29\x02\x03\x0a\x05x", "in the middle of a field"),
        (b"\x29\x02\x00", "LoginRequest has no id"),
    ],
)
def test_what_is_against_the_protocol_is_answered_with_the_reason_and_a_close(google, data, reason):
    machine = Connection()
    (closed,) = events(machine, data)
    assert isinstance(closed, Closed)
    assert reason in closed.error
    answer = machine.take()
    assert answer[:1] == b"\x29"
    error, close = unframed(google, answer[1:])
    assert (error.type, error.text, close) == ("invalid-frame", closed.error, google.Close())
    assert events(machine, data) == []


def test_the_largest_frame_is_taken(google):
    machine = Connection()
    request = google.LoginRequest(id="", domain="", user="1", resource="", auth_token="1")
    request.received_persistent_id.append("x" * (MAX_FRAME - 16))
    assert request.ByteSize() == MAX_FRAME
    (found,) = events(machine, b"\x29" + framed(request))
    assert len(found.received[0]) == MAX_FRAME - 16


def test_deciding_without_a_login_and_sending_without_one_are_mistakes_of_ours(machine):
    fresh = Connection()
    with pytest.raises(RuntimeError, match="no login"):
        fresh.accept(now=0)
    with pytest.raises(RuntimeError, match="no login"):
        machine.refuse(code=401, message="")
    with pytest.raises(RuntimeError, match="nobody is logged in"):
        fresh.send(message())


@given(st.data())
def test_the_packets_do_not_matter(google, data):
    """However the octets are cut, the same events and the same answers come."""
    request = google.LoginRequest(id="c", domain="d", user="1", resource="1", auth_token="2")
    parts = [b"\x29", framed(request)]
    for _ in range(data.draw(st.integers(0, 6))):
        frame = data.draw(st.sampled_from([google.HeartbeatPing(), stream_ack(google, 3)]))
        parts.append(framed(frame))
    whole = b"".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8).map(sorted))

    def spoken(packets: list[bytes]) -> tuple[list, bytes]:
        machine, found = Connection(), []
        for packet in packets:
            for event in events(machine, packet):
                found.append(event)
                if isinstance(event, Login):
                    machine.accept(now=0)
                    machine.send(message("a"))
                    machine.send(message("b"))
                    found += events(machine)
        return found, machine.take()

    packets = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert spoken(packets) == spoken([whole])


@given(st.lists(st.binary(max_size=40), max_size=5), st.booleans())
def test_whatever_comes_it_does_not_raise_and_keeps_no_more_than_a_frame(google, noise, begun):
    machine = Connection()
    if begun:
        request = google.LoginRequest(id="", domain="", user="1", resource="1", auth_token="1")
        events(machine, b"\x29" + framed(request))
        machine.accept(now=0)
    for each in noise:
        found = events(machine, each)
        assert all(isinstance(event, Login | Acknowledged | Closed) for event in found)
        assert len(machine._in) <= MAX_FRAME + 6
