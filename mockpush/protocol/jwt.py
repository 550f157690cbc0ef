"""JSON Web Tokens as Web Push uses them: compact, ES256, read with tolerance and verified strictly.

RFC 7515 (the form), RFC 7518 Section 3.4 (the signature), RFC 7519 (the claims).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from mockpush.protocol.findings import Finding
from mockpush.protocol.keys import decode_any_base64, load_private_key, load_public_key
from mockpush.protocol.model import base64url_encode

SIGNATURE_LENGTH: Final = 64
_MAX_SHOWN: Final = 200
_MAX_BRACKETS: Final = 100
"""So that claims can be written out again without running out of stack."""
_ES256: Final = ec.ECDSA(SHA256())


class Token(NamedTuple):
    """A token taken apart: header and claims as JSON objects, the signature as it came."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signing_input: bytes
    signature: bytes


def read_token(text: bytes, findings: list[Finding]) -> Token | None:
    """Takes a token apart without verifying it; None and a finding when that is impossible."""
    expected = "three base64url parts separated by dots"
    parts = text.split(b".")
    if len(parts) != 3:
        findings.append(Finding("vapid.token.malformed", expected, f"{len(parts)} parts"))
        return None
    if b"=" in text:
        findings.append(Finding("vapid.token.padded", "no padding", "padding"))
    header, claims, signature = parts
    try:
        token = Token(
            _header(header),
            _json_object(_decode(claims)),
            text[: len(header) + 1 + len(claims)],
            _decode(signature),
        )
    except ValueError as error:
        findings.append(Finding("vapid.token.malformed", expected, str(error)[:200]))
        return None
    if b"+" in text or b"/" in text:
        findings.append(Finding("vapid.token.standard_base64", "- and _", "+ or /"))
    return token


@lru_cache(maxsize=64)
def _header(part: bytes) -> dict[str, Any]:
    """The header of a sender is the same in all its tokens."""
    return _json_object(_decode(part))


def _decode(part: bytes) -> bytes:
    try:
        return decode_any_base64(part)
    except ValueError as error:
        raise ValueError(f"a part is not base64url: {error}") from None


def _json_object(data: bytes) -> dict[str, Any]:
    text = data.decode()
    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise ValueError("a part is nested too deeply")
    value = _parse(text)
    if not isinstance(value, dict):
        raise ValueError("a part is not a JSON object")
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()  # refuses what is no text: lone surrogates
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is out of range")
    return value


_JSON: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _parse(text: str) -> object:
    """As the decoder; text without white space around it, the usual case, takes half the time."""
    try:
        value, end = _JSON.raw_decode(text)
    except ValueError:
        end = -1
    return value if end == len(text) else _JSON.decode(text)


def shown_claim(value: object) -> str:
    """A claim or header parameter as text for a finding: short and never empty."""
    text = str(value)
    if not text:
        return "an empty string"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def verifies(token: Token, point: bytes) -> bool:
    """Whether the raw signature of 64 octets fits the token and the key (uncompressed point)."""
    if len(token.signature) != SIGNATURE_LENGTH:
        return False
    r, s = token.signature[:32], token.signature[32:]
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    return _verify(token.signing_input, point, der)


def verifies_as_der(token: Token, point: bytes) -> bool:
    """Whether the signature fits when taken as DER, as a sender that skipped a step sends it."""
    return token.signature[:1] == b"\x30" and _verify(token.signing_input, point, token.signature)


def _verify(signing_input: bytes, point: bytes, der: bytes) -> bool:
    try:
        load_public_key(point).verify(der, signing_input, _ES256)
    except InvalidSignature:
        return False
    return True


def sign(claims: Mapping[str, object], private_key: bytes) -> str:
    """A token over `claims`, signed with the scalar of 32 octets."""
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    signing_input = ".".join(
        base64url_encode(json.dumps(part, separators=(",", ":")).encode()) for part in parts
    )
    der = load_private_key(private_key).sign(signing_input.encode(), _ES256)
    r, s = decode_dss_signature(der)
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{signing_input}.{base64url_encode(signature)}"
