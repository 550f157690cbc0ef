"""Known heads: what is recalled is what the parser would have told."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.known_heads import MAX_HEADS, MAX_LENGTH, KnownHeads, Request

BODY = b"\x00body\r\n\r\n"


class Parsed:
    """What httptools tells of a packet."""

    def __init__(self, packet: bytes) -> None:
        self.target, self.body, self.headers, self.complete = b"", b"", [], 0
        httptools.HttpRequestParser(self).feed_data(packet)

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1

    @property
    def request(self) -> Request:
        return Request(self.target, self.headers, self.body)


def packet(token: bytes = b"vapid t=a, k=b", *fields: bytes, name=b"Authorization", body=BODY):
    lines = [
        b"POST /push/x HTTP/1.1",
        b"Host: localhost",
        b"%b: %b" % (name, token),
        b"TTL: 60",
        *fields,
        b"Content-Length: %d" % len(body),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def taught(*packets: bytes) -> KnownHeads:
    heads = KnownHeads()
    for each in packets:
        heads.learn(each, Parsed(each).request)
    return heads


@pytest.mark.parametrize("name", [b"Authorization", b"authorization"])
def test_a_head_with_another_token_and_body_is_known(name):
    heads = taught(packet(name=name))
    other = packet(b"vapid t=other, k=c", name=name, body=BODY[::-1])
    assert heads.recall(other) == Parsed(other).request


@pytest.mark.parametrize(
    "other",
    [
        packet(b"x", b"Topic: a"),
        packet(b"x", body=BODY + b"."),
        packet(b"x") + b".",
        packet(b"x") + packet(b"y"),
        packet(b"x")[:-1],
        packet(b"x", name=b"AUTHORIZATION"),
        packet(b"x", name=b"Proxy-Authorization"),
        packet(b" x"),
        packet(b"x "),
        packet(b"x\ty"),
        packet(b"x\x00"),
        packet(b"x\xff"),
        packet(b"x\r\n y"),
        packet(b"x\ny"),
        packet(b"x", b"Authorization: y"),
        packet(b"x").replace(b"POST", b"PUT"),
        packet(b"x").replace(b"/push/x", b"/push/y"),
        packet(b"x").replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"",
        b"uthorization: ",
        b"\r\n\r\nuthorization: \r",
    ],
)
def test_what_may_mean_something_else_is_not_known(other):
    assert taught(packet()).recall(other) is None


@pytest.mark.parametrize(
    "first",
    [
        packet(name=b"X-Authorization"),
        packet(b"x", b"Authorization: y"),
        packet(b"x", b"Note: a" + b"b" * MAX_LENGTH),
        packet(b"x") + b"GET",
        packet()
        .replace(b"TTL: 60", b"Note: Authorization: vapid")
        .replace(b"Authorization: v", b"X: v", 1),
    ],
)
def test_what_is_not_sure_is_not_learned(first):
    heads = KnownHeads()
    heads.learn(first, Request(b"/push/x", Parsed(first.removesuffix(b"GET")).headers, BODY))
    assert heads.recall(first) is None


def test_what_the_parser_has_read_otherwise_is_not_learned():
    heads = KnownHeads()
    heads.learn(packet(b"x"), Parsed(packet(b"y")).request)
    assert heads.recall(packet(b"x")) is None


def test_a_bounded_number_is_known_the_newest():
    packets = [packet(b"x", b"Number: %d" % number) for number in range(MAX_HEADS + 1)]
    heads = taught(*packets)
    assert [heads.recall(each) is not None for each in (*packets[:2], packets[-1])] == [
        False,
        True,
        True,
    ]


visible = st.binary(max_size=20).map(lambda text: bytes(32 + octet % 96 for octet in text))
anything = st.one_of(visible, st.binary(max_size=12))


@given(
    fields=st.lists(st.sampled_from([b"Topic: a", b"X:  y ", b"Empty:", b"a: b: c"]), max_size=3),
    token=anything,
    body=st.sampled_from([BODY, b"", BODY[::-1]]),
)
def test_whatever_is_recalled_is_what_the_parser_tells(fields, token, body):
    other = packet(token, *fields, body=body)
    heads = taught(packet(b"first", *fields), packet(b"first", *fields, body=b""))
    recalled = heads.recall(other)
    if recalled is not None:
        assert recalled == Parsed(other).request
        assert Parsed(other).complete == 1
