"""Answers at once: the same as those by ASGI, in the same order, whatever the packets.

The protocol is driven directly here, since only so is it known what is one packet. Sockets are in
`test_asgi.py` and `http/test_at_once.py`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush import asgi, connections
from mockpush.asgi import KEEP_ALIVE, Application
from mockpush.connections import MAX_HELD
from mockpush.protocol.records import WireAnswer
from mockpush.wire import status_line


def told(target: str, headers, body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """An answer that shows all of the request."""
    lines = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]
    content = json.dumps([target, lines, body.decode("latin-1")]).encode()
    return [(b"content-length", b"%d" % len(content))], content


class App:
    """Answers requests to /p/ at once, all others by ASGI; to /wait when it is allowed to."""

    def __init__(self, *, at_once=True) -> None:
        self.asked: list[bytes] = []
        self.begun = 0
        self.allowed = asyncio.Event()
        if at_once:
            self.at_once = self.AtOnce(self)

    class AtOnce:
        prefixes = (b"/p/", b"/q/")

        def __init__(self, app: App) -> None:
            self._app = app

        def __call__(self, target, headers, body) -> WireAnswer | None:
            self._app.asked.append(target)
            if target == b"/p/broken":
                raise ZeroDivisionError("the application is broken")
            if target.startswith(b"/q/"):
                return None
            answered, content = told(target.decode(), headers, body)
            return WireAnswer(200, tuple(answered), content)

    async def __call__(self, scope, receive, send):
        self.begun += 1
        if scope["path"] == "/p/broken":
            raise ZeroDivisionError("the application is broken")
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        if scope["path"] == "/wait":
            await self.allowed.wait()
        headers, content = told(scope["raw_path"].decode(), scope["headers"], body)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


class Wire(asyncio.Transport):
    """What the protocol writes, and whether it would read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.reads = asyncio.Event()
        self.reads.set()
        self.closed = False

    def write(self, data) -> None:
        assert not self.closed
        self.written += data

    def pause_reading(self) -> None:
        self.reads.clear()

    def resume_reading(self) -> None:
        self.reads.set()

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Connection:
    """One connection to an application, spoken to in packets."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.wire = Wire()
        application = Application(app, http="httptools", report=lambda *_: None)
        self.protocol = application.protocol()
        self.protocol.connection_made(self.wire)

    async def send(self, *packets: bytes) -> None:
        for packet in packets:
            await self.wire.reads.wait()
            if not self.wire.closed:
                self.protocol.data_received(packet)

    async def settle(self) -> None:
        """Until no request is under way."""
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)

    @property
    def answers(self) -> list[tuple[bytes, bytes]]:
        """First line and content of each; the other fields have a test of their own."""
        found, rest = [], bytes(self.wire.written)
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            status, *fields = head.split(b"\r\n")
            lengths = [int(each[16:]) for each in fields if each.startswith(b"content-length: ")]
            length = lengths[0] if lengths else 0
            found.append((status, rest[:length]))
            rest = rest[length:]
        return found

    @property
    def targets(self) -> list[str]:
        """What was answered, in this order."""
        return [json.loads(content)[0] for _, content in self.answers]


def request(target="/p/x", *lines: bytes, body=b"", method="POST", length=True) -> bytes:
    fields = [*lines, b"content-length: %d" % len(body)] if length else [*lines]
    return b"\r\n".join([f"{method} {target} HTTP/1.1".encode(), b"host: a", *fields, b"", body])


CHUNKED = request("/p/c", b"transfer-encoding: chunked", length=False)
TRAILERS = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nttl: 5\r\n\r\n"
REQUESTS = [
    request(),
    request("/p/known", b"authorization: one", body=b"abc"),
    request("/p/known", b"authorization: two", body=b"def"),
    request("/q/known", b"authorization: one"),
    request("/p/x", b"TTL: 5", b"X: ", b"x: \xff", body=b"hello"),
    request("/p/x", body=b"POST /p/y HTTP/1.1\r\n\r\n"),
    request("/p/x", length=False),
    request("/q/x", body=b"asked in vain"),
    request("/other", body=b"hello"),
    request("/p/get", method="GET", length=False),
    request("/p/e", b"expect: 100-continue", body=b"hello"),
    request("/p/x", body=bytes(MAX_HELD)),
    request("/p/x", body=bytes(MAX_HELD + 1)),
    CHUNKED + TRAILERS,
    b"\r\n" + request("/p/after-an-empty-line"),
]


async def alone(octets: bytes) -> list[tuple[bytes, bytes]]:
    """The answers to one request on a connection of its own, by ASGI."""
    connection = Connection(App(at_once=False))
    await connection.send(octets)
    await connection.settle()
    return connection.answers


@pytest.mark.parametrize("octets", REQUESTS)
async def test_a_request_is_answered_as_by_asgi_however_it_is_cut(octets):
    expected = await alone(octets)
    assert expected[-1][0] == b"HTTP/1.1 200 OK"
    for size in (len(octets), 1000, 7) + (() if len(octets) > 1000 else (1,)):
        connection = Connection(App())
        await connection.send(*(octets[at : at + size] for at in range(0, len(octets), size)))
        await connection.settle()
        assert connection.answers == expected


@given(st.data())
def test_any_requests_in_any_packets_are_answered_as_one_by_one(data):
    sent = data.draw(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=5))
    stream = b"".join(sent)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=8)))
    packets = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    async def check() -> None:
        expected = [answer for each in sent for answer in await alone(each)]
        connection = Connection(App())
        await connection.send(*packets)
        await connection.settle()
        assert connection.answers == expected

    asyncio.run(check())


async def test_the_fields_of_an_answer_are_those_of_asgi():
    answers = []
    for app in (App(), App(at_once=False)):
        connection = Connection(app)
        connection.protocol.server_state.default_headers = [(b"date", b"today")]
        await connection.send(request())
        await connection.settle()
        answers.append(bytes(connection.wire.written))
    assert answers[0] == answers[1]
    assert b"\r\ndate: today\r\n" in answers[0]


async def test_trailers_are_no_header_fields():
    connection = Connection(App())
    await connection.send(CHUNKED + TRAILERS)
    await connection.settle()
    target, headers, body = json.loads(connection.answers[0][1])
    assert (target, body) == ("/p/c", "abcde")
    assert ["ttl", "5"] not in headers


async def test_who_waits_for_the_word_to_go_on_gets_it_before_the_body():
    connection = Connection(App())
    octets = request("/p/e", b"expect: 100-continue", body=b"hello")
    await connection.send(octets[:-5])
    for _ in range(10):
        await asyncio.sleep(0)
    assert connection.answers == [(b"HTTP/1.1 100 Continue", b"")]
    await connection.send(octets[-5:])
    await connection.settle()
    assert connection.answers[1][0] == b"HTTP/1.1 200 OK"


async def test_only_plain_posts_are_asked_for_at_once():
    app = App()
    for octets in REQUESTS:
        await Connection(app).send(octets)
    await Connection(app).send(request("/p/no", b"connection: close"))
    await Connection(app).send(request("/p/no").replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert app.asked == [
        b"/p/x",
        b"/p/known",
        b"/p/known",
        b"/q/known",
        *[b"/p/x"] * 3,
        b"/q/x",
        b"/p/x",
        b"/p/after-an-empty-line",
    ]


async def test_an_unknown_status_has_no_phrase():
    assert status_line(418) == b"HTTP/1.1 418 I'm a Teapot\r\n"
    assert status_line(299) == b"HTTP/1.1 299 \r\n"


# Order


async def test_answers_keep_the_order_of_the_requests_behind_a_slow_one():
    app = App()
    connection = Connection(app)
    await connection.send(request("/p/1"))
    await connection.send(request("/wait") + request("/p/2") + request("/p/3"))
    assert connection.targets == ["/p/1"]
    app.allowed.set()
    await connection.settle()
    assert connection.targets == ["/p/1", "/wait", "/p/2", "/p/3"]
    assert app.asked == [b"/p/1"]  # the others had to wait their turn
    await connection.send(request("/p/4"))
    assert app.asked == [b"/p/1", b"/p/4"]


async def test_who_does_not_read_its_answers_gets_them_by_asgi_which_waits():
    connection = Connection(App())
    connection.protocol.pause_writing()
    await connection.send(request())
    for _ in range(10):
        await asyncio.sleep(0)
    assert connection.answers == []
    connection.protocol.resume_writing()
    await connection.settle()
    assert connection.targets == ["/p/x"]
    assert connection.app.asked == []


# What goes wrong


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_failure_is_answered_and_told_once_and_nothing_behind_it_is_asked(caplog, at_once):
    app = App(at_once=at_once)
    connection = Connection(app)
    broken = request("/p/broken", body=b"hello")
    await connection.send(request("/p/1") + broken + request("/p/2") + request("/other"))
    await connection.settle()
    [_, (status, content)] = connection.answers
    assert (status, content) == (b"HTTP/1.1 500 Internal Server Error", b"Internal Server Error")
    assert b"\r\nconnection: close\r\n" in connection.wire.written
    assert connection.wire.closed
    assert app.asked == ([b"/p/1", b"/p/broken"] if at_once else [])
    [record] = caplog.records
    assert (record.levelno, record.name) == (logging.ERROR, asgi.LOGGER.name)
    assert "the application is broken" in caplog.text


@pytest.mark.parametrize("before", [b"", request("/p/1")])
async def test_a_head_that_never_ends_is_refused(before):
    connection = Connection(App())
    await connection.send(before + b"POST /p/x HTTP/1.1\r\nhost: a\r\n")
    endless = b"x: " + b"x" * 1000 + b"\r\n"
    await connection.send(*[endless] * (connections.MAX_HEAD // len(endless)))
    assert not connection.wire.closed
    await connection.send(endless, endless)
    assert connection.answers[-1][0] == b"HTTP/1.1 431 Request Header Fields Too Large"
    assert connection.wire.closed


async def test_a_long_body_before_it_is_not_counted_as_a_head():
    connection = Connection(App())
    following = request("/p/y")
    await connection.send(request(body=bytes(2 * connections.MAX_HEAD)) + following[:10])
    await connection.send(following[10:])
    await connection.settle()
    assert connection.targets == ["/p/x", "/p/y"]


@pytest.mark.parametrize("end", [10, 60, -1])
@pytest.mark.parametrize("error", [None, ConnectionResetError()])
async def test_a_connection_that_is_lost_leaves_nothing(end, error):
    app = App()
    connection = Connection(app)
    await connection.send(request("/p/1"), request("/other"))
    await connection.settle()
    await connection.send(request("/p/2") + request("/p/3", body=b"hello" * 20)[:end])
    connection.protocol.connection_lost(error)
    assert app.asked == [b"/p/1", b"/p/2"]
    await connection.settle()
    gone = weakref.ref(connection.protocol)
    del connection
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("last", ["/p/1", "/other"])
async def test_no_timer_keeps_a_connection_that_was_reset(last):
    connection = Connection(App())
    await connection.send(request(last))
    await connection.settle()
    connection.protocol.connection_lost(ConnectionResetError())
    gone = weakref.ref(connection.protocol)
    del connection
    gc.collect()
    assert gone() is None


# Idling


class Timers:
    """Stands in for the loop where the protocol asks for the time and for timers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol) -> None:
        self._loop = loop
        self.now = 1000.0
        self.waiting: list[asyncio.TimerHandle] = []
        protocol.loop = self

    def __getattr__(self, name):
        return getattr(self._loop, name)

    def time(self) -> float:
        return self.now

    def call_later(self, delay, callback, *args) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.now + delay, callback, args, self._loop)
        self.waiting.append(handle)
        return handle

    def pass_until(self, now: float) -> None:
        while due := [each for each in self.due if each.when() <= now]:
            first = min(due, key=lambda each: each.when())
            self.waiting.remove(first)
            self.now = first.when()
            first._run()
        self.now = now

    @property
    def due(self) -> list[asyncio.TimerHandle]:
        return [each for each in self.waiting if not each.cancelled()]

    def _timer_handle_cancelled(self, handle) -> None:
        """What a handle tells its loop."""


