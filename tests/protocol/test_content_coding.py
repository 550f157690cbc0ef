"""The primitives of both codings, against OpenSSL's own judgement."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import example, given
from hypothesis import strategies as st

from mockpush.protocol.content_coding import expand, extract, is_on_curve, point_problem
from mockpush.protocol.keys import generate_key_pair, public_point

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
POINT = generate_key_pair()[1]


def openssl_takes(point: bytes) -> bool:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return True


@given(st.binary(min_size=64, max_size=64))
@example(bytes(64))
@example(b"\xff" * 64)
def test_octets_are_on_the_curve_exactly_if_openssl_says_so(coordinates):
    point = b"\x04" + coordinates
    assert is_on_curve(point) == openssl_takes(point)


@given(st.integers(min_value=1, max_value=2**255))
def test_every_public_key_is_on_the_curve(scalar):
    key = ec.derive_private_key(scalar, ec.SECP256R1())
    assert is_on_curve(public_point(key.public_key()))


def test_coordinates_are_not_reduced_modulo_the_prime():
    # x = 5 lies on P-256; x + p does as an equation, but is no coordinate
    point = public_point(
        ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), b"\x02" + (5).to_bytes(32, "big")
        )
    )
    beyond = b"\x04" + (5 + P).to_bytes(32, "big") + point[33:]
    assert is_on_curve(point)
    assert not is_on_curve(beyond)
    assert not openssl_takes(beyond)
    assert not is_on_curve(point[:33] + b"\xff" * 32)


@pytest.mark.parametrize(
    ("point", "code"),
    [
        (POINT, None),
        (POINT[:64], "key.length"),
        (POINT + b"\x00", "key.length"),
        (b"", "key.length"),
        (b"\x02" + POINT[1:], "key.not_uncompressed"),
        (POINT[:-1] + bytes((POINT[-1] ^ 1,)), "key.not_on_curve"),
    ],
)
def test_a_public_key_has_at_most_one_problem(point, code):
    problem = point_problem("key", point)
    assert (problem and problem.code) == code


@given(
    salt=st.binary(max_size=80),
    material=st.binary(min_size=1, max_size=80),
    info=st.binary(max_size=200),
    length=st.integers(min_value=1, max_value=32),
)
def test_hkdf_is_that_of_the_cryptography_package(salt, material, info, length):
    hkdf = HKDF(hashes.SHA256(), length, salt, info)
    assert expand(extract(salt, material), info, length) == hkdf.derive(material)
