"""The `wns` profile: Windows Push Notification Services, the push service of Edge.

Reasons are in header fields, and bodies are empty. What is known is the documentation of native
pushes and what senders of web pushes report; the order of the checks is not known.
"""

from __future__ import annotations

from typing import Final

from mockpush.protocol.judging import (
    Compare,
    Measure,
    Operator,
    Profile,
    Row,
    Template,
    Variant,
    on,
)

_DAY: Final = 24 * 60 * 60


def _status(word: str) -> tuple[tuple[str, str], ...]:
    return (("X-WNS-STATUS", word), ("X-WNS-NOTIFICATIONSTATUS", word))


_RECEIVED: Final = (
    *_status("received"),
    ("X-WNS-MSG-ID", "{HEX16}"),
    ("X-WNS-DEBUG-TRACE", "{HEX16}"),
    ("MS-CV", "{hex16}.0"),
)


def _refusal(status: int, reason: str | None = None, *headers: tuple[str, str]) -> Template:
    description = () if reason is None else (("X-WNS-ERROR-DESCRIPTION", reason),)
    return Template(status, (*_status("dropped"), *description, *headers), word=reason)


_UNAUTHORIZED: Final = _refusal(401)

_ROWS: Final = (
    Row(on("request.method"), _refusal(405, None, ("Allow", "POST")), evidence="D"),
    Row(
        on("subscription.unknown", "subscription.expired.404"),
        _refusal(404),
        evidence="D",
    ),
    Row(
        on(
            "vapid.absent",
            "vapid.not_sent",
            "vapid.authorization.malformed",
            "vapid.scheme.unknown",
            "vapid.token.missing",
            "vapid.key.missing",
            "vapid.p256ecdsa.missing",
            "vapid.key.empty",
            "vapid.key.not_base64url",
            "vapid.key.compressed",
            "vapid.key.without_prefix",
            "vapid.key.der",
            "vapid.key.length",
            "vapid.key.not_uncompressed",
            "vapid.key.not_on_curve",
        ),
        _UNAUTHORIZED,
        evidence="U",
    ),
    Row(
        on(
            "vapid.token.malformed",
            "vapid.algorithm",
            "vapid.signature.invalid",
            "vapid.signature.der",
            "vapid.signature.length",
        ),
        _refusal(401, "JWT Authentication Failed, unable to validate token signature"),
        evidence="O: the signature; U: the others",
    ),
    Row(
        on(
            "vapid.exp.missing",
            "vapid.exp.type",
            "vapid.exp.past",
            "vapid.exp.too_far",
            "vapid.aud.missing",
            "vapid.aud.type",
            "vapid.aud.path",
            "vapid.aud.mismatch",
        ),
        _UNAUTHORIZED,
        evidence="U",
    ),
    Row(
        on("vapid.key.mismatch"),
        _UNAUTHORIZED,
        evidence="O: the status; U: a description that names the public key and the channel",
    ),
    Row(
        on("subscription.expired", "subscription.expired.410"),
        _refusal(410),
        evidence="D",
    ),
    Row(
        Compare(Measure.BODY_SIZE, Operator.ABOVE, "body", "body.too_large"),
        _refusal(413),
        evidence="D",
    ),
    Row(
        on("ttl.zero", unless=("cache_policy.no_cache",)),
        _refusal(
            400,
            "Ttl value conflicts with X-WNS-Cache-Policy.",
            ("mise-correlation-id", "{uuid}"),
        ),
        evidence="O",
    ),
    Row(
        on("ttl.not_a_number", "ttl.negative", "ttl.doubled"),
        _refusal(400),
        evidence="U: RFC 8030, Section 5.2; a TTL that is missing is taken",
    ),
)

_THROTTLED: Final = Template(
    406, (*_status("channelthrottled"), ("Retry-After", "60")), word="channelthrottled"
)
_UNAVAILABLE: Final = _refusal(503)

WNS: Final = Profile(
    name="wns",
    title="Windows Push Notification Services (Edge)",
    prefix="/w/",
    query="token",
    hosts=("wns2-par02p.notify.windows.com", "*.notify.windows.com"),
    host_prefixes=("/w/", "/"),
    rows=_ROWS,
    success=Template(201, _RECEIVED),
    full=_UNAVAILABLE,
    limits={"body": 5000, "ttl": 30 * _DAY},
    named_answers={
        "throttled": _THROTTLED,
        "unavailable": _UNAVAILABLE,
        "internal_error": _refusal(500),
        "not_authorised": _refusal(403),
        "domain_blocked": Template(410, _status("dropped"), word="Domain Blocked"),
    },
    variants={
        "success_200": Variant(
            "200, as documented for native pushes, instead of 201", Template(200, _RECEIVED)
        )
    },
)
