from __future__ import annotations

import threading

import pytest

from mockpush.client.event_stream import Event, EventStream
from mockpush.client.operations import Operations

FIRST = b'id: 1\nevent: message.accepted\ndata: {"message": "m1"}\n\n'


class Pieces:
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.closed = False

    def __iter__(self):
        return iter(self.pieces)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_events_are_read_whatever_pieces_they_come_in(size, end):
    text = FIRST + b': heartbeat\n\ndata:{"text":\ndata: "\xc3\xa9"}\n\nid: 3\ndata: unfinished'
    octets = text.replace(b"\n", end)
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
    stream = EventStream(Pieces(*pieces))
    assert list(stream) == [
        Event("1", "message.accepted", {"message": "m1"}),
        Event("1", "message", {"text": "é"}),
    ]
    assert stream.last_id == "1"


def test_leaving_the_context_closes_the_answer():
    pieces = Pieces(FIRST)
    with EventStream(pieces) as stream:
        assert next(stream).type == "message.accepted"
    assert pieces.closed


def test_events_from_the_service_go_on_after_an_id(application, transport):
    @application.route("/_mockpush/v1/events")
    async def answer(call):
        await call.start(200, [("content-type", "text/event-stream")])
        await call.piece(FIRST)
        while (await call.receive())["type"] != "http.disconnect":
            pass

    events = []
    first = threading.Event()

    def read(stream: EventStream) -> None:
        for event in stream:
            events.append(event.id)
            first.set()

    stream = Operations(transport, tenant="t").follow_events(since="0")
    assert stream.last_id == "0"
    thread = threading.Thread(target=read, args=[stream])
    thread.start()
    assert first.wait(10)
    stream.close()
    thread.join()
    [call] = application.calls
    assert events == ["1"]
    assert (call.headers["last-event-id"], call.headers["mockpush-tenant"]) == ("0", "t")


def test_without_a_beginning_they_start_now(application, in_process):
    @application.route("/_mockpush/v1/events")
    async def answer(call):
        return 200, [], FIRST

    with Operations(in_process).follow_events() as stream:
        assert [event.id for event in stream] == ["1"]
    assert "last-event-id" not in application.calls[0].headers
