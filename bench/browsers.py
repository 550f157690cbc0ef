"""How long a push takes into a real browser: from the POST to the `push` event of the worker.

    python bench/browsers.py [--messages N] [--json FILE]

The browsers are headless and have received before. The messages are encrypted and signed
beforehand, and go one after another over one connection; the worker says when its event came, by
the clock of the machine, in whole milliseconds.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from urllib.parse import urlsplit

from accept import PAYLOAD, claims
from footprint import serving
from results import Result, tell

from mockpush.client import Control, PushSubscription
from mockpush.client.browsers import Chromium, Firefox
from mockpush.client.transports.http import HttpTransport
from mockpush.protocol import encryption, vapid
from mockpush.protocol.model import base64url_decode
from mockpush.vapid_keys import VapidKeys

LIMIT = 100
"""Milliseconds that the median push may take."""
WARMING = 5
"""Messages that come before those that are measured."""
PATIENCE = 60.0
PAGE = b"<!doctype html><script>navigator.serviceWorker.register('/worker.js')</script>"
WORKER = b"""
addEventListener('push', event => {
  const now = Date.now();
  event.waitUntil(Promise.all([
    registration.showNotification(event.data.text(), {tag: 'one'}),
    fetch('/', {method: 'POST', body: String(now)}),
  ]));
});
"""


class Site(ThreadingHTTPServer):
    """A page with a worker; `told` has the times that the worker tells, in seconds."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.told: SimpleQueue[float] = SimpleQueue()
        self.url = f"http://localhost:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    """Answers the browser."""

    server: Site

    def do_GET(self) -> None:
        """Gives the page or its worker."""
        script = self.path == "/worker.js"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write(WORKER if script else PAGE)

    def do_POST(self) -> None:
        """Hears of an event."""
        length = int(self.headers["Content-Length"])
        self.server.told.put(int(self.rfile.read(length)) / 1000)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not on the terminal."""


@contextmanager
def site() -> Iterator[Site]:
    """A running site."""
    with Site() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def push(connection: HTTPConnection, path: str, token: str, body: bytes) -> None:
    """One message."""
    headers = {"Authorization": token, "Content-Encoding": "aes128gcm", "TTL": "60"}
    connection.request("POST", path, body, headers)
    with connection.getresponse() as answer:
        if answer.status != 201:
            raise RuntimeError(answer.read().decode())


def latencies(
    subscription: PushSubscription, keys: VapidKeys, at: str, told: SimpleQueue[float], count: int
) -> list[float]:
    """Milliseconds that each of so many messages takes."""
    token = vapid.authorization(claims(subscription.endpoint, 0), keys.scalar)
    p256dh, auth = (base64url_decode(each) for each in (subscription.p256dh, subscription.auth))
    bodies = [encryption.encrypt(PAYLOAD, p256dh=p256dh, auth=auth) for _ in range(count)]
    connection = HTTPConnection(urlsplit(at).netloc, timeout=PATIENCE)
    taken = []
    for body in bodies:
        started = time.time()
        push(connection, urlsplit(subscription.endpoint).path, token, body)
        taken.append((told.get(timeout=PATIENCE) - started) * 1000)
    connection.close()
    return taken


def measure(messages: int) -> Iterator[Result]:
    """Both browsers."""
    keys = VapidKeys.generate()
    for kind in (Firefox, Chromium):
        with (
            serving() as (_, ready),
            site() as shop,
            HttpTransport(ready["http"]) as transport,
            kind(Control(transport), application_server_key=keys.public_key) as browser,
        ):
            subscription = browser.subscribe(shop.url)
            taken = latencies(subscription, keys, ready["http"], shop.told, WARMING + messages)
            name = f"{kind.__name__} {browser.version}"
        warm = taken[WARMING:]
        yield Result(f"{name}, median", statistics.median(warm), "ms", LIMIT)
        yield Result(f"{name}, 95 of 100", statistics.quantiles(warm, n=20)[-1], "ms")


if __name__ == "__main__":
    tell(__doc__, measure, messages=100)
