"""The push resource over HTTP (RFC 8030, Section 5), in front of everything else.

Bodies are read whatever their Content-Type. What is longer than anybody may send is counted, not
kept.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from mockpush.http.disturbing import Wire, disturb, send_answer
from mockpush.injecting import Disturbed
from mockpush.protocol.fault_kinds import EXTENSION
from mockpush.protocol.judging import Profile
from mockpush.protocol.records import WireAnswer
from mockpush.service import PushService

KEPT_BODY: Final = 65_536
"""Octets of a body that are kept for the journal; every profile's limit is far below."""

_WITHOUT_CONTENT: Final = frozenset(("GET", "HEAD", "DELETE", "OPTIONS"))
"""A client that followed a redirect may announce the content of its POST and never send it."""

_CORS: Final = ((b"access-control-allow-origin", b"*"),)
_PREFLIGHT: Final = (
    *_CORS,
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"3600"),
)
"""Browsers may push too; Mozilla's service allows every origin, and so do we."""


class PushResource:
    """The endpoints of one profile with this prefix: for ASGI, and for an answer at once."""

    def __init__(self, service: PushService, profile: Profile, prefix: str) -> None:
        self._service = service
        self._profile = profile
        self._prefix = len(prefix)
        self._kept = max(KEPT_BODY, int(profile.limits["body"]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        from_page = _comes_from_a_page(headers)
        if from_page and scope["method"] == "OPTIONS":
            await send_answer(send, WireAnswer(204, _PREFLIGHT))
            return
        body, size = (
            (b"", 0) if scope["method"] in _WITHOUT_CONTENT else await _read(receive, self._kept)
        )
        if body is None:
            return
        wire: Wire | None = scope.get("extensions", {}).get(EXTENSION)
        answer = await self._service.receive(
            profile=self._profile,
            token=self._token(scope),
            method=scope["method"],
            target=_target(scope),
            headers=headers,
            body=body,
            body_size=size,
            http_version=scope["http_version"],
            connected=wire is not None,
        )
        fields = _CORS if from_page else ()
        if isinstance(answer, Disturbed):
            await disturb(answer, self._service, scope, receive, send, wire=wire, fields=fields)
        else:
            await send_answer(send, answer, fields)

    def answer_at_once(
        self, target: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> WireAnswer | None:
        """The answer to a POST over HTTP/1.1, as `__call__` gives it; None where it has to wait."""
        token = target[self._prefix :]
        if not self._service.storage.answers_at_once(token) or _comes_from_a_page(headers):
            return None
        if self._profile.query is not None:
            return None
        answering = self._service.receive(
            profile=self._profile,
            token=token,
            method="POST",
            target=target,
            headers=headers,
            body=body,
        )
        return _completed(answering)

    def _token(self, scope: Scope) -> str:
        path: str = scope["path"]
        if self._profile.query is None:
            return path[self._prefix :]
        query = parse_qs(str(scope["query_string"], "latin-1"))
        return query.get(self._profile.query, [""])[0]


def _completed(answering: Coroutine[Any, Any, WireAnswer | Disturbed]) -> WireAnswer:
    """The result of a coroutine that awaits nothing that suspends."""
    try:
        answering.send(None)
    except StopIteration as done:
        if isinstance(done.value, WireAnswer):
            return done.value
    raise RuntimeError("what was to be answered at once has to wait")


def _comes_from_a_page(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    for name, _ in headers:  # noqa: SIM110 - a generator costs as much as the rest of this function
        if name == b"origin":
            return True
    return False


def _target(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (raw + b"?" + query if query else raw).decode("latin-1")


async def _read(receive: Receive, limit: int) -> tuple[bytes | None, int]:
    """The body, cut off at `limit`, and its true size; no body when the client went away."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        return body[:limit], len(body)
    parts, size = [], 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        if size < limit:
            parts.append(part[: limit - size])
        size += len(part)
        if not message.get("more_body", False):
            return b"".join(parts), size
        message = await receive()
    return None, size
