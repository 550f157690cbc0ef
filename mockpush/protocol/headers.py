"""Header fields of a push: one maximally tolerant parser.

Nothing here judges. Each function takes the field's lines as they came, makes the most of them and
says in findings what was odd. Field values are bytes; anything that is not ASCII simply does not
match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from mockpush.protocol.findings import Finding
from mockpush.protocol.model import Urgency

MAX_TTL: Final = 2**31
"""Larger values MUST count as this (RFC 8030, Section 5.2)."""
MAX_TOPIC_LENGTH: Final = 32

FIELDS: Final = frozenset(
    (
        b"ttl",
        b"topic",
        b"urgency",
        b"content-encoding",
        b"authorization",
        b"crypto-key",
        b"encryption",
        b"prefer",
        b"link",
        b"push-receipt",
        b"x-wns-cache-policy",
    )
)
_BASE64URL: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_MAX_SHOWN: Final = 100

Lines: TypeAlias = list[bytes]


def collect(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, Lines]:
    """The lines of the fields that matter to a push, by lower-case name, in order."""
    fields: dict[bytes, Lines] = {}
    for name, value in headers:
        if name in FIELDS:
            fields.setdefault(name, []).append(value)
    return fields


def shown(value: bytes) -> str:
    """A field value as text for a finding: printable, short and never empty."""
    if not value:
        return "nothing"
    text = value.decode("latin-1").encode("unicode_escape").decode("ascii")
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(value)} octets)"


def _joined(lines: Lines) -> str:
    return shown(b", ".join(lines))


def parse_ttl(lines: Lines | None, findings: list[Finding]) -> int | None:
    """TTL in seconds, at most `MAX_TTL`; None when there is none to be read (Section 5.2)."""
    if lines is None:
        findings.append(Finding("ttl.missing", "TTL: <seconds>", "no TTL"))
        return None
    if len(lines) > 1 or b"," in lines[0]:
        findings.append(Finding("ttl.doubled", "one TTL", _joined(lines)))
        return None
    value = lines[0].strip()
    if not value.isdigit():
        negative = value[:1] == b"-" and value[1:].isdigit()
        code = "ttl.negative" if negative else "ttl.not_a_number"
        findings.append(Finding(code, "a number of seconds", shown(value)))
        return None
    digits = value.lstrip(b"0")
    ttl = int(digits or b"0") if len(digits) <= 10 else MAX_TTL + 1
    if ttl > MAX_TTL:
        findings.append(Finding("ttl.overflow", f"at most {MAX_TTL}", shown(value)))
        return MAX_TTL
    if ttl == 0:
        findings.append(Finding("ttl.zero", "more than 0", "0"))
    return ttl


def parse_topic(lines: Lines | None, findings: list[Finding]) -> str | None:
    """The topic as sent, legal or not (Section 5.4); None if there is none, or several.

    Some push services take what the RFC forbids.
    """
    if lines is None:
        return None
    expected = f"1 to {MAX_TOPIC_LENGTH} characters of A-Z a-z 0-9 - _"
    if len(lines) > 1:
        findings.append(Finding("topic.doubled", "one Topic", _joined(lines)))
        return None
    topic = lines[0].strip()
    bare = topic.rstrip(b"=")
    before = len(findings)
    if not topic:
        findings.append(Finding("topic.empty", expected, "nothing"))
        return None
    if not _BASE64URL.issuperset(bare):
        findings.append(Finding("topic.alphabet", expected, shown(topic)))
    elif bare != topic:
        findings.append(Finding("topic.padded", expected, shown(topic)))
    if len(topic) > MAX_TOPIC_LENGTH:
        findings.append(Finding("topic.too_long", expected, f"{len(topic)} characters"))
    if len(findings) == before and len(topic) % 4 == 1:
        findings.append(
            Finding(
                "topic.length_mod_4", "a length that base64url can have", f"{len(topic)} characters"
            )
        )
    return topic.decode("latin-1")


_URGENCIES: Final = {urgency.value.encode(): urgency for urgency in Urgency}
_URGENCY_NAMES: Final = "one of very-low, low, normal, high"


def parse_urgency(lines: Lines | None, findings: list[Finding]) -> Urgency | None:
    """The urgency; `normal` when the field is absent, None when it is illegal (Section 5.3)."""
    if lines is None:
        return Urgency.NORMAL
    if len(lines) > 1 or b"," in lines[0]:
        findings.append(Finding("urgency.several", _URGENCY_NAMES, _joined(lines)))
        return None
    value = lines[0].strip()
    urgency = _URGENCIES.get(value)
    if urgency is not None:
        return urgency
    urgency = _URGENCIES.get(value.lower())
    code = "urgency.unknown" if urgency is None else "urgency.case"
    findings.append(Finding(code, _URGENCY_NAMES, shown(value)))
    return urgency


class Preferences(NamedTuple):
    """What Prefer asks for, as far as RFC 8030 gives it a meaning; `wait` in seconds."""

    respond_async: bool = False
    wait: int | None = None


_NO_PREFERENCES: Final = Preferences()
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SECONDS: Final = re.compile(rb"[0-9]{1,9}")


def parse_prefer(lines: Lines | None, findings: list[Finding]) -> Preferences:
    """The preferences `respond-async` and `wait` (RFC 7240, Sections 4.1 and 4.3).

    The first `wait` that is a number counts; unknown preferences and parameters are ignored.
    """
    if lines is None:
        return _NO_PREFERENCES
    respond_async, waits = False, []
    for preference in _unquoted(lines).split(b","):
        name, _, value = (part.strip() for part in preference.partition(b";")[0].partition(b"="))
        name = name.lower()
        if name == b"wait" and _SECONDS.fullmatch(value):
            waits.append(int(value))
        elif name == b"respond-async":
            respond_async = True
            if value:
                expected = "respond-async"
                findings.append(Finding("prefer.respond_async.value", expected, shown(preference)))
        elif preference.strip() and not _TOKEN.fullmatch(name):
            findings.append(Finding("prefer.malformed", "name, or name=value", shown(preference)))
    return Preferences(respond_async, waits[0] if waits else None)


def _unquoted(lines: Lines) -> bytes:
    """The lines as one list, without its quotes and the delimiters between them."""
    pieces = b",".join(lines).split(b'"')
    pieces[1::2] = [piece.translate(None, b",;") for piece in pieces[1::2]]
    return b"".join(pieces)


def parse_cache_policy(lines: Lines | None, findings: list[Finding]) -> None:
    """X-WNS-Cache-Policy, a field of Edge's service that decides whether it takes a TTL of 0."""
    if lines is not None and lines[0].strip().lower() == b"no-cache":
        findings.append(Finding("cache_policy.no_cache", "no X-WNS-Cache-Policy", "no-cache"))


