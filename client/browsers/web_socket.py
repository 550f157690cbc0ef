"""The WebSocket by which a browser is driven, blocking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from mockpush import errors


@contextmanager
def opened(url: str) -> Iterator[ClientConnection]:
    """A connection to a browser's remote control; `errors.BrowserError`.

    Messages may be of any size: pages, pictures, payloads. There are no pings: on a busy machine a
    browser answers late.
    """
    try:
        socket = connect(url, max_size=None, compression=None, ping_interval=None)
    except (OSError, WebSocketException) as error:
        raise errors.BrowserError(f"no connection to the browser at {url}: {error}") from error
    with socket:
        yield socket
