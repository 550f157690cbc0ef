"""The draft coding against the draft's vector and http_ece, an independent implementation."""

from __future__ import annotations

import json
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from mockpush.errors import DecryptionError, KeyFormatError
from mockpush.protocol import aesgcm
from mockpush.protocol.content_coding import expand, extract, received_material, seal, sent_material
from mockpush.protocol.keys import load_private_key
from mockpush.protocol.model import base64url_decode as octets

VECTOR = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text())["aesgcm"]
KEYS = {
    "private_key": octets(VECTOR["ua_private"]),
    "p256dh": octets(VECTOR["ua_public"]),
    "auth": octets(VECTOR["auth_secret"]),
}
PUBLIC = {"p256dh": KEYS["p256dh"], "auth": KEYS["auth"]}
PARAMETERS = {"salt": octets(VECTOR["salt"]), "dh": octets(VECTOR["as_public"])}
BODY = octets(VECTOR["body"])


def codes(body: bytes, **changes) -> list[str]:
    parameters = {**PARAMETERS, "rs": 4096, **changes}
    return [problem.code for problem in aesgcm.body_problems(body, **parameters)]


def refusal(body: bytes, **changes) -> DecryptionError:
    with pytest.raises(DecryptionError) as caught:
        aesgcm.decrypt(body, **{**PARAMETERS, **changes}, **KEYS)
    return caught.value


def sealed(record: bytes) -> bytes:
    """A body of one padded record as given."""
    private_key = octets(VECTOR["as_private"])
    material = sent_material(**PUBLIC, salt=PARAMETERS["salt"], private_key=private_key)
    return seal(record, aesgcm.content_keys(material))


def test_every_intermediate_value_of_the_draft_is_reached():
    material = received_material(**KEYS, as_public=PARAMETERS["dh"], salt=PARAMETERS["salt"])
    assert material.secret == octets(VECTOR["ecdh_secret"])
    ikm = expand(extract(material.auth, material.secret), aesgcm.AUTH_INFO, 32)
    assert ikm == octets(VECTOR["IKM"])
    context = aesgcm.context(material)
    assert aesgcm.CEK_INFO + context == octets(VECTOR["cek_info"])
    assert aesgcm.NONCE_INFO + context == octets(VECTOR["nonce_info"])
    expected = (octets(VECTOR["CEK"]), octets(VECTOR["NONCE"]))
    assert aesgcm.content_keys(material) == expected


def test_the_body_of_the_draft_is_read():
    plaintext = aesgcm.decrypt(BODY, **PARAMETERS, **KEYS)
    assert plaintext.data == VECTOR["plaintext"].encode()
    assert (plaintext.padding, plaintext.records) == (0, 1)


def test_the_body_of_the_draft_is_encrypted_octet_by_octet():
    encrypted = aesgcm.encrypt(
        VECTOR["plaintext"].encode(),
        **PUBLIC,
        salt=PARAMETERS["salt"],
        private_key=octets(VECTOR["as_private"]),
    )
    assert encrypted == (BODY, PARAMETERS["salt"], PARAMETERS["dh"], 4096)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"salt": None}, ["aesgcm.salt.missing"]),
        ({"salt": bytes(15)}, ["aesgcm.salt.length"]),
        ({"dh": None}, ["aesgcm.dh.missing"]),
        ({"dh": PARAMETERS["dh"][1:]}, ["aesgcm.dh.length"]),
        ({"dh": b"\x03" + PARAMETERS["dh"][1:]}, ["aesgcm.dh.not_uncompressed"]),
        ({"dh": PARAMETERS["dh"][:-1] + b"\x00"}, ["aesgcm.dh.not_on_curve"]),
        ({"rs": 2}, ["aesgcm.rs.too_small"]),
        (
            {"salt": None, "dh": None, "rs": 0},
            ["aesgcm.salt.missing", "aesgcm.dh.missing", "aesgcm.rs.too_small"],
        ),
    ],
)
def test_problems_of_the_parameters_show_without_keys(changes, expected):
    assert codes(BODY, **changes) == expected
    if expected:
        assert refusal(BODY, **changes).code == expected[0]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, ["aesgcm.record.missing"]),
        (17, ["aesgcm.record.too_short"]),
        (18, []),
        (115, []),
        (116, ["aesgcm.record.truncated"]),
        (117, ["aesgcm.record.too_short", "aesgcm.records.several"]),
        (134, ["aesgcm.records.several"]),
        (232, ["aesgcm.record.truncated", "aesgcm.records.several"]),
    ],
)
def test_the_last_record_of_a_body_is_shorter_than_rs_and_the_only_one(length, expected):
    assert codes(bytes(length), rs=100) == expected


def test_problems_print_the_numbers():
    (several,) = aesgcm.body_problems(bytes(250), **PARAMETERS, rs=100)
    assert several.actual == "3 records: rs=100 and a body of 250 octets"


