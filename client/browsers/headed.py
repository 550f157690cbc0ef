"""Browsers for people: with a window, on a profile that stays, until they are closed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final
from urllib.parse import quote

from mockpush import errors

from ..control import Control
from ..launch import Launch
from . import chromium
from .cdp import Cdp
from .finding import find, own_arguments
from .observing import Observer
from .presence import Presence
from .processes import Home
from .starting import CLOSING, PATIENCE, end
from .targets import BLANK, Targets

_LOCK: Final = "mockpush.lock"
_BUS: Final = "DBUS_SESSION_BUS_ADDRESS"
_OF_URLS: Final = "!#$%&'()*+,/:;=?@[]~"


class Headed:
    """A browser of this kind on `profile`, as the user agent of this id.

    Notifications are shown on the desktop of whoever uses it; where there is none, as in a
    container, they can be clicked by way of the service.
    """

    def __init__(self, kind: str, control: Control, *, user_agent: str, profile: Path) -> None:
        self._kind = kind
        self._presence = Presence(control, user_agent)
        self._profile = profile

    def run(self, url: str, arguments: Sequence[str] = ()) -> int:
        """Opens a page; the exit code of the browser when it is closed.

        `errors.BrowserNotFoundError`; `errors.BrowserError` if it does not start, or if there is
        one on this profile already.
        """
        program = find(self._kind)
        launch = self._presence.launch(self._kind, hosts="*")
        self._presence.assign()
        with _alone(self._profile), Home() as home:
            launch.write_preferences(self._profile)
            runs = {"chromium": self._run_chromium, "firefox": self._run_firefox}
            command = [str(program), *launch.args, *own_arguments(self._kind), *arguments]
            return runs[self._kind](home, launch, command, url)

    def _run_firefox(self, home: Home, launch: Launch, command: Sequence[str], url: str) -> int:
        with _anteroom(self._presence, url) as first:
            command = [*command, "--profile", str(self._profile), "--no-remote", first]
            return home.run(command, environ=_environ(launch)).wait(timeout=None) or 0

    def _run_chromium(self, home: Home, launch: Launch, command: Sequence[str], url: str) -> int:
        port = self._profile / chromium.PORT
        port.unlink(missing_ok=True)
        own = (f"--user-data-dir={self._profile}", "--remote-debugging-port=0")
        process = home.run([*command, *own, *chromium.AS_ROOT, BLANK], environ=_environ(launch))
        with closing(Cdp(chromium.devtools(port, process))) as cdp:
            self._accompany(cdp, launch.init_script, url)
            try:
                return process.wait(timeout=None) or 0
            finally:  # who interrupts us wants what is in its profile, too
                end(process, lambda: cdp.call("Browser.close", timeout=CLOSING))

    def _accompany(self, cdp: Cdp, script: str, url: str) -> None:
        """Sees to the endpoints and follows messages for as long as the browser runs."""
        observer = Observer(
            cdp,
            lambda told: self._presence.report(*told[:3]),
            lambda displayed: self._presence.display(displayed._asdict()),
        )
        targets = Targets(cdp, script, on_tab=observer.follow)
        cdp.listen({**targets.listeners, **observer.listeners})
        targets.begin()
        with suppress(errors.BrowserError):  # its window says why there is no page
            cdp.call("Page.navigate", targets.session, url=url)


@contextmanager
def _alone(profile: Path) -> Iterator[None]:
    """Nobody else gets the profile meanwhile: browsers wait there for ever, or give way.

    It ends with the process, however that does.
    """
    profile.mkdir(parents=True, exist_ok=True)
    with (profile / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.BrowserError(
                f"a browser runs on the profile {profile} already: close it, or give this one "
                "another with --user-agent NAME"
            ) from None
        yield


@contextmanager
def _anteroom(presence: Presence, url: str) -> Iterator[str]:
    """A page that leads to `url` once the browser has connected.

    In Firefox a `subscribe()` before that would wait for ever. What is not on the web needs none.
    """
    if not url.startswith(("http:", "https:")):
        yield url
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(errors.MockpushError):  # then it is the user's turn to see why
                presence.expect_connection(connected=True, timeout=PATIENCE)
            self.send_response(303)
            self.send_header("Location", quote(url, safe=_OF_URLS))
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base's name
            """Not on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def _environ(launch: Launch) -> dict[str, str]:
    """The user's own home and screen; the browser shows things where everybody does.

    The bus of a desktop need not be named: it has a usual place.
    """
    usual = Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere"), "bus")
    own = {_BUS: f"unix:path={usual}"} if usual.is_socket() else {}
    return {**launch.env, **own, **os.environ}
