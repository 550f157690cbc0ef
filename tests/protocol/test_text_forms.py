"""A body that is text is named as the form of text that it is."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

TEXT = b"When I grow up, I want to be a watermelon"
BINARY = bytes(range(128, 200))


def text_of(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


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
def test_a_body_in_the_form_of_text_is_named_and_read_nevertheless(agree, code, form):
    a = agree()
    for sent in (a.final(a.final_keys()), a.draft(a.draft_keys())):
        cause = replace(sent, body=form(sent.body)).cause()
        assert (cause.code, cause.plaintext) == (code, TEXT)


@pytest.mark.parametrize("length", range(4))
def test_base64_is_read_without_its_padding_too(agree, length):
    a = agree()
    sent = a.final(a.final_keys(), BINARY[:length] + b"\x02")
    cause = replace(sent, body=text_of(sent.body)).cause()
    assert (cause.code, cause.plaintext) == ("encryption.body.base64", BINARY[:length])


def test_text_that_stands_for_fewer_octets_than_any_body_has_is_a_payload(agree):
    a = agree()
    sent = a.draft(a.draft_keys(), b"\x00\x00")
    assert len(sent.body) == 18
    assert replace(sent, body=text_of(sent.body)).cause().code == "encryption.body.base64"
    short = replace(sent, body=text_of(sent.body[:17]))
    assert short.cause().code == "encryption.plaintext.sent"


def test_a_body_in_the_form_of_text_is_named_also_if_it_cannot_be_read(agree, theirs):
    a = agree(theirs)
    sent = a.final(a.final_keys())
    cause = replace(sent, body=base64.b64encode(sent.body)).cause()
    assert (cause.code, cause.plaintext) == ("encryption.body.base64", None)


def test_a_body_that_was_decoded_as_text_is_named(agree):
    a = agree()
    for sent in (a.final(a.final_keys()), a.draft(a.draft_keys(), b"\x00\x00" + bytes(200))):
        damaged = sent.body.decode("utf-8", "replace").encode()
        cause = replace(sent, body=damaged).cause()
        assert (cause.code, cause.plaintext) == ("encryption.body.text_conversion", None)


@pytest.mark.parametrize(
    "body", [b"hello", b'{"title": "Hi", "body": "\xc3\xa4"}', b"SGVsbG8=", b"deadbeef", TEXT * 3]
)
@pytest.mark.parametrize("coding", ["aes128gcm", "aesgcm"])
def test_a_payload_that_was_not_encrypted_is_shown(arrive, ours, body, coding):
    cause = arrive(body, coding, salt=bytes(16), dh=ours.p256dh).cause()
    assert (cause.code, cause.plaintext) == ("encryption.plaintext.sent", body)
