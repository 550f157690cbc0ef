"""`mockpush fault`: what is to go wrong in a running service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from mockpush.commands.options import json_option, option, with_control
from mockpush.commands.output import print_json, printable
from mockpush.protocol.fault_kinds import FaultKind

if TYPE_CHECKING:
    from mockpush.client.control import Control


@click.group()
def fault() -> None:
    """Let pushes fail: fault plans say which, when, how often, and what happens to them.

    \b
    Example:
        mockpush fault add --answer throttled --times 2
        mockpush fault add --status 503 --until 1h
        mockpush fault list
    """


def _number(_: click.Context, __: click.Parameter, value: str | None) -> float | str | None:
    """A number of seconds, or the text of a duration or a time."""
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return value


def _fields(_: click.Context, __: click.Parameter, lines: tuple[str, ...]) -> dict[str, str] | None:
    """Header fields written `Name: value`."""
    fields = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise click.BadParameter(f"{line!r} is not written as NAME:VALUE.")
        fields[name.strip()] = value.strip()
    return fields or None


def _limit(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """`10/1m`."""
    if value is None:
        return None
    requests, slash, window = value.partition("/")
    if not slash or not requests.isdecimal():
        raise click.BadParameter(f"{value!r} is not written as REQUESTS/WINDOW, such as 10/1m.")
    return {"requests": int(requests), "window": window}


_MATCH: Final = (
    option("--subscription", metavar="ID", help="Only pushes to this subscription."),
    option("--profile", metavar="NAME", help="Only pushes to subscriptions of this profile."),
    option("--topic", metavar="TOPIC", help="Only pushes with this topic."),
    option(
        "--nth", metavar="N", help="Of those that match otherwise the 3rd, or a range: 2-5, 4-."
    ),
    option(
        "--probability",
        type=click.FloatRange(0, 1),
        metavar="P",
        help="Only this share of them, from 0 to 1.",
    ),
    option("--seed", type=int, metavar="N", help="Draws the same ones in every run."),
    option(
        "--from",
        "from_",
        envvar="MOCKPUSH_FAULT_ADD_FROM",
        metavar="T",
        help="From this time on, or in 10m.",
    ),
    option("--until", metavar="T", help="Until this time on the tenant's clock, or for 1h."),
)
_ACTION: Final = (
    option(
        "--kind",
        type=click.Choice([kind.value for kind in FaultKind]),
        help="What happens, if no flag says it.",
    ),
    option("--status", type=int, metavar="CODE", help="Answer with this status."),
    option("--answer", metavar="NAME", help="Answer as the vendor does: throttled, unavailable."),
    option("--location", metavar="URL", help="Redirect there, with 307 or --status."),
    option("--limit", metavar="N/T", callback=_limit, help="So many pushes a window: 10/1m."),
    option("--delay", metavar="T", callback=_number, help="Answer later, by so much real time."),
    option(
        "--header",
        "headers",
        multiple=True,
        envvar="MOCKPUSH_FAULT_ADD_HEADER",
        metavar="NAME:VALUE",
        callback=_fields,
        help="A header field of the answer.",
    ),
    option("--body", metavar="TEXT", help="The body of the answer."),
    option("--retry-after", metavar="T", callback=_number, help="Retry-After: 120, 2m or a date."),
)


def _with_plan(function: Any) -> Any:
    for decorate in reversed((*_MATCH, *_ACTION)):
        function = decorate(function)
    return function


@fault.command()
@with_control
@_with_plan
@option("--times", type=click.IntRange(min=1), metavar="N", help="At most so often.")
@json_option
def add(control: Control, *, times: int | None, as_json: bool, **members: Any) -> None:
    """Add a fault plan; it holds from the next push on.

    \b
    Example:
        mockpush fault add --answer throttled --times 2
        mockpush fault add --status 410 --nth 4- --subscription SUBSCRIPTION
        mockpush fault add --kind reset_midway --probability 0.1 --seed 7
    """
    given = {name: value for name, value in members.items() if value is not None}
    plan = control.faults.add(times=times, **given).raw
    if as_json:
        print_json(plan)
    else:
        click.echo(_line(plan))


@fault.command("list")
@with_control
@json_option
def list_(control: Control, *, as_json: bool) -> None:
    """List the fault plans, oldest first, with their hits.

    \b
    Example:
        mockpush fault list
    """
    plans = [each.raw for each in control.faults.list()]
    if as_json:
        print_json(plans)
        return
    for plan in plans:
        click.echo(_line(plan))
    if not plans:
        click.echo("no faults", err=True)


@fault.command()
@with_control
@click.argument("ids", nargs=-1, metavar="[ID]...")
@json_option
def clear(control: Control, *, ids: tuple[str, ...], as_json: bool) -> None:
    """End these fault plans, or all.

    \b
    Example:
        mockpush fault clear
    """
    ended = list(ids) or [each.id for each in control.faults.list()]
    if ids:
        for fault_id in ids:
            control.faults.remove(fault_id)
    else:
        control.faults.clear()
    if as_json:
        print_json({"cleared": ended})
    else:
        click.echo(f"ended: {', '.join(ended)}" if ended else "there were no faults")


def _line(plan: Mapping[str, Any]) -> str:
    """`f1  answer  active  hits 1 of 2  status=429  topic=inbox`."""
    of = "" if plan["times"] is None else f" of {plan['times']}"
    parts = [plan["id"], plan["action"]["kind"], plan["state"], f"hits {plan['hits']}{of}"]
    return "  ".join([*parts, *_members(plan["action"]), *_members(plan["match"])])


def _members(members: Mapping[str, Any]) -> Iterator[str]:
    for name, value in members.items():
        if value is not None and name != "kind":
            yield f"{name}={printable(_written(value))}"


def _written(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{_written(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
