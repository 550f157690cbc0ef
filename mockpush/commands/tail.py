"""`mockpush tail`: what happens, as it happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from mockpush.commands.messages import message_line
from mockpush.commands.options import json_option, with_control
from mockpush.commands.output import finding_lines, print_json
from mockpush.errors import NotFoundError

if TYPE_CHECKING:
    from mockpush.client.control import Control

_TOLD_BY_THE_REQUEST: Final = "message.accepted"
_NAMED: Final = ("subscription", "message", "detail")


@click.command()
@with_control
@json_option
def tail(control: Control, *, as_json: bool) -> None:
    """Show requests, and what becomes of messages and subscriptions, until Ctrl-C.

    With --json it prints an event a line.

    \b
    Example:
        mockpush tail
        mockpush tail --json | jq 'select(.kind == "request")'
    """
    with control.events() as events:
        for event in events:
            if as_json:
                print_json({"id": event.id, **event.data})
                continue
            for line in _lines(event.data, control):
                click.echo(line)


def _lines(event: Mapping[str, Any], control: Control) -> Iterator[str]:
    """An event for people; a request shows what came with it, if it is still there."""
    if event["kind"] == _TOLD_BY_THE_REQUEST:
        return
    if event["kind"] == "request":
        with suppress(NotFoundError):
            yield from _request_lines(event, control)
            return
    named = (f"{name} {event[name]}" for name in _NAMED if event.get(name))
    yield "  ".join((event["at"], event["kind"], *named))


def _request_lines(event: Mapping[str, Any], control: Control) -> Iterator[str]:
    from mockpush.client.api import Api
    from mockpush.client.records import Request

    request = Request(Api(control.transport, control.tenant).get("requests", event["request"]))
    if request.message is not None:
        message = control.message(request.message).raw
        yield f"{click.style(str(request.status), fg='green')}  {message_line(message)}"
        return
    status = click.style(str(request.status), fg="red")
    yield f"{status}  {event['at']}  {request.method} {request.target}"
    if request.finding is not None:
        yield from finding_lines(request.finding.raw, indent=4)