@pytest.fixture
async def idling():
    connection = Connection(App())
    return connection, Timers(asyncio.get_running_loop(), connection.protocol)


async def test_an_idle_connection_is_closed_by_one_timer_for_many_answers(idling):
    connection, timers = idling
    for second in range(100):
        timers.pass_until(1000 + second)
        await connection.send(request())
        assert len(timers.due) == 1
    timers.pass_until(1099 + KEEP_ALIVE - 0.1)
    assert not connection.wire.closed
    timers.pass_until(1099 + KEEP_ALIVE)
    assert connection.wire.closed
    assert not timers.due


@pytest.mark.parametrize("under_way", [b"POST /p/x HT", request(body=b"hello")[:-1]])
async def test_a_connection_is_not_closed_while_a_request_comes(idling, under_way):
    connection, timers = idling
    await connection.send(request(), under_way)
    timers.pass_until(1000 + 10 * KEEP_ALIVE)
    assert not connection.wire.closed
    await connection.send(request(body=b"hello")[len(under_way) :])
    if under_way.endswith(b"hell"):
        assert len(connection.answers) == 2
        timers.pass_until(1000 + 11 * KEEP_ALIVE)
        assert connection.wire.closed


async def test_a_connection_is_not_closed_while_an_answer_is_made(idling):
    connection, timers = idling
    await connection.send(request(), request("/wait"))
    timers.pass_until(1000 + 10 * KEEP_ALIVE)
    assert not connection.wire.closed
    connection.app.allowed.set()
    await connection.settle()
    timers.pass_until(1000 + 11 * KEEP_ALIVE - 0.1)
    assert not connection.wire.closed
    timers.pass_until(1000 + 11 * KEEP_ALIVE)
    assert connection.wire.closed


