"""Keys that are rare and right: zero octets in front, and every character of base64url."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mockpush.client.push_subscription import PushSubscription
from mockpush.protocol.keys import load_private_key, public_point
from mockpush.protocol.model import base64url_encode
from mockpush.vapid_keys import VapidKeys

from ..case import MESSAGE, Ask, CaseTable
from ..trial import EndedError, Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

X_ZERO: Final = "74803b3b06440302567588bbc1d745e39c7517e5718f4834157ff160a047b369"
XX_ZERO: Final = "80a5a23b4d6038ce2aa43c1f892800a1170746ff9cdde905db76aa385306c2f4"
Y_ZERO: Final = "0bacc31809d58723167874962e4f29192bdf4d64843d5b1d90fb178f016062a3"
YY_ZERO: Final = "251032d8dd135df523ca7259f7653411d0660215ff93a85ccf028f4baa7b32f6"
SCALAR_ZERO: Final = "00576ba15079c6bd1369e12656fe6c91d9cc31ed7492e1325a0b871bc8ad18ab"
"""Private keys; what begins with a zero octet, or with two: x or y of the public key, or they."""

SECRETS: Final = (
    bytes(2) + b"fourteen octet",
    b"fourteen octet" + bytes(2),
    b"\xfb\xff\xbf" * 5 + b"\xfb",  # `-_-_…`
)

_FIXED: Final = (
    "One key in 256 is like this: keep numbers in 32 octets, whatever their value, and test with "
    "more than one key."
)


@TABLE.judged(
    "rfc8291/3.1/coordinates-that-begin-with-zeros",
    "A p256dh whose x or y begins with zero octets is as good as any.",
)
def coordinates(trial: Trial) -> Iterator[Problem]:
    for scalar in (X_ZERO, XX_ZERO, Y_ZERO, YY_ZERO):
        yield from _reaches(trial, _with_keys(trial, scalar=scalar))


@TABLE.judged(
    "rfc8291/3.2/secrets-of-every-shape",
    "An auth with zero octets, or with - and _ in base64url, is as good as any.",
)
def secrets(trial: Trial) -> Iterator[Problem]:
    for secret in SECRETS:
        yield from _reaches(trial, _with_keys(trial, scalar=YY_ZERO, auth=secret))


@TABLE.judged(
    "rfc8292/2/keys-that-begin-with-zeros",
    "A VAPID key of which x, y or the private key begins with zero octets is as good as any.",
)
def vapid_keys(trial: Trial) -> Iterator[Problem]:
    for scalar in (SCALAR_ZERO, X_ZERO, Y_ZERO):
        pair = VapidKeys.from_scalar(bytes.fromhex(scalar))
        yield from _signs(trial, pair, hint=_FIXED)


@TABLE.judged(
    "rfc8292/4.2/key-of-each-application-server",
    "Who sends for two application servers signs for each with its own key.",
)
def key_of_each(trial: Trial) -> Iterator[Problem]:
    pairs = VapidKeys.generate(), VapidKeys.generate()
    for pair in (*pairs, *pairs):
        yield from _signs(trial, pair, hint="Keep tokens by origin and key, not by origin alone.")


def _with_keys(trial: Trial, *, scalar: str, auth: bytes | None = None) -> PushSubscription:
    private = bytes.fromhex(scalar)
    return trial.control.subscribe(
        keys={
            "p256dh": base64url_encode(public_point(load_private_key(private).public_key())),
            "private_key": base64url_encode(private),
            "auth": trial.subscription.auth if auth is None else base64url_encode(auth),
        }
    )


def _reaches(trial: Trial, to: PushSubscription) -> Iterator[Problem]:
    """Problems with a message to a user agent with keys like these."""
    try:
        problems = list(trial.compare_payload(trial.send(Ask(), to=to), MESSAGE))
    except EndedError as ended:
        problems = [ended.problem]
    yield from (replace(each, hint=_FIXED) for each in problems)


def _signs(trial: Trial, pair: VapidKeys, *, hint: str) -> Iterator[Problem]:
    """Problems with a message from an application server with this pair."""
    to = trial.control.subscribe(application_server_key=pair.public_key)
    push = trial.send(Ask(), to=to, vapid=pair)
    if not push.messages:
        yield trial.problem(
            "the push service did not accept the message",
            expected=f"a token that is signed with the key {pair.public_key}",
            actual=str(push.requests[0]),
            hint=hint,
            request=push.requests[0],
        )
