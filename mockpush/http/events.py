"""Events: a list, or as they happen, as Server-Sent Events (WHATWG HTML, Section 9.2).

The events are read from storage, never queued: a slow reader costs no memory, and none is lost
between the replay and the live part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mockpush.errors import InvalidRequestError
from mockpush.gateways.exchange import while_connected
from mockpush.http.answers import JSONAnswer, write_json
from mockpush.http.kinds import choice, text
from mockpush.http.listings import Listing, one_by_one
from mockpush.http.matching import differences
from mockpush.http.operations import Call, Operation, Returns
from mockpush.http.shapes import show
from mockpush.http.views import EVENT, EVENT_LETTER
from mockpush.protocol.events import Event, EventKind

KEEP_ALIVE: Final = 15.0
"""Real seconds without an event after which a comment shows that the connection lives."""
BATCH: Final = 100
"""Events that are sent at a time."""
LAST_EVENT_ID: Final = "Last-Event-ID"


EVENTS: Final[Listing[Event]] = Listing(
    letter=EVENT_LETTER,
    read=lambda service, tenant, after: service.storage.events(tenant, after=after),
    number=lambda event: event.sequence,
    at=lambda event: event.at,
    show=one_by_one(lambda event: show(EVENT, event)),
    name=lambda event: str(event.sequence),
    fields={
        "kind": lambda event: event.kind,
        "subscription": lambda event: event.subscription,
    },
    kinds={"kind": choice(*EventKind), "subscription": text("the id of a subscription")},
)


async def list_or_stream(call: Call) -> Response:
    """The events so far for who accepts only JSON, else those that come.

    The stream begins now, or behind Last-Event-ID or `since`.
    """
    accepted = call.request.headers.get("Accept", "")
    if JSONAnswer.media_type in accepted and EventStream.media_type not in accepted:
        return JSONAnswer(await EVENTS.page(call))
    if "limit" in call.query:
        raise InvalidRequestError(f"limit is for the list: send Accept: {JSONAnswer.media_type}")
    return EventStream(call, await _start(call))


async def _start(call: Call) -> int:
    """The number of the event behind which the stream begins.

    A number that the tenant has not reached is from another life of it: everything is news.
    """
    events = await EVENTS.read(call.service, call.tenant, 0)
    newest = events[-1].sequence if events else 0
    last_id = call.request.headers.get(LAST_EVENT_ID)
    if last_id:
        place = EVENTS.query["since"].parse(LAST_EVENT_ID, last_id)
    elif "since" in call.query:
        place = call.query["since"]
    else:
        return newest
    start = EVENTS.position(events, place)
    return start if start <= newest else 0


class EventStream(Response):
    """Sends events until the client goes away or the service closes."""

    media_type = "text/event-stream"

    def __init__(self, call: Call, start: int) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._call = call
        self._position = start
        self._wanted = EVENTS.wanted(call)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **status})
        if scope["method"] != "HEAD":
            try:
                await while_connected(Request(scope, receive), self._send_events(send))
            except ClientDisconnect:
                return
        await send({"type": "http.response.body", "body": b""})

    async def _send_events(self, send: Send) -> None:
        service = self._call.service
        await _send_part(send, b": the events of mockpush\n\n")
        while True:
            events = await service.wait(self._call.tenant, self._look, timeout=KEEP_ALIVE)
            if events is None and service.closing:
                return
            await _send_part(send, await self._write(events) if events else b": still here\n\n")

    async def _look(self) -> Sequence[Event] | None:
        events = await EVENTS.read(self._call.service, self._call.tenant, self._position)
        return events[:BATCH] or None

    async def _write(self, events: Sequence[Event]) -> bytes:
        """Those that are wanted; a comment tells of those that storage has forgotten already."""
        lost = events[0].sequence - self._position - 1
        self._position = events[-1].sequence
        parts = [f": {lost} events came too fast and are lost\n\n".encode()] if lost else []
        for event in events:
            if not differences(event, self._wanted, EVENTS.fields):
                cursor = EVENTS.cursor(event.sequence)
                data = write_json(show(EVENT, event))
                head = f"id: {cursor}\nevent: {event.kind}\ndata: "
                parts.append(head.encode() + data + b"\n\n")
        return b"".join(parts)


async def _send_part(send: Send, part: bytes) -> None:
    if part:
        await send({"type": "http.response.body", "body": part, "more_body": True})


OPERATIONS: Final = (
    Operation(
        "GET",
        "/events",
        "Follow the events, or list them",
        list_or_stream,
        Returns(
            schema="Event",
            media_type=EventStream.media_type,
            also={JSONAnswer.media_type: "EventList"},
        ),
        query=EVENTS.query,
    ),
)
