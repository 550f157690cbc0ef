"""The DevTools protocol, spoken with a browser that says what the test wants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from mockpush import errors
from mockpush.client.browsers.cdp import GONE, Cdp, Event


class Browser:
    """The other side of a connection."""

    def __init__(self) -> None:
        self._sockets: Queue[ServerConnection] = Queue()
        self._done: Queue[None] = Queue()
        self._socket: ServerConnection | None = None

    def serve(self, socket: ServerConnection) -> None:
        self._sockets.put(socket)
        self._done.get()

    @property
    def socket(self) -> ServerConnection:
        if self._socket is None:
            self._socket = self._sockets.get(timeout=10)
        return self._socket

    def hear(self) -> dict[str, Any]:
        return json.loads(self.socket.recv(10))

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def answer(self, **answer: Any) -> Thread:
        """Answers the next command, whenever that comes."""

        def run() -> None:
            self.say(id=self.hear()["id"], **answer)

        thread = Thread(target=run)
        thread.start()
        return thread

    def leave(self) -> None:
        self._done.put(None)


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    with serve(browser.serve, "127.0.0.1", 0) as server:
        browser.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield browser
        browser.leave()
        server.shutdown()
        thread.join()


@pytest.fixture
def cdp(browser) -> Iterator[Cdp]:
    cdp = Cdp(browser.url)
    yield cdp
    browser.leave()
    cdp.close()


def test_a_command_returns_its_own_answer(browser, cdp):
    def answer() -> None:
        message = browser.hear()
        assert message["method"] == "Page.navigate"
        assert (message["sessionId"], message["params"]) == ("s", {"url": "u"})
        browser.say(id=message["id"] + 100, result={"whose": "another's"})
        browser.say(id=message["id"], result={"whose": "mine"})

    thread = Thread(target=answer)
    thread.start()
    assert cdp.call("Page.navigate", "s", url="u") == {"whose": "mine"}
    thread.join()


def test_what_a_command_fails_with_is_raised(browser, cdp):
    thread = browser.answer(error={"message": "no such target"})
    with pytest.raises(errors.BrowserError, match=r"Target\.x: no such target"):
        cdp.call("Target.x")
    thread.join()


def test_who_gives_no_answer_is_not_waited_for(browser, cdp):
    with pytest.raises(errors.BrowserError, match=r"no answer within 0\.01 s"):
        cdp.call("Page.x", timeout=0.01)


def test_a_browser_that_has_gone_is_told(browser, cdp):
    leaving = Thread(target=lambda: (browser.hear(), browser.leave()))
    leaving.start()
    for _ in range(2):  # what is on its way, and what comes afterwards
        with pytest.raises(errors.BrowserError, match="the browser has gone"):
            cdp.call("Page.x")
    leaving.join()


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"text": "Uncaught", "exception": {"description": "Error: no"}}, "Error: no"),
        ({"text": "Uncaught", "exception": {"value": 1}}, "Uncaught"),
        ({"text": "SyntaxError"}, "SyntaxError"),
    ],
)
def test_what_a_script_throws_is_raised(browser, cdp, details, told):
    thread = browser.answer(result={"exceptionDetails": details})
    with pytest.raises(errors.ScriptError, match=told):
        cdp.evaluate("s", "x")
    thread.join()


def test_listeners_may_give_commands(browser, cdp):
    heard: Queue[tuple[str, str | None]] = Queue()
    cdp.listen({"A.b": lambda event: heard.put((cdp.call("C.d")["said"], event.session))})
    browser.say(method="E.f", params={})
    browser.say(method="A.b", params={}, sessionId="s")
    browser.answer(result={"said": "yes"}).join()
    assert heard.get(timeout=10) == ("yes", "s")


@pytest.mark.parametrize("kind", [errors.BrowserError, KeyError])
def test_what_a_listener_fails_with_is_told(browser, cdp, kind):
    failed: Queue[None] = Queue()

    def fail(_: object) -> None:
        failed.put(None)
        raise kind("the listener's")

    cdp.listen({"A.b": fail, "A.c": lambda _: failed.put(None)})
    browser.say(method="A.b", params={})
    browser.say(method="A.c", params={})
    for _ in range(2):
        failed.get(timeout=10)
    with pytest.raises(errors.BrowserError, match="the listener's"):
        cdp.check()


def test_a_command_of_a_session_that_ends_is_not_waited_for(browser, cdp):
    def leave() -> None:
        browser.hear()
        browser.say(method="Target.detachedFromTarget", params={"sessionId": "another"})
        browser.say(method="Target.detachedFromTarget", params={"sessionId": "s"})

    leaving = Thread(target=leave)
    leaving.start()
    with pytest.raises(errors.BrowserError, match=r"Page\.x: what it was for is closed"):
        cdp.call("Page.x", "s")
    leaving.join()


def test_what_has_gone_needs_nothing_of_a_listener(browser, cdp):
    heard: Queue[None] = Queue()
    cdp.listen({"A.b": lambda _: cdp.call("C.d", "s"), "A.c": heard.put})
    browser.say(method="A.b", params={})
    browser.answer(error={"code": -32001, "message": "Session with given id not found."}).join()
    browser.say(method="A.c", params={})
    heard.get(timeout=10)
    cdp.check()


def test_listeners_hear_last_that_the_browser_has_gone(browser, cdp):
    heard: Queue[Event] = Queue()
    cdp.listen({GONE: heard.put})
    assert browser.socket
    browser.leave()
    assert heard.get(timeout=10).method == GONE


def test_where_no_browser_listens_is_told():
    with pytest.raises(errors.BrowserError, match="no connection to the browser at ws://127"):
        Cdp("ws://127.0.0.1:1/")
