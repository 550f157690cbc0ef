"""What both transports do."""

from __future__ import annotations

import threading

import pytest

from mockpush import errors


@pytest.fixture
def echo(application):
    @application.route("/a path")
    async def answer(call):
        return 207, [("X-Two", "1"), ("x-two", "2")], call.body

    return application


@pytest.fixture
def silence(application):
    """A resource that never answers."""

    @application.route("/silence")
    async def answer(call):
        while (await call.receive())["type"] != "http.disconnect":
            pass

    return application


def failing(transport, path: str, results: list) -> threading.Thread:
    """A thread whose request to `path` fails."""

    def run() -> None:
        try:
            transport.request("GET", path)
        except errors.ConnectError as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_method_target_headers_and_body_arrive(echo, transport):
    response = transport.request(
        "POST", "/a%20path?x=1&y=%2F", headers=[("Prefer", "wait=3")], body=b"\x00octets"
    )
    [call] = echo.calls
    assert (call.method, call.path, call.scope["query_string"]) == ("POST", "/a path", b"x=1&y=%2F")
    assert call.scope["raw_path"] == b"/a%20path"
    assert call.headers["prefer"] == "wait=3"
    assert call.headers["content-length"] == "7"
    assert call.headers["host"] == transport.url.removeprefix("http://")
    assert (response.status, response.body) == (207, b"\x00octets")


def test_repeated_header_fields_are_joined(echo, transport):
    response = transport.request("POST", "/a%20path")
    assert response.headers["X-TWO"] == "1, 2"
    assert response.body == b""


def test_a_get_has_no_content_length(echo, transport):
    transport.request("GET", "/a%20path")
    assert "content-length" not in echo.calls[0].headers


def test_requests_one_after_another(echo, transport):
    for number in range(3):
        body = str(number).encode()
        assert transport.request("POST", "/a%20path", body=body).body == body


def test_an_outstanding_request_holds_up_no_other(echo, silence, transport):
    results: list = []
    thread = failing(transport, "/silence", results)
    assert silence.reached.acquire(timeout=10)
    assert transport.request("POST", "/a%20path", body=b"quick").body == b"quick"
    transport.close()
    thread.join()
    assert len(results) == 1


def test_close_ends_every_outstanding_request(silence, transport):
    results: list = []
    threads = [failing(transport, "/silence", results) for _ in range(3)]
    for _ in threads:
        assert silence.reached.acquire(timeout=10)
    transport.close()
    for thread in threads:
        thread.join()
    assert [str(error) for error in results] == [f"the transport to {transport.url} is closed"] * 3


def test_a_closed_transport_refuses_requests(echo, transport):
    transport.close()
    with pytest.raises(errors.ConnectError, match="is closed"):
        transport.request("GET", "/a%20path")


def test_a_fork_is_closed_on_its_own(echo, transport):
    with transport.fork() as fork:
        assert fork.request("POST", "/a%20path", body=b"x").body == b"x"
    with pytest.raises(errors.ConnectError):
        fork.request("GET", "/a%20path")
    assert transport.request("POST", "/a%20path", body=b"y").body == b"y"


def test_a_service_that_keeps_silent_is_an_error_in_the_end(silence, transport):
    with pytest.raises(errors.ConnectError, match=f"no answer from {transport.url}"):
        transport.request("GET", "/silence", timeout=0.05)


@pytest.mark.parametrize("clock", ["freezegun", "time_machine"])
def test_a_frozen_clock_does_not_stop_a_time_out(silence, transport, clock):
    frozen = freeze(clock)
    with frozen, pytest.raises(errors.ConnectError, match="no answer"):
        transport.request("GET", "/silence", timeout=0.05)


def freeze(clock: str):
    if clock == "freezegun":
        import freezegun

        return freezegun.freeze_time("2020-01-01", ignore=["asyncio"])
    import time_machine

    return time_machine.travel("2020-01-01", tick=False)


def test_a_stream_gives_each_piece_as_it_comes(application, transport):
    go_on = threading.Event()

    @application.route("/pieces")
    async def answer(call):
        await call.start()
        await call.piece(b"one")
        await call.loop_wait(go_on)
        await call.piece(b"two", more=False)

    with transport.stream("GET", "/pieces") as stream:
        assert stream.status == 200
        pieces = iter(stream)
        assert next(pieces) == b"one"
        go_on.set()
        assert list(pieces) == [b"two"]


def test_closing_a_stream_ends_its_iteration_in_another_thread(application, transport):
    @application.route("/endless")
    async def answer(call):
        await call.start()
        await call.piece(b"one")
        while (await call.receive())["type"] != "http.disconnect":
            pass

    stream = transport.stream("GET", "/endless")
    pieces: list[bytes] = []
    first = threading.Event()

    def read() -> None:
        for piece in stream:
            pieces.append(piece)
            first.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert first.wait(10)
    stream.close()
    thread.join()
    assert pieces == [b"one"]
    assert list(stream) == []
    stream.close()


def test_a_closed_stream_gives_no_more_of_what_has_come(application, transport):
    sent = threading.Event()

    @application.route("/pieces")
    async def answer(call):
        await call.start()
        for piece in (b"one", b"two", b"three"):
            await call.piece(piece)
        sent.set()
        await call.receive()

    with transport.stream("GET", "/pieces") as stream:
        pieces = iter(stream)
        assert next(pieces).startswith(b"one")
        assert sent.wait(10)
        stream.close()
        assert list(pieces) == []


def test_closing_the_transport_breaks_a_stream(application, transport):
    @application.route("/endless")
    async def answer(call):
        await call.start()
        await call.piece(b"one")
        while (await call.receive())["type"] != "http.disconnect":
            pass

    with transport.stream("GET", "/endless") as stream:
        pieces = iter(stream)
        next(pieces)
        transport.close()
        with pytest.raises(errors.ConnectError, match="is closed"):
            next(pieces)
