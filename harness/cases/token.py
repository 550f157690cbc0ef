"""The token by which an application server identifies itself (RFC 8292, Sections 2 and 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.findings import Level
from mockpush.vapid_keys import VapidKeys

from ..case import Ask, CaseTable
from ..trial import Trial
from ..verdict import Problem
from .ttl import WEEK

TABLE: Final = CaseTable()

_TOKEN: Final = (
    "vapid.token.*",
    "!vapid.token.other_service",
    "!vapid.token.outlived",
    "vapid.algorithm",
    "vapid.typ",
)
_TOKENS: Final = 4
"""So many show an alphabet of base64 that is not in each of them."""


@TABLE.judged("rfc8292/2/token", "The token is a JWT that is signed with ES256.", codes=_TOKEN)
def token(trial: Trial) -> Iterator[Problem]:
    for _ in range(_TOKENS):
        pair = VapidKeys.generate()
        target = trial.control.subscribe(application_server_key=pair.public_key)
        trial.send(Ask(), to=target, vapid=pair)
    yield from trial.findings(*_TOKEN)


TABLE.free_of(
    "rfc8292/2/signature",
    "The signature fits the token and the key, as 64 octets.",
    "vapid.signature.*",
)
TABLE.free_of(
    "rfc8292/2/aud-is-origin",
    "aud is the origin of the endpoint: scheme, host and port.",
    "vapid.aud.*",
)
TABLE.free_of(
    "rfc8292/2/exp-within-24-hours",
    "exp lies in the future, at most 24 hours ahead.",
    "vapid.exp.*",
    "vapid.nbf.*",
    "vapid.clock.*",
    "vapid.token.outlived",
    asks=[Ask(), Ask(ttl=0), Ask(ttl=WEEK)],
)
TABLE.free_of(
    "rfc8292/2.1/sub-is-a-contact",
    "sub is a mailto: or https: URI by which the operator can be reached.",
    "vapid.sub.*",
)
TABLE.free_of(
    "rfc8292/2.2/small-claims",
    "Further claims are small.",
    "vapid.claims.*",
)


@TABLE.judged(
    "rfc8292/2.1/sub-as-given",
    "sub is the contact that the caller gave.",
    level=Level.INFORMATION,
)
def sub_as_given(trial: Trial) -> Iterator[Problem]:
    push = trial.send(Ask())
    for message in push.messages:
        sub = (message.vapid or {}).get("sub")
        if sub is not None:
            yield from trial.compare("sub", trial.vapid.subject, sub, push=push)


SOME: Final = 3
"""Origins that differ in the host, and in the port."""
AUD: Final = ("vapid.aud.mismatch", "vapid.aud.other_service", "vapid.token.other_service")
"""An aud that is not this service's. Whether it is an origin is seen with one alone."""


@TABLE.judged(
    "rfc8292/2/aud-of-each-push-service",
    "Several push services get a token each, with their own origin as aud.",
    codes=AUD,
)
def aud_of_each(trial: Trial) -> Iterator[Problem]:
    for origin in trial.origins[:SOME]:
        trial.send(Ask(), to=trial.control.subscribe(origin=origin))
    yield from trial.findings(*AUD)


@TABLE.judged(
    "rfc8292/5/reuses-tokens",
    "A token serves for several messages.",
    level=Level.INFORMATION,
)
def reuses_tokens(trial: Trial) -> Iterator[Problem]:
    sent = [trial.send(Ask()).requests[0].headers.get("Authorization") for _ in range(2)]
    if sent[0] is not None and sent[0] != sent[1]:
        yield trial.problem(
            "each message has a token of its own",
            expected="one token for the messages of some hours to one push service",
            actual="two tokens for two messages",
            hint="Signing costs more than all else that you do for a message, and verifying costs "
            "the push service as much; Apple asks for new tokens at most once an hour.",
        )
