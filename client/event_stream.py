"""The service's events, and how they come as they happen: by Server-Sent Events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from .transports.base import Stream


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `id` is what a later stream can go on after, `data` its JSON."""

    id: str
    type: str
    data: Any


class EventStream:
    """Iterates over events for as long as the service sends them, blocking in between.

    `close` may be called from any thread and ends the iteration. `last_id` is the id of the newest
    event read, from which another stream can go on.
    """

    def __init__(self, stream: Stream, *, last_id: str | None = None) -> None:
        self.last_id = last_id
        self._stream = stream
        self._events = self._read()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Ends the stream at once."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> Iterator[Event]:
        fields: dict[str, list[str]] = {}
        for line in _lines(self._stream):
            if line:
                name, _, value = line.partition(":")
                fields.setdefault(name, []).append(value.removeprefix(" "))
                continue
            if "id" in fields:
                self.last_id = fields["id"][-1]
            if "data" in fields:
                kind = fields.get("event", ["message"])[-1]
                yield Event(self.last_id or "", kind, json.loads("\n".join(fields["data"])))
            fields = {}


def _lines(pieces: Stream) -> Iterator[str]:
    """Whole lines, without their ends (the service ends them with LF)."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode()
