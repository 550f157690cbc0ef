"""Codes on the keys with which a body is encrypted."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.registry.row import Code, Level

_MUST: Final = Level.MUST

CODES: Final[tuple[Code, ...]] = (
    Code(
        "encryption.tag.invalid",
        _MUST,
        "RFC 8188, Section 2",
        "the body does not decrypt with the keys of this subscription; a browser drops it silently",
        "None of the known mistakes explains it. Check p256dh and auth of this very endpoint, that "
        "keyid is the key you used for ECDH, and that the salt in the body is the one you used.",
        needs_keys=True,
    ),
    Code(
        "encryption.keys.other_subscription",
        _MUST,
        "RFC 8291, Section 2",
        "the body is encrypted for another subscription",
        "Keep endpoint, p256dh and auth of a subscription together, and encrypt anew for each.",
        needs_keys=True,
    ),
    Code(
        "encryption.p256dh.other_subscription",
        _MUST,
        "RFC 8291, Section 2",
        "the body is encrypted with the p256dh of another subscription",
        "Keep endpoint, p256dh and auth of a subscription together; after a browser subscribed "
        "anew, replace all three.",
        needs_keys=True,
    ),
    Code(
        "encryption.auth.other_subscription",
        _MUST,
        "RFC 8291, Section 3.3",
        "the body is encrypted with the auth of another subscription",
        "Keep endpoint, p256dh and auth of a subscription together; after a browser subscribed "
        "anew, replace all three.",
        needs_keys=True,
    ),
    Code(
        "encryption.auth.empty",
        _MUST,
        "RFC 8291, Section 3.3",
        "the body is encrypted with an empty auth secret",
        "Pass `keys.auth` of the subscription to your library, decoded to 16 octets.",
        needs_keys=True,
    ),
    Code(
        "encryption.auth.unused",
        _MUST,
        "RFC 8291, Section 3.3",
        "the body is encrypted without the auth secret",
        "Derive the keying material from the ECDH secret with `keys.auth` as the salt of HKDF.",
        needs_keys=True,
    ),
    Code(
        "encryption.auth.text",
        _MUST,
        "RFC 8291, Section 3.3",
        "the body is encrypted with the text of auth in place of its 16 octets",
        "Decode `keys.auth` from base64url first: 22 characters become 16 octets.",
        needs_keys=True,
    ),
    Code(
        "encryption.auth.p256dh_used",
        _MUST,
        "RFC 8291, Section 3.3",
        "the body is encrypted with p256dh as the auth secret",
        "p256dh and auth are swapped: p256dh has 65 octets, auth has 16.",
        needs_keys=True,
    ),
    Code(
        "encryption.auth.swapped_with_salt",
        _MUST,
        "RFC 8291, Section 3.4",
        "auth and the salt of the message are swapped in the key derivation",
        "Use auth as the salt of the first HKDF and the salt of the message in the second.",
        needs_keys=True,
    ),
    Code(
        "encryption.salt.unused",
        _MUST,
        "RFC 8188, Section 2.2",
        "the salt that the message carries was not used to encrypt it",
        "Use the 16 random octets that you send as the salt of the second HKDF.",
        needs_keys=True,
    ),
    Code(
        "encryption.ecdh_secret.leading_zeros_dropped",
        _MUST,
        "RFC 8291, Section 3.1",
        "the ECDH secret begins with a zero octet, and the sender dropped it",
        "Pad the secret to 32 octets on the left (as in C#, where `ToByteArrayUnsigned()` drops "
        "zeros): about one message in 256 is lost, the others arrive.",
        needs_keys=True,
    ),
    Code(
        "encryption.ecdh_secret.sign_octet",
        _MUST,
        "RFC 8291, Section 3.1",
        "the ECDH secret was used with a zero octet in front",
        "Cut the secret to 32 octets (as in Java, where `BigInteger.toByteArray()` adds an octet "
        "for the sign): about every second message is lost.",
        needs_keys=True,
    ),
    Code(
        "encryption.ecdh_secret.reversed",
        _MUST,
        "RFC 8291, Section 3.1",
        "the ECDH secret was used in little-endian order",
        "Reverse the secret: its 32 octets go most significant first.",
        needs_keys=True,
    ),
    Code(
        "encryption.ecdh_secret.hashed",
        _MUST,
        "RFC 8291, Section 3.1",
        "the ECDH secret was hashed before its use",
        "Take the raw secret (the x coordinate): in .NET `DeriveRawSecretAgreement`, not "
        "`DeriveKeyMaterial`.",
        needs_keys=True,
    ),
    Code(
        "encryption.key_info.order",
        _MUST,
        "RFC 8291, Section 3.3",
        "the two public keys are in the wrong order in the key derivation",
        "Put the subscription's p256dh first, then your own public key, also when you encrypt.",
        needs_keys=True,
    ),
    Code(
        "encryption.key_info.point_format",
        _MUST,
        "RFC 8291, Section 3.3",
        "a public key is not in uncompressed form in the key derivation",
        "Use both public keys as 65 octets that begin with 0x04: not compressed, not as text.",
        needs_keys=True,
    ),
    Code(
        "encryption.key_info.label_missing",
        _MUST,
        "RFC 8291, Section 3.3",
        'the info of the key derivation lacks "WebPush: info"',
        'Set key_info to "WebPush: info", a zero octet, p256dh, and your own public key.',
        needs_keys=True,
    ),
    Code(
        "encryption.key_info.nul_missing",
        _MUST,
        "RFC 8291, Section 3.3",
        'the zero octet after "WebPush: info" is missing in the key derivation',
        'Set key_info to "WebPush: info", a zero octet, p256dh, and your own public key.',
        needs_keys=True,
    ),
    Code(
        "encryption.key_info.draft",
        _MUST,
        "RFC 8291, Section 3.3",
        'the key derivation uses the draft\'s "Content-Encoding: auth"',
        'Set key_info to "WebPush: info", a zero octet, p256dh, and your own public key.',
        needs_keys=True,
    ),
    Code(
        "encryption.info.nul_missing",
        _MUST,
        "RFC 8188, Section 2.2",
        "the zero octet at the end of cek_info or nonce_info is missing",
        'End "Content-Encoding: aes128gcm" and "Content-Encoding: nonce" with a zero octet each.',
        needs_keys=True,
    ),
    Code(
        "encryption.info.draft",
        _MUST,
        "RFC 8188, Section 2.2",
        "cek_info and nonce_info are those of the draft",
        'Use "Content-Encoding: aes128gcm" and "Content-Encoding: nonce", each with a zero octet '
        "and without a context.",
        needs_keys=True,
    ),
    Code(
        "encryption.hkdf.counter_missing",
        _MUST,
        "RFC 8291, Section 3.4",
        "HKDF was computed without the octet 0x01 after the info",
        "Append 0x01 to the info in each HKDF-Expand, or use the HKDF of your library.",
        needs_keys=True,
    ),
    Code(
        "encryption.key_schedule.draft",
        _MUST,
        "RFC 8291, Section 3.4",
        "the body has the header of aes128gcm, but is encrypted with the keys of aesgcm",
        "Derive the keys as RFC 8291, Section 3.4 says: changing Content-Encoding is not enough.",
        needs_keys=True,
    ),
    Code(
        "encryption.coding.mislabelled",
        _MUST,
        "RFC 8291, Section 4",
        "Content-Encoding names another coding than that of the body",
        "Name the coding that your library produced; best make it produce aes128gcm.",
        needs_keys=True,
    ),
)
