"""Payloads: read as the user agent would read them, or with the reason why they cannot be."""

from __future__ import annotations

from dataclasses import replace

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mockpush.protocol.findings import Finding
from mockpush.protocol.head import Head
from mockpush.protocol.headers import NO_PARAMETERS, parse_draft_parameters
from mockpush.protocol.inspection import (
    Decryption,
    Inspection,
    Payload,
    add_reasons,
    draft_values,
    read_payload,
)
from mockpush.protocol.keys import generate_key_pair, load_private_key, public_point
from mockpush.protocol.model import SubscriptionKeys, base64url_decode, base64url_encode

# RFC 8291, Section 5
KEYS = SubscriptionKeys(
    base64url_decode(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    ),
    base64url_decode("BTBZMqHH6r4Tts7J_aSIgg"),
    base64url_decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
)
BODY = base64url_decode(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
    "lcy4a-fN"
)
PLAINTEXT = b"When I grow up, I want to be a watermelon"
SALT = bytes(range(16))


def inspection(coding: str | None, *codes: str, encryption="", crypto_key="") -> Inspection:
    parameters = NO_PARAMETERS
    if encryption or crypto_key:
        parameters = parse_draft_parameters([crypto_key.encode()], [encryption.encode()], [])
    return Inspection(
        tuple(Finding(code) for code in codes),
        Head(content_encoding=coding, parameters=parameters),
        vapid=None,
        body_size=0,
        exp_in=None,
        restricted=False,
        managed=True,
    )


def aesgcm(data: bytes, *, rs: int | None = None) -> tuple[Inspection, bytes]:
    """A draft message, encrypted by http_ece."""
    scalar, point = generate_key_pair()
    body = http_ece.encrypt(
        data,
        private_key=load_private_key(scalar),
        dh=KEYS.p256dh,
        salt=SALT,
        auth_secret=KEYS.auth,
        version="aesgcm",
        rs=rs or 4096,
    )
    encryption = f"salt={base64url_encode(SALT)}" + (f";rs={rs}" if rs else "")
    key = f"dh={base64url_encode(point)}"
    return inspection("aesgcm", encryption=encryption, crypto_key=key), body


def read(found: Inspection, body: bytes = BODY, keys: SubscriptionKeys | None = KEYS) -> Payload:
    return read_payload(found, body, keys)


def test_the_example_of_the_rfc_is_read():
    assert read(inspection("aes128gcm")) == Payload(Decryption.OK, PLAINTEXT)


def test_what_others_encrypt_is_read_in_both_codings():
    assert read(*aesgcm(b"hello")) == Payload(Decryption.OK, b"hello")
    assert read(*aesgcm(b"x" * 100, rs=50)) == Payload(Decryption.OK, b"x" * 100)
    body = http_ece.encrypt(
        b"hello",
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=KEYS.p256dh,
        auth_secret=KEYS.auth,
        version="aes128gcm",
    )
    assert read(inspection("aes128gcm"), body).data == b"hello"


@pytest.mark.parametrize("coding", [None, "aes128gcm", "aesgcm"])
def test_without_a_body_there_is_no_payload(coding):
    assert read(inspection(coding), b"") == Payload(Decryption.NONE)


@pytest.mark.parametrize("keys", [None, replace(KEYS, private_key=None)])
@pytest.mark.parametrize("coding", [None, "aes128gcm", "aesgcm"])
def test_without_the_private_key_a_body_is_opaque(coding, keys):
    assert read(inspection(coding), keys=keys) == Payload(Decryption.OPAQUE)


@pytest.mark.parametrize(
    ("found", "body", "keys", "codes"),
    [
        (inspection("aes128gcm"), BODY[:-1], KEYS, ["encryption.tag.invalid"]),
        (inspection("aes128gcm"), b"hello", KEYS, ["encryption.header.truncated"]),
        (inspection("aes128gcm"), BODY, replace(KEYS, auth=SALT), ["encryption.tag.invalid"]),
        (inspection("aesgcm"), BODY, KEYS, ["aesgcm.salt.missing"]),
        (inspection(None), BODY, KEYS, []),
    ],
)
def test_what_cannot_be_read_says_why(found, body, keys, codes):
    payload = read(found, body, keys)
    assert (payload.decryption, payload.data) == (Decryption.FAILED, None)
    assert [finding.code for finding in payload.findings] == codes
    assert all(finding.expected and finding.actual for finding in payload.findings)


@pytest.mark.parametrize(
    ("known", "found", "codes", "reasons"),
    [
        (["ttl.zero"], ["encryption.tag.invalid"], 2, ("encryption.tag.invalid",)),
        (["encryption.tag.invalid"], ["encryption.tag.invalid"], 1, ("encryption.tag.invalid",)),
        (["ttl.zero", "content_encoding.unknown"], [], 2, ("content_encoding.unknown",)),
    ],
)
def test_the_reasons_join_what_was_found_before(known, found, codes, reasons):
    inspected = inspection(None, *known)
    payload = Payload(Decryption.FAILED, None, tuple(Finding(code) for code in found))
    assert add_reasons(inspected, payload) == reasons
    assert len(inspected.codes) == codes
    assert inspected.codes[0] == known[0]


@pytest.mark.parametrize(
    ("encryption", "crypto_key", "values"),
    [
        ("salt=AQI=", "dh=AwQ, p256ecdsa=BQY", (b"\1\2", b"\3\4", 4096)),
        ("salt=AQI;rs=512", "dh=AwQ=", (b"\1\2", b"\3\4", 512)),
        ("salt=-_8;rs=x", "dh=+/8=", (b"\xfb\xff", b"\xfb\xff", 4096)),
        ("salt=!;rs=", "dh=A", (None, None, 4096)),
        ("rs=999999999", "", (None, None, 999_999_999)),
        ("rs=9999999999", "", (None, None, 4096)),
        ("", "", (None, None, 4096)),
    ],
)
def test_the_values_of_the_draft_are_decoded(encryption, crypto_key, values):
    found = inspection("aesgcm", encryption=encryption, crypto_key=crypto_key)
    assert draft_values(found.parameters) == values


def test_the_keys_of_the_example_belong_together():
    assert public_point(load_private_key(KEYS.private_key).public_key()) == KEYS.p256dh
