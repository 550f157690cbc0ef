"""Heads of requests that have been parsed before: senders send the same again and again.

Of two heads that differ only in the value of their Authorization field, and that only in visible
characters, the parser says the same but for that value. So a head is known by the rest of it.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

Headers: TypeAlias = list[tuple[bytes, bytes]]

MAX_HEADS: Final = 256
MAX_LENGTH: Final = 4096
"""Octets of a head that is kept."""

_NAME: Final = b"authorization"
_FIELD: Final = b"uthorization: "
"""In either case of the first letter, as all HTTP clients write it."""
_VISIBLE: Final = bytes(range(0x21, 0x7F))
_END: Final = b"\r\n\r\n"


class Request(NamedTuple):
    """A whole request, as the parser would tell it."""

    target: bytes
    headers: Headers
    body: bytes


class _Known(NamedTuple):
    target: bytes
    before: Headers
    after: Headers
    length: int


class KnownHeads:
    """At most `MAX_HEADS` heads; the oldest give way."""

    def __init__(self) -> None:
        self._heads: dict[bytes, _Known] = {}

    def recall(self, packet: bytes) -> Request | None:
        """Reads a packet that is one whole request with a known head; None for any other."""
        split = _split(packet)
        if split is None:
            return None
        rest, authorization, body = split
        known = self._heads.get(rest)
        if known is None or len(body) != known.length:
            return None
        headers = [*known.before, (_NAME, authorization), *known.after]
        return Request(known.target, headers, body)

    def learn(self, packet: bytes, request: Request) -> None:
        """Remembers how the parser has read a packet that was one whole request."""
        split = _split(packet)
        if split is None or len(packet) - len(request.body) > MAX_LENGTH:
            return
        rest, authorization, body = split
        places = [at for at, line in enumerate(request.headers) if line[0] == _NAME]
        if body != request.body or len(places) != 1:
            return
        (at,) = places
        if request.headers[at][1] != authorization:
            return
        if len(self._heads) >= MAX_HEADS:
            del self._heads[next(iter(self._heads))]
        before, after = request.headers[:at], request.headers[at + 1 :]
        self._heads[rest] = _Known(request.target, before, after, len(body))


def _split(packet: bytes) -> tuple[bytes, bytes, bytes] | None:
    """The head without the value of its first Authorization field, that value, and the body."""
    at = packet.find(_FIELD)
    end = packet.find(_END, at)
    if at < 0 or end < 0:
        return None
    start = at + len(_FIELD)
    stop = packet.find(b"\r", start)  # a line feed follows, or the parser has not taken the head
    value = packet[start:stop]
    if value.translate(None, _VISIBLE).strip(b" ") or value[:1] == b" " or value[-1:] == b" ":
        return None
    return packet[:start] + packet[stop:end], value, packet[end + 4 :]
