"""What Chromium asks of Google Cloud Messaging before and besides its MCS connection.

Checkin gives a browser an identity, registration gives one of its applications a token. Shapes and
field numbers are those of Chromium's `google_apis/gcm`; what it does not read is left out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from mockpush.protocol.mcs_frames import AppData, DataMessage
from mockpush.protocol.protobuf import Kind, WireError, decode, encode, wire
from mockpush.protocol.records import PushMessage

CHECKIN_TYPE: Final = "application/x-protobuf"
WEB_PUSH: Final = "wp:"
"""How the subtype of a web push subscription begins; the site and an id follow."""
_SCHEME: Final = "AidLogin "
_RELAYED: Final = ("content-encoding", "encryption", "crypto-key")
_BITS: Final = 62
"""Of an identity: it is the same number whether or not its reader takes it for a signed one."""
_LONGEST_NUMBER: Final = 20
"""Digits of an unsigned 64-bit number."""


class Identity(NamedTuple):
    """The android_id of a browser's profile and the security_token that proves it, decimal."""

    android_id: str
    security_token: str

    @classmethod
    def new(cls) -> Identity:
        """One that nobody has, and nobody can guess."""
        return cls(*(str(secrets.randbits(_BITS) | 1) for _ in range(2)))

    @property
    def valid(self) -> bool:
        """Whether both are numbers, and none of them is 0, which says that there is none yet."""
        return all(
            each.isascii() and each.isdecimal() and len(each) <= _LONGEST_NUMBER and int(each) > 0
            for each in self
        )


# Checkin


@dataclass(frozen=True, slots=True)
class CheckinRequest:
    """A browser shows the identity that it has, or 0 for none."""

    id: int | None = wire(2, Kind.INT64, None)
    security_token: int | None = wire(13, Kind.FIXED64, None)


@dataclass(frozen=True, slots=True)
class CheckinResponse:
    """The identity that it has from now on; the time in milliseconds."""

    stats_ok: bool = wire(1, Kind.BOOL)
    time_msec: int | None = wire(3, Kind.INT64, None)
    android_id: int | None = wire(7, Kind.FIXED64, None)
    security_token: int | None = wire(8, Kind.FIXED64, None)


def read_checkin(body: bytes) -> Identity | None:
    """The identity that is shown, None for none; `WireError` if that is no checkin."""
    request = decode(CheckinRequest, body)
    if not request.id or not request.security_token:
        return None
    shown = Identity(str(request.id), str(request.security_token))
    if not shown.valid:
        raise WireError("a negative android_id")
    return shown


def checkin_answer(identity: Identity, *, now: float) -> bytes:
    """The body of the answer; `now` in seconds since the epoch."""
    return encode(CheckinResponse(True, int(now * 1000), *map(int, identity)))  # noqa: FBT003


# Registration


class Registration(NamedTuple):
    """An application of a browser (`app`), and who may send to it (`sender`).

    `subtype` tells apart what is one application for the browser: for web push, the site and its
    service worker.
    """

    app: str
    sender: str
    subtype: str = ""

    @classmethod
    def of(cls, channel: str) -> Registration:
        """That whose `channel` this is."""
        app, sender, subtype = channel.split(" ", 2)
        return cls(app, sender, subtype)

    @property
    def channel(self) -> str:
        """All of it in one word, for the `Holder` of a subscription."""
        return f"{self.app} {self.sender} {self.subtype}"

    @property
    def is_web_push(self) -> bool:
        """Or else it belongs to the browser itself, which registers for its own services."""
        return self.subtype.startswith(WEB_PUSH)


def site_of(channel: str) -> str | None:
    """The origin of the page whose subscription has this channel; None if it is not Chromium's."""
    _, _, subtype = channel.rpartition(" ")
    if not subtype.startswith(WEB_PUSH):
        return None
    return subtype.removeprefix(WEB_PUSH).partition("#")[0].rstrip("/")


def read_authorization(field: str) -> Identity | None:
    """The identity in an Authorization field `AidLogin <android_id>:<security_token>`."""
    if not field.startswith(_SCHEME):
        return None
    identity = Identity(*field.removeprefix(_SCHEME).partition(":")[::2])
    return identity if identity.valid else None


def read_registration(body: bytes) -> tuple[Registration, bool]:
    """What is to be registered, or if True to be forgotten; `ValueError` if that is not said."""
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise ValueError("the form is not UTF-8") from None
    registration = Registration(
        form.get("app", ""), form.get("sender", ""), form.get("X-subtype", "")
    )
    if any(not each or " " in each for each in registration[:2]):
        raise ValueError("app and sender are needed, without spaces")
    return registration, form.get("delete") == "true"


# Messages


def stanza(message: PushMessage, registration: Registration) -> DataMessage:
    """A push message as its browser gets it.

    `sender`, `app` and `subtype` must be those of the registration, or it is lost. An empty body
    goes without its coding: with it, Chromium drops the message.
    """
    coding = _lines(message.inspection.head.relayed) if message.body else ()
    return DataMessage(
        registration.sender,
        registration.app,
        (AppData("subtype", registration.subtype), *coding),
        persistent_id=message.id,
        ttl=message.ttl,
        sent=int(message.received_at),
        raw_data=message.body or None,
        immediate_ack=True,
    )


def _lines(relayed: Iterable[tuple[bytes, bytes]]) -> tuple[AppData, ...]:
    """What the browser needs to decrypt, a field with all its lines in one value."""
    fields: dict[str, list[str]] = {}
    for name, value in relayed:
        fields.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return tuple(AppData(name, ", ".join(fields[name])) for name in _RELAYED if name in fields)
