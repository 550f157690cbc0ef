"""Every diagnosis, on a body of a sender that makes just that mistake.

The senders derive their keys with the HKDF of the cryptography package, step by step and each step
replaceable; nothing here comes from the code under test but the reader whose failure is explained.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from mockpush.errors import DecryptionError
from mockpush.protocol import aesgcm, diagnosis, encryption
from mockpush.protocol.content_coding import KeyMaterial
from mockpush.protocol.diagnosis import Cause, diagnose
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.mistakes import mistaken_keys
from mockpush.protocol.model import SubscriptionKeys
from mockpush.protocol.model import base64url_decode as octets

VECTORS = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text())
TEXT = b"When I grow up, I want to be a watermelon"
BINARY = bytes(range(128, 200))


def subscription() -> SubscriptionKeys:
    private_key, p256dh = generate_key_pair()
    return SubscriptionKeys(p256dh, os.urandom(16), private_key)


OURS, THEIRS = subscription(), subscription()


def hkdf(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


def expand(key: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def mac(key: bytes, data: bytes) -> bytes:
    digest = hmac.HMAC(key, hashes.SHA256())
    digest.update(data)
    return digest.finalize()


def point(key: ec.EllipticCurvePublicKey, form=PublicFormat.UncompressedPoint) -> bytes:
    return key.public_bytes(Encoding.X962, form)


def load(data: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)


@dataclass(frozen=True)
class Agreement:
    """What an application server knows when it begins to derive keys."""

    secret: bytes
    auth: bytes
    ua: bytes
    server: bytes
    salt: bytes


def agree(keys: SubscriptionKeys, wanted=lambda secret: True) -> Agreement:
    """With a new key pair whose ECDH secret is as wanted."""
    while True:
        private = ec.generate_private_key(ec.SECP256R1())
        secret = private.exchange(ec.ECDH(), load(keys.p256dh))
        if wanted(secret):
            server = point(private.public_key())
            return Agreement(secret, keys.auth, keys.p256dh, server, os.urandom(16))


# --- the two key schedules, each step an argument ---


def final_keys(
    a: Agreement,
    *,
    ikm=None,
    key_info=None,
    cek_info=b"Content-Encoding: aes128gcm\0",
    nonce_info=b"Content-Encoding: nonce\0",
):
    if key_info is None:
        key_info = b"WebPush: info\0" + a.ua + a.server
    if ikm is None:
        ikm = hkdf(a.auth, a.secret, key_info, 32)
    return hkdf(a.salt, ikm, cek_info, 16), hkdf(a.salt, ikm, nonce_info, 12)


def draft_context(a: Agreement) -> bytes:
    lengths = [len(key).to_bytes(2, "big") + key for key in (a.ua, a.server)]
    return b"P-256\0" + b"".join(lengths)


def draft_keys(a: Agreement, *, ikm=None, auth_info=b"Content-Encoding: auth\0", context=None):
    if context is None:
        context = draft_context(a)
    if ikm is None:
        ikm = hkdf(a.auth, a.secret, auth_info, 32)
    cek = hkdf(a.salt, ikm, b"Content-Encoding: aesgcm\0" + context, 16)
    return cek, hkdf(a.salt, ikm, b"Content-Encoding: nonce\0" + context, 12)


@dataclass(frozen=True)
class Sent:
    """A message as it arrives, to be read with the keys of one subscription."""

    body: bytes
    coding: str
    salt: bytes | None = None
    dh: bytes | None = None
    rs: int = 4096

    def read(self, keys: SubscriptionKeys):
        secrets = {"private_key": keys.private_key, "p256dh": keys.p256dh, "auth": keys.auth}
        if self.coding == "aes128gcm":
            return encryption.decrypt(self.body, **secrets)
        return aesgcm.decrypt(self.body, salt=self.salt, dh=self.dh, rs=self.rs, **secrets)

    def cause(self, keys: SubscriptionKeys = OURS, others=()) -> Cause:
        with pytest.raises(DecryptionError) as caught:
            self.read(keys)
        return diagnose(
            caught.value,
            self.body,
            coding=self.coding,
            keys=keys,
            salt=self.salt,
            dh=self.dh,
            rs=self.rs,
            others=others,
        )


def seal(keys, record: bytes, aad: bytes | None = None) -> bytes:
    return AESGCM(keys[0]).encrypt(keys[1], record, aad)


def header(a: Agreement, rs: int = 4096) -> bytes:
    return a.salt + struct.pack("!LB", rs, 65) + a.server


def final(a: Agreement, keys, record: bytes = TEXT + b"\2", rs: int = 4096) -> Sent:
    return Sent(header(a, rs) + seal(keys, record), "aes128gcm")


def draft(a: Agreement, keys, record: bytes = b"\0\0" + TEXT, rs: int = 4096) -> Sent:
    return Sent(seal(keys, record), "aesgcm", a.salt, a.server, rs)


@pytest.mark.parametrize("data", [TEXT, BINARY], ids=["text", "binary"])
def test_the_senders_of_these_tests_make_no_mistake_unless_told(data):
    a = agree(OURS)
    assert final(a, final_keys(a), data + b"\2").read(OURS).data == data
    assert draft(a, draft_keys(a), b"\0\0" + data).read(OURS).data == data


# --- wrong ingredients ---


def text_of(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def in_form(data: bytes, form: str) -> bytes:
    if form == "compressed":
        return point(load(data), PublicFormat.CompressedPoint)
    return data[1:] if form == "without 0x04" else text_of(data)


INGREDIENTS = {
    "empty auth": ("encryption.auth.empty", lambda a: replace(a, auth=b"")),
    "auth of zeros": ("encryption.auth.empty", lambda a: replace(a, auth=bytes(16))),
    "text of auth": ("encryption.auth.text", lambda a: replace(a, auth=text_of(a.auth))),
    "padded text of auth": (
        "encryption.auth.text",
        lambda a: replace(a, auth=base64.urlsafe_b64encode(a.auth)),
    ),
    "standard base64 of auth": (
        "encryption.auth.text",
        lambda a: replace(a, auth=base64.b64encode(a.auth)),
    ),
    "hex of auth": ("encryption.auth.text", lambda a: replace(a, auth=a.auth.hex().encode())),
    "p256dh as auth": ("encryption.auth.p256dh_used", lambda a: replace(a, auth=a.ua)),
    "salt and auth swapped": (
        "encryption.auth.swapped_with_salt",
        lambda a: replace(a, auth=a.salt, salt=a.auth),
    ),
    "no salt": ("encryption.salt.unused", lambda a: replace(a, salt=b"")),
    "secret reversed": (
        "encryption.ecdh_secret.reversed",
        lambda a: replace(a, secret=a.secret[::-1]),
    ),
    "secret hashed": (
        "encryption.ecdh_secret.hashed",
        lambda a: replace(a, secret=hashlib.sha256(a.secret).digest()),
    ),
    "public keys in the wrong order": (
        "encryption.key_info.order",
        lambda a: replace(a, ua=a.server, server=a.ua),
    ),
    **{
        f"{which} {form}": (
            "encryption.key_info.point_format",
            lambda a, which=which, form=form: replace(
                a,
                ua=in_form(a.ua, form) if which != "server" else a.ua,
                server=in_form(a.server, form) if which != "ua" else a.server,
            ),
        )
        for which in ("both", "ua", "server")
        for form in ("compressed", "without 0x04", "as text")
    },
}


@pytest.mark.parametrize(("code", "mistake"), INGREDIENTS.values(), ids=INGREDIENTS.keys())
@pytest.mark.parametrize("data", [TEXT, BINARY], ids=["text", "binary"])
def test_a_wrong_ingredient_is_named_in_both_codings(code, mistake, data):
    a = agree(OURS)
    for sent in (
        final(a, final_keys(mistake(a)), data + b"\2"),
        draft(a, draft_keys(mistake(a)), b"\0\0" + data),
    ):
        cause = sent.cause()
        assert (cause.code, cause.plaintext) == (code, data)
        assert f"decrypts to {len(data)} octets" in cause.actual


def test_leading_zeros_dropped_from_the_ecdh_secret_are_named():
    a = agree(OURS, wanted=lambda secret: secret[0] == 0)
    short = replace(a, secret=a.secret.lstrip(b"\0"))
    for sent in (final(a, final_keys(short)), draft(a, draft_keys(short))):
        assert sent.cause().code == "encryption.ecdh_secret.leading_zeros_dropped"
        assert sent.cause().plaintext == TEXT


def test_a_sign_octet_before_the_ecdh_secret_is_named():
    a = agree(OURS, wanted=lambda secret: secret[0] >= 0x80)
    signed = replace(a, secret=b"\0" + a.secret)
    for sent in (final(a, final_keys(signed)), draft(a, draft_keys(signed))):
        assert sent.cause().code == "encryption.ecdh_secret.sign_octet"


# --- wrong derivations ---

CEK, NONCE = b"Content-Encoding: aes128gcm", b"Content-Encoding: nonce"


def without_counters(a: Agreement):
    prk_key = mac(a.auth, a.secret)
    prk = mac(a.salt, mac(prk_key, b"WebPush: info\0" + a.ua + a.server))
    return mac(prk, CEK + b"\0")[:16], mac(prk, NONCE + b"\0")[:12]


FINAL_DERIVATIONS = {
    "no auth": ("encryption.auth.unused", lambda a: final_keys(a, ikm=a.secret)),
    "key_info of the keys alone": (
        "encryption.key_info.label_missing",
        lambda a: final_keys(a, key_info=a.ua + a.server),
    ),
    "no key_info": ("encryption.key_info.label_missing", lambda a: final_keys(a, key_info=b"")),
    "key_info without the zero octet": (
        "encryption.key_info.nul_missing",
        lambda a: final_keys(a, key_info=b"WebPush: info" + a.ua + a.server),
    ),
    "key_info of the draft": (
        "encryption.key_info.draft",
        lambda a: final_keys(a, key_info=b"Content-Encoding: auth\0"),
    ),
    "no zero octets": (
        "encryption.info.nul_missing",
        lambda a: final_keys(a, cek_info=CEK, nonce_info=NONCE),
    ),
    "cek_info without it": ("encryption.info.nul_missing", lambda a: final_keys(a, cek_info=CEK)),
    "nonce_info without it": (
        "encryption.info.nul_missing",
        lambda a: final_keys(a, nonce_info=NONCE),
    ),
    "cek_info of the draft": (
        "encryption.info.draft",
        lambda a: final_keys(a, cek_info=b"Content-Encoding: aesgcm\0"),
    ),
    "infos of the draft with context": (
        "encryption.info.draft",
        lambda a: final_keys(
            a,
            cek_info=b"Content-Encoding: aesgcm\0" + draft_context(a),
            nonce_info=NONCE + b"\0" + draft_context(a),
        ),
    ),
    "no counter octets": ("encryption.hkdf.counter_missing", without_counters),
    "keys of the draft": ("encryption.key_schedule.draft", draft_keys),
}
DRAFT_DERIVATIONS = {
    "no auth": ("encryption.auth.unused", lambda a: draft_keys(a, ikm=a.secret)),
    "auth_info without the zero octet": (
        "aesgcm.auth_info.nul_missing",
        lambda a: draft_keys(a, auth_info=b"Content-Encoding: auth"),
    ),
    "context without label": (
        "aesgcm.context.label_missing",
        lambda a: draft_keys(a, context=draft_context(a)[6:]),
    ),
    "label without the zero octet": (
        "aesgcm.context.label_missing",
        lambda a: draft_keys(a, context=b"P-256" + draft_context(a)[6:]),
    ),
    "context without lengths": (
        "aesgcm.context.lengths_missing",
        lambda a: draft_keys(a, context=b"P-256\0" + a.ua + a.server),
    ),
    "no context": ("aesgcm.context.missing", lambda a: draft_keys(a, context=b"")),
    "keys of aes128gcm": ("aesgcm.key_schedule.final", final_keys),
}


@pytest.mark.parametrize(("code", "keys"), FINAL_DERIVATIONS.values(), ids=FINAL_DERIVATIONS.keys())
def test_a_wrong_derivation_of_aes128gcm_is_named(code, keys):
    a = agree(OURS)
    cause = final(a, keys(a), BINARY + b"\2").cause()
    assert (cause.code, cause.plaintext) == (code, BINARY)


@pytest.mark.parametrize(("code", "keys"), DRAFT_DERIVATIONS.values(), ids=DRAFT_DERIVATIONS.keys())
def test_a_wrong_derivation_of_aesgcm_is_named(code, keys):
    a = agree(OURS)
    cause = draft(a, keys(a), b"\0\0" + BINARY).cause()
    assert (cause.code, cause.plaintext) == (code, BINARY)


def test_the_content_is_shown_also_when_the_padding_is_that_of_the_other_coding():
    a = agree(OURS)
    cause = final(a, draft_keys(a), b"\0\0" + BINARY).cause()
    assert (cause.code, cause.plaintext) == ("encryption.key_schedule.draft", BINARY)


# --- wrong records ---


def test_one_record_that_is_longer_than_rs_is_named_with_the_numbers():
    a = agree(OURS)
    cause = final(a, final_keys(a), bytes(4100) + b"\2").cause()
    assert cause.code == "encryption.record.exceeds_rs"
    assert cause.expected == "rs greater than 4117"
    assert cause.actual.startswith("rs=4096 and one record of 4117 octets")
    assert cause.plaintext == bytes(4100)


@pytest.mark.parametrize("length", [4095, 4100, 4500])
def test_one_record_of_the_draft_that_is_longer_than_rs_is_named_with_the_numbers(length):
    a = agree(OURS)
    cause = draft(a, draft_keys(a), bytes(2 + length)).cause()
    assert cause.code == "aesgcm.record.exceeds_rs"
    assert cause.expected == f"rs greater than {length + 2}"
    assert cause.actual.startswith(f"rs=4096 and one record of {length + 18} octets")


def test_a_wrong_key_is_found_behind_a_record_that_is_longer_than_rs():
    a = agree(OURS)
    cause = final(a, final_keys(replace(a, auth=b"")), bytes(4100) + b"\2").cause()
    assert cause.code == "encryption.auth.empty"


def numbered(keys, number: int):
    cek, nonce = keys
    return cek, (int.from_bytes(nonce, "big") ^ number).to_bytes(12, "big")


@pytest.mark.parametrize("length", [40, 41, 25])
def test_records_whose_length_is_not_rs_are_named(length):
    a = agree(OURS)
    first = seal(final_keys(a), bytes(length - 17) + b"\1")
    second = seal(numbered(final_keys(a), 1), BINARY[: length - 20] + b"\2")
    cause = Sent(header(a, rs=24) + first + second, "aes128gcm").cause()
    assert (cause.code, cause.expected) == (
        "encryption.rs.miscounted",
        "records of 24 octets, since rs=24",
    )
    assert cause.actual.startswith(f"records of {length} octets")
    assert cause.plaintext == bytes(length - 17) + BINARY[: length - 20]


@pytest.mark.parametrize("length", [24, 41, 42])
def test_records_of_the_draft_whose_length_does_not_follow_from_rs_are_named(length):
    a = agree(OURS)
    first = seal(draft_keys(a), bytes(length - 16))
    second = seal(numbered(draft_keys(a), 1), b"\0\0" + BINARY[: length - 20])
    cause = Sent(first + second, "aesgcm", a.salt, a.server, rs=24).cause()
    assert (cause.code, cause.expected) == (
        "aesgcm.rs.miscounted",
        "records of 40 octets, since rs=24",
    )
    assert cause.actual.startswith(f"records of {length} octets")
    assert cause.plaintext == bytes(length - 18) + BINARY[: length - 20]


def test_a_tag_before_the_ciphertext_is_named():
    a = agree(OURS)
    for sent, start in ((final(a, final_keys(a)), 86), (draft(a, draft_keys(a)), 0)):
        sealed = sent.body[start:]
        turned = replace(sent, body=sent.body[:start] + sealed[-16:] + sealed[:-16])
        assert turned.cause().code == "encryption.tag.first"
        assert turned.cause().plaintext == TEXT


def test_a_first_record_with_number_one_is_named():
    a = agree(OURS)
    cause = final(a, numbered(final_keys(a), 1)).cause()
    assert (cause.code, cause.plaintext) == ("encryption.nonce.sequence", TEXT)


def test_the_header_as_additional_data_is_named():
    a = agree(OURS)
    body = header(a) + seal(final_keys(a), TEXT + b"\2", aad=header(a))
    cause = Sent(body, "aes128gcm").cause()
    assert (cause.code, cause.plaintext) == ("encryption.additional_data.present", TEXT)


def test_a_record_size_below_the_tag_hinders_no_diagnosis():
    a = agree(OURS)
    cause = draft(a, draft_keys(replace(a, auth=b"")), b"\0\0" + BINARY, rs=3).cause()
    assert (cause.code, cause.plaintext) == ("encryption.auth.empty", BINARY)


# --- wrong padding ---


@pytest.mark.parametrize(
    ("record", "code", "content"),
    [
        (TEXT, "encryption.delimiter.wrong", TEXT),
        (TEXT + b"\1", "encryption.delimiter.wrong", TEXT + b"\1"),
        (bytes(20), "encryption.delimiter.missing", bytes(18)),
        (b"\0\0" + TEXT, "encryption.padding.draft", TEXT),
        (b"\0\3\0\0\0" + TEXT, "encryption.padding.draft", TEXT),
    ],
)
def test_a_record_without_its_delimiter_is_shown(record, code, content):
    a = agree(OURS)
    cause = final(a, final_keys(a), record).cause()
    assert (cause.code, cause.plaintext) == (code, content)


@pytest.mark.parametrize(
    ("record", "code", "content"),
    [
        (b"\xff\xff" + TEXT, "aesgcm.padding.exceeds_record", b"\xff\xff" + TEXT),
        (TEXT, "aesgcm.padding.exceeds_record", TEXT),
        (b"\0\4" + TEXT, "aesgcm.padding.not_zero", b"\0\4" + TEXT),
        (TEXT + b"\2\0", "aesgcm.padding.final", TEXT),
    ],
)
def test_a_record_of_the_draft_without_its_pad_length_is_shown(record, code, content):
    a = agree(OURS)
    cause = draft(a, draft_keys(a), record).cause()
    assert (cause.code, cause.plaintext) == (code, content)


def test_a_pad_length_that_wrapped_around_is_printed_with_the_record():
    a = agree(OURS)
    pad = (2820 - 3993) % 2**16
    cause = draft(a, draft_keys(a), pad.to_bytes(2, "big") + bytes(3993)).cause()
    assert cause.code == "aesgcm.padding.exceeds_record"
    assert cause.expected == "a pad length of at most 3993"
    assert cause.actual == "pad length 64363 in a record of 3995 octets"


def test_a_record_without_even_a_pad_length_stays_as_the_reader_found_it():
    a = agree(OURS)
    assert draft(a, draft_keys(a), b"\0").cause().code == "aesgcm.record.too_short"
    assert final(a, final_keys(a), b"").cause().code == "encryption.record.too_short"


# --- other subscriptions ---


@pytest.mark.parametrize("coding", ["aes128gcm", "aesgcm"])
@pytest.mark.parametrize(
    ("mixed", "code"),
    [
        (THEIRS, "encryption.keys.other_subscription"),
        (replace(THEIRS, auth=OURS.auth), "encryption.p256dh.other_subscription"),
        (replace(OURS, auth=THEIRS.auth), "encryption.auth.other_subscription"),
    ],
    ids=["both keys", "p256dh", "auth"],
)
def test_the_keys_of_another_subscription_are_named(mixed, code, coding):
    a = agree(mixed)
    sent = final(a, final_keys(a)) if coding == "aes128gcm" else draft(a, draft_keys(a))
    others = [("first", subscription()), ("second", THEIRS), ("third", subscription())]
    cause = sent.cause(others=others)
    assert (cause.code, cause.plaintext) == (code, TEXT)
    assert "subscription second" in cause.actual
    assert "(second)" in cause.detail


def test_the_auth_of_an_opaque_subscription_is_recognised_too():
    a = agree(replace(OURS, auth=THEIRS.auth))
    cause = final(a, final_keys(a)).cause(others=[("x", replace(THEIRS, private_key=None))])
    assert cause.code == "encryption.auth.other_subscription"


def test_no_more_than_a_bounded_number_of_other_subscriptions_is_tried():
    tried = []

    def others():
        while True:
            tried.append(None)
            yield "other", OURS

    a = agree(THEIRS)
    assert final(a, final_keys(a), BINARY).cause(others=others()).code == "encryption.tag.invalid"
    assert len(tried) == diagnosis.MAX_OTHERS


# --- the wrong coding, and what is no ciphertext ---


def test_a_body_of_the_draft_under_the_name_of_aes128gcm_is_named():
    a = agree(OURS)
    cause = replace(draft(a, draft_keys(a)), coding="aes128gcm").cause()
    assert (cause.code, cause.plaintext) == ("encryption.coding.mislabelled", TEXT)
    assert cause.expected == "Content-Encoding: aesgcm"
    assert cause.actual.startswith("Content-Encoding: aes128gcm")


@pytest.mark.parametrize("with_parameters", [True, False])
def test_a_body_of_aes128gcm_under_the_name_of_the_draft_is_named(with_parameters):
    a = agree(OURS)
    sent = replace(final(a, final_keys(a)), coding="aesgcm")
    if with_parameters:
        sent = replace(sent, salt=a.salt, dh=a.server)
    assert sent.cause().code == "encryption.coding.mislabelled"
    assert sent.cause().plaintext == TEXT


@pytest.mark.parametrize(("coding", "actual"), [("", "none"), ("gzip", "gzip")])
def test_the_coding_of_a_body_without_a_known_label_is_named(coding, actual):
    a = agree(OURS)
    failure = DecryptionError("content_encoding.missing")
    for sent in (final(a, final_keys(a)), draft(a, draft_keys(a))):
        parameters = {"salt": sent.salt, "dh": sent.dh}
        cause = diagnose(failure, sent.body, coding=coding, keys=OURS, **parameters)
        assert (cause.code, cause.plaintext) == ("encryption.coding.mislabelled", TEXT)
        assert cause.expected == f"Content-Encoding: {sent.coding}"
        assert cause.actual.startswith(f"Content-Encoding: {actual}:")


FORMS = {
    "base64url": ("encryption.body.base64", text_of),
    "base64": ("encryption.body.base64", base64.b64encode),
    "base64 in lines": ("encryption.body.base64", base64.encodebytes),
    "base64 as JSON": ("encryption.body.base64", lambda body: b'"%s"' % base64.b64encode(body)),
    "hex": ("encryption.body.hex", lambda body: body.hex().encode()),
    "latin-1 in UTF-8": (
        "encryption.body.utf8_encoded",
        lambda body: body.decode("latin-1").encode(),
    ),
}


@pytest.mark.parametrize(("code", "form"), FORMS.values(), ids=FORMS.keys())
def test_a_body_in_the_form_of_text_is_named_and_read_nevertheless(code, form):
    a = agree(OURS)
    for sent in (final(a, final_keys(a)), draft(a, draft_keys(a))):
        cause = replace(sent, body=form(sent.body)).cause()
        assert (cause.code, cause.plaintext) == (code, TEXT)


@pytest.mark.parametrize("length", range(4))
def test_base64_is_read_without_its_padding_too(length):
    a = agree(OURS)
    sent = final(a, final_keys(a), BINARY[:length] + b"\2")
    cause = replace(sent, body=text_of(sent.body)).cause()
    assert (cause.code, cause.plaintext) == ("encryption.body.base64", BINARY[:length])


def test_text_that_stands_for_fewer_octets_than_any_body_has_is_a_payload():
    a = agree(OURS)
    sent = draft(a, draft_keys(a), b"\0\0")
    assert len(sent.body) == 18
    assert replace(sent, body=text_of(sent.body)).cause().code == "encryption.body.base64"
    short = replace(sent, body=text_of(sent.body[:17]))
    assert short.cause().code == "encryption.plaintext.sent"


def test_a_body_in_the_form_of_text_is_named_also_if_it_cannot_be_read():
    a = agree(THEIRS)
    sent = final(a, final_keys(a))
    cause = replace(sent, body=base64.b64encode(sent.body)).cause()
    assert (cause.code, cause.plaintext) == ("encryption.body.base64", None)


def test_a_body_that_was_decoded_as_text_is_named():
    a = agree(OURS)
    for sent in (final(a, final_keys(a)), draft(a, draft_keys(a), b"\0\0" + bytes(200))):
        damaged = sent.body.decode("utf-8", "replace").encode()
        cause = replace(sent, body=damaged).cause()
        assert (cause.code, cause.plaintext) == ("encryption.body.text_conversion", None)


@pytest.mark.parametrize(
    "body",
    [b"hello", b'{"title": "Hi", "body": "\xc3\xa4"}', b"SGVsbG8=", b"deadbeef", TEXT * 3],
)
@pytest.mark.parametrize("coding", ["aes128gcm", "aesgcm"])
def test_a_payload_that_was_not_encrypted_is_shown(body, coding):
    cause = Sent(body, coding, bytes(16), OURS.p256dh).cause()
    assert (cause.code, cause.plaintext) == ("encryption.plaintext.sent", body)


# --- bodies that lost their end ---


@pytest.mark.parametrize(
    ("cut", "code", "actual"),
    [
        (1, "encryption.body.truncated", "41 octets of text, then 15 octets of the tag"),
        (16, "encryption.tag.missing", "41 octets of text, then the delimiter, but no tag"),
        (17, "encryption.body.truncated", "41 octets of text, then nothing"),
        (30, "encryption.body.truncated", "28 octets of text, then nothing"),
    ],
)
def test_a_body_of_text_that_was_cut_is_recognised_without_its_tag(cut, code, actual):
    body = octets(VECTORS["rfc8291"]["body"])[:-cut]
    cause = Sent(body, "aes128gcm").cause(rfc_subscription())
    assert (cause.code, cause.actual) == (code, actual)
    assert cause.plaintext == TEXT[: int(actual.split()[0])]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"fifteen octets.", "encryption.tag.invalid"),
        (b"sixteen octets..", "encryption.tag.missing"),
    ],
)
def test_fewer_than_sixteen_octets_of_text_prove_nothing(text, code):
    a = agree(OURS)
    sent = final(a, final_keys(a), text + b"\2" + bytes(20))
    assert replace(sent, body=sent.body[:-16]).cause().code == code


def test_a_body_of_the_draft_that_was_cut_is_recognised():
    a = agree(OURS)
    sent = draft(a, draft_keys(a), b"\0\2\0\0" + TEXT)
    cause = replace(sent, body=sent.body[:-18]).cause()
    assert (cause.code, cause.plaintext) == ("encryption.body.truncated", TEXT[:-2])


def test_a_body_of_text_that_was_changed_is_recognised():
    a = agree(OURS)
    for sent, position in ((final(a, final_keys(a)), 86 + 30), (draft(a, draft_keys(a)), 2 + 30)):
        changed = bytearray(sent.body)
        changed[position] ^= 0x80
        cause = replace(sent, body=bytes(changed)).cause()
        assert cause.code == "encryption.body.altered"
        assert cause.plaintext == TEXT[:30]


def rfc_subscription() -> SubscriptionKeys:
    keys = VECTORS["rfc8291"]
    return SubscriptionKeys(
        octets(keys["ua_public"]), octets(keys["auth_secret"]), octets(keys["ua_private"])
    )


# --- what stays as the reader found it ---


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bad-delimiter-01", "encryption.delimiter.wrong"),
        ("bad-all-zero-record", "encryption.delimiter.missing"),
        ("bad-no-record", "encryption.record.missing"),
        ("bad-tag-flipped", "encryption.body.altered"),
        ("bad-truncated", "encryption.body.truncated"),
        ("bad-short-header", "encryption.header.truncated"),
        ("bad-rs-17", "encryption.rs.too_small"),
        ("bad-rs-too-small-for-body", "encryption.record.exceeds_rs"),
        ("bad-keyid-64", "encryption.keyid.length"),
        ("bad-keyid-empty", "encryption.keyid.length"),
        ("bad-keyid-compressed-prefix", "encryption.keyid.not_uncompressed"),
        ("bad-keyid-off-curve", "encryption.keyid.not_on_curve"),
        ("bad-salt-changed", "encryption.tag.invalid"),
    ],
)
def test_the_refused_vectors_have_their_cause(name, code):
    (vector,) = [item for item in VECTORS["bodies"]["items"] if item["name"] == name]
    cause = Sent(octets(vector["body"]), "aes128gcm").cause(rfc_subscription())
    assert cause.code == code


def test_what_nothing_explains_keeps_the_error_of_the_reader():
    sent = Sent(http_ece_body(), "aes128gcm")
    cause = sent.cause()
    assert cause == Cause(
        "encryption.tag.invalid",
        "a tag made with the keys of this subscription and message",
        "record 1 of 1 does not authenticate",
    )


def http_ece_body() -> bytes:
    """For a subscription that nobody knows."""
    return http_ece.encrypt(
        BINARY,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=load(subscription().p256dh),
        auth_secret=os.urandom(16),
    )


def test_a_parameter_of_the_wrong_length_is_cause_enough():
    a = replace(agree(OURS), salt=b"twelve bytes")
    cause = draft(a, draft_keys(a)).cause()
    assert (cause.code, cause.actual) == ("aesgcm.salt.length", "12 octets")
    assert cause.plaintext == TEXT


def test_nothing_is_tried_without_a_private_key():
    a = agree(OURS)
    sent = final(a, final_keys(replace(a, auth=b"")))
    failure = DecryptionError("encryption.tag.invalid")
    opaque = replace(OURS, private_key=None)
    cause = diagnose(failure, sent.body, coding="aes128gcm", keys=opaque, others=[("x", OURS)])
    assert cause == Cause("encryption.tag.invalid", None, None)


def test_the_number_of_attempts_is_a_few_dozen():
    a = agree(OURS)
    for coding in ("aes128gcm", "aesgcm"):
        assert 20 < len(list(mistaken_keys(coding, key_material(a)))) < 50


def key_material(a: Agreement) -> KeyMaterial:
    return KeyMaterial(a.secret, a.auth, a.ua, a.server, a.salt)


def test_no_two_mistakes_lead_to_the_same_keys():
    a = agree(OURS, wanted=lambda secret: secret[0] >= 0x80)
    for coding in ("aes128gcm", "aesgcm"):
        keys = [keys for _, keys in mistaken_keys(coding, key_material(a))]
        assert len(keys) == len(set(keys))


CIPHERTEXT = final(agreement := agree(OURS), final_keys(replace(agreement, auth=b""))).body


@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=100).map(str.encode),
        st.binary(max_size=60).map(lambda tail: CIPHERTEXT[:86] + tail),
        st.tuples(st.integers(0, 160), st.binary(max_size=4)).map(
            lambda change: CIPHERTEXT[: change[0]] + change[1] + CIPHERTEXT[change[0] :]
        ),
    ),
    coding=st.sampled_from(["aes128gcm", "aesgcm", ""]),
    salt=st.none() | st.binary(max_size=20),
    dh=st.sampled_from([None, b"", bytes(65), OURS.p256dh]),
    rs=st.integers(-5, 5000),
)
def test_any_body_has_a_cause(body, coding, salt, dh, rs):
    failure = DecryptionError("encryption.tag.invalid")
    others = [("theirs", THEIRS), ("opaque", replace(THEIRS, private_key=None))]
    cause = diagnose(
        failure, body, coding=coding, keys=OURS, salt=salt, dh=dh, rs=rs, others=others
    )
    assert cause.code.startswith(("encryption.", "aesgcm."))
