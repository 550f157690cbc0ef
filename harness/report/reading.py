"""JSON as dataclasses, told what they are by the types of their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Form: TypeAlias = Callable[[tuple[Any, ...], Any, str], Any]

_NAMES: Final[Mapping[type, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    NoneType: "null",
}


class UnreadableError(ValueError):
    """A value is not what it must be; the text says where it stands, and what it must be."""


def read(kind: type[T], value: object) -> T:
    """An instance of a dataclass; members that it does not have are ignored.

    `UnreadableError` for values that do not fit the types of the fields.
    """
    return cast("T", _read(kind, value, ""))


def _read(kind: Any, value: Any, place: str) -> Any:
    if is_dataclass(kind):
        return _members(kind, value, place)
    if (form := _FORMS.get(get_origin(kind))) is not None:
        return form(get_args(kind), value, place)
    if issubclass(kind, StrEnum):
        return _word(kind, value, place)
    if type(value) is kind or (kind is float and type(value) is int):
        return value
    raise UnreadableError(f"{_name(place)} must be {_NAMES[kind]}")


def _members(kind: Any, value: Any, place: str) -> Any:
    given, types = _object((), value, place), _types(kind)
    return kind(
        **{
            each.name: _read(types[each.name], given.get(each.name), f"{place}.{each.name}")
            for each in fields(kind)
        }
    )


@cache
def _types(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _word(kind: type[StrEnum], value: Any, place: str) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        raise UnreadableError(f"{_name(place)} must be one of {', '.join(kind)}") from None


def _object(kinds: tuple[Any, ...], value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableError(f"{_name(place)} must be an object")
    return value


def _list(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    """`tuple[T, ...]` has any number of them, `tuple[T, U]` exactly these."""
    if not isinstance(value, list):
        raise UnreadableError(f"{_name(place)} must be a list")
    kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
    if len(kinds) != len(value):
        raise UnreadableError(f"{_name(place)} must have {len(kinds)} members")
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(_read(kind, each, f"{place}[{index}]") for index, (kind, each) in pairs)


def _union(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    """The first that fits; the complaint is that of the first that could have."""
    if value is None and NoneType in kinds:
        return None
    complaint: UnreadableError | None = None
    for kind in kinds:
        try:
            return _read(kind, value, place)
        except UnreadableError as error:
            complaint = complaint or error
    raise complaint or UnreadableError(place)


def _name(place: str) -> str:
    return place.removeprefix(".") or "it"


_FORMS: Final[Mapping[Any, Form]] = {
    dict: _object,
    tuple: _list,
    Union: _union,
    UnionType: _union,
}
