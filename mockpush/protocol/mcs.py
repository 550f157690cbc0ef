"""The push service's side of an MCS connection, without I/O.

`receive` takes what comes, `next_event` says what it means, the other methods queue frames, and
`take` gives what is to be written. Nothing that comes makes it raise: what is against the protocol
is answered with a stream error and a Close, and ends in a `Closed`.

Frames are numbered on each side, from the login on; nobody writes the numbers. Each side says in
`last_stream_id_received` how many have come: that is the acknowledgement, and means received, not
decrypted or shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from mockpush.protocol.mcs_frames import (
    MESSAGES,
    STREAM_ACK,
    VERSION,
    Close,
    DataMessage,
    ErrorInfo,
    Extension,
    HeartbeatAck,
    HeartbeatPing,
    Iq,
    LoginRequest,
    LoginResponse,
    Message,
    StreamError,
    Tag,
    frame,
)
from mockpush.protocol.protobuf import WireError, decode, read_varint

MAX_FRAME: Final = 64 * 1024
"""Octets of a message from a user agent. A login with a thousand unconfirmed messages has 30 kB."""
_SIZE_OCTETS: Final = 5
"""Of a size: it is a varint of 32 bits."""
_SET: Final = 1


class State(StrEnum):
    """What the connection waits for."""

    VERSION = "version"
    LOGIN = "login"
    DECISION = "decision"
    """of ours: whether the login is accepted; what comes meanwhile is kept"""
    OPEN = "open"
    CLOSED = "closed"


EXPECTED: Final[Mapping[State, frozenset[Tag]]] = {
    State.LOGIN: frozenset({Tag.LOGIN_REQUEST}),
    State.OPEN: frozenset(
        {Tag.HEARTBEAT_PING, Tag.HEARTBEAT_ACK, Tag.CLOSE, Tag.IQ, Tag.DATA_MESSAGE}
    ),
}
"""The frames that a user agent may send; every other one ends the connection."""


@dataclass(frozen=True, slots=True)
class Login:
    """The user agent says who it is, and which messages it has: `accept` it or `refuse`."""

    android_id: str
    security_token: str
    received: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The user agent has these messages, by their persistent ids, oldest first."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing more will come of this connection; `error`: what was against the protocol."""

    error: str | None = None


Event: TypeAlias = Login | Acknowledged | Closed


class Connection:
    """One connection; `unacknowledged` counts the messages that the user agent may not have."""

    __slots__ = ("_in", "_login_id", "_out", "_received", "_sent", "_unacknowledged", "state")

    def __init__(self) -> None:
        self.state = State.VERSION
        self._in = bytearray()
        self._out = bytearray()
        self._received = 0
        self._sent = 0
        self._unacknowledged: dict[int, str] = {}
        self._login_id = ""

    @property
    def unacknowledged(self) -> int:
        """How many messages were sent and not acknowledged."""
        return len(self._unacknowledged)

    # What comes

    def receive(self, data: bytes) -> None:
        """Octets from the user agent."""
        if self.state is not State.CLOSED:
            self._in += data

    def next_event(self) -> Event | None:
        """What has come; None until there is more, or the login is decided on."""
        try:
            while (message := self._next_message()) is not None:
                event = self._meaning(message)
                if event is not None:
                    return event
        except WireError as error:
            return self._break_off(str(error))
        return None

    def _next_message(self) -> Message | None:
        if self.state is State.VERSION:
            self._read_version()
        if self.state not in EXPECTED or not self._in:
            return None
        tag = self._tag(self._in[0])
        size, length = read_varint(self._in, 1, _SIZE_OCTETS)
        if size > MAX_FRAME:
            raise WireError(f"a frame of {size} octets; {MAX_FRAME} are allowed")
        end = 1 + length + size
        if not length or len(self._in) < end:
            return None
        body = bytes(self._in[1 + length : end])
        del self._in[:end]
        self._received += 1
        return decode(MESSAGES[tag], body)

    def _read_version(self) -> None:
        if not self._in:
            return
        if self._in[:1] != VERSION:
            raise WireError(f"version {self._in[0]}; {VERSION[0]} is spoken here")
        del self._in[:1]
        self.state = State.LOGIN

    def _tag(self, number: int) -> Tag:
        """The tag, if a frame of this kind may come now."""
        expected = EXPECTED[self.state]
        if number not in expected:
            known = Tag(number).name if number in MESSAGES else f"tag {number}"
            raise WireError(f"{known} while the connection waits for: {self.state}")
        return Tag(number)

    def _meaning(self, message: Message) -> Event | None:
        """The event of a message that calls for one; heartbeats are answered at once."""
        if isinstance(message, LoginRequest):
            self.state, self._login_id = State.DECISION, message.id
            return Login(message.user, message.auth_token, message.received_persistent_id)
        if isinstance(message, Close):
            self._end()
            return Closed()
        assert isinstance(message, HeartbeatPing | HeartbeatAck | Iq | DataMessage)
        if isinstance(message, HeartbeatPing):
            self._write(HeartbeatAck(self._received))
        elif isinstance(message, Iq) and message.extension and message.extension.id == STREAM_ACK:
            # With this the user agent forgets the ids, and its next login does not repeat them.
            self._write(Iq(_SET, "", Extension(STREAM_ACK, b""), self._received))
        return self._acknowledged(message.last_stream_id_received or 0)

    def _acknowledged(self, stream_id: int) -> Acknowledged | None:
        ids = [each for each in self._unacknowledged if each <= stream_id]
        return Acknowledged(tuple(map(self._unacknowledged.pop, ids))) if ids else None

    # What goes

    def accept(self, *, now: float) -> None:
        """The login is right; `now` in seconds since the epoch."""
        self._decide(State.OPEN)
        self._write(
            LoginResponse(
                self._login_id,
                last_stream_id_received=self._received,
                server_timestamp=int(now * 1000),
            )
        )

    def refuse(self, *, code: int, message: str) -> None:
        """The login is not right: the connection ends."""
        self._decide(State.CLOSED)
        self._write(LoginResponse(self._login_id, ErrorInfo(code, message)))

    def _decide(self, state: State) -> None:
        if self.state is not State.DECISION:
            raise RuntimeError(f"there is no login to decide on; the state is {self.state}")
        self.state = state

    def send(self, message: DataMessage) -> None:
        """A message for the user agent, which acknowledges it if it has a persistent id."""
        if self.state is not State.OPEN:
            raise RuntimeError(f"nobody is logged in; the state is {self.state}")
        self._write(replace(message, last_stream_id_received=self._received))
        if message.persistent_id is not None:
            self._unacknowledged[self._sent] = message.persistent_id

    def close(self) -> None:
        """Says goodbye; a user agent comes back later by itself."""
        if self.state is State.CLOSED:
            return
        self._write(Close())
        self._end()

    def _break_off(self, error: str) -> Closed:
        self._write(StreamError("invalid-frame", error))
        self.close()
        return Closed(error)

    def _end(self) -> None:
        self.state = State.CLOSED
        self._in.clear()

    def _write(self, message: Message) -> None:
        if not self._sent:
            self._out += VERSION
        self._sent += 1
        self._out += frame(message)

    def take(self) -> bytes:
        """What is to be written, once."""
        data = bytes(self._out)
        self._out.clear()
        return data
