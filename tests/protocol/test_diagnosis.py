"""Why a body cannot be read: mixed-up subscriptions, wrong labels, lost ends, and the unknown."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import chain, count, repeat
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from mockpush.errors import DecryptionError
from mockpush.protocol.diagnosis import MAX_OTHERS, Cause
from mockpush.protocol.keys import generate_key_pair, load_public_key
from mockpush.protocol.model import SubscriptionKeys
from mockpush.protocol.model import base64url_decode as octets

VECTORS = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text())
RFC8291 = VECTORS["rfc8291"]
BODY = octets(RFC8291["body"])
RFC_SUBSCRIPTION = SubscriptionKeys(
    octets(RFC8291["ua_public"]), octets(RFC8291["auth_secret"]), octets(RFC8291["ua_private"])
)

TEXT = b"When I grow up, I want to be a watermelon"
BINARY = bytes(range(128, 200))


@pytest.mark.parametrize("coding", ["aes128gcm", "aesgcm"])
@pytest.mark.parametrize("mixed_up", ["keys", "p256dh", "auth"])
def test_the_keys_of_another_subscription_are_named(agree, ours, theirs, mixed_up, coding):
    used = {
        "keys": theirs,
        "p256dh": replace(theirs, auth=ours.auth),
        "auth": replace(ours, auth=theirs.auth),
    }
    a = agree(used[mixed_up])
    sent = a.final(a.final_keys()) if coding == "aes128gcm" else a.draft(a.draft_keys())
    cause = sent.cause(others=[("first", stranger()), ("second", theirs), ("third", stranger())])
    assert cause.code == f"encryption.{mixed_up}.other_subscription"
    assert cause.plaintext == TEXT
    assert "subscription second" in cause.actual
    assert "(second)" in cause.detail


def stranger() -> SubscriptionKeys:
    private_key, p256dh = generate_key_pair()
    return SubscriptionKeys(p256dh, os.urandom(16), private_key)


def test_the_auth_of_an_opaque_subscription_is_recognised_too(agree, ours, theirs):
    a = agree(replace(ours, auth=theirs.auth))
    cause = a.final(a.final_keys()).cause(others=[("x", replace(theirs, private_key=None))])
    assert cause.code == "encryption.auth.other_subscription"


def test_no_more_than_a_bounded_number_of_other_subscriptions_is_tried(agree, ours, theirs):
    a = agree(theirs)
    sent = a.final(a.final_keys(), BINARY + b"\x02")
    ignored = repeat(("ours", ours), MAX_OTHERS - 1)
    found = sent.cause(others=chain(ignored, [("theirs", theirs)]))
    assert found.code == "encryption.keys.other_subscription"
    assert sent.cause(others=repeat(("ours", ours))).code == "encryption.tag.invalid"
    tried = count()
    sent.cause(others=(("ours", ours) for _ in tried))
    assert next(tried) == MAX_OTHERS


def test_a_body_of_the_draft_under_the_name_of_aes128gcm_is_named(agree):
    a = agree()
    cause = replace(a.draft(a.draft_keys()), coding="aes128gcm").cause()
    assert (cause.code, cause.plaintext) == ("encryption.coding.mislabelled", TEXT)
    assert cause.expected == "Content-Encoding: aesgcm"
    assert cause.actual.startswith("Content-Encoding: aes128gcm")


@pytest.mark.parametrize("with_parameters", [True, False])
def test_a_body_of_aes128gcm_under_the_name_of_the_draft_is_named(agree, with_parameters):
    a = agree()
    sent = replace(a.final(a.final_keys()), coding="aesgcm")
    if with_parameters:
        sent = replace(sent, salt=a.salt, dh=a.server)
    assert sent.cause().code == "encryption.coding.mislabelled"
    assert sent.cause().plaintext == TEXT


@pytest.mark.parametrize(("coding", "actual"), [("", "none"), ("gzip", "gzip")])
def test_the_coding_of_a_body_without_a_known_label_is_named(agree, ours, coding, actual):
    a = agree()
    failure = DecryptionError("content_encoding.missing")
    for sent in (a.final(a.final_keys()), a.draft(a.draft_keys())):
        cause = replace(sent, coding=coding).explained(failure)
        assert (cause.code, cause.plaintext) == ("encryption.coding.mislabelled", TEXT)
        assert cause.expected == f"Content-Encoding: {sent.coding}"
        assert cause.actual.startswith(f"Content-Encoding: {actual}:")


@pytest.mark.parametrize(
    ("cut", "code", "actual"),
    [
        (1, "encryption.body.truncated", "41 octets of text, then 15 octets of the tag"),
        (16, "encryption.tag.missing", "41 octets of text, then the delimiter, but no tag"),
        (17, "encryption.body.truncated", "41 octets of text, then nothing"),
        (30, "encryption.body.truncated", "28 octets of text, then nothing"),
    ],
)
def test_a_body_of_text_that_was_cut_is_recognised_without_its_tag(arrive, cut, code, actual):
    cause = arrive(BODY[:-cut], keys=RFC_SUBSCRIPTION).cause()
    assert (cause.code, cause.actual) == (code, actual)
    assert cause.plaintext == TEXT[: int(actual.split()[0])]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"fifteen octets.", "encryption.tag.invalid"),
        (b"sixteen octets..", "encryption.tag.missing"),
    ],
)
def test_fewer_than_sixteen_octets_of_text_prove_nothing(agree, text, code):
    a = agree()
    sent = a.final(a.final_keys(), text + b"\x02" + bytes(20))
    assert replace(sent, body=sent.body[:-16]).cause().code == code


def test_a_body_of_the_draft_that_was_cut_is_recognised(agree):
    a = agree()
    sent = a.draft(a.draft_keys(), b"\x00\x02\x00\x00" + TEXT)
    cause = replace(sent, body=sent.body[:-18]).cause()
    assert (cause.code, cause.plaintext) == ("encryption.body.truncated", TEXT[:-2])


def test_a_body_of_text_that_was_changed_is_recognised(agree):
    a = agree()
    for sent, position in ((a.final(a.final_keys()), 86 + 30), (a.draft(a.draft_keys()), 2 + 30)):
        changed = bytearray(sent.body)
        changed[position] ^= 128
        cause = replace(sent, body=bytes(changed)).cause()
        assert cause.code == "encryption.body.altered"
        assert cause.plaintext == TEXT[:30]


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
def test_the_refused_vectors_have_their_cause(arrive, name, code):
    (vector,) = [item for item in VECTORS["bodies"]["items"] if item["name"] == name]
    cause = arrive(octets(vector["body"]), keys=RFC_SUBSCRIPTION).cause()
    assert cause.code == code


def test_what_nothing_explains_keeps_the_error_of_the_reader(arrive):
    body = http_ece.encrypt(
        BINARY,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=load_public_key(stranger().p256dh),
        auth_secret=os.urandom(16),
    )
    assert arrive(body).cause() == Cause(
        "encryption.tag.invalid",
        "a tag made with the keys of this subscription and message",
        "record 1 of 1 does not authenticate",
    )


def test_a_parameter_of_the_wrong_length_is_cause_enough(agree):
    a = replace(agree(), salt=b"twelve bytes")
    cause = a.draft(a.draft_keys()).cause()
    assert (cause.code, cause.actual) == ("aesgcm.salt.length", "12 octets")
    assert cause.plaintext == TEXT


def test_nothing_is_tried_without_a_private_key(agree, ours):
    a = agree()
    sent = a.final(replace(a, auth=b"").final_keys())
    failure = DecryptionError("encryption.tag.invalid")
    opaque = replace(sent, keys=replace(ours, private_key=None))
    unexplained = Cause("encryption.tag.invalid", None, None)
    assert opaque.explained(failure, others=[("ours", ours)]) == unexplained


@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=100).map(str.encode),
        st.binary(max_size=60).map(lambda tail: BODY[:86] + tail),
        st.tuples(st.integers(0, 160), st.binary(max_size=4)).map(
            lambda change: BODY[: change[0]] + change[1] + BODY[change[0] :]
        ),
    ),
    coding=st.sampled_from(["aes128gcm", "aesgcm", ""]),
    salt=st.none() | st.binary(max_size=20),
    dh=st.sampled_from([None, b"", bytes(65), octets(RFC8291["as_public"])]),
    rs=st.integers(-5, 5000),
)
def test_any_body_has_a_cause(arrive, ours, theirs, body, coding, salt, dh, rs):
    others = [("theirs", theirs), ("opaque", replace(theirs, private_key=None))]
    sent = arrive(body, coding, salt=salt, dh=dh, rs=rs)
    cause = sent.explained(DecryptionError("encryption.tag.invalid"), others)
    assert cause.code.startswith(("encryption.", "aesgcm."))
