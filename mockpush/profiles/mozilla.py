"""The `mozilla` profile: autopush, the push service of Firefox.

Taken from autopush-rs 1.83.1 (2026-07-31), whose order of checks the rows keep: token,
Authorization, user, body, TTL, fields of the encryption, Topic. Urgency and Prefer are never read.
"""

from __future__ import annotations

import json
from typing import Final

from mockpush.protocol.delivery import AUTOPUSH
from mockpush.protocol.judging import (
    Compare,
    Measure,
    Operator,
    Profile,
    Row,
    Scope,
    Template,
    Variant,
    on,
)

_DAY: Final = 24 * 60 * 60
_LEEWAY: Final = 60
"""Seconds for which an expired token is still taken."""
_MORE: Final = "http://autopush.readthedocs.io/en/latest/http.html#error-codes"
_PHRASES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    410: "Gone",
    413: "Payload Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
_FIELDS: Final = {
    410: (("Cache-Control", "max-age=86400"),),
    429: (("Retry-After", "120"),),
    503: (("Retry-After", "120"),),
}
_CLAIMS: Final = (
    "Invalid VAPID token: A value in the vapid claims is either missing or incorrectly specified "
    '(e.g. "exp":"12345" or "sub":null). Please correct and retry.'
)


def _refusal(status: int, errno: int | None, message: str) -> Template:
    document = {
        "code": status,
        "errno": errno,
        "error": _PHRASES[status],
        "message": message,
        "more_info": _MORE,
    }
    headers = (("Content-Type", "application/json"), *_FIELDS.get(status, ()))
    return Template(status, headers, json.dumps(document, separators=(",", ":")), message)


def _unauthorized(message: str) -> Template:
    return _refusal(401, 109, message)


def _encryption(message: str) -> Template:
    return _refusal(400, 110, message)


_GONE: Final = _refusal(410, 106, "No such subscription")
_UNAVAILABLE: Final = _refusal(503, 201, "Please try again later")
_NO_TOKEN: Final = on("subscription.unknown", "subscription.expired.404")
_BRIDGED: Final = _refusal(
    413,
    104,
    "This message is intended for a constrained device and is limited in size. "
    "Converted buffer is too long by {excess} bytes",
)

_RESOURCE: Final = (
    Row(
        on("request.method"),
        Template(405, (("Allow", "POST"),)),
        evidence="S: what its HTTP library answers",
    ),
    Row(
        _NO_TOKEN,
        _refusal(404, 102, "Invalid token"),
        evidence="D: errors.md, against the source",
        variant="documented_404",
    ),
    Row(_NO_TOKEN, Template(404), evidence="S: the body of every 404 is thrown away"),
)

_AUTHORIZATION: Final = (
    Row(
        on("vapid.token.missing", unless=("vapid.key.missing",)),
        _unauthorized("Missing VAPID token"),
        evidence="S: k is looked for first",
    ),
    Row(on("vapid.scheme.unknown"), _unauthorized("Unknown auth scheme"), evidence="S"),
    Row(
        on(
            "vapid.absent",
            "vapid.authorization.malformed",
            "vapid.separator.semicolon",
            "vapid.key.missing",
        ),
        _unauthorized("Missing VAPID public key"),
        evidence="S: parameters are split at commas only",
    ),
    Row(
        on("vapid.p256ecdsa.missing"),
        _encryption("Missing p256ecdsa in Crypto-Key header"),
        Scope.WITH_CRYPTO_KEY,
        "S",
    ),
    Row(on("vapid.p256ecdsa.missing"), _encryption("Missing Crypto-Key header"), evidence="S"),
    Row(
        on("vapid.key.empty", "vapid.key.not_base64url"),
        _unauthorized("Invalid VAPID public key"),
        evidence="S: followed by a text of the decoder, which is U",
    ),
)

_TOKEN: Final = (
    Row(on("vapid.token.malformed"), _unauthorized("InvalidToken"), evidence="S"),
    Row(
        on("vapid.algorithm"), _unauthorized("InvalidAlgorithm"), evidence="S: the status; U: text"
    ),
    Row(
        on("vapid.signature.invalid", "vapid.signature.der", "vapid.signature.length"),
        _unauthorized("InvalidSignature"),
        evidence="S",
    ),
    Row(
        on(
            "vapid.key.compressed",
            "vapid.key.without_prefix",
            "vapid.key.der",
            "vapid.key.length",
            "vapid.key.not_uncompressed",
            "vapid.key.not_on_curve",
        ),
        _unauthorized("InvalidSignature"),
        evidence="U: the octets go into the verification as they are",
    ),
    Row(
        on(
            "vapid.exp.missing",
            "vapid.exp.type",
            "vapid.exp.fraction",
            "vapid.aud.array",
            "vapid.aud.type",
            "vapid.sub.type",
        ),
        _unauthorized(_CLAIMS),
        evidence="S: exp is a whole number, aud one string; O",
    ),
    Row(
        on("vapid.aud.missing"),
        _unauthorized("Invalid VAPID token: Missing required aud"),
        evidence="S",
    ),
    Row(
        Compare(Measure.EXP_IN, Operator.BELOW, -_LEEWAY, "vapid.exp.past"),
        _unauthorized("ExpiredSignature"),
        evidence="S: 60 seconds of leeway",
    ),
    Row(
        on("vapid.aud.mismatch", "vapid.aud.path"),
        _unauthorized("Invalid VAPID audience"),
        evidence="S",
    ),
    Row(
        on("vapid.exp.too_far"),
        _unauthorized("The VAPID token expiration is too long"),
        evidence="S: no leeway",
    ),
    Row(on("vapid.key.mismatch"), _unauthorized("VAPID public key mismatch"), evidence="S, O"),
)

