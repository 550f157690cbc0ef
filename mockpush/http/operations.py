"""Operations of the control API: data that says what a request may hold, and what answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mockpush.errors import InvalidRequestError
from mockpush.gateways.exchange import (
    TENANT_PARAMETER,
    Handler,
    Resource,
    read_body,
    read_json,
    read_query,
    tenant_of,
)
from mockpush.http import kinds
from mockpush.http.answers import JSONAnswer
from mockpush.http.kinds import Json, Kind, record, refuse_unknown
from mockpush.http.shapes import View, show
from mockpush.service import DEFAULT_TENANT, PushService

NO_MEMBERS: Final = record({})
_WITH_BODY: Final = ("POST", "PATCH")


@dataclass(frozen=True, slots=True)
class Call:
    """One request for an operation, checked: `query` and `body` hold what their kinds read."""

    request: Request
    service: PushService
    tenant: str
    query: Mapping[str, Any]
    body: Json

    @property
    def target(self) -> str:
        """The id or the name in the path."""
        name: str = self.request.path_params["id"]
        return name


@dataclass(frozen=True, slots=True)
class Returns:
    """What comes back when nothing is wrong; `schema` names a component, None means no content.

    `also`: the components of other media types, for who asks for them.
    """

    status: int = 200
    schema: str | None = None
    media_type: str = "application/json"
    also: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path below the root of the API.

    `scoped`: it belongs to the tenant that the request names. `guarded`: only for known hosts.
    `told_by_pages`: pages of other hosts may ask for it, too, and cannot read what is answered.
    """

    method: str
    path: str
    summary: str
    answer: Callable[[Call], Awaitable[Response]]
    returns: Returns
    query: Mapping[str, Kind[Any]] = field(default_factory=dict)
    body: Kind[Json] = NO_MEMBERS
    scoped: bool = True
    guarded: bool = True
    told_by_pages: bool = False

    def handler(self, service: PushService) -> Handler:
        """Answers requests at a service."""

        async def handle(request: Request) -> Response:
            return await self.answer(await self._call(service, request))

        return handle

    async def _call(self, service: PushService, request: Request) -> Call:
        given = read_query(request)
        own = {name: text for name, text in given.items() if name != TENANT_PARAMETER}
        scope = {TENANT_PARAMETER: None} if self.scoped else {}
        refuse_unknown(given, {**self.query, **scope}, "query parameter")
        tenant = tenant_of(request) if self.scoped else DEFAULT_TENANT
        query = {
            name: self.query[name].parse(name, self.query[name].from_text(text))
            for name, text in own.items()
        }
        body = await self._body(request) if self.method in _WITH_BODY else {}
        return Call(request, service, tenant, query, body)

    async def _body(self, request: Request) -> Json:
        data = await read_body(request)
        members = read_json(data) if data.strip() else {}
        if not isinstance(members, dict):
            raise InvalidRequestError(f"the body must be an object, not {kinds.shown(members)}")
        return self.body.read(members)


def routes(
    operations: Sequence[Operation],
    service: PushService,
    *,
    root: str,
    guard: Callable[..., ASGIApp],
) -> list[Route]:
    """One route for each path, in order; the operations of a path stand side by side.

    `guard(app, pages=…)` keeps others out, but for pages where they may tell something.
    """
    made = []
    for path, group in groupby(operations, key=lambda operation: operation.path):
        of_path = list(group)
        handlers = {each.method: each.handler(service) for each in of_path}
        if "GET" in handlers:
            handlers["HEAD"] = handlers["GET"]
        resource = Resource(handlers)
        pages = all(each.told_by_pages for each in of_path)
        guarded = all(each.guarded for each in of_path)
        made.append(Route(root + path, guard(resource, pages=pages) if guarded else resource))
    return made


def shown(view: View[Any], value: object, *, status: int = 200, location: str = "") -> JSONAnswer:
    """The JSON of a value as the answer."""
    return JSONAnswer(show(view, value), status, {"Location": location} if location else None)


def no_content() -> Response:
    """Done, and nothing to say."""
    return Response(status_code=204)
