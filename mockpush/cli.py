"""The command line: a group that imports each command when it is used."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import IO, Any, Final, NamedTuple, NoReturn

import click

from mockpush import errors
from mockpush.settings import TABLE, Project, load_project

INTERRUPTED: Final = 130
"""128 and the number of SIGINT, as shells have it."""
FAILED: Final = 1
UNUSABLE: Final = 2
_STREAMS: Final = (0, 1, 2)
_NOT_THERE: Final = (errors.WaitError, errors.NotFoundError)
"""Errors that answer a question with no, rather than being in the way of an answer."""


class Entry(NamedTuple):
    """A command in the list: under which heading, where its click object is, what it does."""

    heading: str
    place: str
    summary: str


_SERVICE: Final = "A push service"
_TALK: Final = "A running service (--url or MOCKPUSH_URL)"
_TOOLS: Final = "Tools"

COMMANDS: Final[Mapping[str, Entry]] = {
    "serve": Entry(_SERVICE, "serve:serve", "Start a push service and keep it running."),
    "exec": Entry(_SERVICE, "execute:execute", "Run a command with a push service of its own."),
    "demo": Entry(
        _SERVICE, "demo:demo", "Start a push service with a small web application that uses it."
    ),
    "check": Entry(
        _SERVICE, "mockpush.harness.command:check", "Say what a sender does right and wrong."
    ),
    "subscribe": Entry(_TALK, "send:subscribe", "Make a subscription."),
    "send": Entry(_TALK, "send:send", "Send a push message to a subscription."),
    "messages": Entry(_TALK, "messages:messages", "Show push messages, or wait for them."),
    "tail": Entry(_TALK, "tail:tail", "Show requests and messages as they come."),
    "fault": Entry(_TALK, "fault:fault", "Let pushes fail: add fault plans, list and end them."),
    "env": Entry(_TALK, "running:env", "Print variables that point senders at the service."),
    "ready": Entry(
        _TALK, "running:ready", "Say whether the service is ready, or wait until it is."
    ),
    "reset": Entry(_TALK, "running:reset", "Forget all subscriptions, messages and requests."),
    "browser": Entry(
        _TALK, "browser:browser", "Open a real browser with the service as its push service."
    ),
    "inspect": Entry(_TOOLS, "inspect:inspect", "Judge captured requests, offline."),
    "vapid": Entry(_TOOLS, "vapid:vapid", "Make VAPID keys, explain VAPID tokens."),
    "version": Entry(_TOOLS, "running:version", "Print the version."),
}


class Failure(click.ClickException):
    """One sentence in red on stderr."""

    exit_code = UNUSABLE

    def show(self, file: IO[Any] | None = None) -> None:
        text = click.style(f"Error: {self.format_message()}", fg="red")
        click.echo(text, file=file, err=True, color=_colour())


class Nothing(Failure):
    """What was asked for is not there."""

    exit_code = FAILED


class Commands(click.Group):
    """The group: lazy, and without tracebacks for what is not a bug."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else load(entry)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading in dict.fromkeys(entry.heading for entry in COMMANDS.values()):
            rows = [
                (name, entry.summary)
                for name, entry in COMMANDS.items()
                if entry.heading == heading
            ]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except errors.MockpushError as error:
            kind = Nothing if isinstance(error, _NOT_THERE) else Failure
            raise kind(str(error)) from error
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _leave_the_pipe(ctx)


def load(entry: Entry) -> click.Command:
    """The click object of a command."""
    module, _, name = entry.place.partition(":")
    if "." not in module:
        module = f"mockpush.commands.{module}"
    command = getattr(import_module(module), name)
    assert isinstance(command, click.Command)
    return command


def _leave_the_pipe(ctx: click.Context) -> NoReturn:
    """Whoever read our output has seen enough; what is still buffered must not raise again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    ctx.exit()


def _prepare_streams() -> None:
    """Payloads can have any character; and no connection may get the number of a closed stream."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    for number in _STREAMS:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _colour() -> bool | None:
    """None: colour if it is a terminal (https://no-color.org)."""
    return False if os.environ.get("NO_COLOR") else None


def _print_version(ctx: click.Context, option: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value and not ctx.resilient_parsing:
        from mockpush import __version__

        click.echo(f"mockpush {__version__}")
        ctx.exit()


def _defaults(
    command: click.Command, ctx: click.Context, table: Mapping[str, Any], place: str
) -> dict[str, Any]:
    """The table of a command in pyproject.toml, as click takes it.

    `ConfigurationError` for keys that are neither flags of the command nor commands of the group.
    """
    below = command if isinstance(command, click.Group) else None
    flags = _own_flags(command)
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("_", "-")
        inner = below.get_command(ctx, key) if below is not None else None
        if inner is not None and isinstance(value, dict):
            defaults[key] = _defaults(inner, ctx, value, f"{place}.{key}")
        elif name in flags:
            defaults[flags[name]] = value
        else:
            raise errors.ConfigurationError(
                f"[{place}] has no {key}; there is: {', '.join(flags) or 'nothing'}"
            )
    return defaults


def _own_flags(command: click.Command) -> dict[str, str]:
    """The flags of a command and what click calls them, without the settings of the service."""
    return {
        max(option.opts, key=len).lstrip("-"): str(option.name)
        for option in command.params
        if isinstance(option, click.Option) and option.allow_from_autoenv
    }


def _default_map(name: str, ctx: click.Context, project: Project) -> dict[str, Any]:
    """What pyproject.toml says about the command of this name."""
    unknown = project.commands.keys() - COMMANDS.keys()
    if unknown:
        names = ", ".join(sorted(unknown))
        raise errors.ConfigurationError(f"{TABLE} of {project.file} has no {names}")
    if name not in project.commands:
        return {}
    place = f"{TABLE.strip('[]')}.{name}"
    return {name: _defaults(load(COMMANDS[name]), ctx, project.commands[name], place)}


@click.group(
    cls=Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "MOCKPUSH",
        "max_content_width": 100,
    },
    epilog=(
        "Exit codes: 0 fine; 1 a check failed, or nothing was found; 2 wrong usage or "
        "configuration; exec exits as its command does."
    ),
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    allow_from_autoenv=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """A Web Push service for your tests.

    It behaves as the push services of browsers do, keeps what senders push, and explains what is
    wrong with it.

    \b
    Run your tests with a service of their own:
        mockpush exec -- pytest
    Keep one running, and watch what comes in:
        mockpush serve
        mockpush tail
    """
    _prepare_streams()
    ctx.color = _colour()
    ctx.obj = project = load_project()
    ctx.default_map = _default_map(ctx.invoked_subcommand or "", ctx, project)


if __name__ == "__main__":
    main()
