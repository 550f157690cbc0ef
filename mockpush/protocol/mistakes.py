"""The mistakes that senders make when they derive the keys of a message, as tables.

Each row says with which keys a body was encrypted if the sender made that mistake. Whether it did
is proved by AES-GCM: a body authenticates under one row or under none.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from mockpush.protocol import aesgcm, encryption
from mockpush.protocol.content_coding import (
    ContentKeys,
    KeyMaterial,
    Schedule,
    expand,
    extract,
)
from mockpush.protocol.headers import AES128GCM, AESGCM

Variation: TypeAlias = Callable[[KeyMaterial, Schedule], Iterable[ContentKeys]]

SCHEDULES: Final[dict[str, Schedule]] = {
    AES128GCM: encryption.content_keys,
    AESGCM: aesgcm.content_keys,
}


class DerivationMistake(NamedTuple):
    """A code of the registry, what the sender should have used, what it used, and those keys."""

    code: str
    expected: str
    actual: str
    keys: Variation


def mistaken_keys(
    coding: str, material: KeyMaterial
) -> Iterator[tuple[DerivationMistake, ContentKeys]]:
    """Every mistake that is known for a coding, with each pair of keys that it can lead to."""
    for mistake in (*_INGREDIENTS, *_DERIVATIONS[coding]):
        for keys in mistake.keys(material, SCHEDULES[coding]):
            yield mistake, keys


def _with(vary: Callable[[KeyMaterial], Iterable[KeyMaterial]]) -> Variation:
    """The coding's own key schedule over other ingredients."""
    return lambda material, schedule: map(schedule, vary(material))


def _by(*derivations: Schedule) -> Variation:
    """Other key schedules over the right ingredients."""
    return lambda material, schedule: [derive(material) for derive in derivations]


# --- wrong ingredients, whatever the coding (RFC 8291, Sections 3.1 to 3.3) ---


def _auth_as_text(material: KeyMaterial) -> Iterator[KeyMaterial]:
    padded = base64.urlsafe_b64encode(material.auth)
    texts = {padded, padded.rstrip(b"="), base64.b64encode(material.auth)}
    texts.add(base64.b64encode(material.auth).rstrip(b"="))
    texts.add(material.auth.hex().encode())
    return (material._replace(auth=text) for text in sorted(texts))


def _without_leading_zeros(material: KeyMaterial) -> Iterator[KeyMaterial]:
    secret = material.secret.lstrip(b"\x00")
    if secret != material.secret:
        yield material._replace(secret=secret)


def _with_sign_octet(material: KeyMaterial) -> Iterator[KeyMaterial]:
    if material.secret[0] >= 0x80:
        yield material._replace(secret=b"\x00" + material.secret)


def _compressed(point: bytes) -> bytes:
    return bytes((2 + point[-1] % 2,)) + point[1:33]


def _without_prefix(point: bytes) -> bytes:
    return point[1:]


def _as_text(point: bytes) -> bytes:
    return base64.urlsafe_b64encode(point).rstrip(b"=")


def _points_in_other_forms(material: KeyMaterial) -> Iterator[KeyMaterial]:
    for form in (_compressed, _without_prefix, _as_text):
        ua_public, as_public = form(material.ua_public), form(material.as_public)
        yield material._replace(ua_public=ua_public, as_public=as_public)
        yield material._replace(ua_public=ua_public)
        yield material._replace(as_public=as_public)


