"""Voluntary identification of the application server (RFC 8292).

What an Authorization field says does not depend on when and where it came: `read_vapid` reads it
once per distinct value, signature included. `check_vapid` adds what changes with each request: the
audience, the times, the key of the subscription.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeGuard
from urllib.parse import urlsplit

from mockpush.protocol import jwt
from mockpush.protocol.clock import span
from mockpush.protocol.contact import check_contact
from mockpush.protocol.findings import Finding
from mockpush.protocol.headers import DraftParameters, Lines, shown
from mockpush.protocol.jwt import shown_claim
from mockpush.protocol.keys import load_private_key as _load_private_key
from mockpush.protocol.keys import public_point, read_public_key
from mockpush.protocol.model import base64url_encode

MAX_LIFETIME: Final = 24 * 60 * 60
"""exp MUST NOT be more than 24 hours ahead (RFC 8292, Section 2)."""
SOON: Final = 120
NEAR_LIMIT: Final = 60
_LATEST: Final = 2**53
_NEAR: Final = 366 * 24 * 60 * 60
_LARGE: Final = 1000


class Scheme(StrEnum):
    """The forms in which senders identify themselves; only `vapid` is RFC 8292's."""

    VAPID = "vapid"
    WEBPUSH = "webpush"
    BEARER = "bearer"


