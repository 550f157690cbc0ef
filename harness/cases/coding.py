"""Message encryption (RFC 8188 and RFC 8291)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.model import base64url_decode, base64url_encode

from ..case import Ask, CaseTable
from ..trial import Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

TABLE.free_of(
    "rfc8291/4/aes128gcm",
    "A payload is encrypted with the content coding aes128gcm and no other.",
    "content_encoding.*",
)
TABLE.free_of(
    "rfc8291/4/no-draft-fields",
    "The fields of the draft coding do not go with aes128gcm.",
    "crypto_key.*",
    "encryption_header.*",
)
TABLE.free_of(
    "rfc8188/2.1/header",
    "The body begins with a valid header: salt, record size, the sender's public key.",
    "encryption.header.*",
    "encryption.rs.*",
    "encryption.keyid.*",
    asks=[Ask(), Ask(payload=b"x" * 3000)],
)
TABLE.free_of(
    "rfc8291/4/one-record",
    "The payload is one record that ends with the delimiter 2.",
    "encryption.record.*",
    "encryption.records.*",
    "encryption.delimiter.*",
    "encryption.padding.*",
    asks=[Ask(), Ask(payload=b"x" * 3000)],
)
TABLE.free_of(
    "rfc8291/3.4/decrypts",
    "The user agent can decrypt the payload.",
    "encryption.*",
    "aesgcm.*",
    asks=[Ask(payload=b"x" * length) for length in (1, 100, 3000)],
)


@TABLE.judged(
    "rfc8291/7/refuses-points-off-the-curve",
    "A p256dh that is no point on P-256 is refused before anything is sent.",
)
def refuses_points_off_the_curve(trial: Trial) -> Iterator[Problem]:
    given = dict(trial.subscription)
    point = bytearray(base64url_decode(trial.subscription.p256dh))
    point[-1] ^= 1
    given["keys"] = {**given["keys"], "p256dh": base64url_encode(bytes(point))}
    push = trial.attempt(Ask(), subscription=given)
    if push.requests:
        yield trial.problem(
            "the sender encrypts for a public key that is not on the curve",
            expected="an error, and no request",
            actual=str(push.requests[0]),
            hint="Whoever can choose such a key learns something of the private key that is used "
            "with it; a library for P-256 that loads the point checks this.",
            request=push.requests[0],
        )
    elif push.result.ok:
        yield trial.problem(
            "the sender reports success, though it sent nothing",
            expected="an error",
            actual="success",
        )
