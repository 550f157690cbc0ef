"""Each mistake in the derivation of keys is named, on a body whose sender makes just that one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mockpush.protocol.content_coding import KeyMaterial
from mockpush.protocol.mistakes import mistaken_keys

TEXT = b"When I grow up, I want to be a watermelon"
BINARY = bytes(range(128, 200))


@pytest.mark.parametrize("data", [TEXT, BINARY], ids=["text", "binary"])
def test_the_senders_of_these_tests_make_no_mistake_unless_told(agree, data):
    a = agree()
    assert a.final(a.final_keys(), data + b"\x02").read().data == data
    assert a.draft(a.draft_keys(), b"\x00\x00" + data).read().data == data


def text_of(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def in_form(data: bytes, form: str) -> bytes:
    if form == "compressed":
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
        return point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
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
def test_a_wrong_ingredient_is_named_in_both_codings(agree, code, mistake, data):
    a = agree()
    for sent in (
        a.final(mistake(a).final_keys(), data + b"\x02"),
        a.draft(mistake(a).draft_keys(), b"\x00\x00" + data),
    ):
        cause = sent.cause()
        assert (cause.code, cause.plaintext) == (code, data)
        assert f"decrypts to {len(data)} octets" in cause.actual


def test_leading_zeros_dropped_from_the_ecdh_secret_are_named(agree):
    a = agree(wanted=lambda secret: secret[0] == 0)
    short = replace(a, secret=a.secret.lstrip(b"\x00"))
    for sent in (a.final(short.final_keys()), a.draft(short.draft_keys())):
        assert sent.cause().code == "encryption.ecdh_secret.leading_zeros_dropped"
        assert sent.cause().plaintext == TEXT


def test_a_sign_octet_before_the_ecdh_secret_is_named(agree):
    a = agree(wanted=lambda secret: secret[0] >= 128)
    signed = replace(a, secret=b"\x00" + a.secret)
    for sent in (a.final(signed.final_keys()), a.draft(signed.draft_keys())):
        assert sent.cause().code == "encryption.ecdh_secret.sign_octet"


CEK, NONCE = (b"Content-Encoding: aes128gcm", b"Content-Encoding: nonce")


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def without_counters(a):
    prk_key = mac(a.auth, a.secret)
    prk = mac(a.salt, mac(prk_key, b"WebPush: info\x00" + a.ua + a.server))
    return mac(prk, CEK + b"\x00")[:16], mac(prk, NONCE + b"\x00")[:12]


FINAL_DERIVATIONS = {
    "no auth": ("encryption.auth.unused", lambda a: a.final_keys(ikm=a.secret)),
    "key_info of the keys alone": (
        "encryption.key_info.label_missing",
        lambda a: a.final_keys(key_info=a.ua + a.server),
    ),
    "no key_info": ("encryption.key_info.label_missing", lambda a: a.final_keys(key_info=b"")),
    "key_info without the zero octet": (
        "encryption.key_info.nul_missing",
        lambda a: a.final_keys(key_info=b"WebPush: info" + a.ua + a.server),
    ),
    "key_info of the draft": (
        "encryption.key_info.draft",
        lambda a: a.final_keys(key_info=b"Content-Encoding: auth\x00"),
    ),
    "no zero octets": (
        "encryption.info.nul_missing",
        lambda a: a.final_keys(cek_info=CEK, nonce_info=NONCE),
    ),
    "cek_info without it": ("encryption.info.nul_missing", lambda a: a.final_keys(cek_info=CEK)),
    "nonce_info without it": (
        "encryption.info.nul_missing",
        lambda a: a.final_keys(nonce_info=NONCE),
    ),
    "cek_info of the draft": (
        "encryption.info.draft",
        lambda a: a.final_keys(cek_info=b"Content-Encoding: aesgcm\x00"),
    ),
    "infos of the draft with context": (
        "encryption.info.draft",
        lambda a: a.final_keys(
            cek_info=b"Content-Encoding: aesgcm\x00" + a.draft_context(),
            nonce_info=NONCE + b"\x00" + a.draft_context(),
        ),
    ),
    "no counter octets": ("encryption.hkdf.counter_missing", without_counters),
    "keys of the draft": ("encryption.key_schedule.draft", lambda a: a.draft_keys()),
}
DRAFT_DERIVATIONS = {
    "no auth": ("encryption.auth.unused", lambda a: a.draft_keys(ikm=a.secret)),
    "auth_info without the zero octet": (
        "aesgcm.auth_info.nul_missing",
        lambda a: a.draft_keys(auth_info=b"Content-Encoding: auth"),
    ),
    "context without label": (
        "aesgcm.context.label_missing",
        lambda a: a.draft_keys(context=a.draft_context()[6:]),
    ),
    "label without the zero octet": (
        "aesgcm.context.label_missing",
        lambda a: a.draft_keys(context=b"P-256" + a.draft_context()[6:]),
    ),
    "context without lengths": (
        "aesgcm.context.lengths_missing",
        lambda a: a.draft_keys(context=b"P-256\x00" + a.ua + a.server),
    ),
    "no context": ("aesgcm.context.missing", lambda a: a.draft_keys(context=b"")),
    "keys of aes128gcm": ("aesgcm.key_schedule.final", lambda a: a.final_keys()),
}


@pytest.mark.parametrize(("code", "keys"), FINAL_DERIVATIONS.values(), ids=FINAL_DERIVATIONS.keys())
def test_a_wrong_derivation_of_aes128gcm_is_named(agree, code, keys):
    a = agree()
    cause = a.final(keys(a), BINARY + b"\x02").cause()
    assert (cause.code, cause.plaintext) == (code, BINARY)


@pytest.mark.parametrize(("code", "keys"), DRAFT_DERIVATIONS.values(), ids=DRAFT_DERIVATIONS.keys())
def test_a_wrong_derivation_of_aesgcm_is_named(agree, code, keys):
    a = agree()
    cause = a.draft(keys(a), b"\x00\x00" + BINARY).cause()
    assert (cause.code, cause.plaintext) == (code, BINARY)


def test_the_content_is_shown_also_when_the_padding_is_that_of_the_other_coding(agree):
    a = agree()
    cause = a.final(a.draft_keys(), b"\x00\x00" + BINARY).cause()
    assert (cause.code, cause.plaintext) == ("encryption.key_schedule.draft", BINARY)


def test_the_number_of_attempts_is_a_few_dozen(agree):
    a = agree()
    for coding in ("aes128gcm", "aesgcm"):
        assert 20 < len(list(mistaken_keys(coding, key_material(a)))) < 50


def key_material(a) -> KeyMaterial:
    return KeyMaterial(a.secret, a.auth, a.ua, a.server, a.salt)


def test_no_two_mistakes_lead_to_the_same_keys(agree):
    a = agree(wanted=lambda secret: secret[0] >= 128)
    for coding in ("aes128gcm", "aesgcm"):
        keys = [keys for _, keys in mistaken_keys(coding, key_material(a))]
        assert len(keys) == len(set(keys))
