"""How browsers are started, in the control API."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from mockpush.browsers import ALL_HOSTS, Place, launch
from mockpush.endpoints import VENDOR, origin_of
from mockpush.errors import NotFoundError, ServiceError
from mockpush.http.answers import ROOT, JSONAnswer
from mockpush.http.hosts import hostname
from mockpush.http.kinds import Kind, choice, decoded
from mockpush.http.operations import Call, Operation, Returns
from mockpush.http.user_agents import NAME
from mockpush.protocol.user_agents import UserAgentKind
from mockpush.service import PushService

Desktop = Callable[[str], Awaitable[str | None]]
"""The D-Bus address of the desktop of a user agent."""


class Listeners(NamedTuple):
    """The plain and the TLS origin of a server, and the hash of its certificate's public key.

    `set_origin` is the one that somebody has set for its endpoints.
    """

    http: str
    https: str
    pin: str
    set_origin: str | None = None


OWN: Final = "own"
NATIVE: Final = "native"
SEEN: Final = "seen"
TOLD: Final = "told"
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def _names(given: str) -> list[str]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    for each in names:
        if each != ALL_HOSTS and hostname(each) != each.lower():
            raise ValueError(f"{each[:80]!r} is no name of a host")
    return names


_QUERY: Final[dict[str, Kind[Any]]] = {
    "user_agent": NAME,
    "endpoints": choice(OWN, NATIVE),
    "notifications": choice(SEEN, TOLD),
    "hosts": decoded("names that the browser may resolve, with commas between them, or *", _names),
}


async def no_desktop(_: str) -> None:
    """Where browsers show nothing, or what the service could not see."""


def operations(
    *, listeners: Callable[[], Listeners | None], desktop: Desktop
) -> tuple[Operation, ...]:
    """`listeners` gives those of the server, if the service has one."""

    async def read_launch(call: Call) -> Response:
        kind = _kind(call.target)
        seen = kind is UserAgentKind.CHROMIUM and _is_here(call.request)
        place = await _place(call, listeners(), desktop if seen else no_desktop)
        told = place.desktop is not None and call.query.get("notifications") == TOLD
        call.service.notifications.expect(place.user_agent, told=told)
        return JSONAnswer(asdict(launch(kind, place)))

    return (
        Operation(
            "GET",
            "/browsers/{id}/launch",
            "Say how chromium or firefox is to be started to be a user agent of this service",
            read_launch,
            Returns(schema="Launch"),
            query=_QUERY,
            scoped=False,
        ),
    )


def _kind(name: str) -> UserAgentKind:
    if name not in set(UserAgentKind):
        known = " and ".join(sorted(UserAgentKind))
        raise NotFoundError(f"there is no browser {name!r}; there is: {known}")
    return UserAgentKind(name)


async def _place(call: Call, listeners: Listeners | None, desktop: Desktop) -> Place:
    """As the caller reaches the service."""
    if listeners is None:
        raise ServiceError("the service has no ports to which a browser could connect", status=409)
    service, query = call.service, call.query
    user_agent = query.get("user_agent", call.target)
    http, https = _reached(call.request, listeners)
    return Place(
        user_agent,
        http,
        https,
        listeners.pin,
        ROOT,
        endpoints=_endpoints(service, http) if query.get("endpoints", OWN) == OWN else None,
        desktop=await desktop(user_agent),
        hosts=query.get("hosts", ()),
    )


def _reached(request: Request, listeners: Listeners) -> tuple[str, str]:
    """The plain and the TLS origin for a browser where the request comes from.

    Behind ports that are mapped nobody knows which one leads to the TLS port, unless the origin
    that was set for endpoints says so.
    """
    scheme, authority = request.url.scheme, request.url.netloc
    ports = {"http": _port(listeners.http), "https": _port(listeners.https)}
    if _port(f"{scheme}://{authority}") == ports[scheme]:
        name = hostname(authority)
        return f"http://{name}:{ports['http']}", f"https://{name}:{ports['https']}"
    if scheme == "http" and (listeners.set_origin or "").startswith("https:"):
        return f"http://{authority}", str(listeners.set_origin)
    raise ServiceError(
        f"the service listens on the ports {ports['http']} and {ports['https']}, and not on that "
        f"of {scheme}://{authority}: where ports are mapped, ask for this at the plain one, and "
        "start the service with --endpoint-origin https://HOST:PORT, by which a browser gets to "
        "its HTTPS port",
        status=409,
    )


def _port(origin: str) -> str:
    scheme, _, authority = origin.partition("://")
    return authority.rpartition("]")[2].partition(":")[2] or _DEFAULT_PORTS[scheme]


def _endpoints(service: PushService, http: str) -> str:
    """The origin of Chromium's endpoints, as the service gives them out."""
    if service.user_agents.by_listener:
        return http
    wanted = VENDOR if service.options.vendor_hosts else None
    return origin_of(service.profile("fcm"), wanted, usual=service.origins[0])


def _is_here(request: Request) -> bool:
    """Whether it comes from this machine, and not from outside of a container, say."""
    client, server = request.client, request.scope.get("server")
    if client is None or server is None:
        return False
    return client.host == server[0] or ipaddress.ip_address(client.host).is_loopback
