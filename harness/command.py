"""`mockpush check`: says what a sender does right and wrong.

The judge itself is imported only when it is needed, since the command line must start quickly.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mockpush.setting_kinds import NAMES
from mockpush.settings import Project, load_settings

from .files import STDOUT
from .progress import Progress
from .signals import ended_by_signals

if TYPE_CHECKING:
    from .report.record import RunRecord
    from .sender import Sender

Command = tuple[str, ...]


_option = partial(click.option, show_envvar=True, show_default=True)
_file = partial(_option, type=click.Path(dir_okay=False, allow_dash=True), metavar="F")
_seconds = click.FloatRange(min=0, min_open=True)


def _names(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Names that may stand in one text, with commas."""
    try:
        return tuple(NAMES.read(value))
    except ValueError:
        raise click.BadParameter(f"it must be {NAMES.expected}.") from None


# What follows the sender's command belongs to it, also if it looks like a flag of ours.
@click.command(context_settings={"allow_interspersed_args": False})
@_option("--sender", metavar="NAME", help="A ready sender, of those that --senders lists.")
@_option("--python", metavar="MODULE:CALLABLE", help="A callable that is given each job as a dict.")
@_option("--app", metavar="URL", help="An application that is given each job as POST.")
@_option("--stream", is_flag=True, help="COMMAND takes a job a line and prints a result a line.")
@_option("-k", multiple=True, metavar="GLOB", help="Only cases of such ids; '!GLOB' excludes.")
@_option("--strict", is_flag=True, help="Turn warnings into failures.")
@_option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@_option(
    "--timeout",
    type=_seconds,
    show_default="10; 5 with --sender pywebpush",
    metavar="S",
    help="Limit for a job, in seconds.",
)
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
    show_default="4; 1 with --app",
    metavar="N",
    help="Cases that run at once, each with a sender process of its own.",
)
@_option(
    "--thorough",
    is_flag=True,
    help="Add the cases of thousands of messages: every size, and what fails once in 256 times.",
)
@_option(
    "--profile",
    default="rfc",
    metavar="P",
    help="Push service that is imitated: rfc, fcm, mozilla, apple, wns.",
)
@_option(
    "--variant",
    "variants",
    multiple=True,
    callback=_names,
    metavar="NAME",
    help="Take a doubtful fact about a vendor the other way, as serve does.",
)
@_option(
    "--profile-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="F",
    help="File of Python that defines profiles of your own.",
)
@_file("--json", help="Write the report as JSON; with - standard output has nothing else.")
@_file("--junit", help="Write the report as JUnit's XML, for CI systems.")
@_file("--html", help="Write the report as one page of HTML.")
@_file("--markdown", help="Write the report as Markdown, for a comment on a pull request.")
@_option(
    "--require",
    multiple=True,
    envvar="MOCKPUSH_REQUIRE",
    metavar="NAME,…",
    help="Push services that must take every push, as apple,fcm: a case for each.",
)
@_option(
    "--baseline",
    type=click.Path(dir_okay=False),
    metavar="F",
    help="Failures that F lists do not fail the run.",
)
@_option("--update-baseline", is_flag=True, help="Write the failures of this run to --baseline.")
@click.option(
    "--combine",
    is_flag=True,
    help="COMMAND is the names of JSON reports: show them beside each other, and run nothing.",
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
    combine: bool,
    list_cases: bool,
    list_senders: bool,
    require: tuple[str, ...],
    **parameters: Any,
) -> None:
    """Say what a sender of Web Push does right and wrong, with the section and the evidence.

    A sender is a ready one, a Python callable, a running application, or COMMAND: it is given a
    job as JSON on standard input and prints the result as its last line; with --stream it takes
    a job a line. docs/writing-a-sender-adapter.md has commands to copy, in several languages.

    \b
    Examples:
        mockpush check --sender pywebpush
        mockpush check --stream -- node my-sender.js
        mockpush check -k 'rfc8292/*' --python myproject.push:answer
        mockpush check --require apple,fcm --sender pywebpush
        mockpush check --html matrix.html --combine go.json node.json

    \b
    Exit codes: 0 no case failed, but for known failures; 1 a case failed; 2 the sender could not
    be started or gave no valid answer to hello, or the usage is wrong.
    """
    files = _files(**{name: parameters.pop(name) for name in _FILES})
    if list_cases:
        _list_cases(k, files.get("json"))
    elif list_senders:
        _list_senders(files.get("json"))
    elif combine:
        ctx.exit(_combine(files, parameters["command"]))
    else:
        sender = _sender(**{name: parameters.pop(name) for name in _NAMES})
        required = load_settings({"require": require}, project=ctx.find_object(Project)).require
        ctx.exit(_check(sender, files, cases=k, require=required, **parameters))


_FILES: Final = ("json", "junit", "html", "markdown")
"""The parameters that name the file of a format."""


_NAMES: Final = ("sender", "python", "app", "stream", "command")
"""The parameters that name the sender; all others are options of `run_checks`."""


def _files(**files: str | None) -> dict[str, str]:
    """The files that are to be written, by format."""
    given = {name: file for name, file in files.items() if file is not None}
    for file in given.values():
        if list(given.values()).count(file) > 1:
            raise click.UsageError(f"Two reports cannot both be written to {file}.")
    return given


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


def _check(
    sender: Sender,
    files: Mapping[str, str],
    *,
    baseline: str | None,
    update_baseline: bool,
    **options: Any,
) -> int:
    from .baseline import known_failures
    from .orphans import orphans_ended
    from .report.outputs import outputs
    from .report.record import recorded
    from .runner import run_checks, select_cases
    from .senders.registry import ReadySender

    if update_baseline and baseline is None:
        raise click.UsageError("--update-baseline goes with --baseline.")
    cases = select_cases(options["cases"], thorough=options["thorough"])
    progress = Progress(case.id for case in cases)
    with outputs(files) as write, known_failures(baseline, update=update_baseline) as known:
        with ended_by_signals():
            if isinstance(sender, ReadySender):
                sender.install()  # before the line of the progress is there
            with orphans_ended(), progress:
                report = run_checks(
                    sender, baseline=known.ids, progress=progress, steps=progress.step, **options
                )
        record = recorded(known.settled(report))
        write([record])
    _tell([record], files)
    return record.exit_code


def _combine(files: Mapping[str, str], names: Sequence[str]) -> int:
    from .files import read_text
    from .report.document import parse
    from .report.outputs import outputs

    if not names:
        raise click.UsageError("--combine takes the names of JSON reports, after all flags.")
    if "json" in files:
        raise click.UsageError("--json is the report of one run; --combine has those of several.")
    records = [parse(read_text(name), name) for name in names]
    with outputs(files) as write:
        write(records)
    _tell(records, files)
    return max(record.exit_code for record in records)


def _tell(records: Sequence[RunRecord], files: Mapping[str, str]) -> None:
    """On standard output, unless a report is there already; and to the workflow that runs this."""
    from .report.github import append_summary, in_github, workflow_commands
    from .report.text import text

    if STDOUT not in files.values():
        click.echo(text(records))
    if in_github(os.environ):
        click.echo(workflow_commands(records), err=True, nl=False)
        if problem := append_summary(records, os.environ):
            click.echo(f"The summary of the workflow cannot be written: {problem}", err=True)


def _list_cases(patterns: tuple[str, ...], json: str | None) -> None:
    from .report.document import listed
    from .report.text import case_list
    from .runner import select_cases

    cases = select_cases(patterns, thorough=True)
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
    from .files import opened, replace
    from .report.document import dump

    with opened(file) as stream:
        replace(stream, f"{dump(value)}\n")
