"""An application that pushes to many, and only to push services on public addresses."""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from pywebpush import WebPushException, webpush

PUSH_SERVICES = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
)


def check_endpoint(endpoint: str, *, own: tuple[str, ...] = ()) -> None:
    """`ValueError` unless it is at a push service, and not inside our network but for `own`."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if host in own:
        return
    if parts.scheme != "https" or not host.endswith(PUSH_SERVICES):
        raise ValueError(f"{host} is not a push service")
    for *_, address in socket.getaddrinfo(host, parts.port or 443):
        if not ipaddress.ip_address(address[0]).is_global:
            raise ValueError(f"{host} is at {address[0]}")


def notify_all(
    subscribers: Iterable[dict[str, Any]],
    message: str,
    claims: Callable[[], dict[str, Any]],
    *,
    own: tuple[str, ...] = (),
) -> list[int]:
    """Pushes `message` to every subscriber; what each push service answered."""
    statuses = []
    for subscriber in subscribers:
        check_endpoint(subscriber["endpoint"], own=own)
        try:
            answer = webpush(
                subscriber,
                message,
                vapid_private_key=os.environ["VAPID_PRIVATE_KEY"],
                vapid_claims=claims(),
                ttl=3600,
            )
        except WebPushException as error:
            answer = error.response
        statuses.append(answer.status_code)
    return statuses
