"""What commands share: their options, the settings of a service, the way to a running one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mockpush.settings import SETTINGS, Project, Setting, load_settings

if TYPE_CHECKING:
    from mockpush.client.control import Control

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_URL: Final = "http://127.0.0.1:8030"

option = partial(click.option, show_envvar=True, show_default=True)
"""A flag of one command: also `MOCKPUSH_<COMMAND>_<FLAG>` and in `[tool.mockpush.<command>]`."""

json_option = option(
    "--json", "as_json", is_flag=True, envvar="MOCKPUSH_JSON", help="Print JSON instead of text."
)


def _moment(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """A time in seconds since the epoch."""
    from mockpush.protocol.clock import parse_time

    try:
        return None if value is None else parse_time(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


at_option = partial(option, "--at", callback=_moment, metavar="TIME")
"""A flag that says when something was sent; its value is in seconds since the epoch."""


class SettingOption(click.Option):
    """A setting of the service as a flag; where else it may be set, `load_settings` looks."""

    def __init__(self, *args: Any, setting: Setting, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.setting = setting


def with_settings(**defaults: Any) -> Callable[[F], Callable[..., Any]]:
    """Gives a command all flags of the service, and their settings as its first argument.

    `defaults` are those of the command, by attribute of `Settings`.
    """

    def decorate(function: F) -> Callable[..., Any]:
        @wraps(function)
        def run(**parameters: Any) -> Any:
            flags = {setting.name: parameters.pop(setting.name) for setting in SETTINGS}
            project = click.get_current_context().find_object(Project)
            return function(load_settings(flags, project=project, **defaults), **parameters)

        for setting in reversed(SETTINGS):
            run = _flag(setting, defaults.get(setting.name, setting.default))(run)
        return run

    return decorate


def _flag(setting: Setting, default: object) -> Callable[[F], F]:
    kind = setting.kind
    declaration = f"{setting.flag}/--no-{setting.key}" if kind.switch else setting.flag
    shown = "" if default in (None, (), False) else f"; default: {default}"
    return click.option(
        declaration,
        setting.name,
        cls=SettingOption,
        setting=setting,
        default=None,
        multiple=kind.repeated,
        metavar=kind.metavar or None,
        allow_from_autoenv=False,
        help=f"{setting.help}  [env var: {setting.variable}{shown}]",
    )


def with_service(function: F) -> Callable[..., Any]:
    """Gives a command `--url`, and a `Control` as its first argument."""

    @option(
        "--url",
        default=DEFAULT_URL,
        envvar="MOCKPUSH_URL",
        metavar="URL",
        help="Where the service runs.",
    )
    @wraps(function)
    def run(url: str, tenant: str = "default", **parameters: Any) -> Any:
        with connected(url, tenant) as control:
            return function(control, **parameters)

    return run


def with_control(function: F) -> Callable[..., Any]:
    """`with_service` for a command that is about one tenant: gives it `--tenant` as well."""
    tenant = option(
        "--tenant",
        default="default",
        envvar="MOCKPUSH_TENANT",
        metavar="NAME",
        help="The tenant in question.",
    )
    return tenant(with_service(function))


@contextmanager
def connected(url: str, tenant: str = "default") -> Iterator[Control]:
    """The service at this URL."""
    from mockpush.client.control import Control
    from mockpush.client.transports.http import HttpTransport

    with HttpTransport(url) as transport:
        yield Control(transport, tenant=tenant)
