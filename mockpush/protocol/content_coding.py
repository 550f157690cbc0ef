"""What both content codings share: agreement on P-256, HKDF, and AES-GCM in numbered records."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mockpush.errors import DecryptionError, KeyFormatError
from mockpush.protocol.keys import load_private_key, public_point
from mockpush.protocol.model import AUTH_SECRET_LENGTH, P256_POINT_LENGTH

SALT_LENGTH: Final = 16
TAG_LENGTH: Final = 16

_CURVE: Final = ec.SECP256R1()
_ECDH: Final = ec.ECDH()
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


class Problem(NamedTuple):
    """What is wrong with a body as it shows without keys: a code of the registry and the facts."""

    code: str
    expected: str
    actual: str

    def as_error(self) -> DecryptionError:
        """The error of a reader that stops at this problem."""
        return DecryptionError(self.code, expected=self.expected, actual=self.actual)


class Plaintext(NamedTuple):
    """A decrypted payload; `padding` counts the zero octets removed from `records` records."""

    data: bytes
    padding: int
    records: int


class KeyMaterial(NamedTuple):
    """What both ends derive the keys of one message from.

    `secret`: the ECDH secret, 32 octets. `auth`: the authentication secret, 16. `ua_public` and
    `as_public`: the uncompressed points of user agent and application server, 65. `salt`: 16.
    """

    secret: bytes
    auth: bytes
    ua_public: bytes
    as_public: bytes
    salt: bytes


class ContentKeys(NamedTuple):
    """The content encryption key (16 octets) and the base nonce (12) of one message."""

    key: bytes
    nonce: bytes


Schedule: TypeAlias = Callable[[KeyMaterial], ContentKeys]


def extract(salt: bytes, keying_material: bytes) -> bytes:
    """HKDF-Extract with SHA-256, 32 octets (RFC 5869, Section 2.2)."""
    return hmac.digest(salt, keying_material, "sha256")


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand with SHA-256, for up to 32 octets (RFC 5869, Section 2.3)."""
    return hmac.digest(key, info + b"\x01", "sha256")[:length]


def is_on_curve(point: bytes) -> bool:
    """Whether the coordinates of an uncompressed point satisfy P-256 (RFC 8291, Section 7)."""
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return x < _P and y < _P and (y * y - x * (x * x - 3) - _B) % _P == 0


def point_problem(name: str, point: bytes) -> Problem | None:
    """What is wrong with a public key (RFC 8291, Section 4); the codes begin with `name`."""
    if len(point) != P256_POINT_LENGTH:
        return Problem(f"{name}.length", f"{P256_POINT_LENGTH} octets", f"{len(point)} octets")
    if point[0] != 4:
        return Problem(
            f"{name}.not_uncompressed", "first octet 0x04", f"first octet 0x{point[0]:02x}"
        )
    if not is_on_curve(point):
        return Problem(f"{name}.not_on_curve", "a point on P-256", point.hex())
    return None


def received_material(
    *, private_key: bytes, p256dh: bytes, auth: bytes, as_public: bytes, salt: bytes
) -> KeyMaterial:
    """The user agent's side of the agreement.

    `private_key` is the scalar, 32 octets; `ValueError` if it is out of range or `as_public` is not
    on the curve.
    """
    sender = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, as_public)
    secret = load_private_key(private_key).exchange(_ECDH, sender)
    return KeyMaterial(secret, auth, p256dh, as_public, salt)


def sent_material(
    *, p256dh: bytes, auth: bytes, salt: bytes | None, private_key: bytes | None
) -> KeyMaterial:
    """The application server's side; a new key pair and a random salt unless they are given.

    `KeyFormatError` if p256dh is not a point on P-256 or auth has not 16 octets.
    """
    if problem := point_problem("p256dh", p256dh):
        raise KeyFormatError(f"p256dh must be {problem.expected}, not {problem.actual}")
    if len(auth) != AUTH_SECRET_LENGTH:
        raise KeyFormatError(f"auth must be {AUTH_SECRET_LENGTH} octets, not {len(auth)}")
    key = load_private_key(private_key) if private_key else ec.generate_private_key(_CURVE)
    secret = key.exchange(_ECDH, ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh))
    as_public = public_point(key.public_key())
    return KeyMaterial(secret, auth, p256dh, as_public, salt or os.urandom(SALT_LENGTH))


def seal(record: bytes, keys: ContentKeys) -> bytes:
    """Encrypts a padded record, the only one of its message."""
    return AESGCM(keys.key).encrypt(keys.nonce, record, None)


def open_records(ciphertext: bytes, length: int, keys: ContentKeys) -> list[bytes]:
    """Decrypts records of `length` octets, the last of which may be shorter; padding is kept.

    `DecryptionError` with `encryption.tag.invalid` if one does not authenticate.
    """
    cipher = AESGCM(keys.key)
    if len(ciphertext) <= length:
        try:
            return [cipher.decrypt(keys.nonce, ciphertext, None)]
        except InvalidTag:
            raise _invalid_tag(0, 1) from None
    records: list[bytes] = []
    for number, start in enumerate(range(0, len(ciphertext), length)):
        try:
            record = ciphertext[start : start + length]
            records.append(cipher.decrypt(_record_nonce(keys.nonce, number), record, None))
        except InvalidTag:
            raise _invalid_tag(number, -(-len(ciphertext) // length)) from None
    return records


def _record_nonce(nonce: bytes, number: int) -> bytes:
    """The nonce of a record, counted from 0 (RFC 8188, Section 2.3)."""
    return (int.from_bytes(nonce, "big") ^ number).to_bytes(len(nonce), "big")


def _invalid_tag(number: int, count: int) -> DecryptionError:
    return DecryptionError(
        "encryption.tag.invalid",
        expected="a tag made with the keys of this subscription and message",
        actual=f"record {number + 1} of {count} does not authenticate",
    )
