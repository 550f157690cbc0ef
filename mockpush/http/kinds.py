"""What members and parameters may be: values that check requests and make the OpenAPI schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeAlias, TypeVar

from mockpush.errors import InvalidRequestError

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")

_MAX_SHOWN: Final = 80


def _same(text: str) -> object:
    return text


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A kind of value: `words` for people, `schema` for OpenAPI.

    `read` makes of a JSON value what the service works with, or raises `ValueError`; `from_text`
    makes a JSON value of a query parameter.
    """

    words: str
    schema: Json
    read: Callable[[Any], T]
    from_text: Callable[[str], object] = _same

    def parse(self, name: str, value: object) -> T:
        """The value of the member `name`; `InvalidRequestError` says what it must be."""
        try:
            return self.read(value)
        except InvalidRequestError as error:
            outer = InvalidRequestError(f"{name}: {error}")
            outer.problem = error.problem
            raise outer from None
        except ValueError as error:
            reason = f": {error}" if error.args else ""
            text = f"{name} must be {self.words}, not {shown(value)}{reason}"
            raise InvalidRequestError(text) from None


def shown(value: object) -> str:
    """A JSON value as text for people, never long."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = json.dumps(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def text(words: str, pattern: str | None = None) -> Kind[str]:
    """A string, all of which matches the pattern."""

    def read(value: object) -> str:
        if not isinstance(value, str) or (pattern and not re.fullmatch(pattern, value)):
            raise ValueError
        return value

    schema: Json = {"type": "string"} if pattern is None else {"type": "string", "pattern": pattern}
    return Kind(words, schema, read)


def decoded(words: str, decode: Callable[[str], T]) -> Kind[T]:
    """A string that `decode` can make something of."""

    def read(value: object) -> T:
        if not isinstance(value, str):
            raise ValueError
        return decode(value)

    return Kind(words, {"type": "string", "description": words}, read)


def choice(*values: T) -> Kind[T]:
    """One of these."""
    known = {value: value for value in values}

    def read(value: object) -> T:
        if isinstance(value, bool | float | dict | list) or value not in known:
            raise ValueError
        return known[value]

    kind = "integer" if isinstance(values[0], int) else "string"
    words = "one of " + ", ".join(map(str, values))
    return Kind(words, {"type": kind, "enum": list(values)}, read)


def integer(minimum: int, maximum: int, default: int | None = None) -> Kind[int]:
    """A whole number; JSON Schema counts 1.0 among them."""

    def read(value: object) -> int:
        number = _number(value)
        if not minimum <= number <= maximum or number != int(number):
            raise ValueError
        return int(number)

    schema: Json = {"type": "integer", "minimum": minimum, "maximum": maximum}
    if default is not None:
        schema["default"] = default
    return Kind(f"an integer from {minimum} to {maximum}", schema, read, _numeral)


def number(minimum: float, maximum: float, default: float) -> Kind[float]:
    """A number of seconds."""

    def read(value: object) -> float:
        number = _number(value)
        if not minimum <= number <= maximum:
            raise ValueError
        return float(number)

    schema = {"type": "number", "minimum": minimum, "maximum": maximum, "default": default}
    words = f"a number of seconds from {minimum:g} to {maximum:g}"
    return Kind(words, schema, read, _numeral)


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise ValueError
    return value


def _numeral(text: str) -> object:
    """A query parameter as a number if it is written like one."""
    if re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"-?[0-9.]{1,18}(?:[eE]-?[0-9]{1,3})?", text):
        try:
            return float(text)
        except ValueError:
            return text
    return text


def boolean() -> Kind[bool]:
    """True or false."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Kind("true or false", {"type": "boolean"}, read)


def flag() -> Kind[bool]:
    """A boolean as a query parameter."""
    return replace(boolean(), from_text=lambda word: _FLAGS.get(word, word))


_FLAGS: Final[Mapping[str, object]] = {"true": True, "false": False}


def only_true() -> Kind[bool]:
    """True, since leaving it out says false."""

    def read(value: object) -> bool:
        if value is not True:
            raise ValueError
        return True

    return Kind("true", {"const": True}, read)


def duration(parse: Callable[[str], float]) -> Kind[float]:
    """A number of seconds or what `parse` understands."""

    def read(value: object) -> float:
        return parse(value) if isinstance(value, str) else _number(value)

    words = "a duration: seconds, or a text such as 90s, 15m, 8h, 30d or 1h30m"
    schema = {"anyOf": [{"type": "string"}, {"type": "number", "minimum": 0}], "description": words}
    return Kind(words, schema, read)


def several(kind: Kind[T]) -> Kind[list[T]]:
    """An array."""

    def read(value: object) -> list[T]:
        if not isinstance(value, list):
            raise ValueError
        return [kind.parse(f"item {index}", item) for index, item in enumerate(value)]

    return Kind("an array", {"type": "array", "items": kind.schema}, read)


def record(members: Mapping[str, Kind[Any]], *, required: tuple[str, ...] = ()) -> Kind[Json]:
    """An object with these members and no others; null says the same as leaving one out."""

    def read(value: object) -> Json:
        if not isinstance(value, dict):
            raise ValueError
        refuse_unknown(value, members, "member")
        given = {name: item for name, item in value.items() if item is not None}
        missing = [name for name in required if name not in given]
        if missing:
            words = members[missing[0]].words
            raise InvalidRequestError(f"{missing[0]} is missing: it must be {words}")
        return {name: members[name].parse(name, item) for name, item in given.items()}

    return Kind("an object", _record_schema(members, required), read)


def _record_schema(members: Mapping[str, Kind[Any]], required: tuple[str, ...]) -> Json:
    properties = {
        name: kind.schema if name in required else {"anyOf": [kind.schema, {"type": "null"}]}
        for name, kind in members.items()
    }
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def refuse_unknown(given: Mapping[str, object], known: Mapping[str, object], noun: str) -> None:
    """`InvalidRequestError` that names what is unknown and what is not."""
    unknown = [name for name in given if name not in known]
    if unknown:
        listed = ", ".join(known) or "none"
        named = ", ".join(shown(name) for name in unknown[:10])
        raise InvalidRequestError(
            f"unknown {noun}: {named}; there is: {listed}", unknown=unknown[:10], valid=list(known)
        )
