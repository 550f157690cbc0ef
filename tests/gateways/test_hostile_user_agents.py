"""User agents that misbehave: closed with the words of autopush, or held within limits.

In each test another user agent is connected, which notices nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import pytest
from websockets.frames import Frame, Opcode

from mockpush.gateways.autopush import Autopush
from mockpush.options import ServiceOptions
from mockpush.server import Server
from mockpush.service import PushService

from .browser import Site

HELLO = {"messageType": "hello", "use_webpush": True}


@pytest.fixture
async def site(caplog):
    async with Server(PushService(ServiceOptions())) as server:
        site = Site(server)
        async with site.sender, site.connect() as bystander:
            _, endpoint = await bystander.register()
            yield site
            accepted = await site.push(endpoint, b"x")
            heard = await bystander.hear()
            assert accepted.headers["location"].endswith(heard["version"])
            await bystander.acknowledge(heard)
            await bystander.heard_nothing()
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


@asynccontextmanager
async def impatient(**seconds: float):
    """A site without a bystander, which pings often."""
    service = PushService(ServiceOptions(ping_interval=0.01))
    server = Server(service)
    server.app.web_sockets = Autopush(service, **seconds)
    async with server:
        site = Site(server)
        async with site.sender:
            yield site


@pytest.fixture
def gateway(site):
    return site.server.app.web_sockets


class Raw:
    """A WebSocket of which every octet is ours."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, site: Site) -> Raw:
        port = int(site.server.url.rpartition(":")[2])
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # is full soon
        sock.connect(("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 24)
        writer.write(
            b"GET /ua/raw HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n"
            b"connection: upgrade\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    def send(self, opcode: Opcode, data: bytes, *, fin: bool = True) -> None:
        self.writer.write(Frame(opcode, data, fin).serialize(mask=True))

    async def say(self, **members) -> None:
        self.send(Opcode.TEXT, json.dumps(members).encode())
        await self.writer.drain()

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server: opcode and data."""
        async with asyncio.timeout(10):
            first, length = await self.reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            return first & 15, await self.reader.readexactly(length)

    async def closed(self) -> tuple[int, str]:
        """The close frame, whatever comes before; then the connection ends by itself."""
        while True:
            opcode, data = await self.frame()
            if opcode == Opcode.CLOSE:
                break
        async with asyncio.timeout(10):
            with suppress(ConnectionResetError):
                assert await self.reader.read() == b""
        return int.from_bytes(data[:2], "big"), data[2:].decode()


@pytest.fixture
async def raw(site):
    raw = await Raw.open(site)
    yield raw
    raw.writer.close()


async def test_one_that_says_nothing():
    async with impatient(hello_within=0.01) as site, site.open() as browser:
        assert await browser.closed() == (1011, "HandshakeTimeout")


async def test_one_that_has_said_hello_may_say_nothing(site, gateway):
    async with site.connect() as browser:
        assert len(gateway.hellos) == 0
        assert len(gateway.pings) == 2
        await browser.heard_nothing()


@pytest.mark.parametrize(
    "first", [{}, {"messageType": "register", "channelID": str(uuid4())}, {"messageType": "ping"}]
)
async def test_one_that_does_not_say_hello_first(site, first):
    async with site.open() as browser:
        await browser.say(**first)
        assert await browser.closed() == (1011, "SM")


async def test_one_that_says_hello_twice(site):
    async with site.connect() as browser:
        await browser.say("hello")
        assert await browser.closed() == (1011, "SM")


async def test_one_that_says_everything_at_once_is_answered_in_order(site):
    async with site.open() as browser:
        channel = str(uuid4())
        await browser.say("hello")
        await browser.say("register", channelID=channel)
        await browser.say("unregister", channelID=channel)
        await browser.say()
        kinds = [(await browser.hear()).get("messageType") for _ in range(4)]
        assert kinds == ["hello", "register", "unregister", None]


@pytest.mark.parametrize("greeted", [False, True])
@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"messageType":"x"}', "[" * 60_000])
async def test_one_that_talks_nonsense(site, greeted, text):
    async with site.open() as browser:
        if greeted:
            await browser.hello()
        await browser.socket.send(text)
        assert await browser.closed() == (1011, "Json")


@pytest.mark.parametrize("greeted", [False, True])
async def test_one_that_sends_binary(site, greeted):
    async with site.open() as browser:
        if greeted:
            await browser.hello()
        await browser.socket.send(b"\0\1")
        assert await browser.closed() == (1003, "UnsupportedMessage")


async def test_one_that_pings_before_it_says_hello(site):
    async with site.open() as browser:
        await browser.socket.ping()
        assert await browser.closed() == (1003, "UnsupportedMessage")


@pytest.mark.parametrize("fragment", [1_000_000, 65_537, 40_000])
async def test_one_that_sends_too_much(site, fragment):
    async with site.open() as browser:
        await browser.socket.send("x" * size for size in [fragment] * 3)
        assert await browser.closed() == (1002, "Protocol")


async def test_a_text_in_fragments_is_one_text(site):
    async with site.open() as browser:
        text = json.dumps(HELLO)
        await browser.socket.send([text[:5], text[5:9], text[9:]])
        assert (await browser.hear())["messageType"] == "hello"


async def test_one_that_breaks_off_a_text(raw):
    raw.send(Opcode.TEXT, b"{", fin=False)
    raw.send(Opcode.TEXT, b"{}")
    assert await raw.closed() == (1002, "Protocol")


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"\x81\x02{}", id="not masked"),
        pytest.param(b"\xf1\x80\0\0\0\0", id="reserved bits"),
        pytest.param(b"\x83\x80\0\0\0\0", id="reserved opcode"),
        pytest.param(b"\x89\xfe\x00\x7e" + bytes(130), id="a ping of 126 octets"),
        pytest.param(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True), id="no UTF-8"),
        pytest.param(Frame(Opcode.CONT, b"{}").serialize(mask=True), id="nothing to continue"),
        pytest.param(Frame(Opcode.CLOSE, b"\x00").serialize(mask=True), id="half a close code"),
    ],
)
async def test_one_that_breaks_the_protocol(raw, octets):
    raw.writer.write(octets)
    assert await raw.closed() == (1002, "Protocol")


async def test_one_that_sends_noise(raw):
    raw.writer.write(b"\x81" + os.urandom(5000))
    await raw.closed()


async def test_one_that_does_not_answer_the_close_frame_is_cut_off(raw):
    await raw.say(messageType="ping")
    assert await raw.closed() == (1011, "SM")


async def test_one_that_closes_is_answered(raw):
    raw.send(Opcode.CLOSE, b"\x03\xe8bye")
    assert await raw.closed() == (1000, "bye")


async def test_one_that_hangs_up_in_the_middle(site, raw):
    await raw.say(**HELLO)
    await raw.frame()
    raw.writer.write(b"\x81\xfe\x10\x00")
    raw.writer.transport.abort()
    await site.gone("raw")


async def test_one_that_is_gone_without_a_word():
    async with impatient(pong_within=0.01) as site:
        raw = await Raw.open(site)
        await raw.say(**HELLO)
        assert (await raw.frame())[0] == Opcode.TEXT
        assert (await raw.frame())[0] == Opcode.PING
        assert await raw.closed() == (1011, "PongTimeout")
        await site.gone("raw")
        raw.writer.close()


async def test_one_that_answers_pings_stays():
    async with impatient() as site:
        raw = await Raw.open(site)
        await raw.say(**HELLO)
        await raw.frame()
        for _ in range(3):
            assert (await raw.frame())[0] == Opcode.PING
            raw.send(Opcode.PONG, b"")
        assert (await site.api("/user-agents/raw"))["connected"] is True
        raw.writer.close()


async def test_a_pong_that_nobody_asked_for_is_nothing(raw):
    raw.send(Opcode.PONG, b"")
    await raw.say(**HELLO)
    assert (await raw.frame())[0] == Opcode.TEXT


async def test_one_that_floods_is_served_as_it_reads(site):
    async with site.connect() as browser:
        count = 3000
        for _ in range(count):
            await browser.say("unregister", channelID=str(uuid4()))
        for _ in range(count):
            assert (await browser.hear())["status"] == 200


@pytest.mark.parametrize(
    ("opcode", "data"),
    [
        (Opcode.TEXT, b'{"messageType":"unregister","channelID":"%b"}' % str(uuid4()).encode()),
        (Opcode.PING, bytes(125)),
    ],
)
async def test_one_that_floods_and_does_not_read_is_not_read_either(site, raw, opcode, data):
    await raw.say(**HELLO)
    uaid = json.loads((await raw.frame())[1])["uaid"]
    there = site.service.user_agents._links[uaid]._socket
    raw.reader._transport.pause_reading()
    packet = Frame(opcode, data).serialize(mask=True) * 1000
    async with asyncio.timeout(30):
        while not there.paused:
            raw.writer.write(packet)
            await asyncio.sleep(0)
    for _ in range(100):
        raw.writer.write(packet)
        await asyncio.sleep(0)
    async with site.connect() as other:
        await other.heard_nothing()
    assert there.transport.get_write_buffer_size() < 2_000_000


async def test_one_that_never_acknowledges_gets_one_batch(site):
    async with site.connect() as browser:
        _, endpoint = await browser.register()
    await site.gone(browser.uaid)
    for _ in range(25):
        await site.push(endpoint)
    for _ in range(3):
        async with site.connect(browser.uaid) as again:
            await again.notifications(10)
            await again.heard_nothing()
        await site.gone(browser.uaid)
    assert await site.states() == ["pending"] * 25


async def test_one_that_acknowledges_what_it_never_got(site):
    async with site.connect() as browser:
        updates = [{"channelID": str(uuid4()), "version": f"v{n}", "code": n} for n in range(500)]
        await browser.say("ack", updates=updates)
        await browser.say("nack", version="v", code=7)
        await browser.heard_nothing()


async def test_what_a_slow_reader_does_not_read_waits_and_comes_in_the_end(site, raw):
    await raw.say(**HELLO)
    await raw.frame()
    await raw.say(messageType="register", channelID=str(uuid4()))
    endpoint = json.loads((await raw.frame())[1])["pushEndpoint"]
    raw.reader._transport.pause_reading()
    sent, state = 0, "delivered"
    while state == "delivered":
        accepted = await site.push(endpoint, bytes(5600))
        sent += 1
        assert accepted.status_code == 201
        message = accepted.headers["location"].rpartition("/")[2]
        state = (await site.service.storage.message(message)).state
    raw.reader._transport.resume_reading()
    got: set[str] = set()
    while len(got) < sent:
        opcode, data = await raw.frame()
        assert opcode == Opcode.TEXT
        heard = json.loads(data)
        got.add(heard["version"])
        update = {"channelID": heard["channelID"], "version": heard["version"]}
        await raw.say(messageType="ack", updates=[update])


async def test_a_connection_that_is_closed_while_it_is_written_to(site, raw):
    await raw.say(**HELLO)
    await raw.frame()
    await raw.say(messageType="register", channelID=str(uuid4()))
    endpoint = json.loads((await raw.frame())[1])["pushEndpoint"]
    raw.writer.transport.abort()
    for _ in range(20):
        assert (await site.push(endpoint, bytes(5600))).status_code == 201
    await site.gone("raw")
    assert set(await site.states()) == {"pending"}


async def test_of_many_that_come_and_go_nothing_is_left(site, gateway):
    async def one(number: int) -> None:
        async with site.open() as browser:
            if number % 3:
                await browser.hello()
            if number % 3 == 2:
                await browser.say("nonsense")

    await asyncio.gather(*(one(number) for number in range(60)))
    await site.api("/user-agents?connected=false&wait=0")
    while len(gateway.pings) > 1:  # noqa: ASYNC110 - connections that end tell nobody
        await asyncio.sleep(0)
    assert (len(gateway.hellos), len(gateway.pongs)) == (0, 0)
    assert len((await site.api("/user-agents"))["items"]) == 1


async def test_a_mistake_of_ours_ends_one_connection_and_is_told(site, caplog):
    async with site.connect() as browser:

        async def fail(*_):
            raise RuntimeError("a mistake")

        told = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        browser_unregister = site.service.user_agents.unsubscribe
        site.service.user_agents.unsubscribe = fail
        await browser.say("unregister", channelID=str(uuid4()))
        assert await browser.closed() == (1011, "SM")
        site.service.user_agents.unsubscribe = browser_unregister
        assert [str(context["exception"]) for context in told] == ["a mistake"]
