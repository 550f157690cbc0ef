"""Jobs and their results: what the judge and a sender say to each other."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import isinf
from typing import TYPE_CHECKING, Final, Never, Protocol, Self, TypeVar, cast

from .errors import SenderError

if TYPE_CHECKING:
    from mockpush.protocol.model import Urgency
    from mockpush.vapid_keys import VapidKeys

PROTOCOL: Final = 1
EXCERPT: Final = 200
"""Characters of a sender's rubbish that an error text quotes."""
LONGEST_ERROR: Final = 4096
"""Characters of a library's error that are kept."""

_T = TypeVar("_T")
_R_co = TypeVar("_R_co", covariant=True)

_KINDS: Final[dict[type, tuple[tuple[type, ...], str]]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number of seconds or an HTTP date"),
    str: ((str,), "a string"),
    list: ((list,), "a list"),
}
"""What a member of a result may be in JSON, and how to say so."""


class Job(Protocol[_R_co]):
    """What a sender is asked for, once it has been greeted."""

    def as_json(self) -> dict[str, object]:
        """The members of the job on the wire."""
        ...

    def shown(self) -> dict[str, object]:
        """The members without the private key, as reports show them."""
        ...

    def result(self, members: Mapping[str, object]) -> _R_co:
        """The sender's answer; `SenderError` names a member that is missing or wrong."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SendJob:
    """One push message to send. `subscription` has the W3C shape; `ttl` is in seconds.

    `payload` None is a message without a payload; `urgency` and `topic` None are not asked for.
    """

    subscription: Mapping[str, object]
    payload: bytes | None
    ttl: int
    urgency: Urgency | None
    topic: str | None
    vapid: VapidKeys

    def as_json(self) -> dict[str, object]:
        """The members of the job on the wire."""
        return {
            **self.shown(),
            "vapid": key_pair(self.vapid),
        }

    def shown(self) -> dict[str, object]:
        """The members without the private key, as reports show them."""
        return {
            "op": "send",
            "subscription": dict(self.subscription),
            "payload": in_base64(self.payload),
            "ttl": self.ttl,
            "urgency": self.urgency and str(self.urgency),
            "topic": self.topic,
            "vapid": public_key(self.vapid),
        }

    def result(self, members: Mapping[str, object]) -> SendResult:
        return SendResult.parse(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloJob:
    """The first job of every sender. `timeout` is the limit for each later job, in seconds."""

    ca_file: str
    control: str
    timeout: float

    def as_json(self) -> dict[str, object]:
        """The members of the job on the wire."""
        return {
            "op": "hello",
            "protocol": PROTOCOL,
            "ca_file": self.ca_file,
            "control": self.control,
            "timeout_s": self.timeout,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What a sender says of itself; `ops` are the operations that it can be asked for."""

    name: str
    version: str | None
    ops: tuple[str, ...]
    language: str | None

    @classmethod
    def parse(cls, members: Mapping[str, object]) -> Self:
        """Members that are not known are ignored; `SenderError` names a missing or wrong one."""
        name = member(members, "name", str)
        ops: list[object] | None = member(members, "ops", list)
        if not name:
            raise SenderError(wrong(members, "name", "the sender's name"))
        if not ops or not all(isinstance(op, str) for op in ops):
            raise SenderError(wrong(members, "ops", 'a list of operations such as ["send"]'))
        return cls(
            name=name,
            version=member(members, "version", str),
            ops=tuple(map(str, ops)),
            language=member(members, "language", str),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What the library reported. `status` is the HTTP status, if it lets its caller see it.

    `gone`: it said that the subscription no longer exists. `retry_after`: seconds or an HTTP date.
    `unsupported` names an option of the job that the sender does not have; then nothing was sent.
    Of `error` its beginning is kept: some libraries put all of a long answer into it.
    """

    ok: bool
    status: int | None = None
    gone: bool | None = None
    retry_after: float | str | None = None
    error: str | None = None
    unsupported: str | None = None

    @classmethod
    def parse(cls, members: Mapping[str, object]) -> Self:
        """Members that are not known are ignored; `SenderError` names a missing or wrong one."""
        unsupported = member(members, "unsupported", str)
        ok = member(members, "ok", bool)
        if ok is None and unsupported is None:
            raise SenderError(wrong(members, "ok", "true or false"))
        return cls(
            ok=bool(ok),
            status=member(members, "status", int),
            gone=member(members, "gone", bool),
            retry_after=_retry_after(members),
            error=_beginning(member(members, "error", str)),
            unsupported=unsupported,
        )


def in_base64(payload: bytes | None) -> str | None:
    """A payload as jobs have it."""
    return None if payload is None else base64.b64encode(payload).decode()


def public_key(vapid: VapidKeys) -> dict[str, object]:
    """A key pair as reports show it."""
    return {"subject": vapid.subject, "public_key": vapid.public_key}


def key_pair(vapid: VapidKeys) -> dict[str, object]:
    """A key pair as jobs have it, in both forms in which libraries take it."""
    private = {"private_key": vapid.private_key, "private_key_pem": vapid.private_key_pem}
    return {**public_key(vapid), **private}


def parse_line(line: bytes) -> dict[str, object]:
    """The JSON object of one line; `SenderError` quotes what is none."""
    try:
        members = json.loads(line.decode(), parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError:
        raise SenderError(f"the sender printed octets that are not UTF-8: {quoted(line)}") from None
    except (ValueError, RecursionError):
        raise SenderError(f"the sender printed a line that is not JSON: {quoted(line)}") from None
    if not isinstance(members, dict):
        raise SenderError(f"the sender printed JSON that is not an object: {quoted(line)}")
    return members


def _no_number(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    """JSON has no infinity, nor have reports: a number that would become one is refused."""
    if isinf(number := float(text)):
        raise ValueError(f"{text} is too large")
    return number


def quoted(value: object) -> str:
    """`value` as a text quotes it: in full if it is short."""
    if value is None:
        return "nothing"
    text = repr(value.value if isinstance(value, Enum) else value).removeprefix("b")
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}… ({len(text)} characters)"


def member(members: Mapping[str, object], name: str, kind: type[_T]) -> _T | None:
    """A member of a result, None if it is missing or null; `SenderError` if it is another kind."""
    value = members.get(name)
    accepted, description = _KINDS[kind]
    if value is None:
        return None
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise SenderError(wrong(members, name, description))
    return cast(_T, value)


def _retry_after(members: Mapping[str, object]) -> float | str | None:
    value = members.get("retry_after")
    return value if isinstance(value, str) else member(members, "retry_after", float)


def _beginning(text: str | None) -> str | None:
    if text is None or len(text) <= LONGEST_ERROR:
        return text
    return f"{text[:LONGEST_ERROR]}… ({len(text)} characters)"


def wrong(members: Mapping[str, object], name: str, wanted: str) -> str:
    """What is wrong with a member of a result."""
    found = quoted(members[name]) if name in members else f"nothing: {quoted(dict(members))}"
    return f"the sender's answer must have {name!r}: {wanted}, not {found}"
