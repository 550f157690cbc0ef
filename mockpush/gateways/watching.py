"""Monitoring requests: waiting, taking over from one another, and clients that go away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mockpush.errors import NotFoundError
from mockpush.gateways.exchange import abandon, disconnected
from mockpush.gateways.pushed import EVENT_STREAM, Pushed, answer, events, gone_event
from mockpush.gateways.sources import Source
from mockpush.protocol.headers import parse_prefer
from mockpush.service import PushService

LONGEST_WAIT: Final = 60
"""Seconds of a long poll; proxies give up on answers after about a minute."""
KEEP_ALIVE: Final = 15.0
"""Real seconds without an event after which a comment shows that a stream lives."""

T = TypeVar("T")


class Watches:
    """The monitoring requests under way; of each subscription there is one at most."""

    def __init__(self, service: PushService) -> None:
        self._service = service
        self._open: dict[str, asyncio.Task[Any]] = {}

    async def monitor(self, request: Request, source: Source) -> Response:
        """Answers with what there is, as soon as there is something (RFC 8030, Section 6).

        A long poll gets the oldest, `Prefer: wait=0` everything at once, and who accepts Server-
        Sent Events everything as it comes. The request takes over from an earlier one that watches
        some of the same, which ends with 204.
        """
        preferred = preferred_wait(request)
        headers = {} if preferred is None else {"Preference-Applied": f"wait={preferred}"}
        await source.connect()
        if preferred != 0 and EVENT_STREAM in request.headers.get("accept", ""):
            return Stream(self, source, preferred, headers)
        wait = LONGEST_WAIT if preferred is None else preferred
        work = self._collect(source, wait, at_once=preferred == 0)
        return answer(await self.run(request, source, work) or (), headers)

    async def run(self, request: Request, source: Source, work: Coroutine[Any, Any, T]) -> T | None:
        """What `work` returns, None when another request has taken over.

        `ClientDisconnect` when the client goes away first. From here to the socket nothing
        suspends: what has been claimed is sent or given back.
        """
        task = self._take_over(source, work)
        gone = asyncio.ensure_future(disconnected(request))
        try:
            await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            if self._is_current(source, task) and not gone.done():
                return task.result()
            await _undo(source, task)
            if gone.done():
                raise ClientDisconnect
            return None
        except (ClientDisconnect, asyncio.CancelledError):
            if self._is_current(source, task):
                await source.disconnect()
            raise
        finally:
            abandon(task)
            abandon(gone)
            if self._is_current(source, task):
                del self._open[source.id]

    def _take_over(self, source: Source, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        for rival in (source.id, *source.rivals):
            earlier = self._open.pop(rival, None)
            if earlier is not None:
                abandon(earlier)
        task = asyncio.ensure_future(work)
        self._open[source.id] = task
        return task

    def _is_current(self, source: Source, task: asyncio.Task[Any]) -> bool:
        """Whether what this request claimed is still its own to deliver or to give back."""
        return self._open.get(source.id) is task

    async def _collect(self, source: Source, wait: float, *, at_once: bool) -> Sequence[Pushed]:
        await source.begin()
        look = partial(source.look, at_once=at_once)
        return await self._service.wait(source.tenant, look, timeout=wait) or ()

    async def write(self, source: Source, send: Send, wait: float | None) -> None:
        """Writes events into a stream for so many real seconds, or as long as it is read."""
        await source.begin()
        await _send_part(send, b": what comes is an event\n\n")
        loop = asyncio.get_running_loop()
        end = float("inf") if wait is None else loop.time() + wait
        look = partial(source.look, at_once=True)
        while (left := end - loop.time()) > 0:
            patience = min(left, KEEP_ALIVE)
            pushed = await self._service.wait(source.tenant, look, timeout=patience)
            if pushed is None and not self._service.closing:
                await _send_part(send, b": still here\n\n")
            elif not pushed:
                return
            else:
                await _send_part(send, events(pushed))


class Stream(Response):
    """Sends what is monitored as Server-Sent Events until the client goes away."""

    media_type = EVENT_STREAM

    def __init__(
        self, watches: Watches, source: Source, wait: float | None, headers: dict[str, str]
    ) -> None:
        own = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(headers=headers | own)
        del self.headers["content-length"]
        self._watches = watches
        self._source = source
        self._wait = wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **status})
        work = self._watches.write(self._source, send, self._wait)
        try:
            await self._watches.run(Request(scope, receive), self._source, work)
        except ClientDisconnect:
            return
        except NotFoundError:
            await _send_part(send, gone_event())
        await send({"type": "http.response.body", "body": b""})


async def _undo(source: Source, task: asyncio.Task[Any]) -> None:
    if task.done() and not task.cancelled() and not task.exception() and task.result():
        await source.undo(task.result())


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})


def preferred_wait(request: Request) -> int | None:
    """Seconds of `Prefer: wait=N`, bounded; None if there is none."""
    lines = [line.encode("latin-1") for line in request.headers.getlist("prefer")]
    wait = parse_prefer(lines, []).wait
    return None if wait is None else min(wait, LONGEST_WAIT)
