"""JSON Web Tokens: read with tolerance, verified strictly, against PyJWT and cryptography."""

from __future__ import annotations

import base64
import json

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol import jwt
from mockpush.protocol.keys import generate_key_pair, load_private_key
from mockpush.protocol.model import base64url_decode, base64url_encode

SCALAR, POINT = generate_key_pair()
OTHER_SCALAR, OTHER_POINT = generate_key_pair()
CLAIMS = {"aud": "https://push.example.net", "exp": 1453523768, "sub": "mailto:a@example.com"}

# RFC 8292, Section 2.4
TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0"
    "NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuC"
    "GSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA"
)
KEY = base64url_decode(
    "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
)


def read(text):
    """The token, and the codes of what is odd about it."""
    findings = []
    data = text if isinstance(text, bytes) else text.encode()
    return jwt.read_token(data, findings), [finding.code for finding in findings]


def unsigned(header: str, claims: str) -> str:
    return f"{base64url_encode(header.encode())}.{base64url_encode(claims.encode())}.{'A' * 86}"


def test_the_token_of_the_rfc():
    token, codes = read(TOKEN)
    assert codes == []
    assert token.header == {"typ": "JWT", "alg": "ES256"}
    assert token.claims == {
        "aud": "https://push.example.net",
        "exp": 1453523768,
        "sub": "mailto:push@example.com",
    }
    assert jwt.verifies(token, KEY)
    assert not jwt.verifies(token, POINT)


def test_a_token_of_pyjwt_verifies():
    token, codes = read(pyjwt.encode(CLAIMS, load_private_key(SCALAR), algorithm="ES256"))
    assert codes == []
    assert token.claims == CLAIMS
    assert jwt.verifies(token, POINT)
    assert not jwt.verifies(token, OTHER_POINT)


def test_pyjwt_verifies_a_token_of_ours():
    text = jwt.sign({**CLAIMS, "exp": 2**33}, SCALAR)
    key = load_private_key(SCALAR).public_key()
    claims = pyjwt.decode(text, key, algorithms=["ES256"], audience=CLAIMS["aud"])
    assert claims == {**CLAIMS, "exp": 2**33}
    assert pyjwt.get_unverified_header(text) == {"typ": "JWT", "alg": "ES256"}
    with pytest.raises(pyjwt.InvalidSignatureError):
        pyjwt.decode(text, load_private_key(OTHER_SCALAR).public_key(), algorithms=["ES256"])


def test_signatures_are_always_64_octets():
    """r or s has a leading zero in one of 128 signatures."""
    for number in range(300):
        token, _ = read(jwt.sign({"n": number}, SCALAR))
        assert len(token.signature) == 64
        assert jwt.verifies(token, POINT)


@pytest.mark.parametrize("at", [0, 10, 60, 150])
def test_every_octet_of_a_token_is_under_its_signature(at):
    text = jwt.sign(CLAIMS, SCALAR)
    altered = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    token, codes = read(altered)
    assert codes or not jwt.verifies(token, POINT)


@pytest.mark.parametrize("length", [0, 1, 63, 65, 70, 132])
def test_a_signature_of_another_length_never_verifies(length):
    head, _, signature = jwt.sign(CLAIMS, SCALAR).rpartition(".")
    data = (base64url_decode(signature) * 3)[:length]
    token, codes = read(f"{head}.{base64url_encode(data)}")
    assert codes == []
    assert not jwt.verifies(token, POINT)
    assert not jwt.verifies_as_der(token, POINT)


def test_a_signature_of_zeros_does_not_verify():
    token, _ = read(jwt.sign(CLAIMS, SCALAR).rpartition(".")[0] + "." + "A" * 86)
    assert token.signature == bytes(64)
    assert not jwt.verifies(token, POINT)


def test_a_der_signature_verifies_as_der_only():
    head = jwt.sign(CLAIMS, SCALAR).rpartition(".")[0]
    der = load_private_key(SCALAR).sign(head.encode(), ec.ECDSA(hashes.SHA256()))
    token, _ = read(f"{head}.{base64url_encode(der)}")
    assert jwt.verifies_as_der(token, POINT)
    assert not jwt.verifies(token, POINT)
    assert not jwt.verifies_as_der(token, OTHER_POINT)


