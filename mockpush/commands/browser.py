"""`mockpush browser`: a real browser, with a window, whose push service is a running one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mockpush.commands.options import option, with_control
from mockpush.settings import Project, load_settings

if TYPE_CHECKING:
    from mockpush.client.control import Control


_BLANK: Final = "about:blank"
_HAS_SCHEME: Final = re.compile(r"[A-Za-z]+:(?![0-9])")
"""And no port behind a name."""


@click.command()
@click.argument("name", type=click.Choice(["firefox", "chromium"]), metavar="firefox|chromium")
@click.argument("rest", nargs=-1, metavar="[PAGE] [-- ARGUMENTS…]")
@with_control
@option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="MOCKPUSH_DATA_DIR",
    metavar="DIR",
    help="Where its profile is kept; unless said, among the data of the user.",
)
@option("--user-agent", metavar="NAME", help="Its id in the control API; firefox or chromium else.")
def browser(
    control: Control,
    *,
    name: str,
    rest: tuple[str, ...],
    data_dir: Path | None,
    user_agent: str | None,
) -> None:
    """Open Firefox or Chromium with this service as its push service.

    The browser is the one that is installed, unmodified; MOCKPUSH_FIREFOX and MOCKPUSH_CHROMIUM
    name another. Its profile stays, with everything that pages keep in it; each --user-agent has
    one of its own. Notifications appear on your desktop, or where there is none, as in a container,
    those of Chromium in the control API. The command ends when the browser is closed, and the
    browser when the command is.

    What follows -- goes to the browser as it is.

    \b
    Example:
        mockpush browser firefox http://localhost:3000
    """
    from mockpush.client.browsers.headed import Headed

    page, arguments = _read(rest)
    directory = data_dir or _configured() or _data_of_the_user()
    headed = Headed(
        name,
        control,
        user_agent=user_agent or name,
        profile=(directory / "browsers" / _profile(name, user_agent)).absolute(),
    )
    code = headed.run(page, arguments)
    if code:
        click.echo(f"{name.capitalize()} has ended with exit code {code}", err=True)
    click.get_current_context().exit(code)


def _profile(name: str, user_agent: str | None) -> str:
    """Its directory: each kind of browser has files of its own."""
    return name if user_agent is None else f"{name}-{user_agent}"


def _read(rest: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The page, as an address bar understands it, and what is for the browser."""
    if not rest or rest[0].startswith("-"):
        return _BLANK, rest
    page, *arguments = rest
    return page if _HAS_SCHEME.match(page) else f"http://{page}", tuple(arguments)


def _configured() -> Path | None:
    """What pyproject.toml says for all commands."""
    project = click.get_current_context().find_object(Project)
    return load_settings({}, project=project).data_dir


def _data_of_the_user() -> Path:
    """https://specifications.freedesktop.org/basedir-spec, and where Windows has such things."""
    named = os.environ.get("XDG_DATA_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(named) if named else Path.home() / ".local/share") / "mockpush"
