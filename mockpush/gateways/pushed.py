"""What RFC 8030 pushes over HTTP/2, in the forms in which it comes here.

Each message and each receipt is a response of its own. A long poll is answered with one of them;
several at once are `multipart/mixed` of `application/http` (RFC 9112, Section 10.2), as several
ranges of a resource are `multipart/byteranges`; a stream has an event for each.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

from starlette.responses import Response

from mockpush.protocol.links import PUSH, link
from mockpush.protocol.model import Subscription, new_token
from mockpush.protocol.receipts import Receipt
from mockpush.protocol.records import PushMessage

EVENT_STREAM: Final = "text/event-stream"

Fields: TypeAlias = tuple[tuple[bytes, bytes], ...]


class Pushed(NamedTuple):
    """A response that HTTP/2 would push, to a GET of the resource of the message of this id."""

    kind: str
    message: str
    status: int
    fields: Fields = ()
    body: bytes = b""

    @property
    def url(self) -> str:
        """The path of the message resource."""
        return f"/m/{self.message}"


def push_message(message: PushMessage, subscription: Subscription) -> Pushed:
    """The message as it was sent, but for what the user agent must not see (Section 6)."""
    own = (
        (b"link", link(subscription.endpoint, PUSH).encode()),
        (b"last-modified", formatdate(message.received_at, usegmt=True).encode()),
    )
    return Pushed("message", message.id, 200, own + message.inspection.head.relayed, message.body)


def push_receipt(receipt: Receipt) -> Pushed:
    """What became of a message (Section 6.3)."""
    return Pushed("receipt", receipt.message, receipt.status)


def answer(pushed: Sequence[Pushed], headers: dict[str, str]) -> Response:
    """The answer to a monitoring request: nothing, the one response, or all in one."""
    if not pushed:
        return Response(status_code=204, headers=headers)
    if len(pushed) == 1:
        return _single(pushed[0], headers)
    boundary = new_token()
    kind = f'multipart/mixed; boundary="{boundary}"'
    return Response(_multipart(pushed, boundary), headers=headers, media_type=kind)


def _single(pushed: Pushed, headers: dict[str, str]) -> Response:
    response = Response(pushed.body, pushed.status, headers)
    response.raw_headers += _fields(pushed)
    return response


def _fields(pushed: Pushed) -> list[tuple[bytes, bytes]]:
    return [(b"content-location", pushed.url.encode()), *pushed.fields]


def _multipart(pushed: Sequence[Pushed], boundary: str) -> bytes:
    parts = []
    for each in pushed:
        response = _embedded(each)
        head = f"--{boundary}\r\nContent-Type: application/http; msgtype=response\r\n"
        parts.append(b"%sContent-Length: %d\r\n\r\n" % (head.encode(), len(response)) + response)
    return b"\r\n".join([*parts, f"--{boundary}--\r\n".encode()])


def _embedded(pushed: Pushed) -> bytes:
    """The response in HTTP/1.1."""
    fields = _fields(pushed)
    if pushed.status != HTTPStatus.NO_CONTENT:
        fields.append((b"content-length", b"%d" % len(pushed.body)))
    head = b"".join(b"%s: %s\r\n" % field for field in fields)
    status = HTTPStatus(pushed.status)
    return b"HTTP/1.1 %d %s\r\n%s\r\n" % (status, status.phrase.encode(), head) + pushed.body


def events(pushed: Sequence[Pushed]) -> bytes:
    """As Server-Sent Events (WHATWG HTML, Section 9.2), whose data is JSON."""
    return b"".join(_event(each.kind, _json(each)) for each in pushed)


def gone_event() -> bytes:
    """What ends a stream whose resource is gone."""
    return _event("gone", {"status": 404})


def _json(pushed: Pushed) -> dict[str, object]:
    fields = [[name.decode("latin-1"), text.decode("latin-1")] for name, text in pushed.fields]
    return {
        "url": pushed.url,
        "status": pushed.status,
        "headers": fields,
        "body": base64.b64encode(pushed.body).decode(),
    }


def _event(kind: str, data: dict[str, object]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
