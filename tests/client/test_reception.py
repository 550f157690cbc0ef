"""Reading messages; the ciphertexts are those of another implementation (http_ece)."""

from __future__ import annotations

import os

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mockpush.client.headers import Headers
from mockpush.client.reception import (
    DiscardedMessage,
    ReceivedMessage,
    ReceiverKeys,
    receive,
)
from mockpush.client.subscription_resource import Delivery
from mockpush.protocol import encryption
from mockpush.protocol.keys import generate_key_pair, public_point
from mockpush.protocol.model import base64url_encode

PRIVATE, PUBLIC = generate_key_pair()
KEYS = ReceiverKeys(PRIVATE, PUBLIC, os.urandom(16))
TEXT = "Grüße"


def encrypted(text: str, coding: str, *, rs: int = 4096, auth: bytes = KEYS.auth) -> Delivery:
    """A message as a sender that uses http_ece would send it."""
    sender, salt = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    body = http_ece.encrypt(
        text.encode(),
        salt=salt,
        private_key=sender,
        dh=KEYS.p256dh,
        auth_secret=auth,
        version=coding,
        rs=rs,
    )
    fields = [("Content-Encoding", coding)]
    if coding == "aesgcm":
        point = base64url_encode(public_point(sender.public_key()))
        fields.append(("Encryption", f"salt={base64url_encode(salt)};rs={rs}"))
        fields.append(("Crypto-Key", f"dh={point};p256ecdsa={point}"))
    return Delivery("/m/1", Headers(fields), body)


def without(delivery: Delivery, name: str) -> Delivery:
    fields = [line for line in delivery.headers.lines if line[0] != name]
    return Delivery(delivery.url, Headers(fields), delivery.body)


def with_coding(delivery: Delivery, coding: str) -> Delivery:
    fields = [("Content-Encoding", coding), *without(delivery, "Content-Encoding").headers.lines]
    return Delivery(delivery.url, Headers(fields), delivery.body)


@pytest.mark.parametrize("coding", ["aes128gcm", "aesgcm"])
def test_both_codings_are_read(coding):
    message = receive(encrypted(TEXT, coding), KEYS)
    assert message == ReceivedMessage(TEXT.encode(), coding, "/m/1")
    assert message.text() == TEXT


def test_an_empty_payload_is_not_the_absence_of_one():
    assert receive(encrypted("", "aesgcm"), KEYS).payload == b""
    empty = encryption.encrypt(b"", p256dh=KEYS.p256dh, auth=KEYS.auth)
    delivery = Delivery("/m/1", Headers([("Content-Encoding", "aes128gcm")]), empty)
    assert receive(delivery, KEYS).payload == b""
    for fields in ([], [("Content-Encoding", "aes128gcm")]):
        assert receive(Delivery("/m/1", Headers(fields), b""), KEYS).payload is None


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        (encrypted(TEXT, "aes128gcm", auth=bytes(16)), "encryption.tag.invalid"),
        (encrypted(TEXT, "aesgcm", auth=bytes(16)), "encryption.tag.invalid"),
        (without(encrypted(TEXT, "aesgcm"), "Crypto-Key"), "aesgcm.dh.missing"),
        (without(encrypted(TEXT, "aesgcm"), "Encryption"), "aesgcm.salt.missing"),
        (without(encrypted(TEXT, "aes128gcm"), "Content-Encoding"), "content_encoding.missing"),
        (with_coding(encrypted(TEXT, "aes128gcm"), "gzip"), "content_encoding.unknown"),
        (with_coding(encrypted(TEXT, "aes128gcm"), "aes128gcm, gzip"), "content_encoding.several"),
        (encrypted(TEXT, "aes128gcm", rs=20), "encryption.records.several"),
        (encrypted(TEXT, "aesgcm", rs=5), "aesgcm.records.several"),
        (Delivery("/m/1", Headers([("Content-Encoding", "aes128gcm")]), b"x"),
         "encryption.header.truncated"),
    ],
)  # fmt: skip
def test_what_browsers_discard(delivery, code):
    discarded = receive(delivery, KEYS)
    assert isinstance(discarded, DiscardedMessage)
    assert discarded.reason.code == code
    assert (discarded.message_url, discarded.body) == ("/m/1", delivery.body)
    assert discarded.content_encoding == delivery.headers.get("content-encoding")


def test_a_truncated_message_is_not_taken_for_a_whole_one():
    whole = encrypted(TEXT * 10, "aes128gcm")
    for length in (len(whole.body) - 1, len(whole.body) - 16, 90):
        cut = Delivery("/m/1", whole.headers, whole.body[:length])
        assert isinstance(receive(cut, KEYS), DiscardedMessage)


def test_text_and_json():
    message = receive(encrypted('{"a": [1, "é"]}', "aes128gcm"), KEYS)
    assert message.json() == {"a": [1, "é"]}
    assert ReceivedMessage(None, None, "/m/1").text() == ""
