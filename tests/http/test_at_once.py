"""A push that need not wait is answered as by ASGI, and recorded alike, over sockets."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from mockpush.connections import MAX_HELD
from mockpush.http.app import App
from mockpush.http.push import KEPT_BODY
from mockpush.protocol import encryption
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import SubscriptionKeys
from mockpush.service import PushService
from mockpush.web_server import WebServer

FOREVER = 30
"""Seconds after which a wait has failed."""

PRIVATE_KEY, P256DH = generate_key_pair()
KEYS = SubscriptionKeys(P256DH, bytes(16), PRIVATE_KEY)
BODY = encryption.encrypt(b"hello", p256dh=P256DH, auth=bytes(16))
FIELDS = (b"TTL: 60", b"Content-Encoding: aes128gcm")
H2C = (b"connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"http2-settings: AAEAAEAA")


class Request(NamedTuple):
    """A request; TOKEN stands for the token of the subscription."""

    lines: tuple[bytes, ...] = FIELDS
    body: bytes = BODY
    target: bytes = b"/push/TOKEN"
    method: bytes = b"POST"
    version: bytes = b"HTTP/1.1"
    length: tuple[bytes, ...] | None = None

    def octets(self, token: str) -> bytes:
        length = self.length
        if length is None:
            length = (b"content-length: %d" % len(self.body),)
        target = self.target.replace(b"TOKEN", token.encode())
        first = b" ".join([self.method, target, self.version])
        return b"\r\n".join([first, b"Host: localhost", *self.lines, *length, b"", self.body])


def with_fields(*lines: bytes) -> Request:
    return Request((*FIELDS, *lines))


def to(target: bytes) -> Request:
    return Request(target=target)


CHUNKS = b"%x\r\n%b\r\n%x;a=b\r\n%b\r\n0\r\n" % (50, BODY[:50], len(BODY) - 50, BODY[50:])
CHUNKED = (b"transfer-encoding: chunked",)

AT_ONCE = {
    "plain": Request(),
    "empty": Request(body=b""),
    "neither body nor length": Request(body=b"", length=()),
    "no fields": Request(lines=()),
    "unknown token": to(b"/push/nowhere"),
    "no token": to(b"/push/"),
    "token with more behind it": to(b"/push/TOKEN/"),
    "odd target": to(b"/push/a;b@c:d~!$&'()*+,=\"<>[]^`{|}//../."),
    "just below what is held": Request(body=bytes(MAX_HELD - 1)),
    "all that is held": Request(body=bytes(MAX_HELD)),
    "doubled": with_fields(b"ttl: 60"),
    "empty fields": with_fields(b"topic:", b"x:"),
    "latin-1": with_fields(b"topic: \xe9", b"x-\x7e: \xff"),
    "white space": Request((b"TTL:\t 60 \t", b"content-encoding:aes128gcm")),
    "bad token": with_fields(b"Authorization: vapid t=a.b.c, k=d"),
    "Java": with_fields(*H2C),
    "another expectation": with_fields(b"Expect: a miracle"),
    "receipt": with_fields(b"Prefer: respond-async", b"Push-Receipt: https://localhost/r/x"),
    "receipt without end": with_fields(b"Prefer: respond-async"),
    "keep-alive": with_fields(b"Connection: keep-alive"),
}
BY_ASGI = {
    "just above what is held": Request(body=bytes(MAX_HELD + 1)),
    "all that is kept": Request(body=bytes(KEPT_BODY)),
    "more than is kept": Request(body=bytes(KEPT_BODY + 1)),
    "chunked": Request(body=CHUNKS + b"\r\n", length=CHUNKED),
    "trailers": Request(FIELDS[1:], CHUNKS + b"TTL: 60\r\n\r\n", length=CHUNKED),
    "100-continue": with_fields(b"Expect: 100-continue"),
    "HTTP/1.0": Request(version=b"HTTP/1.0"),
    "HTTP/1.0 keep-alive": Request((*FIELDS, b"Connection: keep-alive"), version=b"HTTP/1.0"),
    "close": with_fields(b"Connection: close"),
    "page": with_fields(b"Origin: https://app.test"),
    "preflight": Request((b"Origin: https://app.test",), b"", method=b"OPTIONS"),
    "other protocol": with_fields(b"Connection: upgrade", b"Upgrade: TLS/1.0")._replace(body=b""),
    "percent-encoded": to(b"/push/%54OKEN"),
    "percent-encoded slash": to(b"/push/TOKEN%2F"),
    "query": to(b"/push/TOKEN?a=b&c"),
    "empty query": to(b"/push/TOKEN?"),
    "fragment": to(b"/push/TOKEN#a"),
    "absolute": to(b"http://localhost/push/TOKEN"),
    "two slashes": to(b"//push/TOKEN"),
    "elsewhere": to(b"/elsewhere"),
    **{method: Request(method=method.encode()) for method in ("GET", "PUT", "DELETE", "PATCH")},
}
NO_REQUEST = {
    "two lengths": with_fields(b"content-length: 5"),
    "length and chunked": with_fields(*CHUNKED),
    "length that is none": Request(length=(b"content-length: x",)),
    "unknown method": Request(method=b"BREW"),
    "folded": with_fields(b"x: a\r\n b"),
    "target beyond ASCII": to(b"/push/\xe9"),
    "no colon": with_fields(b"x"),
}


NEW_EACH_TIME = (b"date", b"location", b"link")


class Answer(NamedTuple):
    interim: int
    status: bytes
    fields: list[bytes]
    content: bytes


@dataclass
class Side:
    """A server with one subscription; `asked` counts what was answered at once."""

    server: WebServer
    service: PushService
    token: str
    asked: list[bytes]

    def connect(self, *, tls: bool = False) -> socket.socket:
        port = int((self.server.https_url if tls else self.server.url).rpartition(":")[2])
        sock = socket.create_connection(("127.0.0.1", port), timeout=FOREVER)
        return (
            self.server.ssl_context.wrap_socket(sock, server_hostname="localhost") if tls else sock
        )

    def records(self, after: int, strays: int) -> list:
        """What the requests after these left, but for what is new each time."""
        storage = self.service.storage
        kept = list(self.server.submit(storage.requests("default", after=after)).result())
        stray = [each.record for each in self.service.journal.entries()[strays:]]
        return [self._shown(each) for each in kept + stray]

    def _shown(self, record) -> tuple:
        request, answer = record.request, record.answer
        headers = [line for line in answer.headers if line[0] not in NEW_EACH_TIME]
        target = request.target.replace(self.token, "TOKEN")
        return (
            *(request.method, target, request.http_version, list(request.headers), request.body),
            *(record.inspection.body_size, record.inspection.findings, record.judgement.codes),
            *(answer.status, headers, answer.body, record.message is None),
        )

    def last(self) -> tuple[int, int]:
        """Numbers of the last request and of the requests to nowhere."""
        requests = self.server.submit(self.service.storage.requests("default")).result()
        return (requests[-1].id if requests else 0), len(self.service.journal.entries())


def side(*, at_once: bool) -> Side:
    service = PushService()
    app = App(service)
    asked: list[bytes] = []
    if at_once:
        app.at_once = Observed(app.at_once, asked)
    else:
        del app.at_once
    server = WebServer(app, http="httptools", on_bound=service.open)
    server.start_in_thread()
    subscription = server.submit(service.subscribe(keys=KEYS)).result()
    return Side(server, service, subscription.token, asked)


class Observed:
    """Notes the targets of what is answered at once."""

    def __init__(self, at_once, asked) -> None:
        self.prefixes, self._at_once, self._asked = at_once.prefixes, at_once, asked

    def __call__(self, target, headers, body):
        answer = self._at_once(target, headers, body)
        if answer is not None:
            self._asked.append(target)
        return answer


@pytest.fixture(scope="module")
def sides():
    both = side(at_once=True), side(at_once=False)
    yield both
    for each in both:
        each.server.stop_thread()


def read_answer(file, interim: int = 0) -> Answer | None:
    """The next answer without its date and what has a new id each time; None at the end."""
    status = file.readline()
    if not status:
        return None
    fields = []
    while line := file.readline().rstrip():
        fields.append(line)
    if b" 100 " in status:
        return read_answer(file, interim + 1)
    length = sum(int(line[16:]) for line in fields if line.startswith(b"content-length: "))
    kept = [line for line in fields if line.partition(b": ")[0] not in NEW_EACH_TIME]
    return Answer(interim, status.rstrip(), kept, file.read(length))


def converse(side: Side, request: Request, *, tls: bool) -> tuple[list[Answer | None], list]:
    """The answer, that to a push behind it unless the connection is closed, and the records."""
    closing = with_fields(b"Connection: close")
    before = side.last()
    with side.connect(tls=tls) as sock, sock.makefile("rb") as file:
        sock.sendall(request.octets(side.token))
        answers = [read_answer(file)]
        if b"connection: close" not in answers[-1].fields:
            sock.sendall(closing.octets(side.token))
            answers.append(read_answer(file))
        assert read_answer(file) is None
    return answers, side.records(*before)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("name", [*AT_ONCE, *BY_ASGI, *NO_REQUEST])
def test_the_same_request_gets_the_same_answer_and_leaves_the_same_record(sides, name, tls):
    request = (AT_ONCE | BY_ASGI | NO_REQUEST)[name]
    sides[0].asked.clear()
    here, there = (converse(each, request, tls=tls) for each in sides)
    assert here == there
    assert len(sides[0].asked) == (name in AT_ONCE)
    if name in NO_REQUEST:
        assert here[0][0].status == b"HTTP/1.1 400 Bad Request"


PIPELINES = [
    ["plain", "plain"],
    ["plain", "unknown token", "doubled"],
    ["elsewhere", "plain", "no fields"],
    ["plain", "empty", "elsewhere"],
    ["chunked", "plain", "page", "plain"],
    ["more than is kept", "plain", "query", "GET", "plain"],
]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("names", PIPELINES, ids=", ".join)
def test_requests_in_one_piece_are_answered_in_their_order(sides, names, tls):
    requests = [(AT_ONCE | BY_ASGI)[name] for name in names]
    found = []
    for side in sides:
        before = side.last()
        with side.connect(tls=tls) as sock, sock.makefile("rb") as file:
            sock.sendall(b"".join(each.octets(side.token) for each in requests))
            answers = [read_answer(file) for _ in names]
        found.append((answers, side.records(*before)))
    assert found[0] == found[1]
    expected = [converse(sides[1], each, tls=tls)[0][0] for each in requests]
    assert found[0][0] == expected


def test_a_body_shorter_than_announced_is_no_push(sides):
    side = sides[0]
    before = side.last()
    with side.connect() as sock:
        sock.sendall(Request().octets(side.token)[:-1])
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1000) == b""
    assert side.records(*before) == []


def test_a_server_that_stops_does_not_wait_for_the_rest_of_a_body():
    one = side(at_once=True)
    octets = Request().octets(one.token)
    with one.connect() as sock:
        sock.sendall(octets + octets[:-1])
        assert sock.recv(12) == b"HTTP/1.1 201"  # so that the server has seen both
        one.server.stop_thread()
        while sock.recv(1000):
            pass
    assert one.asked == [f"/push/{one.token}".encode()]
