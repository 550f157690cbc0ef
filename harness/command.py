"""`mockpush check`: says what a sender does right and wrong.

The judge itself is imported only when it is needed, since the command line must start quickly.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from mockpush.errors import ConfigurationError

if TYPE_CHECKING:
    from .sender import Sender
    from .verdict import CaseResult

Command = tuple[str, ...]

STDOUT: Final = "-"
_ENDINGS: Final = ("SIGTERM", "SIGHUP")
_ERASE_LINE: Final = "\r\x1b[K"

_option = partial(click.option, show_envvar=True, show_default=True)
_seconds = click.FloatRange(min=0, min_open=True)


# What follows the sender's command belongs to it, also if it looks like a flag of ours.
@click.command(context_settings={"allow_interspersed_args": False})
@_option("--sender", metavar="NAME", help="A ready sender; --senders lists them.")
@_option("--python", metavar="MODULE:CALLABLE", help="A callable that is given each job as a dict.")
@_option("--app", metavar="URL", help="An application that is given each job as POST.")
@_option("--stream", is_flag=True, help="COMMAND takes a job a line and prints a result a line.")
@_option("-k", multiple=True, metavar="GLOB", help="Only cases of such ids; '!GLOB' excludes.")
@_option("--strict", is_flag=True, help="Turn warnings into failures.")
@_option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@_option("--timeout", type=_seconds, default=10.0, metavar="S", help="Limit for a job, in seconds.")
@_option(
    "--start-timeout",
    type=_seconds,
    default=30.0,
    metavar="S",
    help="Limit for the sender's start, in seconds.",
)
@_option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Cases that run at once, each with a sender process of its own.",
)
@_option(
    "--profile",
    default="rfc",
    metavar="P",
    help="Push service that is imitated: rfc, fcm, mozilla, apple, wns.",
)
@_option(
    "--json",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="F",
    help="Write the report as JSON; with - standard output has nothing else.",
)
@click.option("--list", "list_cases", is_flag=True, help="List the cases and stop.")
@click.option("--senders", "list_senders", is_flag=True, help="List the ready senders and stop.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def check(
    ctx: click.Context,
    /,
    *,
    k: tuple[str, ...],
    json: str | None,
    list_cases: bool,
    list_senders: bool,
    **parameters: Any,
) -> None:
    """Say what a sender of Web Push does right and wrong, with the section and the evidence.

    A sender is a ready one, a Python callable, a running application, or COMMAND: it is given a
    job as JSON on standard input and prints the result as its last line; with --stream it takes
    a job a line.

    \b
    Examples:
        mockpush check --sender pywebpush
        mockpush check --stream -- node my-sender.js
        mockpush check -k 'rfc8292/*' --python myproject.push:answer

    \b
    Exit codes: 0 all cases passed, were skipped or warned; 1 a case failed; 2 the sender could
    not be started or gave no valid answer to hello, or the usage is wrong.
    """
    if list_cases:
        _list_cases(k, json)
    elif list_senders:
        _list_senders(json)
    else:
        sender = _sender(**{name: parameters.pop(name) for name in _NAMES})
        ctx.exit(_check(sender, json, select=k, **parameters))


_NAMES: Final = ("sender", "python", "app", "stream", "command")
"""The parameters that name the sender; all others are options of `run_checks`."""


def _sender(
    *, sender: str | None, python: str | None, app: str | None, stream: bool, command: Command
) -> Sender:
    from .sender import ApplicationSender, CommandSender, PythonSender, StreamSender
    from .senders.registry import ready_sender

    kinds: tuple[tuple[Any, Callable[[Any], Sender]], ...] = (
        (sender, ready_sender),
        (python, PythonSender),
        (app, ApplicationSender),
        (command, StreamSender if stream else CommandSender),
    )
    given = [make(value) for value, make in kinds if value]
    if len(given) != 1:
        raise click.UsageError("Name one sender: --sender, --python, --app or a COMMAND after --.")
    if stream and not command:
        raise click.UsageError("--stream goes with a COMMAND after --.")
    return given[0]


def _check(sender: Sender, json: str | None, **options: Any) -> int:
    from .report.document import document
    from .report.text import text
    from .runner import run_checks

    with _ended_by_signals(), _progress() as progress:
        report = run_checks(sender, progress=progress, **options)
    if json is not None:
        _write(document(report), json)
    if json != STDOUT:
        click.echo(text(report))
    return report.exit_code


def _list_cases(patterns: tuple[str, ...], json: str | None) -> None:
    from .report.document import listed
    from .report.text import case_list
    from .runner import select_cases

    cases = select_cases(patterns)
    if json is None:
        click.echo(case_list(cases))
    else:
        _write([listed(case) for case in cases], json)


def _list_senders(json: str | None) -> None:
    from .report.document import ready
    from .report.text import sender_list
    from .senders.registry import READY

    if json is None:
        click.echo(sender_list(READY.values()))
    else:
        _write([ready(sender) for sender in READY.values()], json)


def _write(value: object, file: str) -> None:
    from .report.document import dump

    if file == STDOUT:
        click.echo(dump(value))
        return
    try:
        Path(file).write_text(dump(value) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error


@contextmanager
def _progress() -> Iterator[Callable[[CaseResult], None]]:
    """On a terminal, the case that has just ended in a line that the next one overwrites."""
    from .report.text import mark

    visible = _is_terminal()

    def show(result: CaseResult) -> None:
        if visible:
            _erase()
            click.echo(mark(result), err=True, nl=False)

    try:
        yield show
    finally:
        if visible:
            _erase()


def _erase() -> None:
    sys.stderr.write(_ERASE_LINE)  # `click.echo` would take it for a colour
    sys.stderr.flush()


def _is_terminal() -> bool:
    return sys.stderr.isatty()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the check as an exception does, so that no sender outlives it."""
    numbers = [getattr(signal, name) for name in _ENDINGS if hasattr(signal, name)]
    before = {number: signal.signal(number, _exit) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)
