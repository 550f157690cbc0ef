"""Codes on the encryption of the payload: aes128gcm, the draft aesgcm, and why a body cannot be read."""

from __future__ import annotations

from typing import Final

from .row import Code, Level

CODES: Final[tuple[Code, ...]] = (
    Code("encryption.header.truncated", Level.MUST, "RFC 8188, Section 2", "the body is shorter than its header", "the body is shorter than its header"),
    Code("encryption.rs.too_small", Level.MUST, "RFC 8188, Section 2", "rs is below 18", "rs is below 18"),
    Code("encryption.keyid.length", Level.MUST, "RFC 8188, Section 2", "keyid is not 65 octets", "keyid is not 65 octets"),
    Code("encryption.keyid.not_uncompressed", Level.MUST, "RFC 8188, Section 2", "keyid does not begin with 0x04", "keyid does not begin with 0x04"),
    Code("encryption.keyid.not_on_curve", Level.MUST, "RFC 8188, Section 2", "keyid is not a point on P-256", "keyid is not a point on P-256"),
    Code("encryption.record.missing", Level.MUST, "RFC 8188, Section 2", "there is no record", "there is no record"),
    Code("encryption.record.too_short", Level.MUST, "RFC 8188, Section 2", "a record has fewer than 17 octets", "a record has fewer than 17 octets"),
    Code("encryption.records.several", Level.MUST, "RFC 8188, Section 2", "the body has several records", "the body has several records"),
    Code("encryption.tag.invalid", Level.MUST, "RFC 8188, Section 2", "does not decrypt", "does not decrypt"),
    Code("encryption.rs.not_greater", Level.MUST, "RFC 8188, Section 2", "rs not greater", "rs not greater"),
)
