"""The `fcm` profile: Firebase Cloud Messaging, the push service of Chrome.

The texts of its refusals are known from Chromium's own table of them and from reports of senders;
their order is not: form before signature, token before subscription, as other services do it.
"""

from __future__ import annotations

from typing import Final

from mockpush.protocol.delivery import GCM
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
_ALWAYS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-XSS-Protection", "0"),
)
_PLAIN: Final = (("Content-Type", "text/plain; charset=utf-8"), *_ALWAYS)
_AUTHORIZATION_FORM: Final = (
    "authorization header should have the following format: "
    "t=jwtToken; k=base64(publicApplicationServerKey)"
)
_KEY_FORM: Final = (
    "Authorization header should have the following format: "
    "vapid t=jwtToken; k=base64(publicApplicationServerKey)"
)
_CRYPTO_KEY_FORM: Final = (
    "crypto-key header should have the following format: "
    "p256ecdsa=base64(publicApplicationServerKey)"
)


def _refusal(status: int, *lines: str, headers: tuple[tuple[str, str], ...] = ()) -> Template:
    body = "".join(f"{line}\n" for line in lines)
    return Template(status, (*_PLAIN, *headers), body, " ".join(lines) or None)


def _forbidden(text: str) -> Template:
    return _refusal(403, text)


_NOT_FOUND: Final = _refusal(
    404,
    "A valid push subscription endpoint should be specified in the URL as such: "
    "https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91bH1Zj0kNa...",
)
_GONE: Final = _refusal(410, "push subscription has unsubscribed or expired.")
_BAD_REQUEST: Final = _refusal(400, "bad request.")
_MALFORMED: Final = _forbidden(f"authorization header had invalid format. {_AUTHORIZATION_FORM}")
_INVALID_TOKEN: Final = _forbidden("permission denied: invalid JWT provided")
_TOO_LARGE: Final = Compare(Measure.BODY_SIZE, Operator.ABOVE, "body", "body.too_large")

_RESOURCE: Final = (
    Row(on("request.method"), _refusal(405, headers=(("Allow", "POST"),)), evidence="U"),
    Row(
        on("subscription.unknown", "subscription.expired.404"),
        _NOT_FOUND,
        evidence="O: also for a user agent that was away for 270 days; the URL is a fixed sample",
    ),
)

_AUTHORIZATION: Final = (
    Row(
        on("vapid.absent", "vapid.not_sent"),
        _forbidden("sender is not authenticated."),
        evidence="S: Chromium",
    ),
    Row(on("vapid.authorization.malformed"), _MALFORMED, evidence="S: Chromium"),
    Row(on("vapid.scheme.unknown"), _MALFORMED, evidence="U"),
    Row(
        on("vapid.key.missing"),
        _forbidden(
            f"authorization header had no public application server key specified. {_KEY_FORM}"
        ),
        evidence="S: Chromium",
    ),
    Row(
        on("vapid.key.empty"),
        _forbidden(f"authorization header had empty public application server key. {_KEY_FORM}"),
        Scope.VAPID_SCHEME,
        "S: Chromium",
    ),
    Row(
        on("vapid.key.not_base64url"),
        _forbidden(
            "public application server key in authorization header must be base64 encoded "
            "in URL and filename safe format."
        ),
        Scope.VAPID_SCHEME,
        "S: Chromium",
    ),
    Row(on("vapid.token.missing"), _MALFORMED, evidence="S: Chromium"),
)

_CRYPTO_KEY: Final = (
    Row(
        on("vapid.key.padded", "crypto_key.malformed"),
        _forbidden(f"crypto-key header had invalid format. {_CRYPTO_KEY_FORM}"),
        Scope.DRAFT_SCHEME,
        "S: Chromium; O: a padded key",
    ),
    Row(
        on("vapid.p256ecdsa.missing"),
        _forbidden(
            f"crypto-key header had no public application server key specified. {_CRYPTO_KEY_FORM}"
        ),
        evidence="S: Chromium",
    ),
    Row(
        on("vapid.key.empty"),
        _forbidden(
            f"crypto-key header had empty public application server key. {_CRYPTO_KEY_FORM}"
        ),
        Scope.DRAFT_SCHEME,
        "S: Chromium",
    ),
    Row(
        on("vapid.key.not_base64url"),
        _forbidden(
            "public application server key in crypto-key header must be base64 encoded "
            "in URL and filename safe format."
        ),
        Scope.DRAFT_SCHEME,
        "S: Chromium",
    ),
)