AES128GCM: Final = "aes128gcm"
AESGCM: Final = "aesgcm"
_CODINGS: Final = {b"aes128gcm": AES128GCM, b"aesgcm": AESGCM}


def parse_content_encoding(lines: Lines | None, findings: list[Finding]) -> str | None:
    """`aes128gcm` or `aesgcm`, or None when it is absent or unreadable (RFC 8291, Section 4)."""
    if lines is None:
        return None
    value = b", ".join(lines).strip()
    coding = _CODINGS.get(value)
    if coding is None and (coding := _CODINGS.get(value.lower())):
        findings.append(Finding("content_encoding.case", coding, shown(value)))
    if coding is None:
        code = "content_encoding.several" if b"," in value else "content_encoding.unknown"
        findings.append(Finding(code, AES128GCM, shown(value)))
    return coding


def findings_with_body(lines: Lines | None, coding: str | None) -> tuple[Finding, ...]:
    """What the Content-Encoding, read as `coding`, means for a request that has a body."""
    if lines is None:
        return (Finding("content_encoding.missing", AES128GCM, "a body without a coding"),)
    return _DRAFT_CODING if coding == AESGCM else ()


_DRAFT_CODING: Final = (Finding("content_encoding.aesgcm", AES128GCM, AESGCM),)


class DraftParameters(NamedTuple):
    """What the drafts say in Crypto-Key and Encryption, still encoded."""

    dh: bytes | None = None
    p256ecdsa: bytes | None = None
    salt: bytes | None = None
    rs: bytes | None = None
    has_crypto_key: bool = False


NO_PARAMETERS: Final = DraftParameters()


def parse_draft_parameters(
    crypto_key: Lines | None, encryption: Lines | None, findings: list[Finding]
) -> DraftParameters:
    """Reads Crypto-Key and Encryption (draft-ietf-webpush-encryption-04, Section 4).

    Senders join the parameters with `;` or `,` and repeat the field; values may be quoted.
    """
    if crypto_key is None and encryption is None:
        return NO_PARAMETERS
    keys = _parameters(crypto_key)
    salts = _parameters(encryption)
    if crypto_key is not None and not (b"dh" in keys or b"p256ecdsa" in keys):
        findings.append(Finding("crypto_key.malformed", "dh=…;p256ecdsa=…", _joined(crypto_key)))
    return DraftParameters(
        dh=keys.get(b"dh"),
        p256ecdsa=keys.get(b"p256ecdsa"),
        salt=salts.get(b"salt"),
        rs=salts.get(b"rs"),
        has_crypto_key=crypto_key is not None,
    )


def _parameters(lines: Lines | None) -> dict[bytes, bytes]:
    parameters: dict[bytes, bytes] = {}
    for part in b";".join(lines or ()).replace(b",", b";").split(b";"):
        name, separator, value = part.partition(b"=")
        if separator:
            parameters.setdefault(name.strip().lower(), value.strip().strip(b'"'))
    return parameters
