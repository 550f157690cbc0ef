"""The `apple` profile: Apple's web push service, that of Safari.

The reasons are those of "Sending web push notifications in web apps and browsers"; when `sub` and
Topic are refused is known from reports of senders, the order of the checks is not known.
"""

from __future__ import annotations

import json
from typing import Final

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


def _refusal(status: int, reason: str, *headers: tuple[str, str]) -> Template:
    body = json.dumps({"reason": reason}, separators=(",", ":"))
    return Template(status, (("Content-Type", "application/json"), *headers), body, reason)


_BAD_TOKEN: Final = _refusal(403, "BadJwtToken")
_BAD_TTL: Final = _refusal(400, "BadTtl")
_BAD_REQUEST: Final = _refusal(400, "BadWebPushRequest")
_UNAVAILABLE: Final = _refusal(503, "ServiceUnavailable")

_RESOURCE: Final = (
    Row(
        on("request.method"),
        _refusal(405, "MethodNotAllowed", ("Allow", "POST")),
        evidence="D",
    ),
    Row(
        on("subscription.unknown", "subscription.expired.404"),
        _refusal(404, "BadPath"),
        evidence="D",
    ),
)

_AUTHORIZATION: Final = (
    Row(on("vapid.absent", "vapid.not_sent"), _BAD_TOKEN, evidence="D: missing"),
    Row(
        on(
            "vapid.authorization.malformed",
            "vapid.scheme.unknown",
            "vapid.scheme.webpush",
            "vapid.scheme.bearer",
        ),
        _refusal(403, "BadAuthorizationHeader"),
        evidence="D; O: the draft's schemes",
    ),
    Row(
        on(
            "vapid.key.missing",
            "vapid.key.empty",
            "vapid.key.standard_base64",
            "vapid.key.not_base64url",
            "vapid.key.compressed",
            "vapid.key.without_prefix",
            "vapid.key.der",
            "vapid.key.length",
            "vapid.key.not_uncompressed",
            "vapid.key.not_on_curve",
        ),
        _refusal(403, "BadVapidPublicKey"),
        evidence="D: missing, not base64url, wrong type; U: status",
    ),
    Row(
        on(
            "vapid.token.missing",
            "vapid.token.malformed",
            "vapid.algorithm",
            "vapid.signature.invalid",
            "vapid.signature.der",
            "vapid.signature.length",
            "vapid.exp.missing",
            "vapid.exp.type",
            "vapid.exp.past",
            "vapid.exp.too_far",
            "vapid.aud.missing",
            "vapid.aud.type",
            "vapid.aud.path",
            "vapid.aud.mismatch",
        ),
        _BAD_TOKEN,
        evidence="D, O",
    ),
    Row(
        on(
            "vapid.sub.missing",
            "vapid.sub.type",
            "vapid.sub.bare_address",
            "vapid.sub.not_a_contact",
            "vapid.sub.doubled_mailto",
            "vapid.sub.malformed",
            "vapid.sub.local_host",
        ),
        _BAD_TOKEN,
        evidence="D: a URL or mailto:; O: spaces, brackets, local hosts",
    ),
    Row(
        on("vapid.key.mismatch"),
        _refusal(400, "VapidPkHashMismatch"),
        evidence="D; O: the status",
    ),
)

_MESSAGE: Final = (
    Row(
        on("subscription.expired", "subscription.expired.410"),
        _refusal(410, "Unregistered"),
        evidence="D; U: the reason, which is that of native pushes",
    ),
    Row(
        Compare(Measure.BODY_SIZE, Operator.ABOVE, "body", "body.too_large"),
        _refusal(413, "PayloadTooLarge"),
        evidence="D: 4 KB",
    ),
    Row(
        on("ttl.missing", "ttl.not_a_number", "ttl.negative", "ttl.doubled"),
        _BAD_TTL,
        evidence="D",
    ),
    Row(
        Compare(Measure.TTL, Operator.EQUALS, 0, "ttl.zero"),
        _BAD_TTL,
        evidence="D: `isn't a positive number`; O: taken",
        variant="ttl_zero_refused",
    ),
    Row(
        on("topic.empty", "topic.too_long", "topic.alphabet", "topic.padded", "topic.doubled"),
        _refusal(400, "BadWebPushTopic"),
        evidence="D",
    ),
    Row(
        Compare(Measure.TOPIC_LENGTH, Operator.MOD_4, 1, "topic.length_mod_4"),
        _refusal(400, "BadWebPushTopic"),
        evidence="O: it is decoded as base64url",
    ),
    Row(on("urgency.several", "urgency.unknown"), _refusal(400, "BadUrgency"), evidence="D"),
    Row(
        on(
            "content_encoding.missing",
            "content_encoding.unknown",
            "content_encoding.several",
            "content_encoding.aesgcm",
        ),
        _BAD_REQUEST,
        Scope.WITH_BODY,
        "D, O",
    ),
    Row(
        on(
            "encryption.header.truncated",
            "encryption.rs.too_small",
            "encryption.keyid.length",
            "encryption.keyid.not_uncompressed",
            "encryption.keyid.not_on_curve",
            "encryption.record.missing",
            "encryption.record.too_short",
            "encryption.records.several",
        ),
        _BAD_REQUEST,
        Scope.MANAGED,
        "D: `doesn't conform to the encryption rules`; U: which of them",
    ),
)

APPLE: Final = Profile(
    name="apple",
    title="Apple web push (Safari)",
    prefix="/apple/",
    hosts=("web.push.apple.com", "*.push.apple.com"),
    host_prefixes=("/",),
    rows=(*_RESOURCE, *_AUTHORIZATION, *_MESSAGE),
    success=Template(201, (("apns-id", "{uuid}"),)),
    full=_UNAVAILABLE,
    limits={"body": 4096, "ttl": 30 * _DAY},
    named_answers={
        "throttled": _refusal(429, "TooManyRequests"),
        "unavailable": _UNAVAILABLE,
        "internal_error": _refusal(500, "InternalServerError"),
        "shutdown": _refusal(503, "Shutdown"),
        "idle_timeout": _refusal(400, "IdleTimeout"),
    },
    variants={"ttl_zero_refused": Variant("TTL 0 is a BadTtl, as the documentation says")},
)