_KEY: Final = (
    Row(
        on("vapid.key.standard_base64"),
        _forbidden("make sure the public key is base64url-encoded [RFC7515]"),
        evidence="S: Chromium; U: that it means this",
    ),
    Row(
        on(
            "vapid.key.compressed",
            "vapid.key.without_prefix",
            "vapid.key.der",
            "vapid.key.length",
        ),
        _forbidden("public key must be 65 bytes long"),
        evidence="S: Chromium",
    ),
    Row(
        on("vapid.key.not_uncompressed"),
        _forbidden("public key must be in uncompressed form. (First byte needs to be 0x04)"),
        evidence="S: Chromium",
    ),
    Row(
        on("vapid.key.not_on_curve"),
        _forbidden("VAPID public key must be on the P-256 curve"),
        evidence="S: Chromium",
    ),
)

_TOKEN: Final = (
    Row(
        on(
            "vapid.token.malformed",
            "vapid.algorithm",
            "vapid.signature.invalid",
            "vapid.signature.der",
            "vapid.signature.length",
        ),
        _INVALID_TOKEN,
        evidence="O; S: without `permission denied: ` in front",
    ),
    Row(on("vapid.exp.missing"), _forbidden("exp claim is missing"), evidence="S: Chromium"),
    Row(on("vapid.exp.type"), _INVALID_TOKEN, evidence="U"),
    Row(on("vapid.exp.past"), _forbidden("token has expired"), evidence="S: Chromium"),
    Row(
        on("vapid.exp.too_far"),
        _forbidden("exp claim MUST NOT be more than 24 hours from the time of the request"),
        evidence="S: Chromium; O",
    ),
    Row(
        on("vapid.aud.missing", "vapid.aud.type"),
        _forbidden("invalid aud claim"),
        evidence="S: Chromium",
    ),
    Row(
        on("vapid.aud.mismatch", "vapid.aud.path"),
        _forbidden("aud claim in the token MUST include the origin of the push resource URL"),
        evidence="S: Chromium; O",
    ),
    Row(
        on("vapid.key.mismatch"),
        _forbidden(
            "the VAPID credentials in the authorization header do not correspond to the "
            "credentials used to create the subscriptions."
        ),
        evidence="O",
    ),
)

_MESSAGE: Final = (
    Row(on("subscription.expired", "subscription.expired.410"), _GONE, evidence="O"),
    Row(
        _TOO_LARGE,
        _refusal(400),
        evidence="S: Chromium, 2019; U: body",
        variant="too_large_400",
    ),
    Row(_TOO_LARGE, _refusal(413), evidence="D; U: body"),
    Row(
        on("ttl.missing", "ttl.not_a_number", "ttl.negative", "ttl.doubled"),
        _BAD_REQUEST,
        evidence="O: 400 in 2016; U: body",
    ),
)

FCM: Final = Profile(
    name="fcm",
    title="Firebase Cloud Messaging (Chrome)",
    prefix="/fcm/send/",
    aliases=("/wp/", "/preprod/wp/"),
    hosts=("fcm.googleapis.com", "jmt17.google.com"),
    rows=(*_RESOURCE, *_AUTHORIZATION, *_CRYPTO_KEY, *_KEY, *_TOKEN, *_MESSAGE),
    success=Template(
        201,
        (
            ("Location", "{origin}/0:{usec}%{hex16}"),
            ("Content-Type", "text/html; charset=UTF-8"),
            *_ALWAYS,
            ("Alt-Svc", 'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000'),
        ),
    ),
    full=_refusal(503),
    limits={"body": 4096, "ttl": 28 * _DAY},
    delivery=GCM,
    named_answers={
        "throttled": _refusal(429, headers=(("Retry-After", "60"),)),
        "unavailable": _refusal(503),
        "bad_gateway": _refusal(502),
        "bad_request": _BAD_REQUEST,
        "invalid_endpoint": _forbidden("invalid push subscription endpoint"),
        "sender_id_mismatch": _refusal(
            403,
            "the key in the authorization header does not correspond to the sender ID used to "
            "subscribe this user. Please ensure you are using the correct sender ID",
            "and server Key from the Firebase console.",
        ),
    },
    variants={"too_large_400": Variant("400 instead of 413 for a body that is too large")},
)
