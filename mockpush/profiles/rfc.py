"""The `rfc` profile: what the RFCs let a push service refuse.

Duties of the sender alone are findings that the strict table refuses as well. Rows stand in the
order of the checks; see `docs/` for the same table in words.
"""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from mockpush.protocol.findings import REGISTRY, Level
from mockpush.protocol.headers import MAX_TTL
from mockpush.protocol.judging import Compare, Measure, Operator, Profile, Row, Scope, Template, on
from mockpush.protocol.links import RECEIPT, link
from mockpush.protocol.registry import HISTORY

_PROBLEM: Final = (("Content-Type", "application/problem+json"),)


def _refusal(status: int, *headers: tuple[str, str]) -> Template:
    return Template(status, (*_PROBLEM, *headers), "{problem}")


def _trouble(status: HTTPStatus) -> Template:
    """An answer that is not about the request."""
    retry = () if status is HTTPStatus.INTERNAL_SERVER_ERROR else (("Retry-After", "60"),)
    body = json.dumps({"title": status.phrase, "status": status.value})
    return Template(status.value, (*_PROBLEM, *retry), body, status.phrase)


_BAD_REQUEST: Final = _refusal(400)
_UNAUTHORIZED: Final = _refusal(401, ("WWW-Authenticate", "vapid"))
_FORBIDDEN: Final = _refusal(403)
_NOT_FOUND: Final = _refusal(404)
_GONE: Final = _refusal(410)

_CREATED: Final = (("Location", "{location}"), ("TTL", "{ttl}"))

_INVALID_TOKEN: Final = on(
    "vapid.authorization.malformed",
    "vapid.scheme.unknown",
    "vapid.token.missing",
    "vapid.token.malformed",
    "vapid.key.missing",
    "vapid.key.empty",
    "vapid.p256ecdsa.missing",
    "vapid.key.not_base64url",
    "vapid.key.length",
    "vapid.key.not_uncompressed",
    "vapid.key.not_on_curve",
    "vapid.algorithm",
    "vapid.signature.invalid",
    "vapid.signature.der",
    "vapid.signature.length",
    "vapid.key.mismatch",
    "vapid.exp.missing",
    "vapid.exp.type",
    "vapid.exp.past",
    "vapid.exp.too_far",
    "vapid.aud.missing",
    "vapid.aud.type",
    "vapid.aud.path",
    "vapid.aud.mismatch",
)

_RESOURCE: Final = (
    Row(on("subscription.unknown"), _NOT_FOUND, evidence="RFC 8030, Section 7.3"),
    Row(on("subscription.expired.404"), _NOT_FOUND, evidence="asked for by the test"),
    Row(on("subscription.expired.410"), _GONE, evidence="asked for by the test"),
)

_CHECKS: Final = (
    Row(
        Compare(Measure.BODY_SIZE, Operator.ABOVE, "body", "body.too_large"),
        _refusal(413),
        evidence="RFC 8030, Section 7.2: MUST NOT refuse 4096 octets or less",
    ),
    Row(
        on("ttl.missing", "ttl.not_a_number", "ttl.negative", "ttl.doubled"),
        _BAD_REQUEST,
        evidence="RFC 8030, Section 5.2",
    ),
    Row(
        on("topic.empty", "topic.too_long", "topic.alphabet", "topic.padded", "topic.doubled"),
        _BAD_REQUEST,
        evidence="RFC 8030, Section 5.4",
    ),
    Row(on("urgency.several", "urgency.unknown"), _BAD_REQUEST, evidence="RFC 8030, Section 5.3"),
    Row(on("receipt.subscription.unknown"), _BAD_REQUEST, evidence="RFC 8030, Section 5.1"),
    Row(on("vapid.absent"), _UNAUTHORIZED, Scope.RESTRICTED, "RFC 8292, Sections 3 and 4.2"),
    Row(_INVALID_TOKEN, _FORBIDDEN, Scope.RESTRICTED, "RFC 8292, Section 4.2"),
    Row(on("vapid.key.equals_encryption_key"), _BAD_REQUEST, evidence="RFC 8292, Section 3.2"),
    Row(
        on(
            "content_encoding.missing",
            "content_encoding.unknown",
            "content_encoding.several",
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
        "RFC 8291, Section 4; RFC 8188, Section 2",
    ),
)

RFC: Final = Profile(
    name="rfc",
    title="RFC 8030, RFC 8291 and RFC 8292",
    prefix="/push/",
    rows=(
        Row(on("request.method"), _refusal(405, ("Allow", "POST")), evidence="RFC 8030, Section 5"),
        *_RESOURCE,
        Row(on("subscription.expired"), _GONE, evidence="what all vendors answer"),
        *_CHECKS,
    ),
    success=Template(201, _CREATED),
    receipt=Template(202, (*_CREATED, ("Link", link("{receipt}", RECEIPT)))),
    full=_refusal(503, ("Retry-After", "60")),
    limits={"body": 4096, "ttl": MAX_TTL},
    named_answers={
        "throttled": _trouble(HTTPStatus.TOO_MANY_REQUESTS),
        "unavailable": _trouble(HTTPStatus.SERVICE_UNAVAILABLE),
        "internal_error": _trouble(HTTPStatus.INTERNAL_SERVER_ERROR),
    },
)


def _duties() -> tuple[Row, ...]:
    """Every requirement that one request shows without decryption; the rows above decide before."""
    duties = {
        row.code
        for row in REGISTRY.values()
        if row.level in (Level.MUST, Level.SHOULD) and not row.needs_keys
    } - HISTORY
    tokens = {code for code in duties if code.startswith("vapid.")}
    ciphertexts = {code for code in duties if code.startswith(("encryption.", "aesgcm."))}
    return (
        Row(on(*duties - tokens - ciphertexts), _BAD_REQUEST, evidence="--strict"),
        Row(on(*tokens), _FORBIDDEN, evidence="--strict"),
        Row(on(*ciphertexts), _BAD_REQUEST, Scope.MANAGED, "--strict"),
    )


RFC_STRICT: Final = replace(
    RFC,
    rows=(
        RFC.rows[0],
        *_RESOURCE,
        Row(on("subscription.expired"), _NOT_FOUND, evidence="RFC 8030, Section 7.3"),
        *_CHECKS,
        *_duties(),
    ),
)
