"""One message to many subscriptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from mockpush.client.faults import FaultMembers
from mockpush.client.push_subscription import PushSubscription
from mockpush.client.records import Request
from mockpush.protocol.fault_kinds import FaultKind
from mockpush.protocol.findings import Level
from mockpush.vapid_keys import VapidKeys

from ..audience import Audience, AudienceTable, accepted, to
from ..evidence import FanOut
from ..verdict import Problem
from .token import AUD

TABLE: Final = AudienceTable()

_FAILURES: Final[tuple[FaultMembers, ...]] = (
    {"kind": FaultKind.RESET},
    {"status": 500},
    {"status": 400},
)
_THROTTLED: Final[FaultMembers] = {"status": 429, "retry_after": 1}
CROWD: Final = 10
LATENCY: Final = 0.1
"""Seconds that the push service takes for an answer: who waits for each is seen by ten of them."""


@TABLE.of_audience(
    "dead-ones-do-not-stop-the-others",
    "Subscriptions that no longer exist, first, amid and last, keep no message from the others.",
    level=Level.MUST,
    section="RFC 8030, Section 7.3",
)
def dead_ones(audience: Audience) -> Iterator[Problem]:
    everybody = [audience.subscribe() for _ in range(5)]
    for gone, status in zip(everybody[::2], (410, 404, 410), strict=True):
        gone.expire(status)
    push = audience.notify()
    yield from _missed(audience, push, everybody[1::2], "others no longer exist")


@TABLE.of_audience(
    "failures-do-not-stop-the-others",
    "Pushes that fail, first and in between, keep no message from the others.",
    level=Level.MUST,
    section="RFC 8030, Section 5",
)
def failures(audience: Audience) -> Iterator[Problem]:
    others: list[PushSubscription] = []
    for failure in _FAILURES:
        audience.trial.control.faults.add(
            times=1, match={"subscription": audience.subscribe()}, **failure
        )
        others.append(audience.subscribe())
    yield from _missed(audience, audience.notify(), others, "pushes to others failed")


def _missed(
    audience: Audience, push: FanOut, alive: Sequence[PushSubscription], why: str
) -> Iterator[Problem]:
    """A problem if one of these got no push."""
    missed = [each for each in alive if not to(push.requests, each)]
    if missed:
        yield audience.trial.problem(
            f"subscriptions get no message, since {why}",
            expected=f"a push to each of the {len(alive)} that exist",
            actual=f"none to {len(missed)} of them",
            hint="Catch what a push raises inside the loop, and do not remove from a list while "
            "you go through it.",
            request=push.requests[-1],
        )


@TABLE.of_audience(
    "aud-of-each-push-service",
    "In a fan-out over several push services each has its own origin as aud.",
    level=Level.MUST,
    section="RFC 8292, Section 2",
)
def aud_of_each(audience: Audience) -> Iterator[Problem]:
    _over_several_push_services(audience)
    yield from audience.trial.findings(*AUD)


@TABLE.of_audience(
    "one-token-for-each-push-service",
    "In a fan-out a token serves for all messages to a push service.",
    level=Level.INFORMATION,
    section="RFC 8292, Section 5",
)
def one_token(audience: Audience) -> Iterator[Problem]:
    requests = _over_several_push_services(audience)
    tokens = {each.headers.get("Authorization") for each in requests} - {None}
    number = len(audience.trial.origins)
    if len(tokens) > number:
        yield audience.trial.problem(
            "messages to one push service have tokens of their own",
            expected=f"{number} tokens for {number} push services",
            actual=f"{len(tokens)} tokens for {len(requests)} messages",
            hint="Signing costs more than all else that you do for a message; keep a token by "
            "origin for some hours.",
            request=requests[-1],
        )


def _over_several_push_services(audience: Audience) -> tuple[Request, ...]:
    for origin in audience.trial.origins * 2:
        audience.subscribe(origin=origin)
    return audience.notify().requests


@TABLE.of_audience(
    "subscribed-twice",
    "A subscription that is handed over twice gets a message once.",
    level=Level.PRACTICE,
    section="RFC 8030, Section 5",
)
def subscribed_twice(audience: Audience) -> Iterator[Problem]:
    subscription = audience.subscribe()
    audience.hand_over(subscription)
    push = audience.notify()
    number = len(to(push.requests, subscription))
    yield from audience.trial.compare("the number of requests", 1, number)


@TABLE.of_audience(
    "key-of-the-subscription",
    "A subscription for an older VAPID key is pushed to with that key, or reported as failed.",
    level=Level.MUST,
    section="RFC 8292, Section 4.2",
)
def key_of_the_subscription(audience: Audience) -> Iterator[Problem]:
    before = audience.subscribe(vapid=VapidKeys.generate())
    newest = audience.subscribe()
    push = audience.notify()
    if not accepted(push, newest):
        yield audience.trial.problem(
            "a subscription of the newest key gets no message",
            expected="a token that is signed with the key of the subscription",
            actual="no message",
            hint="A subscription belongs to its key, which comes with it: keep both together.",
            request=next(iter(to(push.requests, newest)), None),
        )
    if accepted(push, before):
        return
    if push.result.failed == 0:
        yield audience.trial.problem(
            "a message for a subscription of an older key is lost, and nobody is told",
            expected="a token that is signed with the key of the subscription, or a failure",
            actual="no message, and no failure reported",
            hint="A subscription belongs to its key: keep both together, with the old private key.",
            request=next(iter(to(push.requests, before)), None),
        )
    else:
        yield audience.trial.problem(
            "subscriptions of an older key get no messages any more",
            expected="a token that is signed with the key of the subscription",
            actual="a failure, which the application reports",
            level=Level.INFORMATION,
        )


@TABLE.of_audience(
    "sent-and-failed-are-true",
    "The numbers of sent and failed messages are those of the push service.",
    level=Level.MUST,
    section="RFC 9110, Section 15",
)
def counts(audience: Audience) -> Iterator[Problem]:
    faults = audience.trial.control.faults
    audience.subscribe()
    for failure in (*_FAILURES, _THROTTLED):
        faults.add(times=1, match={"subscription": audience.subscribe()}, **failure)
    audience.subscribe()
    audience.subscribe().expire(410)
    yield from audience.untrue(audience.notify())


@TABLE.of_audience(
    "not-one-after-the-other",
    "A fan-out does not wait for each answer before it sends the next message.",
    level=Level.INFORMATION,
    section="RFC 8030, Section 5",
)
def not_one_after_the_other(audience: Audience) -> Iterator[Problem]:
    for _ in range(CROWD):
        audience.subscribe()
    audience.trial.control.faults.add(delay=LATENCY)
    push = audience.notify()
    came = sorted(each.received_at for each in push.requests)
    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(came)]
    if apart and min(apart) >= LATENCY:
        yield audience.trial.problem(
            "messages are sent one after the other",
            expected="several requests at a time",
            actual=f"{len(came)} requests in {(came[-1] - came[0]).total_seconds():.1f} s, each "
            "after the answer to the one before",
            hint="A push service takes some 50 ms for an answer: a thousand subscriptions then "
            "take most of a minute.",
            request=push.requests[-1],
        )
