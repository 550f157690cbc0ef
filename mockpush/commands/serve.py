"""`mockpush serve`: a push service that runs until it is stopped."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from mockpush.commands.options import DEFAULT_URL, json_option, option, with_settings
from mockpush.commands.output import print_json, rows

if TYPE_CHECKING:
    from mockpush.server import Server
    from mockpush.settings import Settings
    from mockpush.vapid_keys import VapidKeys

_CHUNK: Final = 65536


def new_server(settings: Settings) -> Server:
    """A service and its server as the settings want them, not yet started."""
    from mockpush.server import Server
    from mockpush.service import PushService

    return Server(PushService(settings.service_options()), **settings.server_options())


@click.command()
@with_settings()
@option(
    "--exit-on-stdin-eof",
    is_flag=True,
    envvar="MOCKPUSH_EXIT_ON_STDIN_EOF",
    help="Stop when standard input ends, as it does when the program that started this one dies.",
)
@json_option
def serve(settings: Settings, *, exit_on_stdin_eof: bool, as_json: bool) -> None:
    """Start a push service and keep it running until SIGINT or SIGTERM.

    With --json it prints one line as soon as it answers: {"ready": true, "http": …, "https": …,
    "ca_file": …, "control": …}, and "proxy": … with --proxy-port.

    \b
    Example:
        mockpush serve --port 0 --https-port 0 --json
    """
    from mockpush.event_loop import run
    from mockpush.vapid_keys import service_keys

    keys = service_keys(vapid_key=settings.vapid_key, data_dir=settings.data_dir)
    server = new_server(settings)

    def announce() -> None:
        _relax_garbage_collection()
        if as_json:
            print_json(summary(server))
        else:
            click.echo("\n".join(_screen(server, settings, keys)))
        if exit_on_stdin_eof:
            threading.Thread(target=_stop_at_end_of_input, daemon=True).start()

    run(server.serve(ready=announce))


def _relax_garbage_collection() -> None:
    """Messages and journal are many objects that live long and form no cycles.

    With the default thresholds the collector looks at them again and again, which costs a tenth of
    the time of each push.
    """
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def summary(server: Server) -> dict[str, object]:
    """What the line of --json says: where everything is."""
    return {
        "ready": True,
        "http": server.url,
        "https": server.https_url,
        "ca_file": server.ca_file,
        "control": f"{server.url}/_mockpush/v1",
        **({"proxy": server.proxy_url} if server.proxy_url else {}),
    }


def _screen(server: Server, settings: Settings, keys: VapidKeys) -> Iterator[str]:
    from mockpush import __version__

    url = "" if server.url == DEFAULT_URL else f" --url {server.url}"
    yield click.style(f"mockpush {__version__}", bold=True)
    yield ""
    yield from rows(
        [
            ("HTTPS", f"{settings.endpoint_origin or server.https_url}  (endpoints)"),
            ("HTTP", server.url),
            ("control API", f"{server.url}/_mockpush/v1"),
            *([("proxy", f"{server.proxy_url}  (vendors' hosts)")] if server.proxy_url else []),
            ("CA", server.ca_file),
            ("profile", settings.profile + (" (strict)" if settings.strict else "")),
            ("VAPID public key", keys.public_key),
            ("VAPID private key", _private_key(settings, keys)),
        ],
        indent=2,
    )
    yield ""
    yield "Let programs find and trust it, whatever their language:"
    yield f'  eval "$(mockpush env{url})"'
    yield "Make a subscription, send to it, watch what comes in:"
    yield f"  mockpush subscribe{url} > subscription.json"
    yield f"  mockpush send{url} subscription.json Hello"
    yield f"  mockpush tail{url}"
    yield ""
    yield "Stop it with Ctrl-C."


def _private_key(settings: Settings, keys: VapidKeys) -> str:
    from mockpush.vapid_keys import KEY_FILE

    if settings.vapid_key is not None:
        return f"in {settings.vapid_key}"
    if settings.data_dir is not None:
        return f"in {settings.data_dir / KEY_FILE}"
    return f"{keys.private_key}  (of this run)"


def _stop_at_end_of_input() -> None:
    """Reads the file descriptor itself: a lock of `sys.stdin` would be in the way at the exit."""
    with suppress(OSError):  # a terminal that has gone
        while sys.stdin is not None and os.read(sys.stdin.fileno(), _CHUNK):
            pass
    signal.raise_signal(signal.SIGTERM)
