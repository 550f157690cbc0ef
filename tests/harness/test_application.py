"""Senders that are applications."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness import patience
from mockpush.harness.application import Application
from mockpush.harness.errors import SenderError
from mockpush.harness.processes import LINE_LIMIT
from mockpush.harness.sender import ApplicationSender

JOB = b'{"op": "send"}'
RESULT = b'{"ok": true}'
LONG = 30.0
SHORT = 2.0
"""Seconds in which even a busy machine gets a request out."""


def http(body: bytes, *, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), size, body)


class Stub:
    """Answers each connection with the same octets, and keeps it open if told to."""

    def __init__(self, answer: bytes, *, hold: bool) -> None:
        self._answer = answer
        self._hold = hold
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/push?x=1"
        self.requests: list[bytes] = []
        self.asked = threading.Event()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self._exchange(connection)

    def _exchange(self, connection: socket.socket) -> None:
        request = b""
        while not request.endswith(JOB):
            if not (part := connection.recv(1 << 16)):
                return
            request += part
        self.requests.append(request)
        connection.sendall(self._answer)
        self.asked.set()
        while self._hold and connection.recv(1 << 16):
            pass
        self.ended.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def stub() -> Iterator[Callable[..., Stub]]:
    stubs = []

    def start(answer: bytes, *, hold: bool = False) -> Stub:
        stubs.append(Stub(answer, hold=hold))
        return stubs[-1]

    yield start
    for each in stubs:
        each.close()


def test_the_job_is_posted_as_json_and_the_answer_is_the_result(stub):
    server = stub(http(RESULT))
    assert Application(server.url).ask(JOB, timeout=LONG) == RESULT
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /push?x=1 HTTP/1.1\r\n")
    assert b"content-type: application/json" in head.lower()
    assert body == JOB


def test_who_takes_the_limit_for_its_own_has_time_to_say_so(stub, monkeypatch):
    monkeypatch.setattr(patience, "MARGIN", 1000 * LONG)
    server = stub(http(RESULT))
    assert Application(server.url).ask(JOB, timeout=0.001) == RESULT


def test_each_job_is_a_request_of_its_own(stub):
    server = stub(http(RESULT))
    application = Application(server.url)
    for _ in range(2):
        assert application.ask(JOB, timeout=LONG) == RESULT
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (http(b"oops", status="500 Internal Server Error"), "500 Internal Server Error: 'oops'"),
        (http(b"", status="302 Found"), "answered 302 Found"),
        (http(b"x", length=100), "cannot be read: IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}", "cannot be read"),
        (b"SSH-2.0-OpenSSH\r\n", "cannot be read: BadStatusLine"),
        (b"", "cannot be read: RemoteDisconnected"),
        (http(b"x" * (LINE_LIMIT + 1)), f"more than {LINE_LIMIT} octets"),
    ],
)
def test_an_answer_that_is_none_is_named(stub, answer, text):
    with pytest.raises(SenderError, match=text):
        Application(stub(answer).url).ask(JOB, timeout=LONG)


@pytest.mark.parametrize("answer", [b"", http(b"{", length=100)])
def test_an_answer_that_does_not_end_is_not_waited_for(stub, answer):
    server = stub(answer, hold=True)
    with pytest.raises(SenderError, match=r"did not answer within 2 s"):
        Application(server.url).ask(JOB, timeout=SHORT)
    assert server.ended.wait(LONG)


def test_an_application_that_is_not_there_is_named():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(SenderError, match=f"cannot be reached at {url}: .*refused"):
        Application(url).ask(JOB, timeout=LONG)


def test_closing_from_another_thread_ends_the_job_under_way(stub):
    server = stub(b"", hold=True)
    application = Application(server.url)
    threading.Thread(target=lambda: server.asked.wait() and application.close()).start()
    with pytest.raises(SenderError, match="cannot be read"):
        application.ask(JOB, timeout=LONG)


def test_closing_before_any_job_is_no_error():
    Application("http://127.0.0.1:1").close()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://"])
def test_what_is_no_url_of_an_application_is_refused(url):
    with pytest.raises(ConfigurationError, match="--app takes an http: or https: URL"):
        ApplicationSender(url)