_USER: Final = (
    Row(on("subscription.expired", "subscription.expired.410"), _GONE, evidence="S, O"),
)

_BODY: Final = (
    Row(
        Compare(Measure.BODY_SIZE, Operator.ABOVE, "bridged", "body.too_large"),
        _BRIDGED,
        evidence="S: 4096 characters of base64; O",
        variant="bridged",
    ),
    Row(
        Compare(Measure.BODY_SIZE, Operator.ABOVE, "body", "body.too_large"),
        _refusal(413, 104, "payload reached size limit"),
        evidence="S: 5630 octets; D: 4096 in one place, 4028 in another",
    ),
)

_FIELDS_OF_THE_MESSAGE: Final = (
    Row(
        on("ttl.missing", "ttl.not_a_number", "ttl.doubled"),
        _refusal(400, 111, "Missing TTL value"),
        evidence="S; D: 112",
    ),
    Row(
        on("content_encoding.missing"),
        _encryption("Missing Content-Encoding header"),
        Scope.WITH_BODY,
        "S",
    ),
    Row(
        on("content_encoding.unknown", "content_encoding.several", "content_encoding.case"),
        _encryption("Unknown Content-Encoding header"),
        Scope.WITH_BODY,
        "S: compared exactly",
    ),
    Row(
        on("encryption_header.with_aes128gcm"),
        _encryption("Do not include 'salt' header in aes128gcm Encryption header"),
        Scope.WITH_BODY,
        "S",
    ),
    Row(
        on("crypto_key.dh_with_aes128gcm"),
        _encryption("Do not include 'dh' header in aes128gcm Crypto-Key header"),
        Scope.WITH_BODY,
        "S",
    ),
    Row(
        on("aesgcm.salt.missing"),
        _encryption("Missing Encryption header"),
        Scope.WITH_BODY,
        "S: other words where the field is there, but no salt",
    ),
    Row(
        on("aesgcm.dh.missing"),
        _encryption("Missing dh value in Crypto-Key header"),
        Scope.WITH_CRYPTO_KEY,
        "S: required only where the field is there",
    ),
    Row(
        on("ttl.negative"),
        _refusal(400, 114, "ttl: TTL must be greater than 0"),
        evidence="S; D: 112; U: text",
    ),
    Row(
        on("topic.too_long"),
        _refusal(400, 113, "topic: Topic must be no greater than 32 characters"),
        evidence="S; U: text",
    ),
    Row(
        on("topic.empty", "topic.alphabet"),
        _refusal(400, 113, "topic: Topic must be URL and Filename safe Base64 alphabet"),
        evidence="S: padding is taken; U: text",
    ),
)

MOZILLA: Final = Profile(
    name="mozilla",
    title="Mozilla autopush (Firefox)",
    prefix="/wpush/v2/",
    open_prefix="/wpush/v1/",
    aliases=("/wpush/",),
    hosts=("updates.push.services.mozilla.com",),
    rows=(
        *_RESOURCE,
        *_AUTHORIZATION,
        *_TOKEN,
        *_USER,
        *_BODY,
        *_FIELDS_OF_THE_MESSAGE,
    ),
    success=Template(201, (("Location", "{location}"), ("TTL", "{ttl}"))),
    full=_UNAVAILABLE,
    limits={"body": 5630, "bridged": 3072, "ttl": 30 * _DAY},
    named_answers={
        "throttled": _refusal(429, 201, "Please try again later"),
        "unavailable": _UNAVAILABLE,
        "internal_error": _refusal(500, None, "Internal Server Error"),
        "user_deleted": _refusal(410, 105, "User was deleted during routing"),
        "bridge_gone": _refusal(410, 106, "Bridge reports user was not found"),
        "bridge_too_large": _BRIDGED,
        "bridge_authentication": _refusal(502, 901, "Bridge authentication error"),
        "bridge_connection": _refusal(502, 902, "Bridge connection error"),
        "bridge_timeout": _refusal(502, 903, "Bridge request timeout"),
    },
    delivery=AUTOPUSH,
    deletes_again=True,
    variants={
        "documented_404": Variant("404 has the documented body instead of none"),
        "bridged": Variant("endpoints are those of a phone: 413 above 3072 octets"),
    },
)
