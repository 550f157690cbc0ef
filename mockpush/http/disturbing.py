"""Answers that come late, damaged or never.

What ASGI cannot express is done to the connection itself, which servers of ours offer as an
extension of the scope. Afterwards the connection is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from mockpush.gateways.exchange import disconnected, while_connected
from mockpush.injecting import Disturbed
from mockpush.protocol.fault_kinds import FaultKind
from mockpush.protocol.records import WireAnswer
from mockpush.service import PushService

PROMISED: Final = 64
"""Octets that Content-Length promises and that never come."""
READING: Final = 0.1
"""Real seconds in which the client reads the first half: a reset takes away what it has not read.
"""
FOREVER: Final = 1e6
"""Real seconds."""

Fields = Sequence[tuple[bytes, bytes]]


class Wire(Protocol):
    """The connection of one request, below HTTP."""

    def head(self, answer: WireAnswer) -> list[bytes]:
        """The status line and the header fields of an answer, a line each; the last is empty."""

    def write(self, data: bytes) -> None:
        """Sends octets."""

    async def flush(self) -> None:
        """Returns when all octets are on their way, or the connection is gone."""

    def close(self) -> None:
        """Closes the connection after what has been written."""

    def reset(self) -> None:
        """Resets the connection: the other side gets an error, not an end.

        Does away at once with one that is being closed.
        """


async def send_answer(send: Send, answer: WireAnswer, fields: Fields = ()) -> None:
    """A whole answer, with these fields as well."""
    headers = [*answer.headers, *fields]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def disturb(
    disturbed: Disturbed,
    service: PushService,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    wire: Wire | None,
    fields: Fields = (),
) -> None:
    """Answers as the fault will have it; returns early when the client goes away.

    Nothing waits any longer once the service closes.
    """
    request = Request(scope, receive)
    answer, fault, tenant = disturbed

    async def pause(seconds: float) -> None:
        await while_connected(request, service.wait(tenant, _nothing, timeout=seconds))

    try:
        if fault.delay and fault.kind is not FaultKind.SLOW_HEADERS:
            await pause(fault.delay)
        if fault.disturbs and wire is not None:
            await _DAMAGES[fault.kind](_Damage(wire, answer, fields, pause, fault.delay))
            await disconnected(request)
        elif answer is not None:
            await send_answer(send, answer, fields)
    except ClientDisconnect:
        return


async def _nothing() -> None:
    """Nothing to look for: a wait for it lasts to its end."""


class _Damage(NamedTuple):
    """What a damage is made of."""

    wire: Wire
    answer: WireAnswer | None
    fields: Fields
    pause: Callable[[float], Awaitable[None]]
    seconds: float

    def lines(self, *, length: int) -> list[bytes]:
        """The head of the answer, a line each, with this Content-Length."""
        answer = self.whole
        kept = [line for line in answer.headers if line[0] != b"content-length"]
        own = ((b"content-length", b"%d" % length), (b"connection", b"close"))
        return self.wire.head(answer._replace(headers=(*kept, *self.fields, *own)))

    @property
    def whole(self) -> WireAnswer:
        """The answer, which is there."""
        assert self.answer is not None
        return self.answer


async def _reset(damage: _Damage) -> None:
    damage.wire.reset()


async def _reset_midway(damage: _Damage) -> None:
    """In the middle of the body; without one, where one was promised."""
    body = damage.whole.body
    head = damage.lines(length=len(body) or PROMISED)
    damage.wire.write(b"".join(head) + body[: len(body) // 2])
    await damage.wire.flush()
    await damage.pause(READING)
    damage.wire.reset()


async def _promise_too_much(damage: _Damage) -> None:
    body = damage.whole.body
    damage.wire.write(b"".join(damage.lines(length=len(body) + PROMISED)) + body)
    damage.wire.close()
    await damage.pause(READING)
    # Over TLS it is still there, until the client closes it as well: as servers do, don't wait.
    damage.wire.reset()


async def _dribble(damage: _Damage) -> None:
    body = damage.whole.body
    lines = damage.lines(length=len(body))
    for line in lines[:-1]:
        damage.wire.write(line)
        await damage.pause(damage.seconds / len(lines))
    damage.wire.write(lines[-1] + body)
    damage.wire.close()


async def _keep_silent(damage: _Damage) -> None:
    await damage.pause(FOREVER)
    damage.wire.reset()


_DAMAGES: Final[Mapping[FaultKind, Callable[[_Damage], Awaitable[None]]]] = {
    FaultKind.RESET: _reset,
    FaultKind.RESET_MIDWAY: _reset_midway,
    FaultKind.WRONG_LENGTH: _promise_too_much,
    FaultKind.SLOW_HEADERS: _dribble,
    FaultKind.NO_ANSWER: _keep_silent,
}
"""What is done to the connection."""
