"""What must not leave the sender, or not in clear (RFC 8291, Section 7; RFC 8292, Section 3.2)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mockpush.client.records import Request
from mockpush.protocol.findings import Level
from mockpush.protocol.keys import decode_any_base64, load_private_key
from mockpush.protocol.model import base64url_decode

from ..case import Ask, CaseTable
from ..trial import Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

_PAYLOAD: Final = b"the parcel for Mrs Ferncastle is at the door"
_COOKIE: Final = "seen=yes"


@TABLE.judged("rfc8292/3.2/private-key-stays", "The private key is not sent.")
def private_key_stays(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask())
    forms = {**_forms(trial.vapid.scalar), **_other_forms(trial.vapid.scalar)}
    for request in push.requests:
        if found := _found(forms, request):
            yield trial.problem(
                "the private key is in the request",
                expected="the public key only",
                actual=f"the private key {found}",
                hint="Whoever reads it can push in your name: make a new pair.",
                request=request,
            )


@TABLE.judged("rfc8291/7/auth-secret-stays", "The subscription's auth secret is not sent.")
def auth_secret_stays(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask())
    for request in push.requests:
        if found := _found(_forms(base64url_decode(trial.subscription.auth)), request):
            yield trial.problem(
                "the auth secret of the subscription is in the request",
                expected="nothing of the subscription but its endpoint",
                actual=f"the auth secret {found}",
                hint="It proves to the user agent that a message comes from you: the push service "
                "that knows it can write messages of its own.",
                request=request,
            )


@TABLE.judged(
    "rfc8291/7/payload-stays",
    "The payload is nowhere in the request in clear.",
    section="RFC 8291, Section 7; RFC 8030, Section 8.1",
)
def payload_stays(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask(payload=_PAYLOAD))
    for request in push.requests:
        if found := _found(_forms(_PAYLOAD), request):
            yield trial.problem(
                "the payload is in the request in clear",
                expected="the encrypted payload only",
                actual=f"the payload {found}",
                hint="The push service, and who reads its logs, must not learn what you say.",
                request=request,
            )


@TABLE.judged(
    "rfc8030/8.2/no-cookies",
    "A push brings back no cookie of an earlier answer.",
    level=Level.INFORMATION,
)
def no_cookies(trial: Trial) -> Iterator[Problem]:
    plan = trial.control.faults.add(status=201, headers={"Set-Cookie": f"{_COOKIE}; Path=/"})
    trial.send(Ask())
    plan.remove()
    push = trial.send(Ask(), to=trial.control.subscribe())
    if _COOKIE in (push.requests[0].headers.get("Cookie") or ""):
        yield trial.problem(
            "the sender keeps cookies of the push service",
            expected="no Cookie",
            actual=push.requests[0].headers["Cookie"],
            hint="They tell the push service which subscriptions belong together: give your HTTP "
            "client no cookie store.",
            request=push.requests[0],
        )


def _forms(secret: bytes) -> dict[str, bytes]:
    """The secret as it may be written; base64 without its end, which depends on what follows."""
    text, digits = base64.b64encode(secret).rstrip(b"="), binascii.hexlify(secret)
    return {
        "as it is": secret,
        "in base64": text,
        "in base64url": text.translate(bytes.maketrans(b"+/", b"-_")),
        "in hexadecimal": digits,
        "in capital hexadecimal": digits.upper(),
    }


def _other_forms(scalar: bytes) -> dict[str, bytes]:
    """What a private key is written as, besides."""
    der = load_private_key(scalar).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    number = str(int.from_bytes(scalar, "big")).encode()
    return {"in decimal": number, "as DER": der, "as PEM": base64.b64encode(der)[:64]}


def _found(forms: Mapping[str, bytes], request: Request) -> str | None:
    """In which form, and where, one of them is in a request."""
    for place, content in _places(request):
        for form, written in forms.items():
            if written in content:
                return f"{form} in {place}"
    return None


def _places(request: Request) -> Iterator[tuple[str, bytes]]:
    """All that is legible in a request, the claims of the token included."""
    yield "the request target", request.target.encode("latin-1")
    for name, value in request.headers.lines:
        yield f"the field {name}", value.encode("latin-1")
        yield from ((f"the token in {name}", part) for part in _decoded(value))
    yield "the body", request.body


def _decoded(value: str) -> Iterator[bytes]:
    """The parts of what looks like a token."""
    for part in value.replace(",", " ").replace("=", " ").replace(".", " ").split():
        try:
            yield decode_any_base64(part.encode("latin-1"))
        except ValueError:
            continue
