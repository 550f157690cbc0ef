"""Checkin, registration and stanzas, held against messages of Google's protobuf library."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from mockpush.protocol.gcm import (
    Identity,
    Registration,
    checkin_answer,
    read_authorization,
    read_checkin,
    read_registration,
    stanza,
)
from mockpush.protocol.head import read_head
from mockpush.protocol.mcs_frames import AppData
from mockpush.protocol.protobuf import WireError, encode

SUBTYPE = "wp:http://localhost:1/#DCD0FFE2-0000-0000-0000-00000000000-V2"
WEB_PUSH = Registration("org.chromium.linux", "BARZ", SUBTYPE)


def test_a_new_identity_is_valid_and_nobody_else_has_it():
    made = {Identity.new() for _ in range(100)}
    assert len({number for identity in made for number in identity}) == 200
    for identity in made:
        assert identity.valid
        assert all(0 < int(each) < 2**63 for each in identity)


@pytest.mark.parametrize("part", ["", "0", "-1", "1.0", "x", "٣", "1" * 21, " 1"])
def test_what_is_no_number_is_no_identity(part):
    assert not Identity(part, "1").valid
    assert not Identity("1", part).valid


def test_the_first_checkin_shows_no_identity(google):
    first = google.CheckinRequest(id=0, security_token=0, version=3, user_serial_number=0)
    assert read_checkin(first.SerializeToString()) is None
    assert read_checkin(b"") is None


def test_a_later_checkin_shows_it(google):
    later = google.CheckinRequest(id=7, security_token=2**64 - 1, digest="1-da39a3ee")
    assert read_checkin(later.SerializeToString()) == Identity("7", str(2**64 - 1))


def test_a_checkin_that_cannot_be_read_is_refused(google):
    with pytest.raises(WireError):
        read_checkin(b"\xff")
    with pytest.raises(WireError, match="negative"):
        read_checkin(google.CheckinRequest(id=-7, security_token=1).SerializeToString())


def test_the_answer_to_a_checkin_has_what_chromium_needs(google):
    answer = google.CheckinResponse.FromString(checkin_answer(Identity("7", "8"), now=1.5))
    assert answer == google.CheckinResponse(
        stats_ok=True, time_msec=1500, android_id=7, security_token=8
    )


@pytest.mark.parametrize(
    ("field", "identity"),
    [
        ("AidLogin 7:8", Identity("7", "8")),
        ("AidLogin 7:", None),
        ("AidLogin 7", None),
        ("AidLogin 0:8", None),
        ("AidLogin 7:8:9", None),
        ("Bearer 7:8", None),
        ("", None),
    ],
)
def test_the_identity_of_a_registration_is_in_its_authorization(field, identity):
    assert read_authorization(field) == identity


def test_a_web_push_subscription_is_told_from_what_the_browser_registers_for_itself():
    own = {"app": "com.google.android.gms", "device": "1", "sender": "745476177629"}
    registration, forget = read_registration(urlencode(own).encode())
    assert registration == Registration("com.google.android.gms", "745476177629")
    assert (registration.is_web_push, forget) == (False, False)
    form = {"app": "org.chromium.linux", "X-subtype": SUBTYPE, "device": "1", "sender": "BARZ"}
    registration, forget = read_registration(urlencode(form).encode())
    assert registration == WEB_PUSH
    assert (registration.is_web_push, forget) == (True, False)


def test_forgetting_is_a_registration_with_delete():
    form = {"app": "a", "X-subtype": SUBTYPE, "sender": "*", "delete": "true", "scope": "*"}
    assert read_registration(urlencode(form).encode()) == (Registration("a", "*", SUBTYPE), True)


@pytest.mark.parametrize(
    "body", [b"", b"app=a", b"sender=s", b"app=&sender=s", b"\xff", b"app=%ff&sender=s"]
)
def test_a_registration_that_cannot_be_read_is_refused(body):
    with pytest.raises(ValueError, match=r"UTF-8|are needed"):
        read_registration(body)


def message(body: bytes, *lines: tuple[bytes, bytes]) -> SimpleNamespace:
    head = read_head(tuple(lines))
    return SimpleNamespace(
        id="m1", body=body, ttl=60, received_at=5.7, inspection=SimpleNamespace(head=head)
    )


def test_a_message_has_what_the_browser_needs_to_find_its_key(google):
    sent = stanza(message(b"\x00\xff", (b"content-encoding", b"aes128gcm")), WEB_PUSH)
    expected = google.DataMessage(
        from_="BARZ",
        category="org.chromium.linux",
        persistent_id="m1",
        ttl=60,
        sent=5,
        raw_data=b"\x00\xff",
        immediate_ack=True,
    )
    expected.app_data.add(key="subtype", value=SUBTYPE)
    expected.app_data.add(key="content-encoding", value="aes128gcm")
    assert google.DataMessage.FromString(encode(sent)) == expected


def test_without_a_body_there_is_neither_data_nor_coding():
    sent = stanza(message(b"", (b"content-encoding", b"aes128gcm")), WEB_PUSH)
    assert sent.raw_data is None
    assert sent.app_data == (AppData("subtype", SUBTYPE),)


def test_the_draft_coding_brings_its_parameters_and_not_the_key_of_the_sender():
    point = b"BARZ"
    sent = stanza(
        message(
            b"body",
            (b"encryption", b"salt=c2FsdA;rs=4096"),
            (b"crypto-key", b"dh=" + point + b";p256ecdsa=BBBB"),
            (b"content-encoding", b"aesgcm"),
            (b"content-type", b"text/plain"),
        ),
        WEB_PUSH,
    )
    assert sent.app_data[1:] == (
        AppData("content-encoding", "aesgcm"),
        AppData("encryption", "salt=c2FsdA;rs=4096"),
        AppData("crypto-key", "dh=BARZ"),
    )
