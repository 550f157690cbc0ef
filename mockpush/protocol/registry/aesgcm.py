"""Codes on the draft coding aesgcm."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.registry.row import Code, Level

_MUST: Final = Level.MUST
_DRAFT_WEB_PUSH: Final = "draft-ietf-webpush-encryption-04"
_DRAFT_CODING: Final = "draft-ietf-httpbis-encryption-encoding-03"

CODES: Final[tuple[Code, ...]] = (
    Code(
        "aesgcm.salt.missing",
        _MUST,
        f"{_DRAFT_CODING}, Section 3",
        "Encryption has no readable salt",
        "Send `Encryption: salt=<22 characters of base64url>`, or better: use aes128gcm.",
    ),
    Code(
        "aesgcm.salt.length",
        _MUST,
        f"{_DRAFT_CODING}, Section 3",
        "the salt in Encryption has not 16 octets",
        "Send 16 random octets in base64url, new for each message.",
    ),
    Code(
        "aesgcm.dh.missing",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 4",
        "Crypto-Key has no readable dh",
        "Send your public key of this message as `Crypto-Key: dh=<87 characters of base64url>`.",
    ),
    Code(
        "aesgcm.dh.length",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 3.1",
        "dh has not the 65 octets of an uncompressed public key",
        "Send the public key that you made for this message, uncompressed: 0x04, x, y.",
    ),
    Code(
        "aesgcm.dh.not_uncompressed",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 3.1",
        "dh does not begin with 0x04",
        "Export your public key as an uncompressed point (65 octets, the first 0x04).",
    ),
    Code(
        "aesgcm.dh.not_on_curve",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 3.1",
        "dh is not a point on P-256",
        "Make the key pair of the message on P-256 (prime256v1).",
    ),
    Code(
        "aesgcm.rs.too_small",
        _MUST,
        f"{_DRAFT_CODING}, Section 2",
        "rs leaves no room for content after the pad length",
        "Omit rs: it is 4096 then.",
    ),
    Code(
        "aesgcm.record.missing",
        _MUST,
        f"{_DRAFT_CODING}, Section 2",
        "the body is empty",
        "Encrypt an empty payload as one record of 18 octets, or send no Content-Encoding.",
    ),
    Code(
        "aesgcm.record.too_short",
        _MUST,
        f"{_DRAFT_CODING}, Section 2",
        "the last record has fewer than 18 octets, so it holds no pad length and tag",
        "Put the pad length (2 octets) before the payload and the whole tag after; check whether "
        "the body was cut, or rs is smaller than the record.",
    ),
    Code(
        "aesgcm.record.truncated",
        _MUST,
        f"{_DRAFT_CODING}, Section 2",
        "the last record is a full one, as in a body that was cut",
        "Let the last record be shorter than rs; best keep the payload within 4077 octets.",
    ),
    Code(
        "aesgcm.records.several",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 4",
        "rs cuts the body into more than one record",
        "Send one record: keep the payload within 4077 octets, or give an rs that is longer than "
        "the body.",
    ),
    Code(
        "aesgcm.rs.includes_tag",
        _MUST,
        f"{_DRAFT_CODING}, Section 2",
        "the records are as if rs counted their tags",
        "Let rs count pad length, padding and content, but not the tag. Better send one record.",
        needs_keys=True,
    ),
    Code(
        "aesgcm.padding.exceeds_record",
        _MUST,
        f"{_DRAFT_CODING}, Section 2",
        "the pad length is longer than the record, so no browser can read the message",
        "Begin the record with the number of padding octets (0x0000 for none). If only long "
        "payloads fail, the number became negative: turn automatic padding off or use aes128gcm.",
        needs_keys=True,
    ),
    Code(
        "aesgcm.padding.not_zero",
        _MUST,
        f"{_DRAFT_CODING}, Section 2",
        "the padding holds other octets than zero",
        "Begin the record with the number of padding octets (0x0000 for none), then as many zeros.",
        needs_keys=True,
    ),
    Code(
        "aesgcm.padding.final",
        _MUST,
        f"{_DRAFT_CODING}, Section 2",
        "the record is padded as in aes128gcm, with a delimiter at its end",
        "Drop the delimiter and begin the record with the pad length 0x0000.",
        needs_keys=True,
    ),
    Code(
        "aesgcm.auth_info.nul_missing",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 3.3",
        'the zero octet after "Content-Encoding: auth" is missing in the key derivation',
        "Append a zero octet to that string.",
        needs_keys=True,
    ),
    Code(
        "aesgcm.context.label_missing",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 3.4",
        'the context of the key derivation does not begin with "P-256" and a zero octet',
        'Begin the context with "P-256" and a zero octet.',
        needs_keys=True,
    ),
    Code(
        "aesgcm.context.lengths_missing",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 3.4",
        "the context of the key derivation lacks the lengths of the public keys",
        "Put 0x0041 before each public key.",
        needs_keys=True,
    ),
    Code(
        "aesgcm.context.missing",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 3.4",
        "the key derivation has no context",
        'Append the context ("P-256", a zero octet, both public keys, each after its length) to '
        "cek_info and nonce_info.",
        needs_keys=True,
    ),
    Code(
        "aesgcm.key_schedule.final",
        _MUST,
        f"{_DRAFT_WEB_PUSH}, Section 3.5",
        "the body is labelled aesgcm, but is encrypted with the keys of aes128gcm",
        "Send it as aes128gcm: with `Content-Encoding: aes128gcm` and the header in the body.",
        needs_keys=True,
    ),
)
