"""A real Chromium, headless and as it comes: it subscribes, receives and unsubscribes.

Messages are sent by pywebpush to the own origin: the one that the browser shows is Google's.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import queue
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from pywebpush import WebPushException, webpush
from websockets.sync.client import connect

from mockpush.server import Server

pytestmark = pytest.mark.needs_chromium

PATIENCE = 60
"""Seconds for the slowest step, the first subscription on a busy machine."""
PAGE = b"""<!doctype html><title>push</title><script>
async function subscribe(applicationServerKey) {
  const registration = await navigator.serviceWorker.register('/worker.js');
  await navigator.serviceWorker.ready;
  const options = {userVisibleOnly: true, applicationServerKey};
  return (await registration.pushManager.subscribe(options)).toJSON();
}
async function unsubscribe() {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.pushManager.getSubscription()).unsubscribe();
}
</script>"""
WORKER = b"""
self.addEventListener('push', event => event.waitUntil((async () => {
  const text = event.data ? event.data.text() : null;
  await self.registration.showNotification(text || 'nothing');
  await fetch('/', {method: 'POST', body: JSON.stringify({text, trusted: event.isTrusted})});
})()));
"""


class Handler(BaseHTTPRequestHandler):
    """The site, and what its worker tells it."""

    def do_GET(self) -> None:
        script = self.path == "/worker.js"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write(WORKER if script else PAGE)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.told.put(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not on standard error."""


@pytest.fixture
def site() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as site:
        site.told = queue.Queue()
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site
        site.shutdown()


class Page:
    """A tab, over the DevTools protocol."""

    def __init__(self, socket: Any, url: str) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._call("Page.enable")
        self._call("Page.navigate", url=url)
        while self._receive().get("method") != "Page.loadEventFired":
            pass

    def _receive(self) -> dict[str, Any]:
        return json.loads(self._socket.recv(PATIENCE))

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": number, "method": method, "params": params, **session}
        self._socket.send(json.dumps(message))
        while (answer := self._receive()).get("id") != number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or of its promise."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")


def pin(server: Server) -> str:
    """The hash of the server's public key."""
    address = ("127.0.0.1", int(server.https_url.rpartition(":")[2]))
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate(address).encode())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


