"""The frames of Mozilla's push protocol, in JSON: what user agents say, and what they are told.

They are read as strictly as autoconnect of autopush-rs 1.83.1 reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias
from uuid import UUID

from mockpush.protocol.delivery import Report
from mockpush.protocol.model import base64url_encode
from mockpush.protocol.records import PushMessage


class Hello(NamedTuple):
    """Who it is, `uaid` being 32 hexadecimal digits; None if it does not know or talks nonsense."""

    uaid: str | None
    broadcasts: Mapping[str, str]


class Register(NamedTuple):
    """It wants an endpoint for `channel`, restricted to `key` (base64url, padded or not)."""

    channel: str
    key: str | None


class Unregister(NamedTuple):
    """It gives up `channel`: 200 unsubscribed, 201 quota exceeded, 202 permission revoked."""

    channel: str
    code: int | None


class Update(NamedTuple):
    """What became of the message `version`: 100 delivered, 101 not decrypted, 102 not delivered."""

    version: str
    code: int


class Acknowledge(NamedTuple):
    """It has these messages."""

    updates: tuple[Update, ...]


class Nack(NamedTuple):
    """Its worker failed: 301 uncaught exception, 302 waitUntil rejected, 303 internal error."""

    version: str
    code: int | None


class Ping(NamedTuple):
    """It wants to hear `{}`."""


class Follow(NamedTuple):
    """It wants to hear of changes of these broadcasts, of which it knows these versions."""

    broadcasts: Mapping[str, str]


Command: TypeAlias = Hello | Register | Unregister | Acknowledge | Nack | Ping | Follow

ACKNOWLEDGED: Final[Mapping[int, str]] = {
    100: "100: delivered",
    101: "101: decryption error",
    102: "102: not delivered (a channel it does not know, a repeated message, or no permission)",
}
REPORTS: Final[Mapping[int, tuple[Report, ...]]] = {
    100: (Report.DECRYPTED, Report.DISPATCHED),
    101: (Report.NOT_DECRYPTED,),
}
"""What an acknowledgement tells besides."""
REJECTED: Final[Mapping[int | None, str]] = {
    301: "301: uncaught exception",
    302: "302: the promise of waitUntil was rejected",
    303: "303: internal error",
}


# What user agents say


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _number(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError("no such number")
        return value

    return read


def _texts(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ValueError("no object")
    return {name: _text(text) for name, text in value.items()}


def _uuid(value: object) -> str:
    return str(UUID(_text(value)))


def _uuids(value: object) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("no array")
    return [_uuid(item) for item in value]


def _any_uuid(value: object) -> str | None:
    """32 hexadecimal digits; None for a text that is none."""
    text = _text(value)
    try:
        return UUID(text).hex
    except ValueError:
        return None


def _updates(value: object) -> tuple[Update, ...]:
    if not isinstance(value, list):
        raise ValueError("no array")
    return tuple(_update(item) for item in value)


def _update(value: object) -> Update:
    if not isinstance(value, dict):
        raise ValueError("no object")
    _uuid(_required(value, "channelID"))
    version = _text(_required(value, "version"))
    code = _optional(value, "code", _number(0, 0xFFFF))
    return Update(version, 100 if code is None else code)


def _required(members: Mapping[str, Any], name: str) -> Any:
    if name not in members:
        raise ValueError(f"{name} is missing")
    return members[name]


def _optional(members: Mapping[str, Any], name: str, read: Callable[[object], Any]) -> Any:
    value = members.get(name)
    return None if value is None else read(value)


def _hello(members: Mapping[str, Any]) -> Command:
    _optional(members, "channelIDs", _uuids)  # checked and forgotten
    broadcasts = _optional(members, "broadcasts", _texts)
    return Hello(_optional(members, "uaid", _any_uuid), broadcasts or {})


def _register(members: Mapping[str, Any]) -> Command:
    return Register(_text(_required(members, "channelID")), _optional(members, "key", _text))


def _unregister(members: Mapping[str, Any]) -> Command:
    channel = _uuid(_required(members, "channelID"))
    return Unregister(channel, _optional(members, "code", _number(0, 0xFFFF_FFFF)))


def _nack(members: Mapping[str, Any]) -> Command:
    code = _optional(members, "code", _number(-0x8000_0000, 0x7FFF_FFFF))
    return Nack(_text(_required(members, "version")), code)


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Command]]] = {
    "hello": _hello,
    "register": _register,
    "unregister": _unregister,
    "ack": lambda members: Acknowledge(_updates(_required(members, "updates"))),
    "nack": _nack,
    "ping": lambda _: Ping(),
    "broadcast_subscribe": lambda members: Follow(_texts(_required(members, "broadcasts"))),
}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def read_command(text: str) -> Command:
    """What a frame says; `ValueError` for what cannot be read, `RecursionError` if it is deep."""
    members = json.loads(text, parse_constant=_refuse_constant)
    if not isinstance(members, dict):
        raise ValueError("no object")
    if not members:
        return Ping()
    reader = _READERS.get(_text(_required(members, "messageType")))
    if reader is None:
        raise ValueError("unknown messageType")
    return reader(members)


# What they are told

PONG: Final = "{}"


def _frame(kind: str, **members: object) -> str:
    return json.dumps({"messageType": kind, **members}, separators=(",", ":"))


def hello(uaid: str, broadcasts: Mapping[str, object]) -> str:
    """The answer to hello; without `use_webpush` Firefox would make subscriptions without keys."""
    return _frame("hello", uaid=uaid, status=200, use_webpush=True, broadcasts=broadcasts)


def registered(channel: str, endpoint: str) -> str:
    """The endpoint of a channel."""
    return _frame("register", channelID=channel, status=200, pushEndpoint=endpoint)


def bad_key(channel: str) -> str:
    """There is no endpoint for such a key."""
    text = "Failed to generate endpoint"
    return _frame("register", channelID=channel, status=400, pushEndpoint=text)


def no_room(channel: str) -> str:
    """There is no endpoint, though nothing is wrong with the request."""
    return _frame("register", channelID=channel, status=500, pushEndpoint="")


def unregistered(channel: str) -> str:
    """The channel is gone, if it ever was there."""
    return _frame("unregister", channelID=channel, status=200)


def broadcast(versions: Mapping[str, object]) -> str:
    """The versions of broadcasts that have changed."""
    return _frame("broadcast", broadcasts=versions)


_PADDING: Final = re.compile(r"(?<=[0-9A-Za-z_-])=+(?=[\s,;]|$)")
_HEADERS: Final = {b"encryption": "encryption", b"crypto-key": "crypto_key"}
"""Where the header fields of the draft coding go."""


def notification(message: PushMessage, channel: str) -> str:
    """A push message; without `encoding` Firefox would lose the data and say nothing."""
    if not message.body:
        return _frame("notification", channelID=channel, version=message.id)
    head = message.inspection.head
    headers = {"encoding": head.content_encoding or ""}
    headers |= {
        _HEADERS[name]: _PADDING.sub("", value.decode("latin-1").replace('"', ""))
        for name, value in head.relayed
        if name in _HEADERS
    }
    data = base64url_encode(message.body)
    return _frame("notification", channelID=channel, version=message.id, data=data, headers=headers)


NOT_FOUND: Final = "Broadcast not found"


def changes(current: Mapping[str, str], known: Mapping[str, str]) -> dict[str, object]:
    """The broadcasts of which a user agent knows another version, and those that there are not."""
    newer: dict[str, object] = {
        name: current[name] for name in known if name in current and current[name] != known[name]
    }
    missing = {name: NOT_FOUND for name in known if name not in current}
    return newer | ({"errors": missing} if missing else {})
