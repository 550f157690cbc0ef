"""Matching: what a record differs in from what is wanted. No difference is a match."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from operator import eq
from typing import Any, Final, Generic, NamedTuple, TypedDict, TypeVar

from mockpush import errors
from mockpush.protocol.model import MessageState, Urgency

from .api import Api, Json
from .records import Judged, Message, Request

R = TypeVar("R", bound=Judged)


class MessageMatch(TypedDict, total=False):
    """What a wait for messages can ask for.

    `subscription`: an id, an endpoint, or the subscription itself; `json`: the payload parsed.
    `topic=None` asks for messages without a topic.
    """

    subscription: str | Mapping[str, Any]
    state: MessageState | str
    topic: str | None
    urgency: Urgency | str
    text: str
    json: Any


class RequestMatch(TypedDict, total=False):
    """What a wait for requests can ask for; `code` is a glob that one of the codes matches."""

    subscription: str | Mapping[str, Any]
    status: int
    refused: bool
    code: str


class Difference(NamedTuple):
    """One thing in which a record differs from what is wanted."""

    field: str
    expected: object
    actual: object

    def __str__(self) -> str:
        return f"{self.field}: expected {shown(self.expected)}, got {shown(self.actual)}"


def shown(value: object) -> str:
    """A value as it is written in a test."""
    if isinstance(value, errors.DecryptionError):
        return f"what cannot be read ({value.code})"
    return repr(value.value if isinstance(value, StrEnum) else value)


class NearMiss(NamedTuple):
    """A record that came and yet is not what was wanted."""

    id: str
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        return f"{self.id} ({'; '.join(map(str, self.differences))})"


@dataclass(frozen=True, slots=True)
class Field(Generic[R]):
    """How one field of a record is read and compared, `same(actual, wanted)`."""

    read: Callable[[R], object]
    same: Callable[[Any, Any], bool] = eq


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """A list of the control API: what it holds, and what can be asked of it.

    `filters` are the fields by which the API itself can filter.
    """

    noun: str
    path: str
    fields: Mapping[str, Field[R]]
    filters: frozenset[str]
    make: Callable[[Json, Api], R]

    def check(self, match: Mapping[str, Any]) -> None:
        """`TypeError` for a field that does not exist; names those that do."""
        unknown = match.keys() - self.fields.keys()
        if unknown:
            raise TypeError(
                f"cannot match a {self.noun} by {', '.join(sorted(unknown))}: "
                f"use {', '.join(self.fields)}"
            )

    def query(self, match: Mapping[str, Any]) -> dict[str, object]:
        """The part of a match that the API can take over."""
        return {name: value for name, value in match.items() if name in self.filters}

    def differences(self, record: R, match: Mapping[str, Any]) -> tuple[Difference, ...]:
        """What keeps a record from matching."""
        compared = (
            (name, wanted, self.fields[name].read(record), self.fields[name].same)
            for name, wanted in match.items()
        )
        return tuple(
            Difference(name, wanted, actual)
            for name, wanted, actual, same in compared
            if not same(actual, wanted)
        )


def _text(message: Message) -> object:
    return _readable(message, message.text)


def _json(message: Message) -> object:
    return _readable(message, message.json)


def _readable(message: Message, read: Callable[[], object]) -> object:
    try:
        return read()
    except errors.DecryptionError as error:
        return error
    except ValueError:
        return message.bytes


def _any_code(codes: list[str], glob: str) -> bool:
    return any(fnmatchcase(code, glob) for code in codes)


MESSAGES: Final[Kind[Message]] = Kind(
    noun="push message",
    path="messages",
    fields={
        "subscription": Field(lambda message: message.subscription),
        "state": Field(lambda message: message.state),
        "topic": Field(lambda message: message.topic),
        "urgency": Field(lambda message: message.urgency),
        "text": Field(_text),
        "json": Field(_json),
    },
    filters=frozenset(("subscription", "state", "topic")),
    make=Message,
)

REQUESTS: Final[Kind[Request]] = Kind(
    noun="request",
    path="requests",
    fields={
        "subscription": Field(lambda request: request.subscription),
        "status": Field(lambda request: request.status),
        "refused": Field(lambda request: request.refused),
        "code": Field(lambda request: request.codes, _any_code),
    },
    filters=frozenset(("subscription", "status")),
    make=lambda raw, _: Request(raw),
)
