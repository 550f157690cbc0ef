"""Inspection: all that one request shows, stated as findings and measures, without judgement.

All checks always run, also for an unknown or expired subscription: some vendors look at the token
first, so the profile decides what counts. Decryption is separate, since it never decides the
answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from mockpush.errors import DecryptionError
from mockpush.protocol import aesgcm, encryption
from mockpush.protocol.findings import Finding
from mockpush.protocol.headers import (
    AES128GCM,
    AESGCM,
    NO_PARAMETERS,
    DraftParameters,
    Lines,
    collect,
    parse_content_encoding,
    parse_draft_parameters,
    parse_topic,
    parse_ttl,
    parse_urgency,
)
from mockpush.protocol.keys import decode_any_base64
from mockpush.protocol.model import (
    PushRequest,
    Subscription,
    SubscriptionKeys,
    SubscriptionState,
    Urgency,
    base64url_encode,
)
from mockpush.protocol.vapid import Scheme, Vapid, check_vapid, read_vapid

SAFE_BODY: Final = 4096
"""Every push service must take a body of so many octets (RFC 8030, Section 7.2)."""


class Decryption(StrEnum):
    """What became of the payload."""

    OK = "ok"
    NONE = "none"
    """there is no payload"""
    FAILED = "failed"
    OPAQUE = "opaque"
    """we do not hold the keys"""
    PENDING = "pending"
    """nobody has looked yet"""


class Context(NamedTuple):
    """What the request is judged against.

    `origins`: the origins of the endpoint. `now`: seconds since the epoch on the clock that judges
    tokens. `body_size`: the size announced, if the body was not kept whole.
    """

    subscription: Subscription | None
    origins: Sequence[str]
    now: float
    body_size: int | None = None


@dataclass(slots=True)
class Inspection:
    """What one request shows.

    Measures for profiles: `body_size` in octets, `ttl` in seconds, `exp_in` seconds until the token
    expires, `topic_length`; None when the request does not show it. `restricted` and `managed` say
    what kind of subscription it was sent to.
    """

    findings: tuple[Finding, ...]
    body_size: int
    ttl: int | None
    topic: str | None
    urgency: Urgency | None
    content_encoding: str | None
    vapid: Vapid | None
    exp_in: float | None
    parameters: DraftParameters
    restricted: bool
    managed: bool

    @property
    def topic_length(self) -> int | None:
        """Characters of the topic."""
        return None if self.topic is None else len(self.topic)

    @property
    def codes(self) -> list[str]:
        """The codes of all findings, in the order of the checks."""
        return [finding.code for finding in self.findings]


@dataclass(frozen=True, slots=True)
class Payload:
    """What decryption showed: the plaintext, or the findings that say why there is none.

    `explained`: the known mistakes have been tried.
    """

    decryption: Decryption
    data: bytes | None = None
    findings: tuple[Finding, ...] = ()
    explained: bool = False


READABLE: Final = Payload(Decryption.OK)
"""Decryption succeeded; the plaintext is not kept twice, but read again when somebody looks."""


def inspect(request: PushRequest, context: Context) -> Inspection:
    """All that the request shows without decrypting it. Pure; never raises for odd input."""
    findings: list[Finding] = []
    subscription = context.subscription
    if request.method != "POST":
        findings.append(Finding("request.method", "POST", request.method[:40]))
    _check_subscription(subscription, findings)
    size = len(request.body) if context.body_size is None else context.body_size
    if size > SAFE_BODY:
        findings.append(_too_large(size))
    fields = collect(request.headers)
    ttl = parse_ttl(fields.get(b"ttl"), findings)
    topic = parse_topic(fields.get(b"topic"), findings)
    urgency = parse_urgency(fields.get(b"urgency"), findings)
    parameters = parse_draft_parameters(
        fields.get(b"crypto-key"), fields.get(b"encryption"), findings
    )
    key = subscription.application_server_key if subscription else None
    vapid, exp_in = _identify(fields.get(b"authorization"), parameters, key, context, findings)
    coding = _check_body(fields.get(b"content-encoding"), request.body, parameters, vapid, findings)
    return Inspection(
        tuple(findings),
        size,
        ttl,
        topic,
        urgency,
        coding,
        vapid,
        exp_in,
        parameters,
        key is not None,
        subscription is not None and subscription.managed,
    )


_GONE_CODES: Final = {
    None: "subscription.expired",
    404: "subscription.expired.404",
    410: "subscription.expired.410",
}


def _check_subscription(subscription: Subscription | None, findings: list[Finding]) -> None:
    if subscription is None:
        findings.append(Finding("subscription.unknown"))
    elif subscription.state is not SubscriptionState.ACTIVE:
        code = _GONE_CODES[subscription.gone_status]
        findings.append(Finding(code, SubscriptionState.ACTIVE, subscription.state))


def _too_large(size: int) -> Finding:
    overhead = encryption.OVERHEAD
    actual = f"{size} octets: about {size - overhead} of plaintext and {overhead} of encryption"
    return Finding("body.too_large", f"at most {SAFE_BODY} octets", actual)


def _identify(
    lines: Lines | None,
    parameters: DraftParameters,
    application_server_key: bytes | None,
    context: Context,
    findings: list[Finding],
) -> tuple[Vapid | None, float | None]:
    if lines is None:
        code = "vapid.not_sent" if application_server_key is None else "vapid.absent"
        findings.append(Finding(code, "Authorization: vapid t=…, k=…", "none"))
        return None, None
    vapid = read_vapid(lines, parameters, findings)
    exp_in = check_vapid(
        vapid,
        findings,
        origins=context.origins,
        now=context.now,
        application_server_key=application_server_key,
    )
    return vapid, exp_in


def _check_body(
    lines: Lines | None,
    body: bytes,
    parameters: DraftParameters,
    vapid: Vapid | None,
    findings: list[Finding],
) -> str | None:
    coding = parse_content_encoding(lines, findings, body=body)
    if coding == AES128GCM:
        _check_aes128gcm(body, parameters, vapid, findings)
    elif coding == AESGCM and body:
        _check_aesgcm(body, parameters, vapid, findings)
    return coding


def _check_aes128gcm(
    body: bytes, parameters: DraftParameters, vapid: Vapid | None, findings: list[Finding]
) -> None:
    if parameters is not NO_PARAMETERS:
        _check_stray_fields(parameters, findings)
    try:
        envelope = encryption.read_envelope(body)
    except DecryptionError as error:
        findings.append(Finding(error.code, error.expected, error.actual))
        return
    findings.extend(Finding(*problem) for problem in encryption.envelope_problems(envelope))
    _check_key_reuse(envelope.keyid, vapid, findings)


def _check_stray_fields(parameters: DraftParameters, findings: list[Finding]) -> None:
    if parameters.dh is not None:
        findings.append(Finding("crypto_key.dh_with_aes128gcm", "no Crypto-Key", "dh=…"))
    elif parameters.has_crypto_key:
        findings.append(Finding("crypto_key.with_aes128gcm", "no Crypto-Key", "p256ecdsa=…"))
    if parameters.salt is not None:
        findings.append(Finding("encryption_header.with_aes128gcm", "no Encryption", "salt=…"))


def _check_aesgcm(
    body: bytes, parameters: DraftParameters, vapid: Vapid | None, findings: list[Finding]
) -> None:
    if vapid is not None and vapid.scheme is Scheme.VAPID:
        findings.append(Finding("vapid.scheme.with_aesgcm", "the aes128gcm coding", AESGCM))
    salt, dh, rs = draft_values(parameters)
    problems = aesgcm.body_problems(body, salt=salt, dh=dh, rs=rs)
    findings.extend(Finding(*problem) for problem in problems)
    _check_key_reuse(dh, vapid, findings)


def _check_key_reuse(
    encryption_key: bytes | None, vapid: Vapid | None, findings: list[Finding]
) -> None:
    if vapid is not None and vapid.key is not None and vapid.key == encryption_key:
        actual = base64url_encode(vapid.key)
        findings.append(Finding("vapid.key.equals_encryption_key", "two different keys", actual))


def draft_values(parameters: DraftParameters) -> tuple[bytes | None, bytes | None, int]:
    """The salt, the sender's public key and the record size of the draft coding, decoded."""
    rs = parameters.rs
    size = int(rs) if rs is not None and rs.isdigit() and len(rs) < 10 else None
    return (
        _decoded(parameters.salt),
        _decoded(parameters.dh),
        aesgcm.DEFAULT_RECORD_SIZE if size is None else size,
    )


