"""A message taken apart, and the mistakes that senders make when they seal its records.

RFC 8188, Section 2, and draft-ietf-httpbis-encryption-encoding-03, Section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM as AES_128_GCM

from mockpush.errors import DecryptionError
from mockpush.protocol import encryption
from mockpush.protocol.content_coding import (
    TAG_LENGTH,
    ContentKeys,
    KeyMaterial,
    open_records,
    point_problem,
    received_material,
)
from mockpush.protocol.headers import AES128GCM, AESGCM
from mockpush.protocol.model import SubscriptionKeys


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a message shows: all that decryption takes from it, whatever its coding.

    `rs` is the record size as declared, `length` the octets of a full record with its tag, `header`
    the part of the body before the ciphertext.
    """

    coding: str
    salt: bytes
    as_public: bytes
    rs: int
    length: int
    ciphertext: bytes
    header: bytes = b""

    @classmethod
    def in_envelope(cls, body: bytes) -> Self | None:
        """A body of `aes128gcm`, or None if it has no point on P-256 or no record."""
        try:
            envelope = encryption.read_envelope(body)
        except DecryptionError:
            return None
        salt, rs, ciphertext = envelope.salt, envelope.rs, envelope.ciphertext
        if not ciphertext or point_problem("", envelope.keyid):
            return None
        header = body[: -len(ciphertext)]
        return cls(AES128GCM, salt, envelope.keyid, rs, max(rs, 1), ciphertext, header)

    @classmethod
    def with_parameters(
        cls, body: bytes, *, salt: bytes | None, dh: bytes | None, rs: int
    ) -> Self | None:
        """A body of `aesgcm`, or None if it has no salt, no point on P-256 or no record."""
        if not body or salt is None or dh is None or point_problem("", dh):
            return None
        return cls(AESGCM, salt, dh, rs, max(rs, 0) + TAG_LENGTH, body)

    def material(self, keys: SubscriptionKeys) -> KeyMaterial | None:
        """What the keys of the message follow from; None if we lack the private key."""
        if keys.private_key is None:
            return None
        return received_material(
            private_key=keys.private_key,
            p256dh=keys.p256dh,
            auth=keys.auth,
            as_public=self.as_public,
            salt=self.salt,
        )


Opening: TypeAlias = Callable[[Sealed, ContentKeys], list[bytes]]
"""Decrypts the records of a message; `DecryptionError` or `InvalidTag` if they do not open so."""


def opened(opening: Opening, sealed: Sealed, keys: ContentKeys) -> list[bytes] | None:
    """The records, padding and all, or None if they do not open so."""
    try:
        return opening(sealed, keys)
    except (DecryptionError, InvalidTag):
        return None


def open_as_declared(sealed: Sealed, keys: ContentKeys) -> list[bytes]:
    """Records of the declared size."""
    return open_records(sealed.ciphertext, sealed.length, keys)


def open_whole(sealed: Sealed, keys: ContentKeys) -> list[bytes]:
    """One record, whatever rs says."""
    return open_records(sealed.ciphertext, len(sealed.ciphertext), keys)


def open_either(sealed: Sealed, keys: ContentKeys) -> list[bytes]:
    """Records of the declared size, or else one record."""
    return opened(open_as_declared, sealed, keys) or open_whole(sealed, keys)


def _open_tag_first(sealed: Sealed, keys: ContentKeys) -> list[bytes]:
    tag, ciphertext = sealed.ciphertext[:TAG_LENGTH], sealed.ciphertext[TAG_LENGTH:]
    return open_records(ciphertext + tag, len(sealed.ciphertext), keys)


def _open_counted_from_one(sealed: Sealed, keys: ContentKeys) -> list[bytes]:
    first = keys.nonce[:-1] + bytes((keys.nonce[-1] ^ 1,))
    return open_whole(sealed, keys._replace(nonce=first))


def _open_with_header(sealed: Sealed, keys: ContentKeys) -> list[bytes]:
    return [AES_128_GCM(keys.key).decrypt(keys.nonce, sealed.ciphertext, sealed.header)]


class SealingMistake(NamedTuple):
    """A code of the registry, what the sender should have done, what it did, and how that opens."""

    code: str
    expected: str
    actual: str
    opening: Opening


_WITH_ANY_CODING: Final = (
    SealingMistake(
        "encryption.tag.first",
        "the tag of 16 octets after the ciphertext",
        "the tag before the ciphertext",
        _open_tag_first,
    ),
    SealingMistake(
        "encryption.nonce.sequence",
        "record numbers that count from 0",
        "record number 1 for the first record",
        _open_counted_from_one,
    ),
    SealingMistake(
        "encryption.additional_data.present",
        "AES-GCM without additional data",
        "the header of the body as additional data",
        _open_with_header,
    ),
)
_INCLUDES_TAG: Final = SealingMistake(
    "aesgcm.rs.includes_tag",
    "rs that does not count the tag of a record",
    "records that are as long as rs with their tag",
    lambda sealed, keys: open_records(sealed.ciphertext, sealed.rs, keys),
)
_EXCESS: Final = {AES128GCM: (1, TAG_LENGTH, TAG_LENGTH + 1), AESGCM: (1, 2)}
"""By how much records exceed rs when a sender forgets to count padding or tag."""


def sealing_mistakes(sealed: Sealed) -> Iterator[SealingMistake]:
    """Every mistake that is known and that this message can have."""
    length = len(sealed.ciphertext)
    if length > sealed.length:
        yield _record_exceeds_rs(sealed, length)
        for excess in _EXCESS[sealed.coding]:
            yield _record_exceeds_rs(sealed, sealed.length + excess)
    if sealed.coding == AESGCM and TAG_LENGTH < sealed.rs < length:
        yield _INCLUDES_TAG
    yield from _WITH_ANY_CODING


def _record_exceeds_rs(sealed: Sealed, length: int) -> SealingMistake:
    records = "one record" if length == len(sealed.ciphertext) else "records"
    return SealingMistake(
        "encryption.record.exceeds_rs",
        f"rs greater than {sealed.rs + length - sealed.length}",
        f"rs={sealed.rs} and {records} of {length} octets",
        lambda sealed, keys: open_records(sealed.ciphertext, length, keys),
    )
