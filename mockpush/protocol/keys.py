"""P-256 keys in every form that senders send, brought to one: the uncompressed point."""

from __future__ import annotations

import binascii
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
)

from mockpush.errors import KeyFormatError
from mockpush.protocol.findings import Finding
from mockpush.protocol.headers import shown
from mockpush.protocol.model import P256_POINT_LENGTH, base64url_decode, base64url_encode

_EXPECTED: Final = "65 octets, the first 0x04, in unpadded base64url"


@lru_cache(maxsize=1024)
def load_public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """The key of an uncompressed (or compressed) point; `ValueError` if it is not on P-256."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


@lru_cache(maxsize=1024)
def load_private_key(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    """The key of a scalar of 32 octets; `ValueError` if it is out of range."""
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def public_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point, 65 octets."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def private_scalar(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The scalar, 32 octets."""
    return key.private_numbers().private_value.to_bytes(32, "big")


def generate_key_pair() -> tuple[bytes, bytes]:
    """A new P-256 pair: the scalar (32 octets) and the uncompressed point (65 octets)."""
    key = ec.generate_private_key(ec.SECP256R1())
    return private_scalar(key), public_point(key.public_key())


def parse_application_server_key(text: str) -> bytes:
    """An applicationServerKey in base64url as an uncompressed point; `KeyFormatError` otherwise."""
    try:
        point = base64url_decode(text)
    except ValueError:
        raise KeyFormatError(f"the key is not unpadded base64url: {text[:100]!r}") from None
    if len(point) != P256_POINT_LENGTH or point[0] != 4:
        raise KeyFormatError(f"the key is not {_EXPECTED}: it has {len(point)} octets")
    try:
        load_public_key(point)
    except ValueError:
        raise KeyFormatError("the key is not a point on P-256") from None
    return point


def parse_private_key(text: str) -> bytes:
    """A private key as PEM, DER in base64, or the scalar in base64url, as 32 octets.

    `KeyFormatError` if it is none of these, or not on P-256.
    """
    key: object
    try:
        if "-----BEGIN" in text:
            key = load_pem_private_key(text.encode(), password=None)
        else:
            data = decode_any_base64("".join(text.split()).encode())
            key = load_private_key(data) if len(data) == 32 else load_der_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFormatError(f"the private key cannot be read: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFormatError("the private key is not a P-256 key")
    return private_scalar(key)


_STANDARD_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")


def decode_any_base64(text: bytes) -> bytes:
    """Base64 of either alphabet, padded or not; `ValueError` for anything else."""
    data = text.rstrip(b"=").translate(_STANDARD_ALPHABET)
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4), strict_mode=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def read_public_key(text: bytes, findings: list[Finding]) -> bytes | None:
    """The uncompressed point in whatever form a sender wrote it, with a finding for each deviation.

    None when nothing can be made of it.
    """
    point, deviations = _read_public_key(text)
    findings.extend(deviations)
    return point


@lru_cache(maxsize=1024)
def _read_public_key(text: bytes) -> tuple[bytes | None, tuple[Finding, ...]]:
    findings: list[Finding] = []
    return _parse_public_key(text, findings), tuple(findings)


def _parse_public_key(text: bytes, findings: list[Finding]) -> bytes | None:
    if not text:
        findings.append(Finding("vapid.key.empty", _EXPECTED, "nothing"))
        return None
    if text.endswith(b"="):
        findings.append(Finding("vapid.key.padded", _EXPECTED, shown(text)))
    if b"+" in text or b"/" in text:
        findings.append(Finding("vapid.key.standard_base64", _EXPECTED, shown(text)))
    try:
        data = decode_any_base64(text)
    except ValueError:
        findings.append(Finding("vapid.key.not_base64url", _EXPECTED, shown(text)))
        return None
    return _point(data, findings)


def _point(data: bytes, findings: list[Finding]) -> bytes | None:
    point, code = _normalised(data)
    if code is not None:
        findings.append(
            Finding(code, _EXPECTED, f"{len(data)} octets, {data[:1].hex() or 'none'}…")
        )
    if point is None:
        return None
    try:
        load_public_key(point)
    except ValueError:
        actual = base64url_encode(point)
        findings.append(Finding("vapid.key.not_on_curve", "a point on P-256", actual))
        return None
    return point


def _normalised(data: bytes) -> tuple[bytes | None, str | None]:
    """The uncompressed point, and the code of the form that was found instead of it."""
    if len(data) == P256_POINT_LENGTH:
        return (data, None) if data[0] == 4 else (None, "vapid.key.not_uncompressed")
    if len(data) == P256_POINT_LENGTH - 1:
        return b"\x04" + data, "vapid.key.without_prefix"
    if len(data) == 33 and data[0] in (2, 3):
        return _decompressed(data)
    if data[:1] == b"\x30":
        return _from_der(data)
    return None, "vapid.key.length"


def _decompressed(data: bytes) -> tuple[bytes | None, str]:
    try:
        return public_point(load_public_key(data)), "vapid.key.compressed"
    except ValueError:
        return None, "vapid.key.not_on_curve"


def _from_der(data: bytes) -> tuple[bytes | None, str]:
    try:
        key = load_der_public_key(data)
    except UnsupportedAlgorithm:
        return None, "vapid.key.not_on_curve"
    except ValueError:
        return None, "vapid.key.length"
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return None, "vapid.key.not_on_curve"
    return public_point(key), "vapid.key.der"
