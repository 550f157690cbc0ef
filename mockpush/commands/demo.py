"""`mockpush demo`: a push service, and a small web application that uses it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import click

from mockpush.commands.options import json_option, with_settings
from mockpush.commands.output import print_json, rows
from mockpush.commands.serve import summary
from mockpush.errors import ConfigurationError

if TYPE_CHECKING:
    from mockpush.server import Server
    from mockpush.settings import Settings

KEPT: Final = "demo-subscriptions.json"
"""The file in --data-dir."""


@click.command()
@with_settings()
@json_option
def demo(settings: Settings, *, as_json: bool) -> None:
    """Start a push service with a small web application, until SIGINT or SIGTERM.

    Its page subscribes, pushes, and shows what the push service sees of it. With --json one line
    says where everything is, as that of serve does; "demo" is the page.

    \b
    Example:
        mockpush demo --port 0 --https-port 0 --json
    """
    from mockpush.event_loop import run

    server = _server(settings)

    def announce() -> None:
        if as_json:
            print_json({**summary(server), "demo": _page(server)})
        else:
            click.echo("\n".join(_screen(server)))

    run(server.serve(ready=announce))


def _server(settings: Settings) -> Server:
    if find_spec("pywebpush") is None:
        raise ConfigurationError(
            "the demo pushes with pywebpush, which is not here: pip install 'mockpush[demo]'"
        )
    from mockpush.client.demo.running import new_server

    return new_server(settings, kept=KEPT)


def _page(server: Server) -> str:
    """By the name localhost, where browsers allow push without a certificate."""
    return f"http://localhost:{server.url.rpartition(':')[2]}/"


def _screen(server: Server) -> Iterator[str]:
    page = _page(server)
    yield click.style(f"The demo is at {page}", bold=True)
    yield ""
    yield "It works in every browser with an emulated one. To receive in a real browser, let"
    yield "one be started that asks this push service instead of its vendor's:"
    for browser in ("firefox", "chromium"):
        yield f"  mockpush browser {browser} --url {server.url} {page}"
    yield ""
    yield from rows(
        [("HTTPS", server.https_url), ("control API", f"{server.url}/_mockpush/v1")], indent=2
    )
    yield ""
    yield "Stop it with Ctrl-C."