_INGREDIENTS: Final = (
    DerivationMistake(
        "encryption.ecdh_secret.leading_zeros_dropped",
        "the ECDH secret of 32 octets",
        "the secret without the zero octets that it begins with",
        _with(_without_leading_zeros),
    ),
    DerivationMistake(
        "encryption.ecdh_secret.sign_octet",
        "the ECDH secret of 32 octets",
        "the secret as a signed number of 33 octets, with a zero in front",
        _with(_with_sign_octet),
    ),
    DerivationMistake(
        "encryption.ecdh_secret.reversed",
        "the ECDH secret, most significant octet first",
        "the secret in little-endian order",
        _with(lambda m: [m._replace(secret=m.secret[::-1])]),
    ),
    DerivationMistake(
        "encryption.ecdh_secret.hashed",
        "the ECDH secret itself",
        "the SHA-256 hash of the secret",
        _with(lambda m: [m._replace(secret=hashlib.sha256(m.secret).digest())]),
    ),
    DerivationMistake(
        "encryption.auth.empty",
        "the 16 octets of the subscription's auth",
        "an empty auth secret, or one of zeros",
        _with(lambda m: [m._replace(auth=b"")]),
    ),
    DerivationMistake(
        "encryption.auth.text",
        "the 16 octets that the text of auth stands for",
        "the characters of that text",
        _with(_auth_as_text),
    ),
    DerivationMistake(
        "encryption.auth.p256dh_used",
        "the subscription's auth, 16 octets",
        "the subscription's p256dh, 65 octets",
        _with(lambda m: [m._replace(auth=m.ua_public)]),
    ),
    DerivationMistake(
        "encryption.auth.swapped_with_salt",
        "auth in the first HKDF, the salt in the second",
        "the salt in the first, auth in the second",
        _with(lambda m: [m._replace(auth=m.salt, salt=m.auth)]),
    ),
    DerivationMistake(
        "encryption.salt.unused",
        "the salt that the message carries",
        "an empty salt, or one of zeros",
        _with(lambda m: [m._replace(salt=b"")]),
    ),
    DerivationMistake(
        "encryption.key_info.order",
        "the user agent's public key before the application server's",
        "the application server's public key first",
        _with(lambda m: [m._replace(ua_public=m.as_public, as_public=m.ua_public)]),
    ),
    DerivationMistake(
        "encryption.key_info.point_format",
        "uncompressed points of 65 octets in the info of the key derivation",
        "the points compressed, without the octet 0x04, or as text",
        _with(_points_in_other_forms),
    ),
)


# --- wrong derivations of aes128gcm (RFC 8291, Section 3.4; RFC 8188, Sections 2.2 and 2.3) ---


def _from_ikm(ikm: Callable[[KeyMaterial], bytes]) -> Schedule:
    return lambda m: encryption.derive_keys(ikm(m), m.salt)


def _from_key_info(key_info: Callable[[KeyMaterial], bytes]) -> Schedule:
    return _from_ikm(lambda m: expand(extract(m.auth, m.secret), key_info(m), 32))


def _points(material: KeyMaterial) -> bytes:
    return material.ua_public + material.as_public


def _from_infos(cek_info: bytes, nonce_info: bytes) -> Schedule:
    def derive(m: KeyMaterial) -> ContentKeys:
        prk = extract(m.salt, _final_ikm(m))
        return ContentKeys(expand(prk, cek_info, 16), expand(prk, nonce_info, 12))

    return derive


def _final_ikm(m: KeyMaterial) -> bytes:
    return expand(extract(m.auth, m.secret), encryption.KEY_INFO + _points(m), 32)


def _without_counters(m: KeyMaterial) -> ContentKeys:
    def step(key: bytes, info: bytes) -> bytes:
        return hmac.digest(key, info, "sha256")

    ikm = step(extract(m.auth, m.secret), encryption.KEY_INFO + _points(m))
    prk = extract(m.salt, ikm)
    key, nonce = step(prk, encryption.CEK_INFO), step(prk, encryption.NONCE_INFO)
    return ContentKeys(key[:16], nonce[:12])


def _bare(info: bytes) -> bytes:
    return info.rstrip(b"\x00")


