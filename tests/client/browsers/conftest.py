"""A site with a page and a service worker, and its application server, which pushes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from py_vapid import Vapid02
from pywebpush import WebPushException, webpush

PAGE = b"""<!doctype html><title>shop</title><script>
const greeting = 'hello';
navigator.serviceWorker.register('/worker.js');
</script>"""
WORKER = b"""
addEventListener('install', () => skipWaiting());
addEventListener('activate', event => event.waitUntil(clients.claim()));
self.events = [];
const never = new Promise(() => {});
addEventListener('push', event => event.waitUntil((async () => {
  const text = event.data ? event.data.text() : 'nothing';
  self.trusted = event.isTrusted;
  events.push(text);
  if (text === 'silent') return;
  if (text === 'hang') await never;
  if (text === 'reject') throw new Error('the worker does not want it');
  await registration.showNotification(text, {
    body: 'body', tag: 'tag of ' + text, actions: [{action: 'buy', title: 'Buy it'}],
  });
})()));
addEventListener('push', event => {
  if (event.data?.text() === 'throw') throw new Error('the worker cannot do it');
});
addEventListener('notificationclick', event => {
  event.notification.close();
  event.waitUntil(clients.openWindow('/opened?' + event.action));
});
addEventListener('notificationclose', event => events.push('closed ' + event.notification.title));
"""


CONTENT = {
    "/worker.js": WORKER,
    "/never.js": b"oninstall = event => event.waitUntil(new Promise(() => {}))",
    "/plain": b"<!doctype html><title>plain</title>",
    "/leading": b"<!doctype html><script>location.replace('/led')</script><img src=/plain>",
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        script = self.path.endswith(".js")
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        # Neither inline functions nor eval: the driver has to do without the page's consent.
        self.send_header("Content-Security-Policy", "script-src 'self' 'unsafe-inline'")
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.server.paths.append(self.path)
        self.wfile.write(CONTENT.get(self.path, PAGE))

    def log_message(self, *_: object) -> None:
        """Not on standard error."""


@pytest.fixture(scope="module")
def shop_server() -> Iterator[ThreadingHTTPServer]:
    """It knows the paths for which it was asked; each may be kept for ten minutes."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.paths = []
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def shop(shop_server) -> str:
    """The URL of a page whose service worker shows what is pushed; it has the same in all tests."""
    shop_server.paths.clear()
    return f"http://localhost:{shop_server.server_port}/"


@pytest.fixture
def push(push_vapid) -> Callable[..., int]:
    """Sends a push message as an application server does, and gives the status."""
    vapid = Vapid02.from_string(push_vapid.private_key)

    def send(subscription: dict, data: str | bytes | None = None, **options: object) -> int:
        try:
            answer = webpush(
                dict(subscription),
                data,
                vapid_private_key=vapid,
                vapid_claims={"sub": "mailto:shop@example.com"},
                **{"ttl": 600, **options},
            )
        except WebPushException as error:
            answer = error.response
        return answer.status_code

    return send
