"""JSON answers, and errors as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mockpush.errors import ServiceError

ROOT: Final = "/_mockpush/v1"

_WAY_OUT: Final = {
    404: f"there is nothing here; {ROOT}/openapi.json says what there is",
    405: "this resource has other methods: see Allow",
}


def write_json(value: object) -> bytes:
    """JSON in UTF-8, on one line; `ValueError` for infinities, which JSON does not have.

    Characters stay what they are, but for lone surrogates: JSON can escape them, UTF-8 cannot
    encode them.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode(
        "utf-8", "backslashreplace"
    )


class JSONAnswer(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """See `write_json`."""
        return write_json(content)


class ProblemAnswer(JSONAnswer):
    """A problem document: what is wrong, and the way out; `members` are its extensions."""

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        detail: str,
        members: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        own = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
        super().__init__({**own, **(members or {}), **own}, status, headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return ProblemAnswer(error.status, str(error), error.problem)


async def _no_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = _WAY_OUT.get(error.status_code, error.detail)
    return ProblemAnswer(error.status_code, detail, headers=error.headers)


async def _nobody_there(_: Request, __: Exception) -> Response:
    """Nobody reads it, but an ASGI application answers."""
    return Response(status_code=400)


async def _bug(_: Request, error: Exception) -> Response:
    detail = f"this is a bug in mockpush, please report it: {type(error).__name__}"
    return ProblemAnswer(500, detail)


HANDLERS: Final = {
    ServiceError: _refused,
    HTTPException: _no_route,
    ClientDisconnect: _nobody_there,
    Exception: _bug,
}
"""What errors become."""
