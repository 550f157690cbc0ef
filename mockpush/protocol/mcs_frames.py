"""The frames of MCS, the Mobile Connection Server protocol between Chromium and its push service.

A frame is a tag, the size of a Protocol Buffers message, and the message. Tags and field numbers
are those of Chromium's `google_apis/gcm/protocol/mcs.proto`; what neither side needs is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from mockpush.protocol.protobuf import Kind, encode, varint, wire

VERSION: Final = b"\x29"
"""What each side begins with: 41. No HTTP request can begin so (`)` is no character of a token)."""
STREAM_ACK: Final = 13
"""The extension by which an Iq says no more than how many frames have come."""


class Tag(IntEnum):
    """The kind of message in a frame."""

    HEARTBEAT_PING = 0
    HEARTBEAT_ACK = 1
    LOGIN_REQUEST = 2
    LOGIN_RESPONSE = 3
    CLOSE = 4
    IQ = 7
    DATA_MESSAGE = 8
    STREAM_ERROR = 10


@dataclass(frozen=True, slots=True)
class HeartbeatPing:
    """Are you there?"""

    last_stream_id_received: int | None = wire(2, Kind.INT64, None)


@dataclass(frozen=True, slots=True)
class HeartbeatAck:
    """I am."""

    last_stream_id_received: int | None = wire(2, Kind.INT64, None)


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """The user agent: `user` and `auth_token` are its android_id and security_token, decimal.

    `received_persistent_id`: messages that it has and may not have acknowledged.
    """

    id: str = wire(1, Kind.STRING)
    domain: str = wire(2, Kind.STRING)
    user: str = wire(3, Kind.STRING)
    resource: str = wire(4, Kind.STRING)
    auth_token: str = wire(5, Kind.STRING)
    received_persistent_id: tuple[str, ...] = wire(10, Kind.STRING, ())


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """Why something is refused."""

    code: int = wire(1, Kind.INT64)
    message: str | None = wire(2, Kind.STRING, None)


@dataclass(frozen=True, slots=True)
class LoginResponse:
    """Welcome, or not; times are in milliseconds."""

    id: str = wire(1, Kind.STRING)
    error: ErrorInfo | None = wire(3, ErrorInfo, None)
    last_stream_id_received: int | None = wire(6, Kind.INT64, None)
    server_timestamp: int | None = wire(8, Kind.INT64, None)


@dataclass(frozen=True, slots=True)
class Close:
    """The connection ends."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What an Iq is about."""

    id: int = wire(1, Kind.INT64)
    data: bytes = wire(2, Kind.BYTES)


@dataclass(frozen=True, slots=True)
class Iq:
    """Here: an acknowledgement (`type` 1 is "set")."""

    type: int = wire(2, Kind.INT64)
    id: str = wire(3, Kind.STRING)
    extension: Extension | None = wire(7, Extension, None)
    last_stream_id_received: int | None = wire(10, Kind.INT64, None)


@dataclass(frozen=True, slots=True)
class AppData:
    """One property of a message."""

    key: str = wire(1, Kind.STRING)
    value: str = wire(2, Kind.STRING)


@dataclass(frozen=True, slots=True)
class DataMessage:
    """A message to the application `category` of a user agent; `ttl` and `sent` in seconds."""

    from_: str = wire(3, Kind.STRING)
    category: str = wire(5, Kind.STRING)
    app_data: tuple[AppData, ...] = wire(7, AppData, ())
    persistent_id: str | None = wire(9, Kind.STRING, None)
    last_stream_id_received: int | None = wire(11, Kind.INT64, None)
    ttl: int | None = wire(17, Kind.INT64, None)
    sent: int | None = wire(18, Kind.INT64, None)
    raw_data: bytes | None = wire(21, Kind.BYTES, None)
    immediate_ack: bool | None = wire(24, Kind.BOOL, None)


@dataclass(frozen=True, slots=True)
class StreamError:
    """What is wrong with the other side's frames."""

    type: str = wire(1, Kind.STRING)
    text: str | None = wire(2, Kind.STRING, None)


Message: TypeAlias = (
    HeartbeatPing
    | HeartbeatAck
    | LoginRequest
    | LoginResponse
    | Close
    | Iq
    | DataMessage
    | StreamError
)

MESSAGES: Final[dict[Tag, type[Message]]] = {
    Tag.HEARTBEAT_PING: HeartbeatPing,
    Tag.HEARTBEAT_ACK: HeartbeatAck,
    Tag.LOGIN_REQUEST: LoginRequest,
    Tag.LOGIN_RESPONSE: LoginResponse,
    Tag.CLOSE: Close,
    Tag.IQ: Iq,
    Tag.DATA_MESSAGE: DataMessage,
    Tag.STREAM_ERROR: StreamError,
}
_TAGS: Final = {message: tag for tag, message in MESSAGES.items()}


def frame(message: Message) -> bytes:
    """The message with its tag and size."""
    body = encode(message)
    return bytes((_TAGS[type(message)],)) + varint(len(body)) + body