_FINAL_DERIVATIONS: Final = (
    DerivationMistake(
        "encryption.auth.unused",
        "input keying material from the ECDH secret and auth",
        "the ECDH secret alone",
        _by(_from_ikm(lambda m: m.secret)),
    ),
    DerivationMistake(
        "encryption.key_info.label_missing",
        'key_info that begins with "WebPush: info" and a zero octet',
        "the two public keys alone, or nothing",
        _by(_from_key_info(_points), _from_key_info(lambda m: b"")),
    ),
    DerivationMistake(
        "encryption.key_info.nul_missing",
        'a zero octet after "WebPush: info"',
        "no zero octet",
        _by(_from_key_info(lambda m: _bare(encryption.KEY_INFO) + _points(m))),
    ),
    DerivationMistake(
        "encryption.key_info.draft",
        'key_info = "WebPush: info", a zero octet, and both public keys',
        'the draft\'s "Content-Encoding: auth" and a zero octet',
        _by(_from_key_info(lambda m: aesgcm.AUTH_INFO)),
    ),
    DerivationMistake(
        "encryption.info.nul_missing",
        "cek_info and nonce_info that end with a zero octet",
        "at least one of them without it",
        _by(
            _from_infos(_bare(encryption.CEK_INFO), _bare(encryption.NONCE_INFO)),
            _from_infos(_bare(encryption.CEK_INFO), encryption.NONCE_INFO),
            _from_infos(encryption.CEK_INFO, _bare(encryption.NONCE_INFO)),
        ),
    ),
    DerivationMistake(
        "encryption.info.draft",
        'cek_info = "Content-Encoding: aes128gcm" and a zero octet, with no context',
        "cek_info and nonce_info of the draft",
        _by(
            _from_infos(aesgcm.CEK_INFO, aesgcm.NONCE_INFO),
            lambda m: aesgcm.derive_keys(_final_ikm(m), m.salt, aesgcm.context(m)),
        ),
    ),
    DerivationMistake(
        "encryption.hkdf.counter_missing",
        "the octet 0x01 after the info in each HKDF-Expand",
        "the info alone",
        _by(_without_counters),
    ),
    DerivationMistake(
        "encryption.key_schedule.draft",
        "the keys of aes128gcm",
        "the keys of the draft's aesgcm",
        _by(aesgcm.content_keys),
    ),
)


# --- wrong derivations of aesgcm (draft-ietf-webpush-encryption-04, Sections 3.3 to 3.5) ---


def _draft_ikm(m: KeyMaterial) -> bytes:
    return expand(extract(m.auth, m.secret), aesgcm.AUTH_INFO, 32)


def _from_draft_ikm(ikm: Callable[[KeyMaterial], bytes]) -> Schedule:
    return lambda m: aesgcm.derive_keys(ikm(m), m.salt, aesgcm.context(m))


def _from_context(context: Callable[[KeyMaterial], bytes]) -> Schedule:
    return lambda m: aesgcm.derive_keys(_draft_ikm(m), m.salt, context(m))


_DRAFT_DERIVATIONS: Final = (
    DerivationMistake(
        "encryption.auth.unused",
        "input keying material from the ECDH secret and auth",
        "the ECDH secret alone",
        _by(_from_draft_ikm(lambda m: m.secret)),
    ),
    DerivationMistake(
        "aesgcm.auth_info.nul_missing",
        '"Content-Encoding: auth" and a zero octet',
        "no zero octet",
        _by(
            _from_draft_ikm(
                lambda m: expand(extract(m.auth, m.secret), _bare(aesgcm.AUTH_INFO), 32)
            )
        ),
    ),
    DerivationMistake(
        "aesgcm.context.label_missing",
        'a context that begins with "P-256" and a zero octet',
        "the label or its zero octet is missing",
        _by(
            _from_context(lambda m: aesgcm.context(m).removeprefix(aesgcm.CONTEXT_LABEL)),
            _from_context(lambda m: aesgcm.context(m).replace(b"\x00", b"", 1)),
        ),
    ),
    DerivationMistake(
        "aesgcm.context.lengths_missing",
        "the length of each public key in two octets before it",
        "the public keys without their lengths",
        _by(_from_context(lambda m: aesgcm.CONTEXT_LABEL + _points(m))),
    ),
    DerivationMistake(
        "aesgcm.context.missing",
        "cek_info and nonce_info that end with the context",
        "no context",
        _by(_from_context(lambda m: b"")),
    ),
    DerivationMistake(
        "aesgcm.key_schedule.final",
        "the keys of the draft's aesgcm",
        "the keys of aes128gcm",
        _by(encryption.content_keys),
    ),
)

_DERIVATIONS: Final = {AES128GCM: _FINAL_DERIVATIONS, AESGCM: _DRAFT_DERIVATIONS}
