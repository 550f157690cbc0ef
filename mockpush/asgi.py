"""An ASGI application on uvicorn's protocols: one lifespan, one set of connections, any listeners.

uvicorn's own `Server` is left out: it owns the signals, gives all its sockets to TLS or none, and
waits for open event streams when it stops.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from mockpush.connections import MAX_HEAD, HTTPImplementation, http_protocol
from mockpush.errors import ConfigurationError
from mockpush.listeners import Foreign, Report
from mockpush.real_clock import real_time

ASGIApp = Callable[[Any, Any, Any], Any]

KEEP_ALIVE: Final = 75
"""Seconds, as nginx: a client that re-uses an idle connection must not meet our closing it."""
DATE_INTERVAL: Final = 1.0
"""Seconds between two values of the Date field, whose resolution this is."""
GRACE: Final = 0.5
"""Seconds that a stopping server grants, first to requests under way, then to cancelled ones."""


def _is_news(record: logging.LogRecord) -> bool:
    """Not when a request was cancelled because the server stops."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


LOGGER: Final = logging.getLogger("mockpush.server")
LOGGER.setLevel(logging.WARNING)
LOGGER.addFilter(_is_news)


def _unsent(transport: asyncio.WriteTransport) -> int:
    """Octets that wait to be written."""
    try:
        return transport.get_write_buffer_size()
    except AttributeError:  # asyncio's TLS transport, when it was closed twice
        return 0


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds, or so long."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition() and loop.time() < end:  # noqa: ASYNC110 - uvicorn's sets have no event
        await asyncio.sleep(0.002)


class Application:
    """An ASGI application between the start and the end of its lifespan, with its connections.

    Its attributes `at_once`, `web_sockets` and `other_protocols`, if it has them, are a
    `connections.AtOnce`, a `web_sockets.Talks` and `connections.OtherProtocols`.
    """

    def __init__(self, app: ASGIApp, *, http: HTTPImplementation, report: Report) -> None:
        self._closing = False
        self._report = report
        self._config = Config(
            app,
            interface="asgi3",
            http=http_protocol(
                http,
                report=self._report_while_open,
                logger=LOGGER,
                at_once=getattr(app, "at_once", None),
                web_sockets=getattr(app, "web_sockets", None),
                others=getattr(app, "other_protocols", {}),
            ),
            ws="none",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            h11_max_incomplete_event_size=MAX_HEAD,
        )
        self._config.load()
        self._state = ServerState()
        self._lifespan = LifespanOn(self._config)
        self._lifespan.logger = LOGGER
        self._tick: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin the lifespan; `ConfigurationError` if the application refuses to start."""
        await self._lifespan.startup()
        if self._lifespan.should_exit:
            raise ConfigurationError("the application does not start; its reason is in the log")
        self._set_date()

    def protocol(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        create = cast(Callable[..., asyncio.Protocol], self._config.http_protocol_class)
        return create(config=self._config, server_state=self._state, app_state=self._lifespan.state)

    def _report_while_open(self, what: Foreign, detail: dict[str, str]) -> None:
        if not self._closing:  # that a connection was not used is no news when we close it
            self._report(what, detail)

    def _set_date(self) -> None:
        date = formatdate(real_time(), usegmt=True).encode("ascii")
        self._state.default_headers = [(b"date", date)]
        self._tick = asyncio.get_running_loop().call_later(DATE_INTERVAL, self._set_date)

    async def finish(self) -> None:
        """Ask every connection to close, and wait `GRACE` seconds for the answers under way."""
        self._closing = True
        for connection in list(self._state.connections):
            if not connection.transport.is_closing():
                connection.shutdown()
        await _until(self._is_quiet, GRACE)

    async def drop(self) -> None:
        """Abort the connections that are left, and cancel the requests that do not notice."""
        for connection in list(self._state.connections):
            connection.transport.abort()
        await _until(self._is_deserted, GRACE / 10)
        for task in self._state.tasks:
            task.cancel()
        await _until(self._is_deserted, GRACE)

    async def stop(self) -> None:
        """End the lifespan, within `GRACE` seconds."""
        if self._tick is not None:
            self._tick.cancel()
        try:
            async with asyncio.timeout(GRACE):
                await self._lifespan.shutdown()
        except TimeoutError:
            LOGGER.warning("the application's shutdown has not ended; stopping without it")

    def _is_quiet(self) -> bool:
        """Whether all is said: idle connections may still wait for the other side's goodbye."""
        unsent = any(_unsent(each.transport) for each in self._state.connections)
        return not self._state.tasks and not unsent

    def _is_deserted(self) -> bool:
        return not self._state.tasks and not self._state.connections
