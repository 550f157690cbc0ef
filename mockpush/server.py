"""The push service as a running server: HTTP and HTTPS, endpoints, trust."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from starlette.routing import BaseRoute

from mockpush.http.app import App
from mockpush.http.browsers import Listeners
from mockpush.listeners import Foreign
from mockpush.origins import LISTENER
from mockpush.server_journal import Stray
from mockpush.service import PushService
from mockpush.web_server import WebServer


class Listening(TypedDict, total=False):
    """Where and how it listens; see `WebServer`."""

    host: str
    port: int
    https_port: int
    proxy_port: int | None
    proxy_allow: Sequence[str]
    data_dir: str | os.PathLike[str] | None
    further_https: int


class Server(WebServer):
    """Runs a push service (a new one unless given) on a plain and a TLS port.

    Endpoints are given out under the HTTPS port's `https://localhost:PORT`, or under
    `endpoint_origin` where ports are mapped; `listener` gives a browser that of the port by which
    it comes. `hostnames` join localhost in the certificate and are
    names to which the control API answers. With a `proxy_port` a CONNECT proxy answers for the
    hosts of all vendors. `resources` are answered at paths that are none of the service's own. See
    `WebServer` for the ways to run it.
    """

    def __init__(
        self,
        service: PushService | None = None,
        *,
        hostnames: Sequence[str] = (),
        endpoint_origin: str | None = None,
        resources: Sequence[BaseRoute] = (),
        **listening: Unpack[Listening],
    ) -> None:
        self.service = service or PushService()
        self.app = App(
            self.service,
            hosts=tuple(hostnames),
            ca_pem=self._ca_pem,
            proxy_url=lambda: self.proxy_url,
            listeners=self._listeners,
            resources=resources,
        )
        self._endpoint_origin = endpoint_origin
        self._vendor_hosts = [
            host for profile in self.service.profiles.values() for host in profile.hosts
        ]
        super().__init__(
            self.app,
            hostnames=hostnames,
            certified=self._vendor_hosts,
            on_bound=self._give_out,
            on_stop=(self.service.close, self.app.close),
            on_foreign=self._note,
            **listening,
        )

    def _give_out(self, origins: tuple[str, ...]) -> None:
        own = self._endpoint_origin
        self.service.open(origins if own in (None, LISTENER) else (own,))
        self.service.user_agents.by_listener = own == LISTENER

    def _note(self, what: Foreign, at: float, detail: Mapping[str, str]) -> None:
        self.service.journal.add(Stray(what), at=at, detail=detail)

    def _listeners(self) -> Listeners:
        return Listeners(self.url, self.https_url, self.pin, self._endpoint_origin)

    def _ca_pem(self) -> bytes:
        return self.ca_pem
