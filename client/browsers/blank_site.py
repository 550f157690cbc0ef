"""A page for who has none: its service worker shows what is pushed as a notification."""

from __future__ import annotations

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

_PAGE: Final = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>mockpush</title>
<script>navigator.serviceWorker.register('/worker.js')</script>
"""
_WORKER: Final = b"""'use strict';
addEventListener('install', () => skipWaiting());
addEventListener('activate', event => event.waitUntil(clients.claim()));
addEventListener('push', event => event.waitUntil(
  registration.showNotification(event.data ? event.data.text() : 'push')));
addEventListener('notificationclick', event => {
  event.notification.close();
  event.waitUntil(clients.openWindow('/clicked'));
});
"""
_RESOURCES: Final[Mapping[str, tuple[str, bytes]]] = {
    "/": ("text/html; charset=utf-8", _PAGE),
    "/clicked": ("text/html; charset=utf-8", _PAGE),
    "/worker.js": ("text/javascript; charset=utf-8", _WORKER),
}


class BlankSite:
    """Serves the page at `url` from when that is read for the first time until `close()`."""

    def __init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """The page, in a secure context."""
        if self._server is None:
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
            Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://localhost:{self._server.server_port}/"

    def close(self) -> None:
        """Ends the server."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answers with a resource."""
        found = _RESOURCES.get(self.path)
        if found is None:
            self.send_error(404)
            return
        kind, content = found
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name of the base
        """Not on standard error."""
