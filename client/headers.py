"""Header fields as they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mockpush.protocol import links


class Headers(Mapping[str, str]):
    """Header fields in the order in which they came; names are compared without regard to case.

    `headers[name]` joins the lines of one field with commas (RFC 9110, Section 5.3); `lines` are
    the lines themselves.
    """

    __slots__ = ("lines",)

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self.lines = tuple((name, value) for name, value in lines)

    def get_all(self, name: str) -> list[str]:
        """Every line of one field."""
        wanted = name.lower()
        return [value for key, value in self.lines if key.lower() == wanted]

    def __getitem__(self, name: str) -> str:
        if values := self.get_all(name):
            return ", ".join(values)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self.lines))

    def __len__(self) -> int:
        return len(set(self))

    def __repr__(self) -> str:
        return f"Headers({list(self.lines)!r})"


def linked(headers: Headers, relation: str) -> str | None:
    """The target of the first Link with this relation, or None."""
    return links.linked(headers.get("link", ""), relation)
