"""Which names the control API answers to, so that no web page can reach it by DNS rebinding.

A page may point a name of its own at this machine, but its requests still carry that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mockpush.errors import ServiceError

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]\\]+)(?::[0-9]*)?")
_ORIGIN: Final = re.compile(r"https?://(.*)")
_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))


class HostGuard:
    """Lets through what is addressed to one of `hosts` or to loopback, on any port (else 403).

    Requests from web pages of other hosts may not change anything, unless `pages` says so; no
    answer has CORS fields, so they cannot read anything either.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = (), *, pages: bool = False) -> None:
        self._app = app
        self._hosts = frozenset((*LOOPBACK, *map(_bracketed, hosts)))
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        for authority in headers.getlist("host") or [""]:
            self._check_host(authority)
        if scope["method"] not in _SAFE and not self._pages:
            for origin in headers.getlist("origin"):
                self._check_origin(origin)
        await self._app(scope, receive, send)

    def _check_host(self, authority: str) -> None:
        name = hostname(authority)
        if not self._knows(name):
            raise ServiceError(
                f"the control API does not answer to the host {authority[:200]!r}: use localhost, "
                f"or start the service with --hostname {name or 'NAME'}",
                status=403,
            )

    def _check_origin(self, origin: str) -> None:
        match = _ORIGIN.fullmatch(origin)
        name = hostname(match[1]) if match else None
        if not self._knows(name):
            raise ServiceError(
                f"pages of {origin[:200]!r} may not change anything here: serve them from "
                f"localhost, or start the service with --hostname {name or 'NAME'}",
                status=403,
            )

    def _knows(self, name: str | None) -> bool:
        return name is not None and (name in self._hosts or name.endswith(".localhost"))


def hostname(authority: str) -> str | None:
    """The name or address of a Host field, without its port; None if it is no host."""
    match = _AUTHORITY.fullmatch(authority)
    return match[1].lower().removesuffix(".") if match else None


def _bracketed(host: str) -> str:
    name = host.lower().removesuffix(".")
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
