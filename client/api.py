"""The control API as a client sees it: JSON in, JSON or an error out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from mockpush import errors

from .transports.base import REQUEST_TIMEOUT, Response, Stream, Transport

ROOT: Final = "/_mockpush/v1"
TENANT_HEADER: Final = "Mockpush-Tenant"
JSON: Final = "application/json"
PAGE: Final = 1000
"""The most items that the service gives at a time."""
LONGEST_WAIT: Final = 600.0
"""Seconds that the service waits at most before it answers."""
_ERRORS: Final[Mapping[int, type[errors.ServiceError]]] = {
    400: errors.InvalidRequestError,
    404: errors.NotFoundError,
    422: errors.InvalidRequestError,
}
_NOT_EXTENSIONS: Final = frozenset(("message", "status", "self"))

Json: TypeAlias = dict[str, Any]


class Api:
    """The control API in one tenant, over a transport.

    Answers of 400 and more are `errors.ServiceError`s made of their problem documents (RFC 9457).
    """

    def __init__(self, transport: Transport, tenant: str) -> None:
        self.transport = transport
        self.tenant = tenant

    def get(self, *path: str, patience: float = 0.0, **query: object) -> Any:
        """The JSON at a path; query parameters that are None are left out.

        `patience`: seconds that the service may take on purpose before it answers.
        """
        return _json(self._request("GET", path, query=query, patience=patience, accept=JSON))

    def text(self, *path: str) -> str:
        """A resource that is not JSON."""
        return self._request("GET", path).body.decode()

    def post(self, *path: str, body: object = None) -> Any:
        """Sends JSON; what came back, or None."""
        return _json(self._request("POST", path, body=body))

    def patch(self, *path: str, body: object) -> Any:
        """Changes a resource; what came back, or None."""
        return _json(self._request("PATCH", path, body=body))

    def delete(self, *path: str, **query: object) -> None:
        """Deletes a resource, or those of a list that match."""
        self._request("DELETE", path, query=query)

    def pages(self, path: str, **query: object) -> Iterator[Json]:
        """The pages of a list, oldest items first."""
        since = query.pop("since", None)
        more = True
        while more:
            page = self.get(path, patience=0.0, limit=PAGE, since=since, **query)
            yield page
            since, more = page["next"], page["more"]

    def items(self, path: str, **query: object) -> Iterator[Json]:
        """Every item of a list, oldest first."""
        for page in self.pages(path, **query):
            yield from page["items"]

    def stream(self, path: str, *, headers: Mapping[str, str]) -> Stream:
        """An answer that goes on."""
        fields = [(TENANT_HEADER, self.tenant), *headers.items()]
        stream = self.transport.stream("GET", f"{ROOT}/{path}", headers=fields)
        if stream.status >= 400:
            with stream:
                body = b"".join(stream)
            raise problem(Response(stream.status, stream.headers, body))
        return stream

    def _request(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        patience: float = 0.0,
        accept: str = "*/*",
    ) -> Response:
        fields = [(TENANT_HEADER, self.tenant), ("Accept", accept)]
        content = b""
        if body is not None:
            fields.append(("Content-Type", JSON))
            content = json.dumps(body).encode()
        response = self.transport.request(
            method,
            _target(path, query or {}),
            headers=fields,
            body=content,
            timeout=patience + REQUEST_TIMEOUT,
        )
        if response.status >= 400:
            raise problem(response)
        return response


def problem(response: Response) -> errors.ServiceError:
    """The error that an answer of 400 or more stands for, in the words of its problem document."""
    try:
        document = json.loads(response.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        text = response.body[:200].decode(errors="replace") or "no explanation"
        return errors.ServiceError(f"answer {response.status}: {text}", status=response.status)
    text = str(document.get("detail") or document.get("title") or f"answer {response.status}")
    if "setting" in document:
        setting = str(document["setting"])
        return errors.LimitError(text, setting=setting, status=response.status)
    kind = _ERRORS.get(response.status, errors.ServiceError)
    members = {name: value for name, value in document.items() if name not in _NOT_EXTENSIONS}
    return kind(text, status=response.status, **members)


def _target(path: tuple[str, ...], query: Mapping[str, object]) -> str:
    target = "/".join((ROOT, *(quote(part, safe="") for part in path)))
    given = {name: _written(value) for name, value in query.items() if value is not None}
    return f"{target}?{urlencode(given)}" if given else target


def _written(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _json(response: Response) -> Any:
    return json.loads(response.body) if response.body else None
