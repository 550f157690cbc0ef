"""Firefox, and who else speaks Mozilla's push protocol: a WebSocket at `/`, or `/ua/<id>`.

The id tells browsers apart: the control API knows the user agent by it, also before it comes.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from mockpush.gateways.autopush_connection import PROFILE, Connection
from mockpush.gateways.broadcasts import Broadcasts
from mockpush.gateways.deadlines import Deadlines
from mockpush.protocol.autopush import HELLO_WITHIN, PONG_WITHIN
from mockpush.service import PushService

_PATH: Final = re.compile(r"/(?:ua/([!-.0-~]{1,128}))?")


class Autopush:
    """The WebSockets of a service, for the listeners (`web_sockets.Talks`)."""

    def __init__(
        self,
        service: PushService,
        *,
        hello_within: float = HELLO_WITHIN,
        pong_within: float = PONG_WITHIN,
    ) -> None:
        options = service.options
        self.service = service
        self.delivery = service.profiles[PROFILE].delivery
        self.broadcasts = Broadcasts(options.broadcasts, every=options.broadcasts_interval)
        self.hellos: Deadlines[Connection] = Deadlines(hello_within, Connection.no_hello)
        self.pings: Deadlines[Connection] = Deadlines(options.ping_interval, Connection.ping)
        self.pongs: Deadlines[Connection] = Deadlines(pong_within, Connection.no_pong)

    def takes(self, path: str) -> bool:
        """Whether there is a WebSocket at this path."""
        return _PATH.fullmatch(unquote(path)) is not None

    def begin(self, path: str) -> Connection:
        """A new conversation at such a path."""
        match = _PATH.fullmatch(unquote(path))
        return Connection(self, None if match is None else match[1])
