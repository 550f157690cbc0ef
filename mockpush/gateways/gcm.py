"""Chromium's push service: Google Cloud Messaging, as an unmodified browser speaks it.

Three flags point a Chromium here: `--gcm-checkin-url`, `--gcm-registration-url` and
`--gcm-mcs-endpoint`. The third is the HTTPS port: MCS connections begin with an octet that no HTTP
request can begin with. Below `/ua/<id>` the first two say which user agent it is.

What the protocol needs is loaded for the first browser that comes.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockpush.gateways.deadlines import Deadlines
from mockpush.gateways.exchange import Resource
from mockpush.service import PushService

if TYPE_CHECKING:
    from mockpush.gateways.gcm_connection import McsConnection
    from mockpush.gateways.gcm_devices import Devices

CHECKIN: Final = "/gcm/checkin"
REGISTER: Final = "/gcm/register3"
NAMED: Final = "/ua/{id}"
FIRST_OCTET: Final = b"\x29"
"""Of an MCS connection (`mcs_frames.VERSION`)."""


class Gcm:
    """The three services behind push in Chromium: checkin, registration and MCS."""

    def __init__(self, service: PushService) -> None:
        self._service = service

    @property
    def routes(self) -> list[Route]:
        """Checkin and registration."""
        handlers = {CHECKIN: self._checkin, REGISTER: self._register}
        return [
            Route(prefix + path, Resource({"POST": handler}))
            for prefix in ("", NAMED)
            for path, handler in handlers.items()
        ]

    def connect(self, connections: set[Any]) -> asyncio.Protocol:
        """The protocol of a new MCS connection (`connections.OtherProtocols`)."""
        from mockpush.gateways.gcm_connection import McsConnection

        return McsConnection(self._devices, connections, self._logins)

    @cached_property
    def _logins(self) -> Deadlines[McsConnection]:
        from mockpush.gateways.gcm_connection import LOGIN_WITHIN, McsConnection

        return Deadlines(LOGIN_WITHIN, McsConnection.give_up)

    @cached_property
    def _devices(self) -> Devices:
        from mockpush.gateways.gcm_devices import Devices

        return Devices(self._service)

    async def _checkin(self, request: Request) -> Response:
        from mockpush.gateways.gcm_requests import checkin

        return await checkin(request, self._devices)

    async def _register(self, request: Request) -> Response:
        from mockpush.gateways.gcm_requests import register

        return await register(request, self._devices)
