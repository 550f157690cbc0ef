"""How values become JSON: members with their schemas, and the forms that many of them share."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from mockpush.http.kinds import Json
from mockpush.protocol.model import base64url_encode

R = TypeVar("R")


class Shown(NamedTuple, Generic[R]):
    """A member: its schema, and how it is read."""

    schema: Json
    read: Callable[[R], object]


View: TypeAlias = Mapping[str, Shown[R]]


def show(view: View[R], value: R) -> Json:
    """The JSON of a value."""
    return {name: member.read(value) for name, member in view.items()}


def schema_of(view: View[Any]) -> Json:
    """The schema of that JSON: every member is always there."""
    properties = {name: member.schema for name, member in view.items()}
    return {"type": "object", "properties": properties, "required": list(view)}


def iso_time(seconds: float) -> str:
    """`2026-11-23T10:00:00.000Z` of seconds since the epoch."""
    time = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return time.replace("+00:00", "Z")


def base64_text(data: bytes) -> str:
    """Standard base64, as JSON Schema means it."""
    return base64.b64encode(data).decode()


def encoded(key: bytes | None) -> str | None:
    """A key in unpadded base64url, as the Push API has it."""
    return None if key is None else base64url_encode(key)


def lines(headers: Iterable[tuple[bytes, bytes]]) -> list[list[str]]:
    """Header fields as they came, `[[name, value]]`."""
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


# Schemas


def nullable(schema: Json) -> Json:
    """This or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def object_of(**properties: Json) -> Json:
    """An object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def array_of(items: Json) -> Json:
    """An array of these."""
    return {"type": "array", "items": items}


def reference(name: str) -> Json:
    """A schema of the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


STRING: Final[Json] = {"type": "string"}
INTEGER: Final[Json] = {"type": "integer"}
BOOLEAN: Final[Json] = {"type": "boolean"}
TIME: Final[Json] = {"type": "string", "format": "date-time"}
BASE64: Final[Json] = {"type": "string", "contentEncoding": "base64"}
LINES: Final = array_of({"type": "array", "items": STRING, "minItems": 2, "maxItems": 2})
OPTIONAL_STRING: Final = nullable(STRING)


def enum_of(values: Iterable[object]) -> Json:
    """One of these strings."""
    return {"type": "string", "enum": [str(value) for value in values]}
