"""`mockpush messages`: what has come, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from mockpush.commands.options import json_option, option, with_control
from mockpush.commands.output import (
    count,
    fault_text,
    finding_lines,
    matrix_line,
    objections_line,
    print_json,
    printable,
    rows,
)
from mockpush.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from mockpush.client.control import Control
    from mockpush.client.records import Message

_NO_PAYLOAD: Final = {
    "none": "none",
    "pending": "not decrypted yet",
    "failed": "cannot be decrypted",
    "opaque": "cannot be decrypted here: the service does not hold the keys of the subscription",
}


@click.command()
@with_control
@click.argument("message", required=False, metavar="[latest|ID]")
@option("--subscription", metavar="ID", help="Only messages to this subscription.")
@option("--wait", type=click.IntRange(min=1), metavar="N", help="Wait until there are N messages.")
@option("--timeout", type=float, default=10.0, metavar="S", help="Wait at most so many seconds.")
@json_option
def messages(
    control: Control,
    *,
    message: str | None,
    subscription: str | None,
    wait: int | None,
    timeout: float,
    as_json: bool,
) -> None:
    """List the push messages that came, oldest first, or show one with all that is known of it.

    Exits with 1 if there is no such message, or if too few come in time; then it says what came
    instead.

    \b
    Example:
        mockpush messages --wait 1 --timeout 5
        mockpush messages latest
    """
    if wait is not None and message not in (None, "latest"):
        raise ConfigurationError("--wait goes with the list or with latest, not with an id")
    if wait is not None and subscription is not None:
        control.wait_all(wait, timeout=timeout, subscription=subscription)
    elif wait is not None:
        control.wait_all(wait, timeout=timeout)
    if message is None:
        _list(control, subscription, as_json=as_json)
    else:
        _show(_one(control, message, subscription).raw, as_json=as_json)


def _one(control: Control, message: str, subscription: str | None) -> Message:
    """The message of this id; with a subscription, `latest` is the newest that was sent to it."""
    if message != "latest":
        return control.message(message)
    found = control.messages if subscription is None else control.messages_to(subscription)
    if not found:
        place = (
            f"tenant {control.tenant}" if subscription is None else f"subscription {subscription}"
        )
        raise NotFoundError(f"no message has come to {place}")
    return found[-1]


def _list(control: Control, subscription: str | None, *, as_json: bool) -> None:
    found = control.messages if subscription is None else control.messages_to(subscription)
    if as_json:
        print_json([each.raw for each in found])
        return
    for each in found:
        click.echo(message_line(each.raw))
    if not found:
        click.echo("no messages", err=True)


def message_line(message: Mapping[str, Any]) -> str:
    """A message in one line: when, which, what became of it, what is in it, who would refuse it."""
    options = [f"ttl={message['ttl']}"]
    options += [f"{name}={message[name]}" for name in ("topic", "urgency") if message.get(name)]
    findings = message["findings"]
    parts = [
        message["received_at"],
        message["id"],
        message["state"],
        *options,
        _payload(message),
        objections_line(message),
        count(len(findings), "finding") if findings else "",
        fault_text(message["fault"]) if message["fault"] else "",
    ]
    return "  ".join(part for part in parts if part)


def _payload(message: Mapping[str, Any], *, limit: int | None = 60) -> str:
    payload = message["payload"]
    if payload is None:
        return f"payload: {_NO_PAYLOAD[message['decryption']]}"
    text = payload.get("text")
    return count(payload["size"], "octet") if text is None else f'"{printable(text, limit=limit)}"'


def _show(message: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(message)
        return
    for line in _lines(message):
        click.echo(line)


def _lines(message: Mapping[str, Any]) -> Iterator[str]:
    names = ("id", "subscription", "request", "received_at", "expires_at", "state", "ttl", "topic")
    yield from rows(
        [
            *((name, message[name]) for name in (*names, "urgency", "content_encoding")),
            ("size", count(message["size"], "octet")),
            *((f"vapid {name}", value) for name, value in (message["vapid"] or {}).items()),
            ("payload", _payload(message, limit=None)),
            ("answers", matrix_line(message)),
            ("fault", message["fault"] and fault_text(message["fault"])),
        ]
    )
    for step in message["timeline"]:
        yield "  ".join(filter(None, (step["at"], step["event"], step.get("detail"))))
    yield count(len(message["findings"]), "finding")
    for finding in message["findings"]:
        yield from finding_lines(finding, indent=4)
