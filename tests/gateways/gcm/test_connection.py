"""MCS connections that go wrong, and what they have in common with those of HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

import pytest

from mockpush.gateways import gcm_connection
from mockpush.gateways.working import Work
from mockpush.protocol.mcs_frames import DataMessage


async def test_a_connection_on_the_https_port_is_recognised_by_its_first_octet(browser, http):
    wire = await browser.connect()
    assert (await http.get("/livez")).status_code == 200
    await wire.settle()


async def test_one_that_speaks_plainly_is_served_too(browser, server):
    """A proxy may have ended the TLS."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    login = browser.login().SerializeToString()
    writer.write(b"\x29\x02" + bytes([len(login) % 128 + 128, len(login) // 128]) + login)
    assert (await reader.readexactly(2)) == b"\x29\x03"
    writer.close()


async def test_one_that_says_nothing_after_its_version_is_closed(browser, google, monkeypatch):
    monkeypatch.setattr(gcm_connection, "LOGIN_WITHIN", 0.01)
    wire = await browser.open()
    wire.writer.write(b"\x29")
    assert await wire.end() == [google.Close()]


async def test_one_that_is_logged_in_may_say_nothing(browser, monkeypatch):
    monkeypatch.setattr(gcm_connection, "LOGIN_WITHIN", 0.1)
    wire, silent = await browser.connect(), await browser.open()
    silent.writer.write(b"\x29")
    assert len(await silent.end()) == 1
    await wire.settle()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x05\x00", "tag 5 while the connection waits for: login"),
        (b"\x00\x00", "HEARTBEAT_PING while the connection waits for: login"),
        (b"\x02\xff\xff\x7f", "a frame of 2097151 octets; 65536 are allowed"),
        (b"\x02\x02\xff\xff", "it ends in the middle of a number"),
        (b"GET / HTTP/1.1\r\n\r\n", "tag 71 while the connection waits for: login"),
    ],
)
async def test_one_that_breaks_the_protocol_is_told_why_and_closed(browser, google, data, reason):
    wire = await browser.open()
    wire.writer.write(b"\x29" + data)
    error, close = await wire.end()
    assert (error.text, close) == (reason, google.Close())


async def test_a_second_login_ends_the_connection(browser, google):
    wire = await browser.connect()
    wire.send(browser.login())
    error, _ = await wire.end()
    assert error.text == "LOGIN_REQUEST while the connection waits for: open"


async def test_a_browser_that_says_goodbye_is_let_go(browser, google):
    wire = await browser.connect()
    wire.send(google.Close())
    assert await wire.end() == []


async def test_the_others_notice_nothing_of_one_that_misbehaves(browser, new_browser):
    token = await browser.register()
    wire = await browser.connect()
    for data in (b"\x29", b"\x29\x02\xff\xff\x7f", b"\x29" + bytes(1000), b"\x29\x02\x05"):
        bad = await new_browser().open()
        bad.writer.write(data)
    await browser.push(token)
    assert (await wire.message()).raw_data == b"body"


async def test_one_that_floods_and_does_not_read_is_not_read_either(
    browser, new_browser, service, google
):
    wire = await browser.connect()
    await browser.register()
    [link] = service.user_agents._links.values()
    wire.writer.transport.pause_reading()
    # The system's own buffers are small, or it takes long to fill them.
    for transport, buffer in (
        (wire.writer.transport, socket.SO_RCVBUF),
        (link._connection.transport, socket.SO_SNDBUF),
    ):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, buffer, 4096)
    packet = b"\x00\x00" * 10_000  # pings
    for _ in range(1000):
        if not link._connection.writable:
            break
        wire.writer.write(packet)
        await asyncio.sleep(0)
    assert not link._connection.writable
    for _ in range(100):
        wire.writer.write(packet)
        await asyncio.sleep(0)
    other = new_browser()
    await other.checkin()
    await (await other.connect()).settle()
    assert link._connection.transport.get_write_buffer_size() < 2_000_000


