"""Broadcasts: asked of a megaphone, told to user agents that follow them."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from mockpush.gateways.broadcasts import Broadcasts
from mockpush.options import ServiceOptions
from mockpush.server import Server
from mockpush.service import PushService

from .browser import Site


class Megaphone:
    """An HTTP server that says what it is told to say, and counts how often it is asked."""

    def __init__(self) -> None:
        self.answer: object = {"broadcasts": {"a": "1", "b": "1"}}
        self.asked = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        writer.close()


@pytest.fixture
async def megaphone():
    megaphone = Megaphone()
    server = await asyncio.start_server(megaphone.serve, "127.0.0.1")
    async with server:
        megaphone.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield megaphone


async def test_without_a_megaphone_there_are_none():
    assert await Broadcasts(None, every=1.0).current() == {}


async def test_it_is_asked_once_for_many_and_not_again_at_once(megaphone):
    broadcasts = Broadcasts(megaphone.url, every=1000.0)
    answers = await asyncio.gather(*(broadcasts.current() for _ in range(5)))
    assert answers == [{"a": "1", "b": "1"}] * 5
    megaphone.answer = {"broadcasts": {"a": "2"}}
    assert await broadcasts.current() == {"a": "1", "b": "1"}
    assert megaphone.asked == 1


async def test_it_is_asked_again_after_some_time(megaphone):
    broadcasts = Broadcasts(megaphone.url, every=0.0)
    await broadcasts.current()
    megaphone.answer = {"broadcasts": {"a": "2"}}
    assert await broadcasts.current() == {"a": "2"}


@pytest.mark.parametrize("nonsense", [b"", b"nonsense", [], {}, {"broadcasts": 1}, b"\xff"])
async def test_what_it_said_last_counts_while_it_talks_nonsense(megaphone, nonsense):
    broadcasts = Broadcasts(megaphone.url, every=0.0)
    await broadcasts.current()
    megaphone.answer = nonsense
    assert await broadcasts.current() == {"a": "1", "b": "1"}


async def test_one_that_is_not_there_says_nothing():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1")
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()
    await server.wait_closed()
    assert await Broadcasts(url, every=1.0).current() == {}


@asynccontextmanager
async def site(**options):
    async with Server(PushService(ServiceOptions(**options))) as server:
        site = Site(server)
        async with site.sender:
            yield site


async def test_hello_tells_what_has_changed(megaphone):
    async with site(broadcasts=megaphone.url) as here, here.open() as browser:
        answer = await browser.hello(broadcasts={"a": "0", "b": "1", "c": "1"})
        assert answer["broadcasts"] == {"a": "1", "errors": {"c": "Broadcast not found"}}


async def test_who_follows_later_is_told_only_if_there_is_something_to_tell(megaphone):
    async with site(broadcasts=megaphone.url) as here, here.connect() as browser:
        answer = await browser.ask("broadcast_subscribe", broadcasts={"a": "0"})
        assert answer == {"messageType": "broadcast", "broadcasts": {"a": "1"}}
        await browser.say("broadcast_subscribe", broadcasts={"b": "1"})
        await browser.heard_nothing()


async def test_what_changes_is_told_with_the_next_ping(megaphone):
    options = {"broadcasts_interval": 0.01, "ping_interval": 0.01}
    async with (
        site(broadcasts=megaphone.url, **options) as here,
        here.connect(broadcasts={"a": "1"}) as browser,
    ):
        megaphone.answer = {"broadcasts": {"a": "2"}}
        assert await browser.hear() == {"messageType": "broadcast", "broadcasts": {"a": "2"}}
        megaphone.answer = {"broadcasts": {"a": "3"}}
        assert await browser.hear() == {"messageType": "broadcast", "broadcasts": {"a": "3"}}


async def test_without_a_megaphone_every_broadcast_is_unknown():
    async with site() as here, here.open() as browser:
        answer = await browser.hello(broadcasts={"a": "0"})
        assert answer["broadcasts"] == {"errors": {"a": "Broadcast not found"}}


async def test_one_that_hangs_up_while_the_megaphone_is_asked_is_not_there(megaphone):
    async with site(broadcasts=megaphone.url) as here:
        async with here.open(path="/ua/fox") as browser:
            await browser.say("hello", broadcasts={"a": "1"})
        while here.server.app.web_sockets.broadcasts._asking is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert (await here.api("/user-agents?online=true"))["items"] == []
