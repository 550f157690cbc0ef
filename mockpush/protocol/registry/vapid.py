"""Codes on voluntary identification: the Authorization field, the token, its key, its claims."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.registry.row import Code, Level

_MUST, _SHOULD, _PRACTICE, _VENDOR, _INFO = Level

_FORM = "Send `Authorization: vapid t=<token>, k=<public key in base64url>`."
_KEY = "k is the uncompressed P-256 point: 65 octets, first 0x04, in base64url without padding."
_PAIR = (
    "Check that the private key belongs to the public key that you send: both must come from the "
    "same pair, as raw base64url, PEM or DER of one key."
)
_SUB = "Use a contact that someone reads: `mailto:you@your-domain` or an https: URL of yours."

CODES: Final = (
    Code(
        "vapid.absent",
        _MUST,
        "RFC 8292, Section 4.2",
        "the subscription is restricted to a key, and the request does not identify its sender",
        "The subscription was made with an applicationServerKey: sign every push. " + _FORM,
    ),
    Code(
        "vapid.not_sent",
        _VENDOR,
        "RFC 8292, Section 2",
        "the request does not identify its sender",
        "Chrome and Safari subscribe only with an applicationServerKey, and their push services "
        "refuse a push without VAPID. " + _FORM,
    ),
    Code(
        "vapid.authorization.doubled",
        _MUST,
        "RFC 9110, Section 11.6.2",
        "the request has several Authorization fields",
        "Send one.",
    ),
    Code(
        "vapid.authorization.malformed",
        _MUST,
        "RFC 8292, Section 3",
        "the Authorization field cannot be read",
        _FORM,
    ),
    Code(
        "vapid.scheme.unknown",
        _MUST,
        "RFC 8292, Section 3",
        "the Authorization scheme is not vapid",
        _FORM + " `key=…` is the server key of a service that was switched off.",
    ),
    Code(
        "vapid.scheme.webpush",
        _MUST,
        "RFC 8292, Section 3",
        "the Authorization scheme is WebPush, that of a draft",
        _FORM + " Apple refuses this scheme.",
    ),
    Code(
        "vapid.scheme.bearer",
        _MUST,
        "RFC 8292, Section 3",
        "the Authorization scheme is Bearer, that of a draft",
        _FORM + " Apple refuses this scheme.",
    ),
    Code(
        "vapid.scheme.with_aesgcm",
        _PRACTICE,
        "RFC 8292, Section 3",
        "the vapid scheme goes with the draft coding aesgcm, which had its own",
        "Switch the coding to aes128gcm.",
    ),
    Code(
        "vapid.separator.semicolon",
        _MUST,
        "RFC 8292, Section 3",
        "t and k are separated by a semicolon",
        "Separate them by a comma: Mozilla's service does not split at a semicolon.",
    ),
    Code(
        "vapid.parameter.doubled",
        _MUST,
        "RFC 9110, Section 11.2",
        "t or k is given twice",
        "Send each once.",
    ),
    Code("vapid.token.missing", _MUST, "RFC 8292, Section 3.1", "there is no t parameter", _FORM),
    Code("vapid.key.missing", _MUST, "RFC 8292, Section 3.2", "there is no k parameter", _FORM),
    Code("vapid.key.empty", _MUST, "RFC 8292, Section 3.2", "the k parameter is empty", _FORM),
    Code(
        "vapid.p256ecdsa.missing",
        _MUST,
        "draft-ietf-webpush-vapid-01, Section 4",
        "there is no p256ecdsa parameter in Crypto-Key",
        _FORM,
    ),
    Code(
        "vapid.key.padded",
        _MUST,
        "RFC 8292, Section 3.2",
        "the public key carries base64 padding",
        "Remove the `=`: Chrome's service refuses a padded key in Crypto-Key.",
    ),
    Code(
        "vapid.key.standard_base64",
        _MUST,
        "RFC 8292, Section 3.2",
        "the public key is in the standard base64 alphabet",
        "Use base64url: `-` and `_` instead of `+` and `/`.",
    ),
    Code(
        "vapid.key.not_base64url", _MUST, "RFC 8292, Section 3.2", "the key is not base64url", _KEY
    ),
    Code(
        "vapid.key.compressed",
        _MUST,
        "RFC 8292, Section 3.2",
        "the public key is a compressed point",
        _KEY,
    ),
    Code(
        "vapid.key.without_prefix",
        _MUST,
        "RFC 8292, Section 3.2",
        "the public key is 64 octets: the first one, 0x04, is missing",
        _KEY,
    ),
    Code(
        "vapid.key.der",
        _MUST,
        "RFC 8292, Section 3.2",
        "the public key is in DER (SubjectPublicKeyInfo)",
        _KEY + " The last 65 octets of the DER form are that point.",
    ),
    Code(
        "vapid.key.length",
        _MUST,
        "RFC 8292, Section 3.2",
        "the public key has a wrong length",
        _KEY,
    ),
    Code(
        "vapid.key.not_uncompressed",
        _MUST,
        "RFC 8292, Section 3.2",
        "the public key does not begin with 0x04",
        _KEY,
    ),
    Code(
        "vapid.key.not_on_curve",
        _MUST,
        "RFC 8292, Section 3.2",
        "the public key is not a point on P-256",
        _KEY,
    ),
    Code(
        "vapid.key.mismatch",
        _MUST,
        "RFC 8292, Section 4.2",
        "the key is not the one that the subscription was made with",
        "Sign with the pair whose public key was the applicationServerKey in subscribe(). After a "
        "change of keys browsers must subscribe again; keep the old pair for old subscriptions. "
        "Chrome answers 403, Mozilla 401, Apple 400 VapidPkHashMismatch, Edge 401: do not delete "
        "subscriptions for those.",
    ),
    Code(
        "vapid.key.equals_encryption_key",
        _MUST,
        "RFC 8292, Section 3.2",
        "the signing key is the key of the message encryption, too",
        "Make a new P-256 pair for each message and keep the VAPID pair for signing.",
    ),
    Code(
        "vapid.token.malformed",
        _MUST,
        "RFC 7515, Section 3.1",
        "the token is not a JWT of three base64url parts with JSON in the first two",
        "Let a JWT library make it, or look at it with `mockpush vapid inspect`.",
    ),
    Code(
        "vapid.token.padded",
        _MUST,
        "RFC 7515, Section 2",
        "a part of the token carries base64 padding",
        "Remove the `=` from all three parts before signing.",
    ),
    Code(
        "vapid.token.standard_base64",
        _MUST,
        "RFC 7515, Section 2",
        "a part of the token is in the standard base64 alphabet",
        "Write `-` and `_` instead of `+` and `/`, in all three parts and before signing: tokens "
        "in which neither occurs are taken, all others are refused.",
    ),
    Code(
        "vapid.algorithm",
        _MUST,
        "RFC 8292, Section 2",
        "the token is not signed with ES256",
        "Use ES256 (ECDSA on P-256 with SHA-256); push services take no other algorithm.",
    ),
    Code(
        "vapid.typ",
        _INFO,
        "RFC 8292, Section 2",
        "the token's header has no typ JWT",
        'Add "typ": "JWT".',
    ),
    Code(
        "vapid.signature.invalid",
        _MUST,
        "RFC 8292, Section 2",
        "the signature does not fit the token and the key",
        _PAIR,
    ),
    Code(
        "vapid.signature.other_key",
        _MUST,
        "RFC 8292, Section 4.2",
        "the token is signed with the subscription's key, but another key is sent along",
        "Send the public key that belongs to your private key.",
    ),
    Code(
        "vapid.signature.der",
        _MUST,
        "RFC 7518, Section 3.4",
        "the signature is in DER",
        "Convert it to the 64 octets r and s, each filled up to 32 octets.",
    ),
    Code(
        "vapid.signature.length",
        _MUST,
        "RFC 7518, Section 3.4",
        "the signature is not 64 octets",
        "Fill r and s up to 32 octets each: without that one token in some ten thousand fails.",
    ),
    Code(
        "vapid.aud.missing",
        _MUST,
        "RFC 8292, Section 2",
        "there is no aud claim",
        "Set aud to the origin of the endpoint: scheme, host and port, nothing else.",
    ),
    Code(
        "vapid.aud.type",
        _MUST,
        "RFC 7519, Section 4.1.3",
        "aud is neither a string nor a list of strings",
        "Set aud to the origin of the endpoint, a string.",
    ),
    Code(
        "vapid.aud.array",
        _VENDOR,
        "RFC 7519, Section 4.1.3",
        "aud is a list",
        "Send one string: Mozilla's service refuses a list.",
    ),
    Code(
        "vapid.aud.mismatch",
        _MUST,
        "RFC 8292, Section 2",
        "aud is not the origin of the endpoint",
        "Make a token for each push service: aud is the origin of this endpoint. A library that "
        "writes aud into your claims sends the first service's origin to the others: give it a "
        "fresh copy of the claims for each push.",
    ),
    Code(
        "vapid.aud.path",
        _MUST,
        "RFC 8292, Section 2",
        "aud has a path or a trailing slash",
        "An origin is scheme, host and port only: `https://example.net`, without a slash.",
    ),
    Code(
        "vapid.aud.port_missing",
        _MUST,
        "RFC 8292, Section 2",
        "aud lacks the port of the endpoint's origin",
        "Add the port unless it is 443. Real push services use 443, so it shows only here and with "
        "self-hosted services; accepted, since many libraries build scheme and host only.",
    ),
    Code(
        "vapid.exp.missing",
        _MUST,
        "RFC 8292, Section 2",
        "there is no exp claim",
        "Set exp to now + 12 h, in seconds since the epoch.",
    ),
    Code(
        "vapid.exp.type",
        _MUST,
        "RFC 7519, Section 4.1.4",
        "exp is not a number",
        "Send exp as a JSON number of seconds since the epoch, without quotes.",
    ),
    Code(
        "vapid.exp.fraction",
        _VENDOR,
        "RFC 7519, Section 2",
        "exp is a number with a fraction",
        "Send whole seconds, as in `int(time.time()) + 43200`: Mozilla's service refuses a number "
        "with a decimal point.",
    ),
    Code(
        "vapid.exp.past",
        _MUST,
        "RFC 8292, Section 2",
        "the token has expired",
        "Sign a new token before the old one expires; is the sender's clock right?",
    ),
    Code(
        "vapid.exp.too_far",
        _MUST,
        "RFC 8292, Section 2",
        "exp is more than 24 hours ahead",
        "Use 12 h: that leaves room for clocks that differ. exp counts seconds, not milliseconds.",
    ),
    Code(
        "vapid.exp.near_limit",
        _PRACTICE,
        "RFC 8292, Section 2",
        "exp is 24 hours ahead, to the minute",
        "Use 12 h: a clock that runs a little ahead of the push service's makes it too far.",
    ),
    Code(
        "vapid.exp.soon",
        _PRACTICE,
        "RFC 8292, Section 2",
        "the token expires within two minutes",
        "Use 12 h: the token may expire on its way, or be refused by a clock that runs ahead.",
    ),
    Code(
        "vapid.nbf.future",
        _INFO,
        "RFC 7519, Section 4.1.5",
        "the token is not valid yet",
        "Leave nbf away, or compare the sender's clock.",
    ),
    Code(
        "vapid.sub.missing",
        _VENDOR,
        "RFC 8292, Section 2.1",
        "there is no sub claim",
        "Apple refuses a token without a contact (403 BadJwtToken), and Mozilla documents that it "
        "must be there. " + _SUB,
    ),
    Code("vapid.sub.type", _SHOULD, "RFC 8292, Section 2.1", "sub is not a string", _SUB),
    Code(
        "vapid.sub.bare_address",
        _SHOULD,
        "RFC 8292, Section 2.1",
        "sub is a mail address without mailto:",
        "Write `mailto:` before the address: Apple refuses it otherwise (403 BadJwtToken).",
    ),
    Code(
        "vapid.sub.not_a_contact",
        _SHOULD,
        "RFC 8292, Section 2.1",
        "sub is neither a mailto: nor an https: URI",
        "Apple refuses it (403 BadJwtToken). " + _SUB,
    ),
    Code(
        "vapid.sub.doubled_mailto",
        _SHOULD,
        "RFC 8292, Section 2.1",
        "sub begins with mailto: twice",
        "Your library adds mailto: itself: give it the bare address.",
    ),
    Code(
        "vapid.sub.malformed",
        _SHOULD,
        "RFC 6068, Section 2",
        "sub is a broken mailto: or https: URI",
        "Write `mailto:name@example.com`, without spaces or angle brackets: Apple refuses anything "
        "else (403 BadJwtToken).",
    ),
    Code(
        "vapid.sub.local_host",
        _VENDOR,
        "Apple, BadJwtToken",
        "sub names a host that is not public",
        "Apple refuses localhost, .local and .invalid (403 BadJwtToken). " + _SUB,
    ),
    Code(
        "vapid.sub.https",
        _INFO,
        "RFC 8292, Section 2.1",
        "sub is an https: URI",
        "That is legal, and reports contradict each other: should Apple answer 403 BadJwtToken, "
        "try `mailto:`.",
    ),
    Code(
        "vapid.claims.large",
        _SHOULD,
        "RFC 8292, Section 2.2",
        "the token is unusually long",
        "Keep claims of your own small: they travel with every push.",
    ),
)
