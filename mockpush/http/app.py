"""The ASGI application: push resources first, by a table of prefixes; the rest is Starlette's.

At a vendor's own host an endpoint may have another path than here, which only the Host field tells.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from mockpush.gateways import gcm, monitor
from mockpush.gateways.autopush import Autopush
from mockpush.http import control
from mockpush.http.browsers import Listeners
from mockpush.http.hosts import hostname
from mockpush.http.push import PushResource
from mockpush.origins import is_one_of
from mockpush.protocol.records import WireAnswer
from mockpush.service import PushService

if TYPE_CHECKING:
    from mockpush.gateways.desktop_connection import Desktops

DESKTOPS: Final = sys.platform == "linux"
"""Whether browsers show notifications over D-Bus here, and there are abstract sockets."""


class App:
    """All of the service over HTTP.

    `hosts`: the names to which the control API answers besides loopback's. `ca_pem`: gives the
    certificate of the service's own authority, if it has one; `proxy_url` the proxy that answers
    for the hosts of the vendors; `listeners` are for browsers. `resources` are others' routes,
    behind all of its own.
    """

    def __init__(
        self,
        service: PushService,
        *,
        hosts: tuple[str, ...] = (),
        ca_pem: Callable[[], bytes] | None = None,
        proxy_url: Callable[[], str | None] = lambda: None,
        listeners: Callable[[], Listeners | None] = lambda: None,
        resources: Sequence[BaseRoute] = (),
    ) -> None:
        self.service = service
        self._push = tuple(
            (prefix, PushResource(service, profile, prefix))
            for profile in service.profiles.values()
            for prefix in profile.prefixes
        )
        self._at_hosts = tuple(
            (profile.hosts, prefix, PushResource(service, profile, prefix))
            for profile in service.profiles.values()
            for prefix in profile.host_prefixes
        )
        self._desktops: Desktops | None = None
        chromium = gcm.Gcm(service)
        self._rest = control.application(
            service,
            hosts=hosts,
            ca_pem=ca_pem,
            proxy_url=proxy_url,
            listeners=listeners,
            desktop=self._desktop,
            resources=[*monitor.routes(service), *chromium.routes, *resources],
        )
        self.at_once = AtOnce(self._push)
        self.web_sockets = Autopush(service)
        self.other_protocols = {gcm.FIRST_OCTET: chromium.connect}

    async def close(self) -> None:
        """Ends what browsers show; connections are ended by the server."""
        if self._desktops is not None:
            await self._desktops.close()

    async def _desktop(self, user_agent: str) -> str | None:
        """Where a user agent shows its notifications, if it can; loaded for the first that does."""
        if not DESKTOPS:
            return None
        if self._desktops is None:
            from mockpush.gateways.desktop_connection import Desktops

            self._desktops = Desktops(self.service)
        return await self._desktops.address(user_agent)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection scope."""
        if scope["type"] == "http":
            path: str = scope["path"]
            for prefix, resource in self._push:
                if path.startswith(prefix) and not _is_internal(scope):
                    await resource(scope, receive, send)
                    return
            at_host = self._at_host(scope)
            if at_host is not None:
                await at_host(scope, receive, send)
                return
        await self._rest(scope, receive, send)

    def _at_host(self, scope: Scope) -> PushResource | None:
        host = hostname(Headers(scope=scope).get("host", "")) or ""
        for hosts, prefix, resource in self._at_hosts:
            if scope["path"].startswith(prefix) and is_one_of(host, hosts):
                return resource
        return None


_INTERNAL: Final = re.compile(r"/push/[0-9a-f]{32}")


def _is_internal(scope: Scope) -> bool:
    """Whether it is how Mozilla's servers hand messages to each other: not on a public port (404).

    No token of ours looks like that.
    """
    return scope["method"] == "PUT" and _INTERNAL.fullmatch(scope["path"]) is not None


class AtOnce:
    """Pushes that need not wait for anything, without ASGI (`connections.AtOnce`)."""

    def __init__(self, resources: Sequence[tuple[str, PushResource]]) -> None:
        self.prefixes = tuple(prefix.encode() for prefix, _ in resources)
        self._resources = resources

    def __call__(
        self, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> WireAnswer | None:
        """The answer to a POST to a target that begins with one of the prefixes."""
        text = str(target, "latin-1")
        if not _is_plain(text):
            return None
        for prefix, resource in self._resources:
            if text.startswith(prefix):
                return resource.answer_at_once(text, headers, body)
        return None


def _is_plain(target: str) -> bool:
    """Whether it is a path without anything that is to be decoded, and no query."""
    return target.isascii() and not ("%" in target or "?" in target or "#" in target)
