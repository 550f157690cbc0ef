"""`aes128gcm` against the RFCs' vectors and against http_ece, an independent implementation."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given
from hypothesis import strategies as st

from mockpush.errors import DecryptionError, KeyFormatError
from mockpush.protocol import encryption
from mockpush.protocol.content_coding import (
    expand,
    extract,
    open_records,
    received_material,
    seal,
    sent_material,
)
from mockpush.protocol.keys import generate_key_pair, load_private_key, private_scalar
from mockpush.protocol.model import base64url_decode as octets

VECTORS = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text())
RFC8291 = VECTORS["rfc8291"]
BODIES = VECTORS["bodies"]["items"]
KEYS = {
    "private_key": octets(RFC8291["ua_private"]),
    "p256dh": octets(RFC8291["ua_public"]),
    "auth": octets(RFC8291["auth_secret"]),
}
PUBLIC = {"p256dh": KEYS["p256dh"], "auth": KEYS["auth"]}
BODY = octets(RFC8291["body"])
SALT = octets(RFC8291["salt"])
KEYID = octets(RFC8291["as_public"])


def envelope(*, rs: int = 4096, keyid: bytes = KEYID, ciphertext: bytes = bytes(58)) -> bytes:
    return SALT + struct.pack("!LB", rs, len(keyid)) + keyid + ciphertext


def codes(body: bytes) -> list[str]:
    problems = encryption.envelope_problems(encryption.read_envelope(body))
    return [problem.code for problem in problems]


def refusal(body: bytes) -> DecryptionError:
    with pytest.raises(DecryptionError) as caught:
        encryption.decrypt(body, **KEYS)
    return caught.value


def sealed(*records: bytes, rs: int) -> bytes:
    """A body of padded records, each of them as given."""
    material = sent_material(**PUBLIC, salt=SALT, private_key=octets(RFC8291["as_private"]))
    keys = encryption.content_keys(material)
    nonce = int.from_bytes(keys.nonce, "big")
    ciphertext = b"".join(
        seal(record, keys._replace(nonce=(nonce ^ number).to_bytes(12, "big")))
        for number, record in enumerate(records)
    )
    return envelope(rs=rs, ciphertext=ciphertext)


class TestVectors:
    def test_every_intermediate_value_of_rfc_8291_is_reached(self):
        material = received_material(**KEYS, as_public=KEYID, salt=SALT)
        assert material.secret == octets(RFC8291["ecdh_secret"])
        prk_key = extract(material.auth, material.secret)
        assert prk_key == octets(RFC8291["PRK_key"])
        key_info = encryption.KEY_INFO + material.ua_public + material.as_public
        assert key_info == octets(RFC8291["key_info"])
        ikm = expand(prk_key, key_info, 32)
        assert ikm == octets(RFC8291["IKM"])
        assert extract(SALT, ikm) == octets(RFC8291["PRK"])
        assert octets(RFC8291["cek_info"]) == encryption.CEK_INFO
        assert octets(RFC8291["nonce_info"]) == encryption.NONCE_INFO
        expected = (octets(RFC8291["CEK"]), octets(RFC8291["NONCE"]))
        assert encryption.content_keys(material) == expected

    def test_the_application_server_of_rfc_8291_comes_to_the_same_secret(self):
        material = sent_material(**PUBLIC, salt=SALT, private_key=octets(RFC8291["as_private"]))
        assert material.secret == octets(RFC8291["ecdh_secret"])
        assert material.as_public == KEYID

    def test_the_body_of_rfc_8291_is_encrypted_octet_by_octet(self):
        body = encryption.encrypt(
            RFC8291["plaintext"].encode(),
            **PUBLIC,
            salt=SALT,
            private_key=octets(RFC8291["as_private"]),
        )
        assert body == BODY

    @pytest.mark.parametrize("name", ["rfc8188_3_1", "rfc8188_3_2"])
    def test_the_examples_of_rfc_8188_are_read(self, name):
        vector = VECTORS[name]
        message = encryption.read_envelope(octets(vector["body"]))
        assert (message.rs, message.keyid) == (vector["rs"], vector["keyid"].encode())
        keys = encryption.derive_keys(octets(vector["ikm"]), message.salt)
        records = open_records(message.ciphertext, message.rs, keys)
        plaintext = encryption.join_records(records)
        assert plaintext.data == vector["plaintext"].encode()
        assert (plaintext.records, plaintext.padding) == (vector["records"], vector["padding"])

    def test_the_keys_of_rfc_8188_are_derived(self):
        vector = VECTORS["rfc8188_3_1"]
        ikm, salt = octets(vector["ikm"]), octets(vector["salt"])
        assert extract(salt, ikm) == octets(vector["PRK"])
        expected = (octets(vector["CEK"]), octets(vector["NONCE"]))
        assert encryption.derive_keys(ikm, salt) == expected

    @pytest.mark.parametrize("vector", BODIES, ids=[vector["name"] for vector in BODIES])
    def test_a_body_is_read_or_refused_for_its_reason(self, vector):
        body = octets(vector["body"])
        if vector["code"] is None:
            assert encryption.decrypt(body, **KEYS).data == vector["plaintext"].encode()
        else:
            assert refusal(body).code == vector["code"]


class TestEnvelope:
    def test_it_shows_salt_rs_keyid_and_ciphertext(self):
        message = encryption.read_envelope(BODY)
        assert (message.salt, message.rs, message.keyid) == (SALT, 4096, KEYID)
        assert len(message.ciphertext) == len(BODY) - 86
        assert message.records == 1

    @given(st.binary(max_size=200))
    def test_only_a_body_shorter_than_its_header_cannot_be_taken_apart(self, body):
        length = 21 + body[20] if len(body) > 20 else 21
        if len(body) >= length:
            message = encryption.read_envelope(body)
            encryption.envelope_problems(message)
            header = message.salt + struct.pack("!LB", message.rs, len(message.keyid))
            assert header + message.keyid + message.ciphertext == body
        else:
            with pytest.raises(DecryptionError) as caught:
                encryption.read_envelope(body)
            assert caught.value.code == "encryption.header.truncated"
            assert str(length) in caught.value.expected
            assert str(len(body)) in caught.value.actual

    @pytest.mark.parametrize(
        ("length", "rs", "records"),
        [(0, 4096, 0), (25, 25, 1), (26, 25, 2), (51, 25, 3), (3, 0, 3)],
    )
    def test_rs_cuts_the_ciphertext_into_records(self, length, rs, records):
        message = encryption.read_envelope(envelope(rs=rs, ciphertext=bytes(length)))
        assert message.records == records

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (BODY, []),
            (envelope(rs=17), ["encryption.rs.too_small"]),
            (envelope(rs=0), ["encryption.rs.too_small"]),
            (envelope(rs=18, ciphertext=bytes(17)), []),
            (envelope(rs=18, ciphertext=bytes(18)), ["encryption.rs.not_greater"]),
            (
                envelope(rs=18, ciphertext=bytes(19)),
                ["encryption.record.too_short", "encryption.records.several"],
            ),
            (envelope(keyid=b""), ["encryption.keyid.length"]),
            (envelope(keyid=KEYID[1:]), ["encryption.keyid.length"]),
            (envelope(keyid=b"\x02" + KEYID[1:]), ["encryption.keyid.not_uncompressed"]),
            (envelope(keyid=KEYID[:-1] + b"\x0e"), ["encryption.keyid.not_on_curve"]),
            (envelope(ciphertext=b""), ["encryption.record.missing"]),
            (envelope(ciphertext=bytes(16)), ["encryption.record.too_short"]),
            (envelope(ciphertext=bytes(17)), []),
            (envelope(ciphertext=bytes(4095)), []),
            (envelope(ciphertext=bytes(4096)), ["encryption.rs.not_greater"]),
            (
                envelope(ciphertext=bytes(4097)),
                ["encryption.record.too_short", "encryption.records.several"],
            ),
            (envelope(ciphertext=bytes(4096 + 17)), ["encryption.records.several"]),
            (envelope(ciphertext=bytes(2 * 4096)), ["encryption.records.several"]),
            (
                envelope(rs=3, keyid=b"a1", ciphertext=b""),
                [
                    "encryption.rs.too_small",
                    "encryption.keyid.length",
                    "encryption.record.missing",
                ],
            ),
        ],
    )
    def test_its_problems_show_without_keys_and_in_order(self, body, expected):
        assert codes(body) == expected

    @pytest.mark.parametrize(
        ("body", "expected", "actual"),
        [
            (envelope(rs=17), "rs of 18 or more", "rs=17"),
            (envelope(keyid=b"a1"), "65 octets", "2 octets"),
            (envelope(keyid=b"\x02" + KEYID[1:]), "first octet 0x04", "first octet 0x02"),
            (
                envelope(ciphertext=b""),
                "a record of at least 17 octets after the header",
                "nothing after the header",
            ),
            (
                envelope(ciphertext=bytes(5)),
                "at least 17 octets in every record",
                "5 octets in the last record",
            ),
            (
                envelope(rs=100, ciphertext=bytes(250)),
                "one record",
                "3 records: rs=100 and 250 octets of ciphertext",
            ),
            (
                envelope(rs=58),
                "rs greater than 58",
                "rs=58, the length of the record itself",
            ),
        ],
    )
    def test_a_problem_prints_its_numbers(self, body, expected, actual):
        (problem,) = encryption.envelope_problems(encryption.read_envelope(body))
        assert (problem.expected, problem.actual) == (expected, actual)

    def test_a_header_without_keyid_is_complete(self):
        assert encryption.read_envelope(envelope(keyid=b"", ciphertext=b"")).keyid == b""


class TestDecrypt:
    def test_padding_is_removed_and_counted(self):
        body = encryption.encrypt(b"hello", **PUBLIC, padding=20)
        plaintext = encryption.decrypt(body, **KEYS)
        assert (plaintext.data, plaintext.padding, plaintext.records) == (b"hello", 20, 1)

    def test_zero_octets_of_the_content_are_kept(self):
        body = encryption.encrypt(b"\x00\x02\x00", **PUBLIC)
        assert encryption.decrypt(body, **KEYS).data == b"\x00\x02\x00"

    def test_several_records_are_read_although_they_are_a_problem(self):
        body = sealed(b"hello \x01\x00", b"\x01" + bytes(7), b"you\x02", rs=24)
        plaintext = encryption.decrypt(body, **KEYS)
        assert (plaintext.data, plaintext.padding, plaintext.records) == (b"hello you", 8, 3)
        assert codes(body) == ["encryption.records.several"]

    @pytest.mark.parametrize(
        ("records", "code", "record"),
        [
            ((b"hello \x02\x00", b"you\x02"), "encryption.delimiter.wrong", "record 1 of 2"),
            ((b"hello \x01\x00", b"you\x01"), "encryption.delimiter.wrong", "record 2 of 2"),
            ((bytes(8), b"you\x02"), "encryption.delimiter.missing", "record 1 of 2"),
            ((b"hello \x01\x00", b"\x00"), "encryption.delimiter.missing", "record 2 of 2"),
        ],
    )
    def test_each_record_needs_its_own_delimiter(self, records, code, record):
        error = refusal(sealed(*records, rs=24))
        assert error.code == code
        assert record in error.actual

    def test_records_cannot_change_places(self):
        body = sealed(b"first \x01\x00", b"second\x02\x00", rs=24)
        swapped = body[:86] + body[110:] + body[86:110]
        assert refusal(swapped).code == "encryption.tag.invalid"

    def test_the_record_that_does_not_authenticate_is_named(self):
        body = sealed(b"first \x01\x00", b"second\x02", rs=24)
        assert refusal(body[:-1] + bytes((body[-1] ^ 1,))).actual.startswith("record 2 of 2")

    def test_a_record_longer_than_rs_is_split_and_fails(self):
        body = encryption.encrypt(bytes(100), **PUBLIC, rs=200)
        short = body[:16] + struct.pack("!L", 60) + body[20:]
        assert encryption.decrypt(body, **KEYS).data == bytes(100)
        assert refusal(short).code == "encryption.tag.invalid"

    def test_the_delimiter_that_came_is_printed(self):
        error = refusal(sealed(b"hello\x03", rs=24))
        assert error.expected == "0x02 after the content"
        assert error.actual.endswith("the last octet that is not zero is 0x03")

    def test_the_error_carries_what_was_expected_and_what_came(self):
        error = refusal(envelope(rs=17))
        assert (error.expected, error.actual) == ("rs of 18 or more", "rs=17")

    @pytest.mark.parametrize("wrong", ["private_key", "p256dh", "auth"])
    def test_every_key_counts(self, wrong):
        private_key, p256dh = generate_key_pair()
        other = {"private_key": private_key, "p256dh": p256dh, "auth": bytes(16)}[wrong]
        with pytest.raises(DecryptionError, match=r"encryption\.tag\.invalid"):
            encryption.decrypt(BODY, **{**KEYS, wrong: other})


class TestEncrypt:
    def test_key_pair_and_salt_are_new_each_time(self):
        first, second = (
            encryption.read_envelope(encryption.encrypt(b"hello", **PUBLIC)) for _ in range(2)
        )
        assert first.salt != second.salt
        assert first.keyid != second.keyid

    @pytest.mark.parametrize(("length", "size"), [(0, 103), (1, 104), (41, 144), (3993, 4096)])
    def test_encryption_adds_103_octets(self, length, size):
        assert len(encryption.encrypt(bytes(length), **PUBLIC)) == size
        assert size - length == encryption.OVERHEAD

    def test_rs_must_be_greater_than_the_record(self):
        body = encryption.encrypt(b"hello", **PUBLIC, padding=3, rs=26)
        assert codes(body) == []
        with pytest.raises(ValueError, match="greater than the record of 25 octets, not 25"):
            encryption.encrypt(b"hello", **PUBLIC, padding=3, rs=25)

    def test_the_largest_payload_of_the_default_record_size_is_4078_octets(self):
        assert codes(encryption.encrypt(bytes(4078), **PUBLIC)) == []
        with pytest.raises(ValueError, match="rs must be greater"):
            encryption.encrypt(bytes(4079), **PUBLIC)

    @pytest.mark.parametrize(
        ("p256dh", "auth", "text"),
        [
            (KEYS["auth"], KEYS["p256dh"], "p256dh must be 65 octets, not 16 octets"),
            (KEYS["p256dh"], bytes(15), "auth must be 16 octets, not 15"),
            (KEYS["p256dh"][:-1] + b"\x00", KEYS["auth"], "p256dh must be a point on P-256"),
        ],
    )
    def test_keys_of_a_subscription_are_checked(self, p256dh, auth, text):
        with pytest.raises(KeyFormatError, match=text):
            encryption.encrypt(b"hello", p256dh=p256dh, auth=auth)


class TestPeer:
    """http_ece encrypts and decrypts the same."""

    @given(
        data=st.binary(min_size=1, max_size=300),
        rs=st.integers(min_value=18, max_value=320),
    )
    def test_what_it_encrypts_is_read_whatever_the_record_size(self, data, rs):
        body = http_ece.encrypt(
            data,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=load_public(KEYS["p256dh"]),
            auth_secret=KEYS["auth"],
            rs=rs,
        )
        plaintext = encryption.decrypt(body, **KEYS)
        message = encryption.read_envelope(body)
        assert (plaintext.data, plaintext.padding) == (data, 0)
        assert plaintext.records == message.records == -(-len(data) // (rs - 17))
        assert ("encryption.records.several" in codes(body)) == (plaintext.records > 1)

    @given(
        data=st.binary(max_size=300),
        padding=st.integers(min_value=0, max_value=100),
        room=st.integers(min_value=18, max_value=5000),
    )
    def test_it_reads_what_we_encrypt(self, data, padding, room):
        rs = len(data) + padding + room
        body = encryption.encrypt(data, **PUBLIC, rs=rs, padding=padding)
        assert codes(body) == []
        assert encryption.decrypt(body, **KEYS).padding == padding
        private_key = load_private_key(KEYS["private_key"])
        assert http_ece.decrypt(body, private_key=private_key, auth_secret=KEYS["auth"]) == data

    @given(st.binary(max_size=50), st.integers(min_value=0, max_value=160))
    def test_a_changed_octet_is_never_accepted(self, data, position):
        body = bytearray(encryption.encrypt(data, **PUBLIC, padding=20))
        position %= len(body)
        assume(not 16 <= position < 20)  # rs is not authenticated as long as it leaves one record
        body[position] ^= 1
        refusal(bytes(body))


def load_public(point: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


OFF_CURVE = KEYID[:-1] + bytes([KEYID[-1] ^ 1])


@pytest.mark.parametrize("ciphertext", [bytes(58), bytes(4096), bytes(5000)])
@pytest.mark.parametrize("keyid", [OFF_CURVE, b"\x04" + bytes(64), b"\x04" + b"\xff" * 64])
def test_a_keyid_that_is_not_on_the_curve_is_refused_whoever_reads(keyid, ciphertext):
    body = envelope(keyid=keyid, ciphertext=ciphertext)
    for private_key in (KEYS["private_key"], bytes(32), b"\xff" * 32):
        with pytest.raises(DecryptionError) as caught:
            encryption.decrypt(body, private_key=private_key, **PUBLIC)
        assert caught.value.code == "encryption.keyid.not_on_curve"
    assert "encryption.keyid.not_on_curve" in codes(body)


@pytest.mark.parametrize("private_key", [bytes(32), b"\xff" * 32])
def test_a_private_key_out_of_range_is_a_mistake_of_the_reader(private_key):
    with pytest.raises(ValueError, match=r"(?i)private|EC key") as caught:
        encryption.decrypt(BODY, private_key=private_key, **PUBLIC)
    assert not isinstance(caught.value, DecryptionError)


def test_a_private_key_is_loaded_once():
    key = load_private_key(KEYS["private_key"])
    assert load_private_key(KEYS["private_key"]) is key
    assert private_scalar(key) == KEYS["private_key"]