async def test_the_time_counts_from_the_last_answer_whoever_gave_it(idling):
    connection, timers = idling
    await connection.send(request())
    timers.pass_until(1001)
    await connection.send(request("/other"))
    await connection.settle()
    timers.pass_until(1000.5 + KEEP_ALIVE)
    assert not connection.wire.closed
    await connection.send(request())
    timers.pass_until(1000.4 + 2 * KEEP_ALIVE)
    assert not connection.wire.closed
    timers.pass_until(1000.5 + 2 * KEEP_ALIVE)
    assert connection.wire.closed


# Stopping


async def test_a_stopping_server_hears_out_whose_body_still_comes():
    connection = Connection(App())
    octets = request(body=b"hello")
    await connection.send(octets[:-1])
    connection.protocol.shutdown()
    assert not connection.wire.closed
    await connection.send(octets[-1:])
    await connection.settle()
    assert connection.targets == ["/p/x"]
    assert b"\r\nconnection: close\r\n" in connection.wire.written
    assert connection.wire.closed


async def test_a_stopping_server_closes_what_idles():
    connection = Connection(App())
    await connection.send(request())
    connection.protocol.shutdown()
    assert connection.wire.closed


async def test_a_head_that_is_known_is_not_parsed_again():
    connection = Connection(App())
    first, second, third = (
        request("/p/x", b"authorization: %b" % token, body=token) for token in (b"a", b"b", b"c")
    )
    await connection.send(first, second)
    connection.protocol.parser = None
    await connection.send(third)
    told_of_third = json.loads(connection.answers[-1][1])
    assert told_of_third[0] == "/p/x"
    assert ["authorization", "c"] in told_of_third[1]
    assert told_of_third[2] == "c"


async def test_a_known_head_behind_a_request_under_way_waits_for_it():
    app = App()
    connection = Connection(app)
    push = request("/p/x", b"authorization: a", body=b"a")
    await connection.send(push, push, request("/wait"))
    connection.protocol.data_received(push)
    assert connection.targets == ["/p/x", "/p/x"]
    app.allowed.set()
    await connection.settle()
    assert connection.targets == ["/p/x", "/p/x", "/wait", "/p/x"]
