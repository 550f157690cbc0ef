"""Marionette: Firefox's own remote control, the one that reaches the browser's chrome context.

Messages are JSON with their length in front, over TCP: `[0, id, command, parameters]` and back
`[1, id, error, result]` (Firefox source, `remote/marionette/message.sys.mjs`).
"""

from __future__ import annotations

import json
import socket
from typing import Any, Final

from mockpush import errors

PATIENCE: Final = 60.0
"""Real seconds that an answer may take."""
_SCRIPT: Final = 55.0
"""Real seconds that a script may take."""


class Marionette:
    """A session with a browser; it ends with it."""

    def __init__(self, port: int) -> None:
        self._socket = _connected(port)
        self._stream = self._socket.makefile("rb")
        self._count = 0
        try:
            self._hear("Marionette")  # who it is
            session = self.command("WebDriver:NewSession", webSocketUrl=True)
            self.command("WebDriver:SetTimeouts", script=int(_SCRIPT * 1000))
            self.command("Marionette:SetContext", value="chrome")
        except BaseException:
            self.close()
            raise
        self.version = str(session["capabilities"]["browserVersion"])
        self.bidi_url = str(session["capabilities"]["webSocketUrl"])

    def command(self, name: str, **parameters: Any) -> Any:
        """What a command gives; `errors.BrowserError` if it fails or the browser has gone."""
        self._count += 1
        message = json.dumps([0, self._count, name, parameters]).encode()
        _, _, error, result = self._hear(name, b"%d:%s" % (len(message), message))
        if error is not None:
            raise errors.BrowserError(error["message"])
        return result

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns, with the browser's own rights: JSON in, JSON out."""
        body = f"return (async () => JSON.stringify(await (async () => {{ {script} }})()))()"
        answer = self.command(
            "WebDriver:ExecuteScript", script=body, args=list(arguments), sandbox="system"
        )
        text = answer["value"]
        return None if text is None else json.loads(text)

    def _hear(self, name: str, said: bytes = b"") -> Any:
        """The next message, which answers what is said."""
        try:
            self._socket.sendall(said)
            return self._receive()
        except TimeoutError as late:
            raise errors.BrowserError(f"{name}: no answer within {PATIENCE:g} s") from late
        except OSError as gone:
            raise errors.BrowserError(f"{name}: the browser has gone: {gone}") from gone

    def _receive(self) -> Any:
        length = b""
        while (octet := self._stream.read(1)) != b":":
            if not octet:
                raise ConnectionResetError("the connection has ended")
            length += octet
        text = self._stream.read(int(length))
        if len(text) < int(length):
            raise ConnectionResetError("the connection has ended within an answer")
        return json.loads(text)

    def close(self) -> None:
        """Ends the connection."""
        self._stream.close()
        self._socket.close()


def _connected(port: int) -> socket.socket:
    try:
        return socket.create_connection(("127.0.0.1", port), PATIENCE)
    except OSError as error:
        raise errors.BrowserError(f"no connection to Marionette at {port}: {error}") from error
