"""`mockpush tail`: what happens, as it happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from mockpush.commands.messages import message_line
from mockpush.commands.options import json_option, with_control
from mockpush.commands.output import fault_text, finding_lines, objections_line, print_json
from mockpush.errors import NotFoundError

if TYPE_CHECKING:
    from mockpush.client.control import Control
    from mockpush.client.records import Request

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
    with control.follow_events() as events:
        if as_json:
            for event in events:
                print_json(event.data)
            return
        telling = _Telling(control)
        for event in events:
            for line in telling.lines(event.data):
                click.echo(line)


class _Telling:
    """Events for people: what happens before a request is told is part of that."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._untold: set[str] = set()

    def lines(self, event: Mapping[str, Any]) -> Iterator[str]:
        """The lines about an event; none if they would say nothing new."""
        if event["kind"] == "message.accepted":
            self._untold.add(event["message"])
        elif event["kind"] == "request":
            self._untold.discard(event["message"])
            yield from self._request(event)
        elif event["kind"] != "fault.injected" and event["message"] not in self._untold:
            named = (f"{name} {event[name]}" for name in _NAMED if event.get(name))
            yield "  ".join((event["at"], event["kind"], *named))

    def _request(self, event: Mapping[str, Any]) -> Iterator[str]:
        """What came with a request, unless it is forgotten already."""
        from mockpush.client.api import Api
        from mockpush.client.records import Request

        api = Api(self._control.transport, self._control.tenant)
        with suppress(NotFoundError):
            request = Request(api.get("requests", event["request"]))
            if request.message is None:
                yield from _refusal(event["at"], request)
                return
            message = self._control.message(request.message).raw
            yield f"{click.style(str(request.status), fg='green')}  {message_line(message)}"


def _refusal(at: str, request: Request) -> Iterator[str]:
    status = click.style(str(request.status or "no answer"), fg="red")
    by = "" if request.fault is None else fault_text(request.fault)
    parts = (status, at, f"{request.method} {request.target}", by, objections_line(request.raw))
    yield "  ".join(filter(None, parts))
    for finding in (request.finding, request.explanation):
        if finding is not None:
            yield from finding_lines(finding.raw, indent=4)