@pytest.mark.parametrize("signature", [b"\x30", b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\x30" * 64])
def test_rubbish_in_the_place_of_der_does_not_verify(signature):
    token, _ = read(f"{unsigned('{}', '{}').rpartition('.')[0]}.{base64url_encode(signature)}")
    assert not jwt.verifies_as_der(token, POINT)
    assert not jwt.verifies(token, POINT)


def test_padding_is_named_and_the_signature_over_it_still_counts():
    head = ".".join(part + "=" * (-len(part) % 4) for part in TOKEN.split(".")[:2])
    der = load_private_key(SCALAR).sign(head.encode(), ec.ECDSA(hashes.SHA256()))
    token, codes = read(f"{head}.{base64url_encode(raw(der))}==")
    assert codes == ["vapid.token.padded"]
    assert jwt.verifies(token, POINT)


def test_the_other_alphabet_is_named_and_the_signature_over_it_still_counts():
    parts = ('{"alg":"ES256"}', '{"sub":"?????"}')
    head = ".".join(base64.b64encode(each.encode()).decode().rstrip("=") for each in parts)
    der = load_private_key(SCALAR).sign(head.encode(), ec.ECDSA(hashes.SHA256()))
    token, codes = read(f"{head}.{base64url_encode(raw(der))}")
    assert codes == ["vapid.token.standard_base64"]
    assert jwt.verifies(token, POINT)


def raw(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    assert encode_dss_signature(r, s) == der
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d",
        TOKEN.encode() + b".",
        TOKEN.replace(".", ",").encode(),
        b"\xff.\xff.\xff",
        TOKEN.encode().replace(b"eyJ", b"e\xffJ"),
        TOKEN.encode().replace(b"eyJ", b"+/J"),
        TOKEN.encode().replace(b"eyJ", b"ey J"),
        b"A.A.A",
        TOKEN.encode() + b"!",
        TOKEN.encode()[:-8] + b" " + TOKEN.encode()[-8:],
        *(
            unsigned(header, "{}").encode()
            for header in ("", "x", "[]", '"x"', "1", "null", "{", '{"alg":"ES256"}x', "{'a':1}")
        ),
        *(
            unsigned("{}", claims).encode()
            for claims in (
                '{"exp":NaN}',
                '{"exp":Infinity}',
                '{"exp":-Infinity}',
                '{"exp":1e400}',
                '{"exp":-1e400}',
                '{"exp":' + "9" * 5000 + "}",
                '{"aud":' + "[" * 100_000 + "]" * 100_000 + "}",
                '{"aud":' + "[" * 500 + "]" * 500 + "}",
                '{"a":' * 500 + "1" + "}" * 500,
                '{"sub":"\\ud800"}',
                '{"\\udfff":1}',
                "\ufeff{}",
            )
        ),
        ".".join(
            (base64url_encode('{"alg":"ES256"}'.encode("utf-16")), base64url_encode(b"{}"), "AA")
        ).encode(),
        ".".join(("e30", base64url_encode(b'{"sub":"\xff"}'), "AA")).encode(),
        ".".join(("e30", base64url_encode(b'{"sub":"\xed\xa0\x80"}'), "AA")).encode(),
    ],
)
def test_what_is_no_token_of_three_parts_with_objects_is_malformed(text):
    assert read(text) == (None, ["vapid.token.malformed"])


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": "mailto:jürgen@example.com", "aud": "x"},
        {"sub": "\U0001f600", "n": [1, {"a": [None, True, 1.5]}]},
        {"exp": 10**300},
    ],
)
def test_any_json_object_is_read_escaped_or_not(claims):
    for ensure_ascii in (True, False):
        text = json.dumps(claims, ensure_ascii=ensure_ascii)
        token, codes = read(unsigned("{}", text))
        assert codes == []
        assert token.claims == claims


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "an empty string"),
        (None, "None"),
        (0, "0"),
        (["a"], "['a']"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "…"),
    ],
)
def test_claims_are_shown_short_and_never_empty(value, text):
    assert jwt.shown_claim(value) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary(max_size=60), json_values)
def test_nothing_makes_the_reader_raise_and_what_it_reads_can_be_written_again(data, value):
    texts = (
        data,
        base64url_encode(data).encode() + b".e30.",
        unsigned("{}", json.dumps(value)).encode(),
    )
    for text in texts:
        token, codes = read(text)
        assert (token is None) == ("vapid.token.malformed" in codes)
        if token:
            json.dumps([token.header, token.claims], ensure_ascii=False, allow_nan=False).encode()
