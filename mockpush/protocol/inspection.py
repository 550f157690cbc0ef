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
from mockpush.protocol.head import Head, Lines, read_head
from mockpush.protocol.headers import AES128GCM, AESGCM, NO_PARAMETERS, DraftParameters
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
    head: Head
    vapid: Vapid | None
    body_size: int
    exp_in: float | None
    restricted: bool
    managed: bool

    @property
    def ttl(self) -> int | None:
        """The TTL asked for, in seconds."""
        return self.head.ttl

    @property
    def topic(self) -> str | None:
        """The topic as sent, legal or not."""
        return self.head.topic

    @property
    def urgency(self) -> Urgency | None:
        """The urgency, if it is a legal one; `normal` when none was sent."""
        return self.head.urgency

    @property
    def content_encoding(self) -> str | None:
        """`aes128gcm` or `aesgcm`."""
        return self.head.content_encoding

    @property
    def parameters(self) -> DraftParameters:
        """What the fields of the draft coding say."""
        return self.head.parameters

    @property
    def wants_receipt(self) -> bool:
        """Whether the sender asks to hear of the delivery (RFC 8030, Section 5.1)."""
        receipt = self.head.receipt
        return receipt is not None and receipt.wanted

    @property
    def topic_length(self) -> int | None:
        """Characters of the topic as sent."""
        return None if self.topic is None else len(self.topic)

    @property
    def codes(self) -> list[str]:
        """The codes of all findings, in the order of the checks."""
        return [finding.code for finding in self.findings]


class Payload(NamedTuple):
    """What decryption showed: the plaintext, or findings that say why there is none.

    `explained`: the known mistakes have been tried, or what it holds has been looked at.
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
    if subscription is None or subscription.state is not SubscriptionState.ACTIVE:
        findings.append(_gone(subscription))
    size = len(request.body) if context.body_size is None else context.body_size
    if size > SAFE_BODY:
        findings.append(too_large(size))
    authorization, other_lines = _split(request.headers)
    head = read_head(other_lines)
    findings.extend(head.findings)
    encryption_key = _check_body(head, request.body, findings)
    key = None if subscription is None else subscription.application_server_key
    vapid: Vapid | None = None
    exp_in: float | None = None
    if authorization:
        vapid = read_vapid(authorization, head.parameters, findings)
        exp_in = check_vapid(
            vapid,
            findings,
            origins=context.origins,
            now=context.now,
            application_server_key=key,
        )
        if request.body:
            _check_use_of_key(vapid, head, encryption_key, findings)
    else:
        code = "vapid.not_sent" if key is None else "vapid.absent"
        findings.append(Finding(code, "Authorization: vapid t=…, k=…", "none"))
    managed = subscription is not None and subscription.managed
    return Inspection(tuple(findings), head, vapid, size, exp_in, key is not None, managed)


def _split(headers: Sequence[tuple[bytes, bytes]]) -> tuple[list[bytes], Lines]:
    """The lines of the Authorization field, which changes most often, and all others."""
    authorization: list[bytes] = []
    others: list[tuple[bytes, bytes]] = []
    for line in headers:
        if line[0] == b"authorization":
            authorization.append(line[1])
        else:
            others.append(line)
    return authorization, tuple(others)


_GONE_CODES: Final = {
    None: "subscription.expired",
    404: "subscription.expired.404",
    410: "subscription.expired.410",
}


def _gone(subscription: Subscription | None) -> Finding:
    if subscription is None:
        return Finding("subscription.unknown")
    code = _GONE_CODES[subscription.gone_status]
    return Finding(code, SubscriptionState.ACTIVE, subscription.state)


def too_large(size: int, limit: float = SAFE_BODY) -> Finding:
    """What there is to say about a body of `size` octets where `limit` are taken."""
    overhead = encryption.OVERHEAD
    actual = f"{size} octets: about {size - overhead} of plaintext and {overhead} of encryption"
    detail = None if limit == SAFE_BODY else _LIMITED.format(limit, limit - overhead)
    return Finding("body.too_large", f"at most {limit:.0f} octets", actual, detail)


_LIMITED: Final = (
    "This push service takes {:.0f} octets: {:.0f} of plaintext with aes128gcm. Shorten the "
    "payload, and see that your library does not pad it, to 4096 octets for example; send an "
    "identifier and let the page fetch the rest."
)


def _check_body(head: Head, body: bytes, findings: list[Finding]) -> bytes | None:
    """Checks what shows without keys; the sender's public key, if there is one."""
    if body:
        findings.extend(head.findings_with_body)
    if head.content_encoding == AES128GCM:
        return _check_aes128gcm(head, body, findings)
    return _check_aesgcm(head, body, findings) if body and head.content_encoding else None


def _check_aes128gcm(head: Head, body: bytes, findings: list[Finding]) -> bytes | None:
    if head.parameters is not NO_PARAMETERS:
        _check_stray_fields(head.parameters, findings)
    try:
        envelope = encryption.read_envelope(body)
    except DecryptionError as error:
        findings.append(Finding(error.code, error.expected, error.actual))
        return None
    problems = encryption.envelope_problems(envelope)
    if problems:
        findings.extend([Finding(*problem) for problem in problems])
    return envelope.keyid


def _check_stray_fields(parameters: DraftParameters, findings: list[Finding]) -> None:
    if parameters.dh is not None:
        findings.append(Finding("crypto_key.dh_with_aes128gcm", "no Crypto-Key", "dh=…"))
    elif parameters.has_crypto_key:
        findings.append(Finding("crypto_key.with_aes128gcm", "no Crypto-Key", "p256ecdsa=…"))
    if parameters.salt is not None:
        findings.append(Finding("encryption_header.with_aes128gcm", "no Encryption", "salt=…"))


def _check_aesgcm(head: Head, body: bytes, findings: list[Finding]) -> bytes | None:
    salt, dh, rs = draft_values(head.parameters)
    problems = aesgcm.body_problems(body, salt=salt, dh=dh, rs=rs)
    findings.extend([Finding(*problem) for problem in problems])
    return dh


def _check_use_of_key(
    vapid: Vapid, head: Head, encryption_key: bytes | None, findings: list[Finding]
) -> None:
    """Whether the token and its key go together with the content coding and its key."""
    if encryption_key is not None and vapid.key == encryption_key:
        actual = base64url_encode(encryption_key)
        findings.append(Finding("vapid.key.equals_encryption_key", "two different keys", actual))
    if head.content_encoding == AESGCM and vapid.scheme is Scheme.VAPID:
        findings.append(Finding("vapid.scheme.with_aesgcm", "the aes128gcm coding", AESGCM))


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
