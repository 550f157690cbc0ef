"""Connections below HTTP; what they do to real clients is in tests/test_fault_connections.py."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mockpush.protocol.records import WireAnswer
from mockpush.wire import Wire


class Transport:
    """One whose buffer empties as one looks."""

    def __init__(self, sizes=(0,), *, closing: bool = False) -> None:
        self._sizes = list(sizes)
        self._closing = closing
        self.done = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        size = self._sizes.pop(0)
        self.done.append(size)
        return size

    def get_extra_info(self, name: str):
        return SimpleNamespace(setsockopt=lambda *_: self.done.append("linger"))


def wire(transport: Transport) -> Wire:
    return Wire(transport, SimpleNamespace(default_headers=[(b"date", b"today")]))


async def test_flushing_ends_when_everything_is_written_or_nobody_reads_any_more():
    slow, gone = Transport([9, 5, 0, 7]), Transport([9, 5], closing=True)
    await wire(slow).flush()
    await wire(gone).flush()
    assert (slow.done, gone.done) == ([9, 5, 0], [9])


@pytest.mark.parametrize(("closing", "done"), [(False, ["linger", "abort"]), (True, ["abort"])])
def test_a_connection_that_is_gone_can_be_reset_too(closing, done):
    """Its socket cannot be asked for anything any more."""
    transport = Transport(closing=closing)
    wire(transport).reset()
    assert transport.done == done


def test_a_head_has_a_line_for_each_field():
    lines = wire(Transport()).head(WireAnswer(201, ((b"ttl", b"60"),), b"body"))
    assert lines == [b"HTTP/1.1 201 Created\r\n", b"date: today\r\n", b"ttl: 60\r\n", b"\r\n"]