class Chromium:
    """One profile, with the permission for notifications."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._profile = folder / "profile"
        (self._profile / "Default").mkdir(parents=True)
        settings = {"profile": {"default_content_setting_values": {"notifications": 1}}}
        (self._profile / "Default/Preferences").write_text(json.dumps(settings))
        self._port = self._profile / "DevToolsActivePort"
        self._environment = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}
        named = f"{server.url}/ua/chromium/gcm"
        self._command = [
            shutil.which("chromium") or "chromium",
            "--headless=new",
            "--remote-debugging-port=0",
            "--no-first-run",
            "--password-store=basic",
            f"--user-data-dir={self._profile}",
            f"--gcm-checkin-url={named}/checkin",
            f"--gcm-registration-url={named}/register3",
            f"--gcm-mcs-endpoint={server.https_url.replace('localhost', '127.0.0.1')}",
            f"--ignore-certificate-errors-spki-list={pin(server)}",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "about:blank",
        ]

    @contextmanager
    def running(self) -> Iterator[Any]:
        """Started, with a socket for its DevTools; nothing is left of it afterwards."""
        self._port.unlink(missing_ok=True)
        process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with connect(self._devtools(process), max_size=None) as socket:
                yield socket
                socket.send('{"id": 0, "method": "Browser.close"}')
            process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _devtools(self, process: subprocess.Popen[bytes]) -> str:
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            lines = self._port.read_text().split() if self._port.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            time.sleep(0.02)
        raise AssertionError("Chromium has not started")


class World:
    """A service, a browser, a site, and its application server."""

    def __init__(self, server: Server, site: ThreadingHTTPServer, folder: Path) -> None:
        self.server = server
        self.told: queue.Queue[dict[str, Any]] = site.told
        self.url = f"http://localhost:{site.server_port}/"
        self.chromium = Chromium(server, folder)
        self._vapid = Vapid02()
        self._vapid.generate_keys()
        point = self._vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.key = base64.urlsafe_b64encode(point).rstrip(b"=").decode()
        self.subscription: dict[str, Any] = {}

    def subscribe(self, page: Page) -> str:
        """The endpoint that the browser shows; pushes go to the own origin."""
        self.subscription = page.evaluate(f"subscribe('{self.key}')")
        shown = self.subscription["endpoint"]
        token = shown.rpartition("/")[2]
        self.subscription["endpoint"] = f"{self.server.https_url}/fcm/send/{token}"
        return shown

    def push(self, data: str | None, ttl: int = 600, **options: Any) -> int:
        """The status."""
        with self.server.trusted():
            try:
                answer = webpush(
                    self.subscription,
                    data,
                    ttl=ttl,
                    vapid_private_key=self._vapid,
                    vapid_claims={"sub": "mailto:a@example.com"},
                    timeout=PATIENCE,
                    **options,
                )
            except WebPushException as error:
                return error.response.status_code
        return answer.status_code

    def event(self) -> str | None:
        """What the next push event brought."""
        told = self.told.get(timeout=PATIENCE)
        assert told["trusted"]
        return told["text"]

    def api(self, path: str, method: str = "GET") -> Any:
        url = f"{self.server.url}/_mockpush/v1{path}"
        with urlopen(Request(url, method=method)) as answer:
            return json.load(answer)

    def messages(self, state: str, count: int) -> list[Any]:
        """Waits until so many messages are in this state."""
        found = self.api(f"/messages?state={state}&wait={count}&timeout={PATIENCE}")["items"]
        assert len(found) == count
        return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short name: Chromium puts a socket there, whose path may have 108 characters."""
    with tempfile.TemporaryDirectory(prefix="push-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture
def world(site, folder) -> Iterator[World]:
    with Server().running() as server:
        yield World(server, site, folder)


def test_it_subscribes_receives_and_unsubscribes(world):
    with world.chromium.running() as devtools:
        page = Page(devtools, world.url)
        shown = world.subscribe(page)
        assert shown.startswith(("https://jmt17.google.com/", "https://fcm.googleapis.com/"))
        for data, options in (
            ("now or never", {"ttl": 0}),
            ("wörld", {}),
            ("x" * 3993, {}),
            ("the draft", {"content_encoding": "aesgcm"}),
            (None, {}),
        ):
            assert world.push(data, **options) == 201
            assert world.event() == data
        world.messages("acknowledged", 5)

        world.api("/user-agents/chromium/offline", "POST")
        for data in ("1", "2"):
            assert world.push(data, headers={"Topic": "t"}) == 201
        world.messages("pending", 1)
        world.api("/user-agents/chromium/online", "POST")
        assert world.event() == "2"
        world.messages("acknowledged", 6)

        assert page.evaluate("unsubscribe()") is True
        assert world.push("too late") == 410
    assert world.told.empty()


def test_what_was_sent_while_it_was_closed_arrives_when_it_is_started_again(world):
    with world.chromium.running() as devtools:
        world.subscribe(Page(devtools, world.url))
        assert world.push("first") == 201
        assert world.event() == "first"
        world.messages("acknowledged", 1)
    world.api(f"/user-agents?id=chromium&online=false&wait=1&timeout={PATIENCE}")
    for data in ("1", "2"):
        assert world.push(data, headers={"Topic": "t"}) == 201
    assert world.push("now or never", ttl=0) == 201
    with world.chromium.running():
        assert world.event() == "2"
        world.messages("acknowledged", 2)
    assert world.told.empty()
    assert {each["state"] for each in world.api("/messages")["items"]} == {
        "acknowledged",
        "replaced",
        "dropped",
    }