async def test_one_that_reads_late_gets_everything(browser, service, noise):
    token = await browser.register()
    wire = await browser.connect()
    count = 90
    await asyncio.gather(*(browser.push(token, noise) for _ in range(count)))
    for _ in range(count):
        assert (await wire.message()).raw_data == noise
        wire.acknowledge()
    await wire.settle()
    assert {each.state for each in await service.storage.messages("default")} == {"acknowledged"}


class Transport(asyncio.Transport):
    """Keeps what is written, and whether it would read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.reads = True
        self.closed = False

    def write(self, data) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def begin(browser, server):
    """A connection of which only the protocol is there, and the frame of a login."""

    def begin() -> tuple:
        transport = Transport()
        protocol = server.app.other_protocols[b"\x29"](set())
        protocol.connection_made(transport)
        login = browser.login().SerializeToString()
        size = bytes([len(login) % 128 + 128, len(login) // 128])
        return protocol, transport, b"\x29\x02" + size + login

    return begin


async def test_who_does_not_read_is_neither_written_to_nor_read_from(
    browser, begin, service, until
):
    token = await browser.register()
    protocol, transport, login = begin()
    protocol.pause_writing()
    protocol.resume_writing()
    protocol.data_received(login)

    async def answered() -> bool:
        return bool(transport.written)

    await until(answered)
    protocol.pause_writing()
    assert not transport.reads
    written = len(transport.written)
    await browser.push(token, b"first")
    await browser.push(token, b"second")
    assert len(transport.written) == written
    protocol.resume_writing()
    assert transport.reads
    [link] = service.user_agents._links.values()
    assert not link.ready  # a third one would overtake those that wait

    async def delivered() -> bool:
        return b"second" in transport.written

    await until(delivered)
    assert transport.written.index(b"first") < transport.written.index(b"second")
    assert link.ready
    protocol.resume_writing()
    protocol.connection_lost(None)


async def test_who_goes_before_the_login_is_answered_was_never_there(begin, service, browser):
    protocol, transport, login = begin()
    protocol.data_received(login)
    transport.close()
    for _ in range(10):
        await asyncio.sleep(0)
    assert transport.written == b""
    protocol.connection_lost(None)
    await browser.connect()


async def test_nothing_is_sent_after_a_goodbye(begin, google, until):
    protocol, transport, login = begin()
    protocol.data_received(login + b"\x04\x00")

    async def closed() -> bool:
        return transport.closed

    await until(closed)
    written = bytes(transport.written)
    protocol.send(DataMessage("", ""))
    protocol.flush()
    assert transport.written == written
    protocol.connection_lost(None)


async def test_open_connections_end_when_the_server_stops(browser, server):
    wire = await browser.connect()
    silent = await browser.open()
    silent.writer.write(b"\x29")
    await wire.settle()
    await server.stop()
    assert await wire.end() == []
    with contextlib.suppress(ssl.SSLError):
        assert await silent.end() == []


async def test_work_is_done_once_more_for_all_that_was_asked_meanwhile():
    done, go_on = [], asyncio.Event()

    async def do() -> None:
        done.append(len(done))
        await go_on.wait()

    work = Work(do)
    work.begin()
    await asyncio.sleep(0)
    work.begin()
    work.begin()
    go_on.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert done == [0, 1]
    work.begin()
    for _ in range(3):
        await asyncio.sleep(0)
    assert done == [0, 1, 2]


async def test_what_is_asked_for_just_when_the_work_ends_is_done():
    done = []

    async def do() -> None:
        done.append(len(done))

    work = Work(do)
    work.begin()
    while not done:  # noqa: ASYNC110
        await asyncio.sleep(0)
    work.begin()  # before anybody has noticed that the task is done
    for _ in range(4):
        await asyncio.sleep(0)
    assert done == [0, 1]


async def test_work_that_fails_is_logged_and_can_be_done_again(caplog):
    outcomes = [ZeroDivisionError("broken"), None]

    async def do() -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    work = Work(do)
    work.begin()
    for _ in range(4):
        await asyncio.sleep(0)
    assert "a user agent cannot be served" in caplog.text
    work.begin()
    for _ in range(4):
        await asyncio.sleep(0)
    assert outcomes == []
