"""JSON as dataclasses."""

from dataclasses import dataclass
from enum import StrEnum

import pytest

from mockpush.harness.report.reading import UnreadableError, read


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    size: float


@dataclass(frozen=True)
class Outer:
    name: str
    number: int
    fine: bool
    colour: Colour
    inner: Inner | None
    pair: tuple[str, int]
    many: tuple[Inner, ...]
    either: float | str | None
    free: dict[str, object]


GOOD = {
    "name": "x",
    "number": 1,
    "fine": True,
    "colour": "red",
    "inner": {"size": 1.5},
    "pair": ["a", 1],
    "many": [{"size": 1}, {"size": 2}],
    "either": "soon",
    "free": {"any": [1]},
}


def test_every_type_is_read():
    assert read(Outer, GOOD) == Outer(
        name="x",
        number=1,
        fine=True,
        colour=Colour.RED,
        inner=Inner(1.5),
        pair=("a", 1),
        many=(Inner(1), Inner(2)),
        either="soon",
        free={"any": [1]},
    )


@pytest.mark.parametrize(("name", "value"), [("inner", None), ("either", None), ("either", 2)])
def test_a_member_of_several_types_is_any_of_them(name, value):
    assert getattr(read(Outer, {**GOOD, name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("name", None, "name must be a text"),
        ("number", True, "number must be a whole number"),
        ("number", 1.5, "number must be a whole number"),
        ("fine", 1, "fine must be true or false"),
        ("colour", "green", "colour must be one of red, blue"),
        ("colour", [], "colour must be one of red, blue"),
        ("inner", {"size": "x"}, "inner.size must be a number"),
        ("inner", 1, "inner must be an object"),
        ("pair", ["a"], "pair must have 2 members"),
        ("pair", ["a", "b"], "pair[1] must be a whole number"),
        ("many", {}, "many must be a list"),
        ("many", [{"size": 1}, {}], "many[1].size must be a number"),
        ("either", [], "either must be a number"),
        ("free", [], "free must be an object"),
    ],
)
def test_a_complaint_says_where_and_what(name, value, complaint):
    with pytest.raises(UnreadableError) as error:
        read(Outer, {**GOOD, name: value})
    assert str(error.value) == complaint


def test_a_document_that_is_no_object_is_called_it():
    with pytest.raises(UnreadableError, match=r"^it must be an object$"):
        read(Outer, [])
