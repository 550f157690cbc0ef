"""What an application was asked to send is what everybody gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockpush.client.push_subscription import PushSubscription
from mockpush.protocol.findings import Level
from mockpush.protocol.model import Urgency

from ..audience import Audience, AudienceTable, to
from ..case import Ask
from ..evidence import FanOut
from ..jobs import quoted
from ..trial import payload_of
from ..verdict import Problem

TABLE: Final = AudienceTable()

SHORT: Final = "Grüße, 世界 👋🏽".encode()
LONG: Final = b"0123456789" * 300


@TABLE.of_audience(
    "payload-reaches-everybody",
    "Every user agent can read the payload, and reads what was asked for.",
    level=Level.MUST,
    section="RFC 8291, Section 3.4",
)
def payload_reaches(audience: Audience) -> Iterator[Problem]:
    everybody = [audience.subscribe() for _ in range(3)]
    for payload in (SHORT, LONG):
        push = audience.notify(Ask(payload=payload))
        for each in everybody:
            yield from _unread(audience, push, each, payload)


def _unread(
    audience: Audience, push: FanOut, subscription: PushSubscription, payload: bytes
) -> Iterator[Problem]:
    """A problem if this subscription's user agent reads another payload."""
    ids = [each.message for each in to(push.requests, subscription)]
    for message in push.messages:
        if message.id in ids and (actual := payload_of(message)) != payload:
            yield audience.trial.problem(
                "a user agent does not get the payload",
                expected=quoted(payload),
                actual="one that it cannot read" if actual is None else quoted(actual),
                hint="Encrypt for each subscription with its own keys, the octets as they are.",
                request=to(push.requests, subscription)[-1],
            )


def _declare(slug: str, what: str, name: str, section: str, asks: dict[Ask, str]) -> None:
    @TABLE.of_audience(
        f"{slug}-as-asked",
        f"Every message has the {what} that the application was asked for.",
        level=Level.MUST,
        section=section,
    )
    def as_asked(audience: Audience) -> Iterator[Problem]:
        everybody = [audience.subscribe() for _ in range(2)]
        for ask, expected in asks.items():
            push = audience.notify(ask)
            for each in everybody:
                yield from _other(audience, push, each, name, expected)


def _other(
    audience: Audience, push: FanOut, subscription: PushSubscription, name: str, value: str
) -> Iterator[Problem]:
    """A problem if a message to this subscription has another value of a field."""
    for request in to(push.requests, subscription):
        actual = request.headers.get(name)
        if actual != value:
            yield audience.trial.problem(
                f"the {name} field is not as it should be",
                expected=quoted(value),
                actual=quoted(actual),
                request=request,
            )


_declare(
    "ttl",
    "TTL",
    "TTL",
    "RFC 8030, Section 5.2",
    {Ask(ttl=seconds): str(seconds) for seconds in (0, 3600)},
)
_declare(
    "urgency",
    "urgency",
    "Urgency",
    "RFC 8030, Section 5.3",
    {Ask(urgency=urgency): str(urgency) for urgency in (Urgency.LOW, Urgency.HIGH)},
)
_declare(
    "topic",
    "topic",
    "Topic",
    "RFC 8030, Section 5.4",
    # Without one an application may use its own, so that what it sends again replaces the first.
    {Ask(topic="inbox-01"): "inbox-01"},
)
