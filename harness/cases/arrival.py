"""End to end: what user agents get of several messages (RFC 8030, Sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from mockpush.client.push_subscription import PushSubscription
from mockpush.protocol.findings import Level
from mockpush.protocol.model import MessageState, Urgency

from ..case import MESSAGE, Ask, CaseTable
from ..jobs import quoted
from ..trial import NotApplicableError, Trial, payload_of
from ..verdict import Problem

TABLE: Final = CaseTable()

PAYLOADS: Final = (b"first", b"second", b"third", b"fourth", b"fifth")
ROUNDS: Final = (b"one", b"two")


@TABLE.judged(
    "rfc8030/6/each-arrives-once",
    "Several messages to a user agent arrive, each once and in order.",
)
def each_arrives(trial: Trial) -> Iterator[Problem]:
    for payload in PAYLOADS:
        trial.send(Ask(payload=payload))
    yield from _received(trial, trial.subscription, PAYLOADS)


@TABLE.judged(
    "rfc8030/6/each-waits-for-the-user-agent",
    "Several messages to a user agent that is away arrive when it comes back, each once, in order.",
)
def each_waits(trial: Trial) -> Iterator[Problem]:
    away = trial.control.subscribe(online=False)
    for payload in PAYLOADS:
        trial.send(Ask(payload=payload, ttl=3600), to=away)
    trial.control.clock.advance("30m")
    away.online()
    yield from _received(trial, away, PAYLOADS)


@TABLE.judged(
    "rfc8030/6/each-user-agent-gets-its-own",
    "Messages to several user agents, one after the other, each reach the one they are for.",
    section="RFC 8030, Section 6; RFC 8291, Section 3.1",
)
def each_its_own(trial: Trial) -> Iterator[Problem]:
    everybody = [trial.control.subscribe() for _ in range(3)]
    for text in ROUNDS:
        for number, each in enumerate(everybody):
            trial.send(Ask(payload=b"%b for %d" % (text, number)), to=each)
    for number, each in enumerate(everybody):
        yield from _received(trial, each, tuple(b"%b for %d" % (text, number) for text in ROUNDS))


@TABLE.judged(
    "rfc8030/5/options-do-not-stay",
    "What was asked for one message (topic, urgency, TTL, payload) is not kept for the next.",
    section="RFC 8030, Section 5; RFC 8188, Section 2",
)
def options_do_not_stay(trial: Trial) -> Iterator[Problem]:
    for ask in (Ask(topic="inbox-01"), Ask(urgency=Urgency.HIGH), Ask(ttl=3600)):
        with suppress(NotApplicableError):
            trial.send(ask)
    push = trial.send(Ask(payload=None, ttl=30))
    yield from trial.compare_field(push, "TTL", "30")
    yield from trial.compare_field(push, "Topic", None)
    if MESSAGE in map(payload_of, push.messages):
        yield from trial.compare("the payload", None, MESSAGE, push=push)
    if not push.requests[0].body:
        yield from trial.compare_field(push, "Content-Encoding", None)
    if push.requests[0].headers.get("Urgency") is not None:
        yield from trial.compare_field(push, "Urgency", Urgency.NORMAL)


def _received(trial: Trial, by: PushSubscription, payloads: tuple[bytes, ...]) -> Iterator[Problem]:
    """A problem if these are not the payloads that the user agent got."""
    got = (each for each in by.messages if each.state is MessageState.ACKNOWLEDGED)
    received = list(map(payload_of, got))
    lost = [each for each in payloads if each not in received]
    if lost or received != list(payloads):
        yield trial.problem(
            "a user agent does not get what was sent to it"
            if lost
            else "a user agent gets messages more than once, or in another order",
            expected=quoted(list(payloads)),
            actual=quoted(received),
            # Push services may change the order, too, which is no reason to do so.
            level=None if lost else Level.PRACTICE,
        )
