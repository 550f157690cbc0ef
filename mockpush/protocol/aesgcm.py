"""`aesgcm`: the draft coding that many senders still use.

draft-ietf-webpush-encryption-04 on draft-ietf-httpbis-encryption-encoding-03. The salt and the
record size come from the Encryption header field, the sender's public key from Crypto-Key.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mockpush.errors import DecryptionError
from mockpush.protocol.content_coding import (
    SALT_LENGTH,
    TAG_LENGTH,
    ContentKeys,
    KeyMaterial,
    Plaintext,
    Problem,
    expand,
    extract,
    open_records,
    point_problem,
    received_material,
    seal,
    sent_material,
)

PAD_LENGTH: Final = 2
"""The octets at the start of a record that say how much padding follows them."""
MIN_RECORD_SIZE: Final = PAD_LENGTH + 1

DEFAULT_RECORD_SIZE: Final = 4096
"""Holds where Encryption has no rs (draft-ietf-httpbis-encryption-encoding-03, Section 2)."""

CONTEXT_LABEL: Final = b"P-256\x00"
AUTH_INFO: Final = b"Content-Encoding: auth\x00"
CEK_INFO: Final = b"Content-Encoding: aesgcm\x00"
NONCE_INFO: Final = b"Content-Encoding: nonce\x00"

READABLE: Final = frozenset(("aesgcm.records.several",))
"""Problems that break the rules of Web Push, but do not hinder a reader of the coding."""


class Encrypted(NamedTuple):
    """A body, and what goes with it in Encryption (`salt`, `rs`) and Crypto-Key (`dh`)."""

    body: bytes
    salt: bytes
    dh: bytes
    rs: int


def body_problems(
    body: bytes, *, salt: bytes | None, dh: bytes | None, rs: int = DEFAULT_RECORD_SIZE
) -> list[Problem]:
    """All that is wrong with a body and its parameters as far as it shows without keys.

    `salt` and `dh` are decoded, None if the header field does not have them.
    """
    found = [_salt_problem(salt), _dh_problem(dh), *_record_problems(len(body), rs)]
    return [problem for problem in found if problem is not None]


def _salt_problem(salt: bytes | None) -> Problem | None:
    if salt is None:
        return Problem("aesgcm.salt.missing", "Encryption: salt=…", "no salt")
    if len(salt) != SALT_LENGTH:
        return Problem("aesgcm.salt.length", f"{SALT_LENGTH} octets", f"{len(salt)} octets")
    return None


def _dh_problem(dh: bytes | None) -> Problem | None:
    if dh is None:
        return Problem("aesgcm.dh.missing", "Crypto-Key: dh=…", "no dh")
    return point_problem("aesgcm.dh", dh)


def _record_problems(length: int, rs: int) -> list[Problem]:
    """The last record is shorter (draft-ietf-httpbis-encryption-encoding-03, Section 2)."""
    if rs < MIN_RECORD_SIZE:
        return [Problem("aesgcm.rs.too_small", f"rs of {MIN_RECORD_SIZE} or more", f"rs={rs}")]
    if not length:
        return [Problem("aesgcm.record.missing", "a record", "an empty body")]
    complete, last = divmod(length, rs + TAG_LENGTH)
    problems = []
    if not last:
        actual = f"{length} octets of full records with rs={rs}"
        problems.append(Problem("aesgcm.record.truncated", "a shorter last record", actual))
    elif last < (least := PAD_LENGTH + TAG_LENGTH):
        actual = f"{last} octets in the last record"
        problems.append(Problem("aesgcm.record.too_short", f"at least {least} octets", actual))
    if complete and length > rs + TAG_LENGTH:
        actual = f"{complete + bool(last)} records: rs={rs} and a body of {length} octets"
        problems.append(Problem("aesgcm.records.several", "one record", actual))
    return problems


def content_keys(material: KeyMaterial) -> ContentKeys:
    """The keys of a push message (draft-ietf-webpush-encryption-04, Section 3.5)."""
    ikm = expand(extract(material.auth, material.secret), AUTH_INFO, 32)
    return derive_keys(ikm, material.salt, context(material))


def context(material: KeyMaterial) -> bytes:
    """The label and both public keys, each after its length (Section 3.4)."""
    keys = (material.ua_public, material.as_public)
    return CONTEXT_LABEL + b"".join(len(key).to_bytes(2, "big") + key for key in keys)


def derive_keys(ikm: bytes, salt: bytes, context: bytes) -> ContentKeys:
    """The keys that follow from input keying material and a context (Section 3.5)."""
    prk = extract(salt, ikm)
    return ContentKeys(expand(prk, CEK_INFO + context, 16), expand(prk, NONCE_INFO + context, 12))


def decrypt(
    body: bytes,
    *,
    salt: bytes | None,
    dh: bytes | None,
    rs: int = DEFAULT_RECORD_SIZE,
    private_key: bytes,
    p256dh: bytes,
    auth: bytes,
) -> Plaintext:
    """Reads a push message as the user agent that holds `private_key` (the scalar, 32 octets).

    `DecryptionError` with the code of the first thing that a conforming user agent would not take;
    several records are read, although Section 4 wants one.
    """
    for problem in body_problems(body, salt=salt, dh=dh, rs=rs):
        if problem.code not in READABLE:
            raise problem.as_error()
    assert salt is not None  # since `body_problems` found no fault
    assert dh is not None
    material = received_material(
        private_key=private_key, p256dh=p256dh, auth=auth, as_public=dh, salt=salt
    )
    return join_records(open_records(body, rs + TAG_LENGTH, content_keys(material)))


def join_records(records: list[bytes]) -> Plaintext:
    """Removes the padding of decrypted records and joins them.

    draft-ietf-httpbis-encryption-encoding-03, Section 2. `DecryptionError` with
    `aesgcm.padding.exceeds_record` or `aesgcm.padding.not_zero`.
    """
    data = b"".join(map(_unpad, records))
    padding = sum(map(len, records)) - len(data) - PAD_LENGTH * len(records)
    return Plaintext(data, padding, len(records))


def _unpad(record: bytes) -> bytes:
    pad = int.from_bytes(record[:PAD_LENGTH], "big")
    end = PAD_LENGTH + pad
    if end > len(record):
        raise DecryptionError(
            "aesgcm.padding.exceeds_record",
            expected=f"a pad length of at most {len(record) - PAD_LENGTH}",
            actual=f"pad length {pad} in a record of {len(record)} octets",
        )
    if any(record[PAD_LENGTH:end]):
        actual = f"other octets among the {pad} of padding"
        raise DecryptionError("aesgcm.padding.not_zero", expected="zero octets", actual=actual)
    return record[end:]


def encrypt(
    plaintext: bytes,
    *,
    p256dh: bytes,
    auth: bytes,
    salt: bytes | None = None,
    private_key: bytes | None = None,
    rs: int = DEFAULT_RECORD_SIZE,
    padding: int = 0,
) -> Encrypted:
    """A push message in one record, with `padding` zero octets (at most 65535).

    The key pair is new and the salt random unless given. `ValueError` if rs is not greater than the
    padded content; `KeyFormatError` for a p256dh not on P-256 or an auth of another length than 16.
    """
    record = padding.to_bytes(PAD_LENGTH, "big") + bytes(padding) + plaintext
    if rs <= len(record):
        raise ValueError(
            f"rs must be greater than the padded content of {len(record)} octets, not {rs}"
        )
    material = sent_material(p256dh=p256dh, auth=auth, salt=salt, private_key=private_key)
    body = seal(record, content_keys(material))
    return Encrypted(body, material.salt, material.as_public, rs)
