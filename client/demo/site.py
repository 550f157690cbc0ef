"""The files of the page, as they are installed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.responses import Response

_HTML: Final = "text/html; charset=utf-8"
_CSS: Final = "text/css; charset=utf-8"
_SCRIPT: Final = "text/javascript; charset=utf-8"
_MANIFEST: Final = "application/manifest+json"
_PNG: Final = "image/png"

FILES: Final[Mapping[str, str]] = {
    "index.html": _HTML,
    "style.css": _CSS,
    "app.js": _SCRIPT,
    "browser.js": _SCRIPT,
    "inbox.js": _SCRIPT,
    "log.js": _SCRIPT,
    "service.js": _SCRIPT,
    "worker.js": _SCRIPT,
    "manifest.webmanifest": _MANIFEST,
    "icon.svg": "image/svg+xml",
    "icon-192.png": _PNG,
    "maskable-512.png": _PNG,
}
"""Each file with its media type."""

_POLICY: Final = (
    "default-src 'self'; connect-src 'self' {url}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page(name: str, url: str) -> Response:
    """The file of this name; everything that the page loads is its own, or at `url`, this server's
    origin by number."""
    policy = {"Content-Security-Policy": _POLICY.format(url=url)}
    headers = {**_HEADERS, **policy, "Content-Type": FILES[name]}
    return Response(_content(name), headers=headers)


@cache
def _content(name: str) -> bytes:
    return (files(__package__) / "site" / name).read_bytes()
