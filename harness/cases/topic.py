"""Topics: a message replaces the one before it (RFC 8030, Section 5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.protocol.model import MessageState

from ..case import Ask, CaseTable
from ..jobs import quoted
from ..trial import Trial
from ..verdict import Problem
from .reports import failure
from .ttl import DAY

TABLE: Final = CaseTable()

LONGEST_TOPIC: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0129-_"
_REFUSED_TOPICS: Final = (f"{LONGEST_TOPIC}3", "orders/7 + 8=", "inbox-0123456")
"""Too long, of another alphabet, and of a length that Apple refuses: no base64url has it."""

TABLE.free_of(
    "rfc8030/5.4/topic-valid",
    "A Topic has 1 to 32 characters of the base64url alphabet.",
    "topic.*",
    asks=[Ask(topic="inbox-01")],
)


@TABLE.judged(
    "rfc8030/5.4/topic-as-asked",
    "The Topic is the one that was asked for, up to 32 characters.",
)
def topic_as_asked(trial: Trial) -> Iterator[Problem]:
    for topic in ("inbox-01", LONGEST_TOPIC):
        push = trial.send(Ask(topic=topic))
        yield from trial.compare_field(push, "Topic", topic)


@TABLE.judged(
    "rfc8030/5.4/topic-never-changed",
    "A topic that push services refuse is refused by the sender, or sent as it is.",
)
def never_changed(trial: Trial) -> Iterator[Problem]:
    for topic in _REFUSED_TOPICS:
        push = trial.attempt(Ask(topic=topic))
        for request in push.requests[:1]:
            if (sent := request.headers.get("Topic")) != topic:
                yield trial.problem(
                    "the topic is another one than was asked for",
                    expected=f"an error, or {quoted(topic)}",
                    actual=quoted(sent),
                    hint="A shortened topic may be that of other messages, which it replaces; "
                    "without one every message is delivered.",
                    request=request,
                )
        if push.requests and push.requests[0].refused:
            yield from failure(trial, push)


@TABLE.judged(
    "rfc8030/5.4/no-topic-unless-asked",
    "A push message has no Topic unless one was asked for.",
)
def no_topic(trial: Trial) -> Iterator[Problem]:
    yield from trial.compare_field(trial.send(Ask()), "Topic", None)


@TABLE.judged(
    "rfc8030/5.4/topic-collapses",
    "Of several messages of one topic a user agent that was away gets the last.",
)
def topic_collapses(trial: Trial) -> Iterator[Problem]:
    yield from _received(trial, topics=("inbox-01", "inbox-01"), expected=["second"])


@TABLE.judged(
    "rfc8030/5.4/topics-are-kept-apart",
    "Messages of different topics do not replace each other.",
)
def topics_are_kept_apart(trial: Trial) -> Iterator[Problem]:
    yield from _received(trial, topics=("inbox-01", "calls-01"), expected=["first", "second"])


def _received(trial: Trial, *, topics: tuple[str, str], expected: list[str]) -> Iterator[Problem]:
    """Sends the first and the second message to a user agent that is away for the night."""
    away = trial.control.subscribe(online=False)
    pushes = [trial.send(Ask(topic=topic, ttl=DAY), to=away) for topic in topics]
    for push in pushes:
        trial.message(push)
    trial.control.clock.advance("8h")
    away.online()
    states = zip(("first", "second"), map(trial.message, pushes), strict=True)
    received = [name for name, each in states if each.state is MessageState.ACKNOWLEDGED]
    yield from trial.compare("what the user agent gets", expected, received, push=pushes[-1])