def _decoded(text: bytes | None) -> bytes | None:
    if text is None:
        return None
    try:
        return decode_any_base64(text)
    except ValueError:
        return None


def read_payload(inspection: Inspection, body: bytes, keys: SubscriptionKeys | None) -> Payload:
    """Decrypts the body of a managed subscription as its user agent would; never raises."""
    if not body:
        return Payload(Decryption.NONE)
    if keys is None or keys.private_key is None:
        return Payload(Decryption.OPAQUE)
    secrets = {"private_key": keys.private_key, "p256dh": keys.p256dh, "auth": keys.auth}
    try:
        if inspection.content_encoding == AES128GCM:
            return Payload(Decryption.OK, encryption.decrypt(body, **secrets).data)
        if inspection.content_encoding == AESGCM:
            salt, dh, rs = draft_values(inspection.parameters)
            plaintext = aesgcm.decrypt(body, salt=salt, dh=dh, rs=rs, **secrets)
            return Payload(Decryption.OK, plaintext.data)
    except DecryptionError as error:
        finding = Finding(error.code, error.expected, error.actual)
        return Payload(Decryption.FAILED, None, (finding,))
    return Payload(Decryption.FAILED)


def add_reasons(inspection: Inspection, payload: Payload) -> tuple[str, ...]:
    """Adds why the payload cannot be read to the inspection; the codes of that.

    Without a known coding it is the codes on the coding, which are there already.
    """
    seen = inspection.codes
    inspection.findings += tuple(each for each in payload.findings if each.code not in seen)
    reasons = [finding.code for finding in payload.findings]
    return tuple(reasons or (code for code in seen if code.startswith("content_encoding.")))
