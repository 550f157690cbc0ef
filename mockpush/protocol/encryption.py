"""`aes128gcm`: the content coding of push messages (RFC 8188 and RFC 8291).

A strict reader of its own: what it accepts, every conforming user agent accepts.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from mockpush.errors import DecryptionError
from mockpush.protocol.content_coding import (
    TAG_LENGTH,
    ContentKeys,
    KeyMaterial,
    Plaintext,
    Problem,
    expand,
    extract,
    is_on_curve,
    open_records,
    point_problem,
    received_material,
    seal,
    sent_material,
)
from mockpush.protocol.model import P256_POINT_LENGTH

_HEADER: Final = Struct("!16sLB")
"""salt, rs, idlen; the keyid follows (RFC 8188, Section 2.1)."""

MIN_RECORD_SIZE: Final = 18
"""The smallest rs: one octet, the delimiter and the tag (RFC 8188, Section 2.1)."""
DEFAULT_RECORD_SIZE: Final = 4096
OVERHEAD: Final = _HEADER.size + P256_POINT_LENGTH + 1 + TAG_LENGTH
"""What encryption adds to an unpadded payload: header, delimiter and tag, 103 octets."""

KEY_INFO: Final = b"WebPush: info\x00"
CEK_INFO: Final = b"Content-Encoding: aes128gcm\x00"
NONCE_INFO: Final = b"Content-Encoding: nonce\x00"

_LAST: Final = 2
_NOT_LAST: Final = 1


class Envelope(NamedTuple):
    """A body taken apart, all of it visible without keys (RFC 8188, Section 2.1).

    `salt` 16 octets, `rs` the record size in octets, `keyid` the sender's public key.
    """

    salt: bytes
    rs: int
    keyid: bytes
    ciphertext: bytes

    @property
    def records(self) -> int:
        """The number of records that `rs` cuts the ciphertext into."""
        return -(-len(self.ciphertext) // max(self.rs, 1))


def read_envelope(body: bytes) -> Envelope:
    """Takes any body apart; `DecryptionError` only if it is shorter than its header."""
    if len(body) < _HEADER.size:
        raise _truncated_header(body, _HEADER.size)
    salt, rs, idlen = _HEADER.unpack_from(body)
    end = _HEADER.size + idlen
    if len(body) < end:
        raise _truncated_header(body, end)
    return Envelope(salt, rs, body[_HEADER.size : end], body[end:])


def _truncated_header(body: bytes, length: int) -> DecryptionError:
    return DecryptionError(
        "encryption.header.truncated",
        expected=f"a header of at least {length} octets",
        actual=f"a body of {len(body)} octets",
    )


def envelope_problems(envelope: Envelope) -> list[Problem]:
    """All that is wrong with an envelope as it shows without keys, in the order of reading."""
    if _has_sound_form(envelope) and is_on_curve(envelope.keyid):
        return []
    found = [check(envelope) for check in _CHECKS]
    return [problem for problem in found if problem is not None]


def _has_sound_form(envelope: Envelope) -> bool:
    """All checks but that of the curve at once: this is on the path of every accepted message."""
    keyid = envelope.keyid
    return (
        TAG_LENGTH < len(envelope.ciphertext) < envelope.rs
        and len(keyid) == P256_POINT_LENGTH
        and keyid[0] == 4
    )


def _rs_too_small(envelope: Envelope) -> Problem | None:
    if envelope.rs >= MIN_RECORD_SIZE:
        return None
    expected = f"rs of {MIN_RECORD_SIZE} or more"
    return Problem("encryption.rs.too_small", expected, f"rs={envelope.rs}")


def _keyid(envelope: Envelope) -> Problem | None:
    return point_problem("encryption.keyid", envelope.keyid)


def _record_missing(envelope: Envelope) -> Problem | None:
    if envelope.ciphertext:
        return None
    expected = f"a record of at least {TAG_LENGTH + 1} octets after the header"
    return Problem("encryption.record.missing", expected, "nothing after the header")


def _record_too_short(envelope: Envelope) -> Problem | None:
    if envelope.rs < MIN_RECORD_SIZE:
        return None
    last = len(envelope.ciphertext) % envelope.rs
    if not 0 < last <= TAG_LENGTH:
        return None
    expected = f"at least {TAG_LENGTH + 1} octets in every record"
    return Problem("encryption.record.too_short", expected, f"{last} octets in the last record")


def _records_several(envelope: Envelope) -> Problem | None:
    if envelope.rs < MIN_RECORD_SIZE or len(envelope.ciphertext) <= envelope.rs:
        return None
    length = len(envelope.ciphertext)
    actual = f"{envelope.records} records: rs={envelope.rs} and {length} octets of ciphertext"
    return Problem("encryption.records.several", "one record", actual)


def _rs_not_greater(envelope: Envelope) -> Problem | None:
    if len(envelope.ciphertext) != envelope.rs or envelope.rs < MIN_RECORD_SIZE:
        return None
    actual = f"rs={envelope.rs}, the length of the record itself"
    return Problem("encryption.rs.not_greater", f"rs greater than {envelope.rs}", actual)


_CHECKS: Final = (
    _rs_too_small,
    _keyid,
    _record_missing,
    _record_too_short,
    _records_several,
    _rs_not_greater,
)
READABLE: Final = frozenset(("encryption.records.several", "encryption.rs.not_greater"))
"""Problems that break RFC 8291, Section 4, but do not hinder a reader of RFC 8188."""


def content_keys(material: KeyMaterial) -> ContentKeys:
    """The keys of a push message (RFC 8291, Section 3.4)."""
    secret, auth, ua_public, as_public, salt = material
    ikm = expand(extract(auth, secret), KEY_INFO + ua_public + as_public, 32)
    return derive_keys(ikm, salt)


def derive_keys(ikm: bytes, salt: bytes) -> ContentKeys:
    """The keys that follow from input keying material (RFC 8188, Sections 2.2 and 2.3)."""
    prk = extract(salt, ikm)
    return ContentKeys(expand(prk, CEK_INFO, 16), expand(prk, NONCE_INFO, 12))


def decrypt(body: bytes, *, private_key: bytes, p256dh: bytes, auth: bytes) -> Plaintext:
    """Reads a push message as the user agent that holds `private_key` (the scalar, 32 octets).

    `DecryptionError` with the code of the first thing that a conforming user agent would not take;
    several records are read, although RFC 8291, Section 4 wants one.
    """
    salt, rs, keyid, ciphertext = envelope = read_envelope(body)
    if not _has_sound_form(envelope):
        for problem in envelope_problems(envelope):
            if problem.code not in READABLE:
                raise problem.as_error()
    try:
        material = received_material(
            private_key=private_key, p256dh=p256dh, auth=auth, as_public=keyid, salt=salt
        )
    except ValueError:
        not_on_curve = _keyid(envelope)
        if not_on_curve is None:
            raise  # it is the private key that is out of range
        raise not_on_curve.as_error() from None
    return join_records(open_records(ciphertext, rs, content_keys(material)))


def join_records(records: list[bytes]) -> Plaintext:
    """Removes the padding of decrypted records and joins them (RFC 8188, Section 2).

    `DecryptionError` with `encryption.delimiter.missing` or `.wrong`.
    """
    count = len(records)
    if count == 1:
        data = _unpad(records[0], _LAST, "record 1 of 1")
        return Plaintext(data, len(records[0]) - len(data) - 1, 1)
    parts = [
        _unpad(record, _LAST if number == count else _NOT_LAST, f"record {number} of {count}")
        for number, record in enumerate(records, 1)
    ]
    data = b"".join(parts)
    return Plaintext(data, sum(map(len, records)) - len(data) - count, count)


def _unpad(record: bytes, delimiter: int, name: str) -> bytes:
    data = record.rstrip(b"\x00")
    if data and data[-1] == delimiter:
        return data[:-1]
    wanted = f"0x{delimiter:02x} after the content"
    if not data:
        actual = f"{name}: {len(record)} octets, all of them zero"
        raise DecryptionError("encryption.delimiter.missing", expected=wanted, actual=actual)
    actual = f"{name}: the last octet that is not zero is 0x{data[-1]:02x}"
    raise DecryptionError("encryption.delimiter.wrong", expected=wanted, actual=actual)


def encrypt(
    plaintext: bytes,
    *,
    p256dh: bytes,
    auth: bytes,
    salt: bytes | None = None,
    private_key: bytes | None = None,
    rs: int = DEFAULT_RECORD_SIZE,
    padding: int = 0,
) -> bytes:
    """The body of a push message in one record, with `padding` zero octets (RFC 8291, Section 4).

    The key pair is new and the salt random unless given. `ValueError` if rs is not greater than the
    record; `KeyFormatError` for a p256dh that is not on P-256 or an auth of another length than 16.
    """
    record = plaintext + bytes((_LAST,)) + bytes(padding)
    if rs <= (length := len(record) + TAG_LENGTH):
        raise ValueError(f"rs must be greater than the record of {length} octets, not {rs}")
    material = sent_material(p256dh=p256dh, auth=auth, salt=salt, private_key=private_key)
    header = _HEADER.pack(material.salt, rs, P256_POINT_LENGTH)
    return header + material.as_public + seal(record, content_keys(material))
