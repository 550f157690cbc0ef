"""The control API: its operations, its description, and the errors of everything but pushes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from mockpush._version import __version__
from mockpush.http import (
    administration,
    browsers,
    events,
    faults,
    inspection,
    notifications,
    subscriptions,
    traffic,
    user_agents,
)
from mockpush.http.answers import HANDLERS, ROOT, JSONAnswer
from mockpush.http.hosts import LOOPBACK, HostGuard
from mockpush.http.openapi import document
from mockpush.http.operations import Call, Operation, Returns, routes
from mockpush.service import PushService


def application(
    service: PushService,
    *,
    hosts: Sequence[str] = (),
    ca_pem: Callable[[], bytes] | None = None,
    proxy_url: Callable[[], str | None] = lambda: None,
    listeners: Callable[[], browsers.Listeners | None] = lambda: None,
    desktop: browsers.Desktop = browsers.no_desktop,
    resources: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The control API and `resources` as one ASGI application.

    `hosts` are the names that the API answers to besides loopback's, `listeners` and `desktop` are
    for browsers that are to be started. Health and the certificate are there at the root, too,
    where probes look for them.
    """
    health = administration.health_operations(ca_pem)
    operations = (
        *_about(hosts, proxy_url),
        *subscriptions.OPERATIONS,
        *traffic.OPERATIONS,
        *faults.OPERATIONS,
        *events.OPERATIONS,
        *user_agents.OPERATIONS,
        *notifications.OPERATIONS,
        *browsers.operations(listeners=listeners, desktop=desktop),
        *inspection.OPERATIONS,
        *administration.OPERATIONS,
        *health,
    )
    guard = partial(HostGuard, hosts=hosts)
    app = Starlette(
        routes=[
            *routes((*operations, description(operations)), service, root=ROOT, guard=guard),
            *routes(health, service, root="", guard=guard),
            *resources,
        ],
        exception_handlers=HANDLERS,
    )
    # A redirection would be made of the Host field, which anybody may write.
    app.router.redirect_slashes = False
    return app


def description(operations: Sequence[Operation]) -> Operation:
    """The operation that describes these operations and itself."""

    async def describe(_: Call) -> Response:
        return JSONAnswer(document((*operations, own), root=ROOT))

    own = Operation(
        "GET",
        "/openapi.json",
        "This description",
        describe,
        Returns(schema="Document"),
        scoped=False,
    )
    return own


def _about(hosts: Sequence[str], proxy_url: Callable[[], str | None]) -> tuple[Operation, ...]:
    async def about(call: Call) -> Response:
        origins = call.service.origins
        return JSONAnswer(
            {
                "version": __version__,
                "https": next((each for each in origins if each.startswith("https:")), None),
                "proxy": proxy_url(),
                "origins": list(origins),
                "hosts": [*LOOPBACK, *hosts],
                "profiles": list(call.service.profiles),
                "vendor_hosts": {
                    name: list(profile.hosts)
                    for name, profile in call.service.profiles.items()
                    if profile.hosts
                },
            }
        )

    returns = Returns(schema="About")
    return (Operation("GET", "", "What this service is", about, returns, scoped=False),)
