"""What is particular to calling an application in process."""

from __future__ import annotations

import asyncio

import pytest

from mockpush import errors
from mockpush.client.transports.asgi import AsgiTransport


@pytest.fixture
def transport(in_process):
    return in_process


def test_the_scope_is_that_of_its_url(application, submit):
    @application.route("/")
    async def answer(call):
        return 204, [], b""

    with AsgiTransport(application, submit, url="https://localhost:8031/") as transport:
        transport.request("GET", "/")
        assert transport.url == "https://localhost:8031"
    scope = application.calls[0].scope
    assert (scope["scheme"], scope["server"]) == ("https", ("localhost", 8031))
    assert scope["type"] == "http"
    assert application.calls[0].headers == {"host": "localhost:8031"}


@pytest.mark.parametrize(("url", "port"), [("http://localhost", 80), ("https://localhost", 443)])
def test_the_port_of_a_url_without_one(application, submit, url, port):
    @application.route("/")
    async def answer(call):
        return 204, [], b""

    with AsgiTransport(application, submit, url=url) as transport:
        transport.request("GET", "/")
    assert application.calls[0].scope["server"] == ("localhost", port)


def test_what_the_application_raises_is_raised_to_the_caller(application, transport):
    @application.route("/")
    async def fail(call):
        raise LookupError("a bug in the application")

    with pytest.raises(LookupError, match="a bug"):
        transport.request("GET", "/")


def test_what_the_application_raises_in_the_middle_of_its_answer(application, transport):
    @application.route("/")
    async def fail(call):
        await call.start()
        await call.piece(b"one")
        raise LookupError("a bug in the application")

    with transport.stream("GET", "/") as stream:
        pieces = iter(stream)
        assert next(pieces) == b"one"
        with pytest.raises(LookupError):
            next(pieces)


def test_an_application_that_returns_without_an_answer(application, transport):
    @application.route("/")
    async def nothing(call):
        return None

    with pytest.raises(errors.ConnectError, match="gave no answer"):
        transport.request("GET", "/")


def test_the_application_may_go_on_after_its_answer(application, transport, submit):
    go_on, tidied = submit(_event()).result(), submit(_event()).result()

    @application.route("/")
    async def answer(call):
        await call.answer(200, [], b"done")
        assert (await call.receive())["type"] == "http.disconnect"
        await go_on.wait()
        tidied.set()

    assert transport.request("GET", "/").body == b"done"
    transport.close()
    submit(_set(go_on)).result()
    assert submit(tidied.wait()).result(10)


async def _set(event: asyncio.Event) -> None:
    event.set()


async def _event() -> asyncio.Event:
    return asyncio.Event()


def test_an_abandoned_request_is_cancelled_in_the_application(application, transport, submit):
    cancelled = submit(_event()).result()

    @application.route("/")
    async def wait_for_ever(call):
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(errors.ConnectError):
        transport.request("GET", "/", timeout=0.01)
    assert submit(cancelled.wait()).result(10)


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_blocking_request_on_the_application_s_own_loop_says_so(
    application, submit, monkeypatch, asked_before
):
    @application.route("/")
    async def answer(call):
        return 204, [], b""

    async def request() -> None:
        transport.request("GET", "/")

    async def other_loop() -> None:
        assert transport.request("GET", "/").status == 204

    transport = AsgiTransport(application, submit)
    if asked_before:
        asyncio.run(other_loop())
    monkeypatch.setattr("mockpush.client.transports.asgi._PATIENCE", 0.05)
    before = len(application.calls)
    with pytest.raises(errors.BlockingWaitError, match="_async"):
        submit(request()).result()
    assert len(application.calls) == before


async def test_another_running_loop_may_wait(application, transport):
    @application.route("/")
    async def answer(call):
        return 200, [], b"ok"

    assert transport.request("GET", "/").body == b"ok"


def test_a_loop_that_has_been_closed(application):
    loop = asyncio.new_event_loop()
    loop.close()
    transport = AsgiTransport(
        application, lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop)
    )
    with pytest.raises(errors.ConnectError, match="has been stopped"):
        transport.request("GET", "/")


def test_a_request_that_the_loop_gives_up(application, transport):
    @application.route("/")
    async def cancelled(call):
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    with pytest.raises(errors.ConnectError, match="has been stopped"):
        transport.request("GET", "/")
