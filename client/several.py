"""Several responses in one answer: `multipart/mixed` of `application/http` (RFC 9112, 10.2)."""

from __future__ import annotations

import re
from typing import Final

from mockpush import errors

from .headers import Headers
from .transports.base import Response

_BOUNDARY: Final = re.compile(r';\s*boundary="?([^";,\s]+)', re.IGNORECASE)


def responses(response: Response) -> list[Response]:
    """The responses to a monitoring request: none (204), the one itself, or those in its body.

    One that stands alone, a receipt with its 204 too, names its resource in Content-Location.
    """
    if "content-location" in response.headers:
        return [response]
    if response.status == 204:
        return []
    boundary = _BOUNDARY.search(response.headers.get("content-type", ""))
    if boundary is None:
        raise errors.ServiceError("the answer to a monitoring request names no message")
    try:
        return [_response(part) for part in _parts(response.body, boundary[1].encode("latin-1"))]
    except (ValueError, LookupError) as error:
        raise errors.ServiceError(f"the answer is no list of responses: {error!r}") from error


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    delimiter, parts = b"--" + boundary, []
    while body.startswith(delimiter + b"\r\n"):
        head, rest = _divided(body[len(delimiter) + 2 :])
        length = int(_headers(head)["content-length"])
        parts.append(rest[:length])
        body = rest[length + 2 :]
    if not body.startswith(delimiter + b"--"):
        raise ValueError("the closing delimiter is missing")
    return parts


def _response(part: bytes) -> Response:
    head, body = _divided(part)
    status, _, fields = head.partition(b"\r\n")
    return Response(int(status.split(b" ")[1]), _headers(fields), body)


def _divided(data: bytes) -> tuple[bytes, bytes]:
    head, blank, rest = data.partition(b"\r\n\r\n")
    if not blank:
        raise ValueError("a part has no end of its header fields")
    return head, rest


def _headers(head: bytes) -> Headers:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    return Headers((name, value.strip()) for name, _, value in lines)
