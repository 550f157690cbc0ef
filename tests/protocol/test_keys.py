"""Keys in every form in which senders, tools and people write them."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import example, given
from hypothesis import strategies as st

from mockpush.errors import KeyFormatError
from mockpush.protocol.findings import REGISTRY
from mockpush.protocol.keys import (
    decode_any_base64,
    generate_key_pair,
    load_private_key,
    parse_application_server_key,
    parse_private_key,
    private_scalar,
    public_point,
    read_public_key,
)
from mockpush.protocol.model import base64url_decode, base64url_encode

# RFC 8291, Appendix A: the application server's pair
SCALAR = base64url_decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
POINT = base64url_decode(
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
)
PRIVATE = ec.derive_private_key(int.from_bytes(SCALAR, "big"), ec.SECP256R1())
PUBLIC = PRIVATE.public_key()

OFF_CURVE = POINT[:-1] + bytes((POINT[-1] ^ 1,))
COMPRESSED = PUBLIC.public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
)


def spki(key) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def unknown_algorithm(at: int) -> bytes:
    """The DER form with an object identifier that nobody has assigned."""
    return (der := spki(PUBLIC))[:at] + bytes((der[at] ^ 0x55,)) + der[at + 1 :]


P384 = ec.generate_private_key(ec.SECP384R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
NO_SUCH_X = (1).to_bytes(32, "big")  # 1 - 3 + b is no square modulo p


def codes_of(text: bytes) -> tuple[bytes | None, set[str]]:
    findings = []
    return read_public_key(text, findings), {finding.code for finding in findings}


def padded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data)


def unpadded(data: bytes) -> bytes:
    return padded(data).rstrip(b"=")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (unpadded(POINT), set()),
        (padded(POINT), {"vapid.key.padded"}),
        (unpadded(POINT) + b"===", {"vapid.key.padded"}),
        (base64.b64encode(POINT), {"vapid.key.padded", "vapid.key.standard_base64"}),
        (base64.b64encode(POINT).rstrip(b"="), {"vapid.key.standard_base64"}),
        (unpadded(POINT[1:]), {"vapid.key.without_prefix"}),
        (unpadded(COMPRESSED), {"vapid.key.compressed"}),
        (unpadded(spki(PUBLIC)), {"vapid.key.der"}),
    ],
)
def test_a_public_key_is_read_in_any_form_and_each_deviation_is_named(text, codes):
    assert codes_of(text) == (POINT, codes)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "vapid.key.empty"),
        (b"!", "vapid.key.not_base64url"),
        (b"A", "vapid.key.not_base64url"),
        (unpadded(POINT) + b"\xff", "vapid.key.not_base64url"),
        (unpadded(POINT)[:40] + b" " + unpadded(POINT)[40:], "vapid.key.not_base64url"),
        (b"\x04" * 65, "vapid.key.not_base64url"),
        (unpadded(POINT[:-1] + b"\x00\x00"), "vapid.key.length"),
        (unpadded(POINT[:40]), "vapid.key.length"),
        (unpadded(POINT * 20), "vapid.key.length"),
        (unpadded(b"\x00"), "vapid.key.length"),
        (unpadded(b"\x05" + POINT[1:33]), "vapid.key.length"),
        (unpadded(b"\x02" + POINT[1:40]), "vapid.key.length"),
        (unpadded(b"\x06" + POINT[1:]), "vapid.key.not_uncompressed"),  # the hybrid form
        (unpadded(b"\x07" + POINT[1:]), "vapid.key.not_uncompressed"),
        (unpadded(b"\x02" + POINT[1:]), "vapid.key.not_uncompressed"),
        (unpadded(OFF_CURVE), "vapid.key.not_on_curve"),
        (unpadded(b"\x02" + NO_SUCH_X), "vapid.key.not_on_curve"),
        (unpadded(b"\x03" + NO_SUCH_X), "vapid.key.not_on_curve"),
        (unpadded(b"\x04" + bytes(64)), "vapid.key.not_on_curve"),
        (unpadded(b"\x04" + b"\xff" * 64), "vapid.key.not_on_curve"),
        (unpadded(spki(P384.public_key())), "vapid.key.not_on_curve"),
        (unpadded(spki(ED25519.public_key())), "vapid.key.not_on_curve"),
        (unpadded(spki(PUBLIC)[:-1]), "vapid.key.length"),
        (unpadded(spki(PUBLIC)[:-1] + b"\x00"), "vapid.key.length"),
        (unpadded(unknown_algorithm(8)), "vapid.key.not_on_curve"),
        (unpadded(unknown_algorithm(20)), "vapid.key.not_on_curve"),
    ],
)
def test_what_is_no_public_key_gives_none_and_one_code(text, code):
    assert codes_of(text) == (None, {code})


@pytest.mark.parametrize(
    ("data", "actual"),
    [(b"\x01\x02\x03", "3 octets, 01…"), (b"\x06" + POINT[1:], "65 octets, 06…")],
)
def test_a_finding_tells_what_the_key_looks_like(data, actual):
    findings = []
    read_public_key(unpadded(data), findings)
    assert [finding.actual for finding in findings] == [actual]


@given(st.binary(max_size=130))
@example(b"\x30")
@example(spki(ED25519.public_key()))
def test_no_octets_make_the_reader_raise(data):
    for text in (data, unpadded(data), base64.b64encode(data)):
        findings = []
        point = read_public_key(text, findings)
        assert {finding.code for finding in findings} <= REGISTRY.keys()
        assert point is not None or findings


@given(at=st.integers(0, 90), octet=st.integers(0, 255))
def test_no_damage_to_a_der_form_makes_the_reader_raise(at, octet):
    der = bytearray(spki(PUBLIC))
    der[at] = octet
    point, codes = codes_of(unpadded(bytes(der)))
    assert (point is None) or codes == {"vapid.key.der"}


def pem(key, form=serialization.PrivateFormat.PKCS8, encryption=None) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, form, encryption or serialization.NoEncryption()
    ).decode()


def der(key, form=serialization.PrivateFormat.PKCS8) -> str:
    data = key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "text",
    [
        base64url_encode(SCALAR),
        base64.urlsafe_b64encode(SCALAR).decode(),
        base64.b64encode(SCALAR).decode(),
        f"\n {base64url_encode(SCALAR)}\n",
        pem(PRIVATE),
        pem(PRIVATE, serialization.PrivateFormat.TraditionalOpenSSL),
        "\n\n" + pem(PRIVATE).replace("\n", "\r\n"),
        der(PRIVATE),
        der(PRIVATE, serialization.PrivateFormat.TraditionalOpenSSL),
        der(PRIVATE).replace("+", "-").replace("/", "_").rstrip("="),
        "\n".join(der(PRIVATE)[at : at + 40] for at in range(0, 200, 40)),
    ],
)
def test_a_private_key_is_read_in_any_form(text):
    assert parse_private_key(text) == SCALAR


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.mark.parametrize(
    "text",
    [
        "",
        "é",
        "not a key at all!",
        "AAAA",
        base64url_encode(SCALAR[:31]),
        base64url_encode(bytes(32)),
        base64url_encode(ORDER.to_bytes(32, "big")),
        base64url_encode(b"\xff" * 32),
        base64url_encode(POINT),
        pem(P384),
        der(P384),
        pem(ED25519),
        pem(rsa.generate_private_key(65537, 2048)),
        pem(PRIVATE, encryption=serialization.BestAvailableEncryption(b"secret")),
        pem(PRIVATE)[:-60],
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        pem(PRIVATE).replace("PRIVATE KEY", "CERTIFICATE"),
    ],
)
def test_what_is_no_private_key_says_so(text):
    with pytest.raises(KeyFormatError, match="private key"):
        parse_private_key(text)


@given(at=st.integers(0, 136), octet=st.integers(0, 255))
def test_damage_to_a_private_key_is_a_format_error_at_worst(at, octet):
    data = bytearray(base64.b64decode(der(PRIVATE)))
    data[at] = octet
    with suppress(KeyFormatError):
        assert len(parse_private_key(base64.b64encode(data).decode())) == 32


def test_an_application_server_key_is_an_uncompressed_point_in_base64url():
    assert parse_application_server_key(base64url_encode(POINT)) == POINT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 octets"),
        (base64.urlsafe_b64encode(POINT).decode(), "base64url"),
        (base64.b64encode(POINT).decode().rstrip("="), "base64url"),
        ("é", "base64url"),
        ("A", "base64url"),
        (base64url_encode(COMPRESSED), "33 octets"),
        (base64url_encode(b"\x06" + POINT[1:]), "0x04"),
        (base64url_encode(POINT[1:]), "64 octets"),
        (base64url_encode(OFF_CURVE), "P-256"),
    ],
)
def test_any_other_application_server_key_is_refused_with_the_reason(text, reason):
    with pytest.raises(KeyFormatError, match=reason):
        parse_application_server_key(text)


@given(st.binary(max_size=100))
def test_base64_is_decoded_from_either_alphabet_padded_or_not(data):
    for text in (padded(data), unpadded(data), base64.b64encode(data)):
        assert decode_any_base64(text) == data


def test_a_new_pair_is_one_of_p256_and_never_the_same():
    pairs = {generate_key_pair() for _ in range(5)}
    assert len(pairs) == 5
    for scalar, point in pairs:
        assert (len(scalar), len(point), point[0]) == (32, 65, 4)
        assert public_point(load_private_key(scalar).public_key()) == point


def test_scalars_keep_their_leading_zeros():
    scalar = bytes(31) + b"\x07"
    assert private_scalar(load_private_key(scalar)) == scalar