def test_several_records_are_read_although_they_are_a_problem():
    body = http_ece.encrypt(
        b"I am the walrus", version="aesgcm", rs=9, salt=PARAMETERS["salt"], **peer_keys()
    )
    plaintext = aesgcm.decrypt(body, **PARAMETERS, rs=9, **KEYS)
    assert (plaintext.data, plaintext.records) == (b"I am the walrus", 3)
    assert codes(body, rs=9) == ["aesgcm.records.several"]


def test_a_body_that_was_cut_after_a_full_record_is_refused():
    body = http_ece.encrypt(
        b"I am the walrus", version="aesgcm", rs=9, salt=PARAMETERS["salt"], **peer_keys()
    )
    assert refusal(body[:50], rs=9).code == "aesgcm.record.truncated"


def test_a_record_longer_than_rs_is_split_and_fails():
    body = sealed(bytes(102))
    assert aesgcm.decrypt(body, **PARAMETERS, **KEYS).data == bytes(100)
    assert refusal(body, rs=60).code == "encryption.tag.invalid"


@pytest.mark.parametrize(
    ("record", "code", "actual"),
    [
        (b"\x00\x06hello", "aesgcm.padding.exceeds_record", "pad length 6 in a record of 7 octets"),
        (b"\xff\xffhello", "aesgcm.padding.exceeds_record", "65535"),
        (b"\x00\x01", "aesgcm.padding.exceeds_record", "pad length 1 in a record of 2 octets"),
        (b"\x00\x05hello", "aesgcm.padding.not_zero", "among the 5 of padding"),
        (b"\x00\x02\x00\x01hello", "aesgcm.padding.not_zero", "among the 2 of padding"),
    ],
)
def test_wrong_padding_is_refused_with_its_length(record, code, actual):
    error = refusal(sealed(record))
    assert error.code == code
    assert actual in error.actual


def test_a_pad_length_may_fill_the_record():
    plaintext = aesgcm.decrypt(sealed(b"\x00\x05" + bytes(5)), **PARAMETERS, **KEYS)
    assert (plaintext.data, plaintext.padding) == (b"", 5)


def test_another_auth_secret_does_not_open_it():
    with pytest.raises(DecryptionError, match=r"encryption\.tag\.invalid"):
        aesgcm.decrypt(BODY, **PARAMETERS, **{**KEYS, "auth": bytes(16)})


def test_key_pair_and_salt_are_new_each_time():
    first, second = (aesgcm.encrypt(b"hello", **PUBLIC) for _ in range(2))
    assert first.salt != second.salt
    assert first.dh != second.dh


def test_rs_must_be_greater_than_the_padded_content():
    encrypted = aesgcm.encrypt(b"hello", **PUBLIC, padding=3, rs=11)
    assert aesgcm.body_problems(encrypted.body, salt=encrypted.salt, dh=encrypted.dh, rs=11) == []
    with pytest.raises(ValueError, match="greater than the padded content of 10 octets, not 10"):
        aesgcm.encrypt(b"hello", **PUBLIC, padding=3, rs=10)


def test_keys_of_a_subscription_are_checked():
    with pytest.raises(KeyFormatError, match="p256dh must be 65 octets, not 16 octets"):
        aesgcm.encrypt(b"hello", p256dh=KEYS["auth"], auth=KEYS["p256dh"])


def peer_keys():
    """http_ece as the application server of the draft's example."""
    return {
        "private_key": load_private_key(octets(VECTOR["as_private"])),
        "dh": ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), KEYS["p256dh"]),
        "auth_secret": KEYS["auth"],
    }


@given(data=st.binary(max_size=300), rs=st.integers(min_value=3, max_value=320))
def test_what_http_ece_encrypts_is_read_whatever_the_record_size(data, rs):
    body = http_ece.encrypt(data, version="aesgcm", rs=rs, salt=PARAMETERS["salt"], **peer_keys())
    plaintext = aesgcm.decrypt(body, **PARAMETERS, rs=rs, **KEYS)
    assert (plaintext.data, plaintext.padding) == (data, 0)
    assert plaintext.records == len(data) // (rs - 2) + 1
    assert ("aesgcm.records.several" in codes(body, rs=rs)) == (plaintext.records > 1)


@given(
    data=st.binary(max_size=300),
    padding=st.integers(min_value=0, max_value=1000),
    room=st.integers(min_value=3, max_value=5000),
)
def test_http_ece_reads_what_we_encrypt(data, padding, room):
    rs = len(data) + padding + room
    encrypted = aesgcm.encrypt(data, **PUBLIC, rs=rs, padding=padding)
    parameters = {"salt": encrypted.salt, "dh": encrypted.dh, "rs": encrypted.rs}
    assert aesgcm.body_problems(encrypted.body, **parameters) == []
    assert aesgcm.decrypt(encrypted.body, **parameters, **KEYS).padding == padding
    read = http_ece.decrypt(
        encrypted.body,
        version="aesgcm",
        private_key=load_private_key(KEYS["private_key"]),
        auth_secret=KEYS["auth"],
        **parameters,
    )
    assert read == data


@given(st.binary(max_size=100), st.integers(max_value=200))
def test_problems_never_raise(body, rs):
    parameters = {"salt": body[:16], "dh": body[16:81], "rs": rs}
    aesgcm.body_problems(body, **parameters)
