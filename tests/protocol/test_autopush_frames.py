"""The frames of Mozilla's push protocol: read as strictly as its server reads them, and written."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.autopush_frames import (
    PONG,
    Acknowledge,
    Follow,
    Hello,
    Nack,
    Ping,
    Register,
    Unregister,
    Update,
    bad_key,
    broadcast,
    changes,
    hello,
    no_room,
    notification,
    read_command,
    registered,
    unregistered,
)
from mockpush.protocol.head import read_head
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.records import PushMessage

UAID = "0123456789abcdef0123456789abcdef"
CHANNEL = "01234567-89ab-cdef-0123-456789abcdef"

COMMANDS = [
    ({"messageType": "hello", "use_webpush": True, "broadcasts": {}}, Hello(None, {})),
    ({"messageType": "hello"}, Hello(None, {})),
    (
        {
            "messageType": "hello",
            "uaid": UAID,
            "channelIDs": [CHANNEL],
            "broadcasts": {"a": "1"},
        },
        Hello(UAID, {"a": "1"}),
    ),
    ({"messageType": "hello", "uaid": CHANNEL.upper()}, Hello(UAID, {})),
    ({"messageType": "hello", "uaid": ""}, Hello(None, {})),
    ({"messageType": "hello", "uaid": "nonsense", "broadcasts": None, "x": 1}, Hello(None, {})),
    ({"messageType": "register", "channelID": CHANNEL, "key": "BA=="}, Register(CHANNEL, "BA==")),
    ({"messageType": "register", "channelID": "nonsense", "key": None}, Register("nonsense", None)),
    ({"messageType": "unregister", "channelID": CHANNEL, "code": 202}, Unregister(CHANNEL, 202)),
    ({"messageType": "unregister", "channelID": UAID}, Unregister(CHANNEL, None)),
    (
        {
            "messageType": "ack",
            "updates": [
                {"channelID": CHANNEL, "version": "a"},
                {"channelID": CHANNEL, "version": "b", "code": 102},
            ],
        },
        Acknowledge((Update("a", 100), Update("b", 102))),
    ),
    ({"messageType": "ack", "updates": []}, Acknowledge(())),
    ({"messageType": "nack", "version": "a", "code": -1}, Nack("a", -1)),
    ({"messageType": "nack", "version": "a"}, Nack("a", None)),
    ({}, Ping()),
    ({"messageType": "ping"}, Ping()),
    ({"messageType": "broadcast_subscribe", "broadcasts": {"a": "1"}}, Follow({"a": "1"})),
]

NONSENSE = [
    "",
    "nonsense",
    "null",
    "[]",
    '"hello"',
    "NaN",
    '{"messageType":"hello"',
    '{"use_webpush":true}',
    '{"messageType":1}',
    '{"messageType":"Hello"}',
    '{"messageType":"goodbye"}',
    '{"messageType":"hello","uaid":1}',
    '{"messageType":"hello","channelIDs":["nonsense"]}',
    '{"messageType":"hello","channelIDs":"nonsense"}',
    '{"messageType":"hello","broadcasts":{"a":1}}',
    '{"messageType":"hello","broadcasts":[]}',
    '{"messageType":"register"}',
    '{"messageType":"register","channelID":null}',
    '{"messageType":"register","channelID":"a","key":1}',
    '{"messageType":"unregister","channelID":"nonsense"}',
    f'{{"messageType":"unregister","channelID":"{CHANNEL}","code":-1}}',
    f'{{"messageType":"unregister","channelID":"{CHANNEL}","code":true}}',
    '{"messageType":"ack"}',
    '{"messageType":"ack","updates":{}}',
    '{"messageType":"ack","updates":[1]}',
    '{"messageType":"ack","channelID":"a","version":"b"}',
    '{"messageType":"ack","updates":[{"channelID":"nonsense","version":"a"}]}',
    f'{{"messageType":"ack","updates":[{{"channelID":"{CHANNEL}"}}]}}',
    f'{{"messageType":"ack","updates":[{{"channelID":"{CHANNEL}","version":1}}]}}',
    f'{{"messageType":"ack","updates":[{{"channelID":"{CHANNEL}","version":"a","code":65536}}]}}',
    '{"messageType":"nack","code":301}',
    '{"messageType":"nack","version":"a","code":1.5}',
    '{"messageType":"nack","version":"a","code":NaN}',
    '{"messageType":"broadcast_subscribe"}',
    '{"messageType":"broadcast_subscribe","broadcasts":null}',
]


@pytest.mark.parametrize(("members", "command"), COMMANDS)
def test_what_a_frame_says(members, command):
    assert read_command(json.dumps(members)) == command


@pytest.mark.parametrize("text", NONSENSE)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_command(text)


def test_a_deep_frame_is_refused():
    with pytest.raises((ValueError, RecursionError)):
        read_command('{"messageType":"hello","x":' + "[" * 60_000)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        command = read_command(text)
    except (ValueError, RecursionError):
        return
    assert isinstance(command, Ping)


def test_the_answers():
    assert json.loads(hello(UAID, {"a": "1"})) == {
        "messageType": "hello",
        "uaid": UAID,
        "status": 200,
        "use_webpush": True,
        "broadcasts": {"a": "1"},
    }
    answer = {"messageType": "register", "channelID": CHANNEL}
    assert json.loads(registered(CHANNEL, "https://x/1")) == {
        **answer,
        "status": 200,
        "pushEndpoint": "https://x/1",
    }
    assert json.loads(bad_key(CHANNEL)) == {
        **answer,
        "status": 400,
        "pushEndpoint": "Failed to generate endpoint",
    }
    assert json.loads(no_room(CHANNEL)) == {**answer, "status": 500, "pushEndpoint": ""}
    assert json.loads(unregistered(CHANNEL)) == {
        "messageType": "unregister",
        "channelID": CHANNEL,
        "status": 200,
    }
    assert json.loads(broadcast({"a": "2"})) == {
        "messageType": "broadcast",
        "broadcasts": {"a": "2"},
    }
    assert PONG == "{}"


def message(body=b"", **fields: str) -> PushMessage:
    lines = tuple(
        (name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()
    )
    inspection = Inspection(
        (), read_head(lines), None, len(body), None, restricted=False, managed=False
    )
    return PushMessage("id", "t", "s", 1, body, inspection, 60, 0.0, 60.0)


def test_a_message_without_a_body_has_neither_data_nor_headers():
    sent = message(content_encoding="aes128gcm", encryption="salt=a")
    assert json.loads(notification(sent, CHANNEL)) == {
        "messageType": "notification",
        "channelID": CHANNEL,
        "version": "id",
    }


@pytest.mark.parametrize("body", [b"\xff", b"\xfb\xff", b"\xff\xef\xbe", bytes(range(256))])
def test_data_is_base64url_without_padding_and_comes_with_its_encoding(body):
    sent = json.loads(notification(message(body, content_encoding="aes128gcm"), CHANNEL))
    assert sent["headers"] == {"encoding": "aes128gcm"}
    assert sent["data"] == base64.urlsafe_b64encode(body).decode().rstrip("=")


@pytest.mark.parametrize(
    ("encryption", "relayed"),
    [
        ("salt=AAAAAAAAAAAAAAAAAAAAAA==", "salt=AAAAAAAAAAAAAAAAAAAAAA"),
        ('keyid="p256dh";salt="AAAA="', "keyid=p256dh;salt=AAAA"),
        ("salt=AA==;rs=4096, salt=BB==", "salt=AA;rs=4096, salt=BB"),
    ],
)
def test_the_fields_of_the_draft_coding_lose_quotes_and_padding(encryption, relayed):
    sent = message(
        b"x",
        content_encoding="aesgcm",
        encryption=encryption,
        crypto_key='keyid="p256dh";dh="BBBB==";p256ecdsa=CCCC',
    )
    assert json.loads(notification(sent, CHANNEL))["headers"] == {
        "encoding": "aesgcm",
        "encryption": relayed,
        "crypto_key": "dh=BBBB",
    }


def test_topic_urgency_and_ttl_are_not_told():
    sent = message(b"x", content_encoding="aes128gcm", topic="t", urgency="high", ttl="60")
    assert set(json.loads(notification(sent, CHANNEL))) == {
        "messageType",
        "channelID",
        "version",
        "data",
        "headers",
    }


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({}, {}),
        ({"a": "1"}, {}),
        ({"a": "0"}, {"a": "1"}),
        ({"a": "0", "c": "1"}, {"a": "1", "errors": {"c": "Broadcast not found"}}),
    ],
)
def test_only_what_has_changed_of_broadcasts_is_told(known, told):
    assert changes({"a": "1", "b": "1"}, known) == told
