"""Mozilla's push protocol, spoken by Firefox and others over a WebSocket: the side of the server.

Frames come in as text and become commands, or the reason to close. What has been sent and not been
acknowledged is here; who the user agent is and what waits for it, the gateway knows. Behaves as
autoconnect of autopush-rs 1.83.1 does, down to the words of the close frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mockpush.protocol.autopush_frames import Command, Hello, Ping, Register, Update, read_command
from mockpush.protocol.delivery import Delivery
from mockpush.protocol.records import PushMessage

SUBPROTOCOL: Final = "push-notification"
HELLO_WITHIN: Final = 5.0
"""Seconds in which a user agent must say hello (open_handshake_timeout)."""
PONG_WITHIN: Final = 4.0
"""Seconds in which a ping must be answered (auto_ping_timeout)."""
PING_EVERY: Final = 300.0
"""Seconds after which an idle connection is pinged (auto_ping_interval)."""
LEAST_BETWEEN_PINGS: Final = 45.0
"""Seconds between two pings of the user agent's own (`{}`)."""
MAX_FRAME: Final = 65_536
"""Octets of a frame, and of a message (the limit of actix-http, on which autopush-rs stands)."""


class Closing(NamedTuple):
    """The close frame with which a conversation ends: RFC 6455 code, reason."""

    code: int
    reason: str


NOT_JSON: Final = Closing(1011, "Json")
OUT_OF_TURN: Final = Closing(1011, "SM")
"""What is understood, but must not be said now; or another connection has taken over."""
GIVEN_UP: Final = Closing(1000, "SM")
"""Too many messages waited: the user agent is forgotten, with its subscriptions."""
NOT_TEXT: Final = Closing(1003, "UnsupportedMessage")
NO_HELLO: Final = Closing(1011, "HandshakeTimeout")
NO_PONG: Final = Closing(1011, "PongTimeout")
BROKEN: Final = Closing(1002, "Protocol")
"""A breach of RFC 6455, or a frame that is too long."""


class Conversation:
    """What has been said over one connection, and which messages are on their way.

    Messages that come while the user agent is there are sent at once (`direct`); what had waited
    is sent in batches, the next when nothing is outstanding. A message of a batch that has no
    topic is done with when the whole batch is.
    """

    __slots__ = (
        "_batch",
        "_blocking",
        "_delivery",
        "_done",
        "_next_ping",
        "_out",
        "_sent",
        "checking",
        "greeted",
    )

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self.greeted = False
        """Whether hello has been said."""
        self._next_ping = float("-inf")
        self._out: dict[str, PushMessage] = {}
        self._batch: set[str] = set()
        self._done: list[tuple[PushMessage, int]] = []
        self._blocking = 0
        self._sent = 0
        self.checking = False
        """Whether more may wait than has been sent."""

    def receive(self, text: str, *, now: float) -> Command | Closing:
        """What a text frame asks for; `now` is on any clock that goes on in seconds."""
        try:
            command = read_command(text)
        except (ValueError, RecursionError):
            return NOT_JSON
        if isinstance(command, Hello) is self.greeted:
            return OUT_OF_TURN
        self.greeted = True
        if isinstance(command, Ping):
            if now < self._next_ping:
                return OUT_OF_TURN
            self._next_ping = now + LEAST_BETWEEN_PINGS
        if isinstance(command, Register) and not _is_plain_uuid(command.channel):
            return OUT_OF_TURN
        return command

    @property
    def settled(self) -> bool:
        """Whether the next batch may be sent."""
        return not self._blocking

    def direct(self, message: PushMessage) -> None:
        """A message has been sent as it came."""
        self._note(message, blocks=message.ttl > 0)

    def batch(self, messages: Sequence[PushMessage]) -> Closing | None:
        """What waited is to be sent, or there was nothing more; a reason to close instead."""
        if not messages:
            self.checking = False
            self._sent = 0
            return None
        self._sent += len(messages)
        limit = self._delivery.backlog_limit
        if limit is not None and self._sent > limit:
            return GIVEN_UP
        for message in messages:
            self._batch.add(message.id)
            self._note(message, blocks=True)
        return None

    def _note(self, message: PushMessage, *, blocks: bool) -> None:
        self._out[message.id] = message
        self._blocking += blocks

    def sent(self, version: str) -> PushMessage | None:
        """A message that is on its way."""
        return self._out.get(version)

    def acknowledge(self, update: Update) -> Sequence[tuple[PushMessage, int]]:
        """The messages that are done with now, with the codes that the user agent gave."""
        message = self._out.pop(update.version, None)
        if message is None:
            return ()
        waits = message.id in self._batch
        self._batch.discard(message.id)
        self._blocking -= waits or message.ttl > 0
        done = (message, update.code)
        if waits and message.topic is None and self._delivery.acknowledge == "batch":
            self._done.append(done)
            return self._settle()
        return [done, *self._settle()]

    def _settle(self) -> Sequence[tuple[PushMessage, int]]:
        if self._blocking:
            return ()
        done, self._done = self._done, []
        return done

    def take_back(self) -> None:
        """Nothing is on its way any more."""
        self._out.clear()
        self._batch.clear()
        self._done.clear()
        self._blocking = 0


def _is_plain_uuid(text: str) -> bool:
    """Lower case, with dashes."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