class Vapid(NamedTuple):
    """What one Authorization field says.

    `key` is the uncompressed point, `claims` the token's claims as sent: use neither unless
    `verified` (RFC 8292, Section 2, forbids to use information of an invalid token).
    """

    scheme: Scheme | None
    key: bytes | None
    token: jwt.Token | None
    verified: bool
    findings: tuple[Finding, ...]

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims as sent, verified or not; empty when there is no readable token."""
        return self.token.claims if self.token else {}


def read_vapid(lines: Lines, parameters: DraftParameters, findings: list[Finding]) -> Vapid:
    """Reads the Authorization field in all three forms, and appends what is wrong in itself."""
    if len(lines) > 1:
        actual = f"{len(lines)} fields"
        findings.append(Finding("vapid.authorization.doubled", "one Authorization field", actual))
    vapid = _read(lines[0], parameters.p256ecdsa, parameters.has_crypto_key)
    findings.extend(vapid.findings)
    return vapid


@lru_cache(maxsize=1024)
def _read(field: bytes, p256ecdsa: bytes | None, has_crypto_key: bool) -> Vapid:  # noqa: FBT001
    """Bounded: one entry for each distinct token and key, so that a signature is verified once."""
    findings: list[Finding] = []
    scheme, text, key_text = _usual(field) or _credentials(field, p256ecdsa, findings)
    token = jwt.read_token(text, findings) if text else None
    key = read_public_key(key_text, findings) if key_text is not None else None
    verified = token is not None and _is_signed(token, key, findings)
    if token is not None:
        _check_static_claims(token, len(field), findings)
    return Vapid(scheme, key, token, verified, tuple(findings))


_BASE64URL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _usual(field: bytes) -> tuple[Scheme, bytes, bytes] | None:
    """What `_credentials` makes of the form that nearly all senders write, in less time.

    That is `vapid t=<token>, k=<key>` with nothing but base64url in both (RFC 8292, Section 3).
    """
    token, _, key = field.partition(b",")
    if token[:8] != b"vapid t=":
        return None
    token, key = token[8:], key.removeprefix(b" ")
    if key[:2] != b"k=" or not token or (token + key[2:]).translate(None, _BASE64URL + b"."):
        return None
    return Scheme.VAPID, token, key[2:]


def _credentials(
    field: bytes, p256ecdsa: bytes | None, findings: list[Finding]
) -> tuple[Scheme | None, bytes | None, bytes | None]:
    """The scheme, the token's text and the key's text."""
    name, _, rest = field.strip().partition(b" ")
    try:
        scheme = Scheme(name.lower().decode("ascii"))
    except ValueError:
        findings.append(Finding("vapid.scheme.unknown", "vapid", shown(name)))
        if not rest.strip():
            findings.append(Finding("vapid.token.missing", "a token", "none"))
        return None, None, None
    if scheme is Scheme.VAPID:
        return scheme, *_vapid_parameters(rest, findings)
    findings.append(Finding(f"vapid.scheme.{scheme}", "vapid", shown(name)))
    if p256ecdsa is None:
        findings.append(Finding("vapid.p256ecdsa.missing", "Crypto-Key: p256ecdsa=…", "none"))
    token = rest.strip()
    if not token:
        findings.append(Finding("vapid.token.missing", "a token", "none"))
    return scheme, token or None, p256ecdsa


_PARAMETER: Final = re.compile(rb'(?:"(?:[^"\\]|\\.)*"?|[^",;])+', re.DOTALL)
"""One parameter; commas and semicolons in a quoted string do not separate."""


def _vapid_parameters(text: bytes, findings: list[Finding]) -> tuple[bytes | None, bytes | None]:
    """t and k, whatever the legal spacing; unknown parameters are ignored (Section 3)."""
    parameters: dict[bytes, bytes] = {}
    plain = b'"' not in text and b";" not in text
    for part in text.split(b",") if plain else _PARAMETER.findall(text):
        name, separator, value = part.partition(b"=")
        name = name.strip().lower()
        if not separator or name not in (b"t", b"k"):
            continue
        if name in parameters:
            findings.append(Finding("vapid.parameter.doubled", "one t and one k", shown(text)))
        parameters.setdefault(name, value.strip().strip(b'"'))
    if not plain and b";" in _PARAMETER.sub(b"", text):
        findings.append(Finding("vapid.separator.semicolon", "t=…, k=…", shown(text)))
    if not parameters:
        findings.append(Finding("vapid.authorization.malformed", "t=…, k=…", shown(text)))
    token, key = parameters.get(b"t"), parameters.get(b"k")
    if not token:
        findings.append(Finding("vapid.token.missing", "t=<token>", "none"))
    if key is None:
        findings.append(Finding("vapid.key.missing", "k=<public key>", "none"))
    return token or None, key


def _is_signed(token: jwt.Token, key: bytes | None, findings: list[Finding]) -> bool:
    algorithm = token.header.get("alg")
    if algorithm != "ES256":
        findings.append(Finding("vapid.algorithm", "ES256", shown_claim(algorithm)))
        return False
    if key is None:
        return False
    if jwt.verifies(token, key):
        return True
    length = len(token.signature)
    if jwt.verifies_as_der(token, key):
        code = "vapid.signature.der"
    elif length != jwt.SIGNATURE_LENGTH:
        code = "vapid.signature.length"
    else:
        code = "vapid.signature.invalid"
    findings.append(
        Finding(
            code, f"r and s, {jwt.SIGNATURE_LENGTH} octets, by the key sent", f"{length} octets"
        )
    )
    return False


def _check_static_claims(token: jwt.Token, size: int, findings: list[Finding]) -> None:
    typ = token.header.get("typ")
    if not isinstance(typ, str) or typ.upper() != "JWT":
        findings.append(Finding("vapid.typ", "JWT", shown_claim(typ)))
    check_contact(token.claims, findings)
    exp = token.claims.get("exp")
    if isinstance(exp, float):
        findings.append(Finding("vapid.exp.fraction", "whole seconds", shown_claim(exp)))
    if size > _LARGE:
        findings.append(Finding("vapid.claims.large", f"at most {_LARGE} octets", f"{size} octets"))


def check_vapid(
    vapid: Vapid,
    findings: list[Finding],
    *,
    origins: Sequence[str],
    now: float,
    application_server_key: bytes | None,
) -> float | None:
    """Checks what depends on the request; returns the seconds until `exp`, if it has one.

    `now` is in seconds since the epoch on the clock that judges tokens.
    """
    _check_key(vapid, application_server_key, findings)
    if vapid.token is None:
        return None
    claims = vapid.token.claims
    _check_audience(claims, origins, findings)
    return _check_times(claims, now, findings)


def _check_key(vapid: Vapid, expected: bytes | None, findings: list[Finding]) -> None:
    if expected is None or vapid.key is None or vapid.key == expected:
        return
    wanted, sent = base64url_encode(expected), base64url_encode(vapid.key)
    findings.append(Finding("vapid.key.mismatch", wanted, sent))
    if vapid.token and not vapid.verified and jwt.verifies(vapid.token, expected):
        findings.append(Finding("vapid.signature.other_key", wanted, sent))


def _check_audience(
    claims: Mapping[str, Any], origins: Sequence[str], findings: list[Finding]
) -> None:
    audience = claims.get("aud")
    if audience in origins:
        return
    expected = origins[0] if origins else "the endpoint's origin"
    if audience is None:
        findings.append(Finding("vapid.aud.missing", expected, "none"))
    elif isinstance(audience, str):
        findings.append(Finding(_audience_code(audience, origins), expected, shown_claim(audience)))
    elif isinstance(audience, list) and all(isinstance(each, str) for each in audience):
        findings.append(Finding("vapid.aud.array", expected, shown_claim(audience)))
        if not any(each in origins for each in audience):
            findings.append(Finding("vapid.aud.mismatch", expected, shown_claim(audience)))
    else:
        findings.append(Finding("vapid.aud.type", f'"{expected}"', shown_claim(audience)))


def _audience_code(audience: str, origins: Sequence[str]) -> str:
    try:
        parts = urlsplit(audience)
    except ValueError:
        return "vapid.aud.mismatch"
    if f"{parts.scheme}://{parts.netloc}" in origins:
        return "vapid.aud.path"
    without_port = (origin.rpartition(":")[0] for origin in origins if _has_port(origin))
    return "vapid.aud.port_missing" if audience in without_port else "vapid.aud.mismatch"


def _has_port(origin: str) -> bool:
    return origin.rpartition(":")[2].isdigit()


def _check_times(claims: Mapping[str, Any], now: float, findings: list[Finding]) -> float | None:
    exp = claims.get("exp")
    if type(exp) is int and 0 < exp < _LATEST and "nbf" not in claims:
        remaining = exp - now
        if SOON < remaining <= MAX_LIFETIME - NEAR_LIMIT:
            return remaining  # the usual case, on the path of every message
    if exp is None:
        findings.append(Finding("vapid.exp.missing", "seconds since the epoch", "none"))
        return None
    if not is_number(exp):
        actual = f"{type(exp).__name__}: {shown_claim(exp)}"
        findings.append(Finding("vapid.exp.type", "a number", actual))
        return None
    remaining = float(exp) - now
    code = _lifetime_code(remaining)
    if code is not None:
        actual = f"{shown_claim(exp)} ({_distance(remaining)})"
        expected = f"{now:.0f} to {now + MAX_LIFETIME:.0f}"
        findings.append(Finding(code, expected, actual, _slip(float(exp), now)))
    nbf = claims.get("nbf")
    if is_number(nbf) and float(nbf) > now:
        findings.append(Finding("vapid.nbf.future", f"at most {now:.0f}", shown_claim(nbf)))
    return remaining


def _lifetime_code(remaining: float) -> str | None:
    if SOON < remaining <= MAX_LIFETIME - NEAR_LIMIT:
        return None
    if remaining < 0:
        return "vapid.exp.past"
    if remaining > MAX_LIFETIME:
        return "vapid.exp.too_far"
    return "vapid.exp.soon" if remaining <= SOON else "vapid.exp.near_limit"


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a claim is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _distance(remaining: float) -> str:
    """How far exp is from now, and by how much too far, if a clock may be the reason."""
    if remaining < 0:
        return f"{span(remaining)} ago"
    skew = remaining - MAX_LIFETIME
    too_far = f", {span(skew)} too far" if 0 < skew < MAX_LIFETIME else ""
    return f"{span(remaining)} ahead{too_far}"


def _slip(exp: float, now: float) -> str | None:
    """What the number was meant to be, if it is no time anywhere near."""
    if abs(exp / 1000 - now) < _NEAR:
        return "exp counts milliseconds: write Math.floor(Date.now() / 1000) + 43200 or the like."
    if 0 < exp < _NEAR:
        return f"exp is a duration: add the time of now, as in {now:.0f} + {exp:.0f}."
    return None


def authorization(claims: Mapping[str, object], private_key: bytes) -> str:
    """The value of an Authorization field over `claims` (RFC 8292, Section 3)."""
    public_key = public_point(_load_private_key(private_key).public_key())
    return f"vapid t={jwt.sign(claims, private_key)}, k={base64url_encode(public_key)}"
