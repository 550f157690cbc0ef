"""`mockpush inspect`: captured requests, judged without any service."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mockpush.commands.options import at_option, json_option, option
from mockpush.commands.output import count, finding_lines, instant, print_json, printable, rows
from mockpush.commands.tokens import token_lines
from mockpush.errors import ConfigurationError

if TYPE_CHECKING:
    from mockpush.captures import InspectedPush
    from mockpush.protocol.encryption import Envelope
    from mockpush.protocol.findings import Finding
    from mockpush.protocol.judging import Judgement

_FROM: Final = {
    "given": "as you say",
    "host": "by the host",
    "default": "the host is that of no known push service",
    "capture": "by the capture",
    "date": "by its Date field",
    "now": "now: the capture does not say when it was sent",
}
_NO_PAYLOAD: Final = {
    "none": "none",
    "pending": "not in the capture",
    "failed": "cannot be decrypted",
    "opaque": "encrypted: give the subscription with its private key (--subscription)",
}


@click.command()
@click.argument("file", default="-", metavar="[FILE|-]")
@option("--profile", metavar="NAME", help="The push service to judge by, if not that of the host.")
@option("--endpoint", metavar="URL", help="Where it was pushed to, if the capture does not say it.")
@at_option(help="When it was sent, if the capture does not say it, or not rightly.")
@option(
    "--subscription",
    metavar="FILE",
    help="The subscription as JSON, with keys.private_key added to have the payload read.",
)
@json_option
def inspect(
    file: str,
    *,
    profile: str | None,
    endpoint: str | None,
    at: float | None,
    subscription: str | None,
    as_json: bool,
) -> None:
    """Judge captured pushes: what was sent, all that is wrong with it, what each service answers.

    FILE, or standard input, is a HAR, raw HTTP or a curl command. No service is needed, and nothing
    is sent. aud is compared with the host that the request went to, exp with the time of the
    capture. Exits with 1 if the push service would have refused one.

    \b
    Example:
        mockpush inspect recording.har
        pbpaste | mockpush inspect --at 2025-01-31T12:00:00Z
    """
    from mockpush.captures import inspect_all

    found = inspect_all(
        _read(file),
        profile=profile,
        endpoint=endpoint,
        at=at,
        subscription=None if subscription is None else _document(subscription),
    )
    if as_json:
        from mockpush.http.inspection import inspection_json

        print_json(inspection_json(found))
    else:
        for line in _lines(found):
            click.echo(line)
    if not all(push.accepted for push in found):
        click.get_current_context().exit(1)


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error


def _document(file: str) -> Any:
    try:
        return json.loads(_read(file))
    except (ValueError, RecursionError):
        raise ConfigurationError(f"the subscription in {file} is not JSON") from None


def _lines(pushes: Sequence[InspectedPush]) -> Iterator[str]:
    for number, push in enumerate(pushes, 1):
        if len(pushes) > 1:
            yield f"{'' if number == 1 else chr(10)}push {number} of {len(pushes)}"
        yield from _push(push)


def _push(push: InspectedPush) -> Iterator[str]:
    captured, inspection = push.captured, push.inspection
    yield click.style(
        f"{printable(captured.method)} {printable(captured.url, limit=400)}", bold=True
    )
    yield from rows(
        [
            ("profile", f"{push.profile} ({_FROM[push.profile_from]})"),
            ("sent", f"{instant(push.at)} ({_FROM[push.at_from]})"),
            ("origin", push.origin),
            ("ttl", inspection.ttl),
            ("topic", inspection.topic),
            ("urgency", inspection.urgency),
            ("coding", inspection.content_encoding),
            ("body", None if captured.body is None else count(len(captured.body), "octet")),
            *_envelope(push.envelope),
            ("payload", _payload(push)),
        ]
    )
    if inspection.vapid is not None:
        yield "token"
        yield from token_lines(inspection.vapid, now=push.at, indent=4)
    yield from (f"note: {remark}" for remark in captured.remarks)
    yield from _findings(push.findings)
    yield "answers"
    yield from rows(((name, _answer(each)) for name, each in push.judgements.items()), indent=4)


def _envelope(envelope: Envelope | None) -> list[tuple[str, object]]:
    from mockpush.protocol.model import base64url_encode

    if envelope is None:
        return []
    return [
        ("salt", base64url_encode(envelope.salt)),
        ("rs", envelope.rs),
        ("key", base64url_encode(envelope.keyid)),
    ]


def _payload(push: InspectedPush) -> str:
    data = push.payload.data
    if data is None:
        return _NO_PAYLOAD[push.payload.decryption]
    try:
        return f'"{printable(data.decode(), limit=None)}"'
    except UnicodeDecodeError:
        return f"{len(data)} octets that are not UTF-8"


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings, heaviest first."""
    from mockpush.protocol.findings import Level

    yield count(len(findings), "finding")
    order = list(Level)
    for finding in sorted(findings, key=lambda each: order.index(each.level)):
        yield from finding_lines(finding.as_json(), indent=4)


def _answer(judgement: Judgement) -> str:
    template = judgement.template
    parts = [str(template.status), template.word, ", ".join(judgement.codes)]
    return "  ".join(part for part in parts if part)
