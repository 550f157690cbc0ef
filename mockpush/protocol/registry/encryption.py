"""Codes on what a body shows, on its records and their padding: aes128gcm."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.registry.row import Code, Level

_MUST: Final = Level.MUST

CODES: Final[tuple[Code, ...]] = (
    Code(
        "encryption.header.truncated",
        _MUST,
        "RFC 8188, Section 2.1",
        "the body is shorter than the header of aes128gcm",
        "Begin the body with salt (16 octets), rs (4), the length 65 (1) and your public key (65), "
        "then the ciphertext; an aesgcm body has none of these.",
    ),
    Code(
        "encryption.rs.too_small",
        _MUST,
        "RFC 8188, Section 2.1",
        "rs is smaller than 18",
        "Write rs as 4 octets, most significant first; 4096 fits payloads of up to 3993 octets.",
    ),
    Code(
        "encryption.keyid.length",
        _MUST,
        "RFC 8291, Section 4",
        "keyid has not the 65 octets of an uncompressed public key",
        "Put the public key that you made for this message into keyid, as octets, not as text, and "
        "uncompressed: 0x04, x, y.",
    ),
    Code(
        "encryption.keyid.not_uncompressed",
        _MUST,
        "RFC 8291, Section 4",
        "keyid does not begin with 0x04",
        "Export your public key as an uncompressed point (65 octets, the first 0x04).",
    ),
    Code(
        "encryption.keyid.not_on_curve",
        _MUST,
        "RFC 8291, Section 7",
        "keyid is not a point on P-256",
        "Make the key pair of the message on P-256 (prime256v1), and check that nothing between "
        "your encryption and the request changes octets.",
    ),
    Code(
        "encryption.record.missing",
        _MUST,
        "RFC 8188, Section 2",
        "the body ends after its header",
        "Encrypt an empty payload as one record of 17 octets, or send no body at all and no "
        "Content-Encoding.",
    ),
    Code(
        "encryption.record.too_short",
        _MUST,
        "RFC 8188, Section 2",
        "a record has fewer than 17 octets, so it holds no delimiter and tag",
        "Append the delimiter before you encrypt and the whole tag of 16 octets after; check "
        "whether the body was cut, or rs is smaller than the record.",
    ),
    Code(
        "encryption.records.several",
        _MUST,
        "RFC 8291, Section 4",
        "rs cuts the body into more than one record",
        "Send one record: rs must exceed plaintext + padding + 17. Keep the payload within 3993 "
        "octets, then rs=4096 fits and every push service takes it.",
    ),
    Code(
        "encryption.rs.not_greater",
        _MUST,
        "RFC 8291, Section 4",
        "rs equals the length of the record, although it must be greater",
        "Set rs to 4096, or to at least plaintext + padding + 18.",
    ),
    Code(
        "encryption.delimiter.missing",
        _MUST,
        "RFC 8188, Section 2",
        "a decrypted record holds nothing but zero octets",
        "Append 0x02 to the payload before you encrypt; padding of zero octets follows it.",
        needs_keys=True,
    ),
    Code(
        "encryption.delimiter.wrong",
        _MUST,
        "RFC 8188, Section 2",
        "a decrypted record does not end with its delimiter",
        "Append 0x02 to the payload before you encrypt (0x01 says that another record follows), "
        "and nothing but zero octets after it.",
        needs_keys=True,
    ),
    Code(
        "encryption.padding.draft",
        _MUST,
        "RFC 8188, Section 2",
        "the record is padded as in the draft, with a pad length in front",
        "Drop the two octets in front and append 0x02 to the payload.",
        needs_keys=True,
    ),
    Code(
        "encryption.record.exceeds_rs",
        _MUST,
        "RFC 8291, Section 4",
        "a record is longer than rs, so a browser cuts it at rs and drops the message",
        "Keep the payload within 3993 octets (103 less than 4096), or set rs above the length of "
        "the record: long messages are lost, short ones arrive.",
        needs_keys=True,
    ),
    Code(
        "encryption.nonce.sequence",
        _MUST,
        "RFC 8188, Section 2.3",
        "the first record was encrypted with the nonce of the second",
        "Count records from 0: the nonce of a single record is the derived one, unchanged.",
        needs_keys=True,
    ),
    Code(
        "encryption.additional_data.present",
        _MUST,
        "RFC 8188, Section 2",
        "the header of the body was authenticated as additional data",
        "Pass no additional data to AES-GCM.",
        needs_keys=True,
    ),
    Code(
        "encryption.tag.first",
        _MUST,
        "RFC 8188, Section 2",
        "the tag stands before the ciphertext",
        "Append the 16 octets of the tag to the ciphertext.",
        needs_keys=True,
    ),
    Code(
        "encryption.tag.missing",
        _MUST,
        "RFC 8188, Section 2",
        "the ciphertext has no tag",
        "Append the tag of 16 octets (in Node.js `cipher.getAuthTag()`) to the ciphertext.",
        needs_keys=True,
    ),
    Code(
        "encryption.plaintext.sent",
        _MUST,
        "RFC 8291, Section 4",
        "the body is readable text: it is not encrypted",
        "Encrypt the payload with p256dh and auth of the subscription, or use a library that does.",
        needs_keys=True,
    ),
    Code(
        "encryption.body.base64",
        _MUST,
        "RFC 8188, Section 2",
        "the body is base64 text",
        "Send the encrypted octets themselves, not their base64 form.",
        needs_keys=True,
    ),
    Code(
        "encryption.body.hex",
        _MUST,
        "RFC 8188, Section 2",
        "the body is hexadecimal text",
        "Send the encrypted octets themselves, not their hexadecimal form.",
        needs_keys=True,
    ),
    Code(
        "encryption.body.utf8_encoded",
        _MUST,
        "RFC 8188, Section 2",
        "the octets of the body were encoded in UTF-8 as if they were characters",
        "Hand the encrypted body to your HTTP client as bytes (bytes, Buffer, Uint8Array), never "
        "as a string.",
        needs_keys=True,
    ),
    Code(
        "encryption.body.text_conversion",
        _MUST,
        "RFC 8188, Section 2",
        "the body was decoded as text, which destroyed what is not text",
        "Hand the encrypted body to your HTTP client as bytes (bytes, Buffer, Uint8Array), never "
        "as a string.",
        needs_keys=True,
    ),
    Code(
        "encryption.body.truncated",
        _MUST,
        "RFC 8188, Section 4.2",
        "the body was cut: the keys are right, its end is missing",
        "Send all of the ciphertext with its tag of 16 octets; check lengths and buffers after "
        "the encryption.",
        needs_keys=True,
    ),
    Code(
        "encryption.body.altered",
        _MUST,
        "RFC 8188, Section 2",
        "the keys are right, but the body or its tag was changed",
        "Look for what changes octets between encryption and request, for a tag of another "
        "message, and for additional data given to AES-GCM.",
        needs_keys=True,
    ),
)
