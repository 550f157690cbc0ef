"""What all HTTP resources share: methods, the tenant, bodies, and clients that go away."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mockpush.errors import InvalidRequestError
from mockpush.service import DEFAULT_TENANT

MAX_BODY: Final = 1024 * 1024
"""Octets of a request body; the largest that makes sense here is a few hundred."""
MAX_NESTING: Final = 100
"""Levels of arrays and objects in a body; no member of ours is nested more than a few."""
TENANT_HEADER: Final = "Mockpush-Tenant"
TENANT_PARAMETER: Final = "tenant"
TENANT_NAME: Final = r"^[!-.0-~]([ -.0-~]{0,126}[!-.0-~])?$"
"""Printable ASCII without a slash, which paths could not carry; no space at either end."""
USER_AGENT_NAME: Final = r"(?!\.\.?$)[!-.0-~]{1,128}"
"""An id that somebody gives to a user agent: printable ASCII without space and slash.

Two names are none, since URLs have no such steps: . and ..
"""

Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")


class Resource:
    """An ASGI application that answers the methods of one path, and no others (405).

    HEAD is answered only where it is given: some GETs change something.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handlers.get(scope["method"])
        if handler is None:
            raise HTTPException(405, headers={"Allow": ", ".join(self._handlers)})
        response = await handler(Request(scope, receive))
        await response(scope, receive, send)


def read_query(request: Request) -> dict[str, str]:
    """The query parameters; `InvalidRequestError` for one that is there twice or is not UTF-8."""
    text = str(request.scope["query_string"], "latin-1")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequestError("the query is not UTF-8 in percent-encoding") from None
    return _distinct(pairs, "query parameter")


def tenant_of(request: Request) -> str:
    """The tenant that the header field or the query names; `default` if neither does."""
    named = {*request.headers.getlist(TENANT_HEADER)}
    query = read_query(request)
    if TENANT_PARAMETER in query:
        named.add(query[TENANT_PARAMETER])
    if len(named) > 1:
        raise InvalidRequestError(
            f"{TENANT_HEADER} and ?{TENANT_PARAMETER}= name different tenants: use one of them"
        )
    name = named.pop() if named else DEFAULT_TENANT
    if not re.fullmatch(TENANT_NAME, name):
        raise InvalidRequestError(
            f"{name[:200]!r} cannot be the name of a tenant: write 1 to 128 printable ASCII "
            "characters without a slash"
        )
    return name


async def read_body(request: Request) -> bytes:
    """The whole body; what is more than `MAX_BODY` is read, not kept, and then refused (413)."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
    if size > MAX_BODY:
        raise InvalidRequestError(f"the body has more than {MAX_BODY} octets", status=413)
    return b"".join(parts)


def read_json(data: bytes) -> object:
    """Strict JSON (RFC 8259); `InvalidRequestError` says what is wrong with it."""
    try:
        text = data.decode()
        if _nesting(text) > MAX_NESTING:
            raise InvalidRequestError("the body is nested too deeply")
        return json.loads(
            text,
            parse_constant=_refuse_constant,
            object_pairs_hook=lambda pairs: _distinct(pairs, "member"),
        )
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"the body is not UTF-8: {error.reason}") from None
    except ValueError as error:
        raise InvalidRequestError(f"the body is not JSON: {error}") from None


_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)


def _nesting(text: str) -> int:
    """The deepest level of arrays and objects; few brackets need no closer look."""
    if (few := text.count("[") + text.count("{")) <= MAX_NESTING:
        return few
    level = deepest = 0
    for bracket in _BRACKETS.finditer(text):
        level += bool(bracket[1]) - bool(bracket[2])
        deepest = max(deepest, level)
    return deepest


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _distinct(pairs: list[tuple[str, T]], noun: str) -> dict[str, T]:
    names: dict[str, T] = {}
    for name, value in pairs:
        if name in names:
            raise InvalidRequestError(f"the {noun} {name[:100]!r} is there twice")
        names[name] = value
    return names


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns. If the client goes away first, it is cancelled: `ClientDisconnect`.

    The request's body must have been read.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(disconnected(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            raise ClientDisconnect
        return await task
    finally:
        abandon(task)
        abandon(gone)


async def disconnected(request: Request) -> None:
    """Returns when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def abandon(task: asyncio.Future[Any]) -> None:
    """Cancels a task whose outcome nobody wants to know any more."""
    task.cancel()
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
