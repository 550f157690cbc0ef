"""User agents and application servers that speak RFC 8030 to the service.

Subscribing (Section 4), monitoring (Section 6), acknowledging, and receipts (Section 6.3). Where
the RFC pushes over HTTP/2, a monitoring request here is a long poll or a stream of Server-Sent
Events (`watching.py`). A request that the client gives up takes the user agent offline until it
monitors again.

HTTP/1.1 has no reliable way to say that a connection is closed: an answer may be on its way to a
client that has gone, and proxies keep connections open. So there is an extension, `POST
/s/<id>/offline` and `/online`, by which a user agent says it in so many words; for all that are in
a set, `/set/<id>/…`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urljoin, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockpush.errors import InvalidRequestError, KeyFormatError, NotFoundError
from mockpush.gateways.exchange import Resource, read_body, read_json, tenant_of
from mockpush.gateways.sources import (
    PROFILE,
    OfSet,
    OfSubscription,
    Receipts,
    held_subscription,
    subscription_set,
)
from mockpush.gateways.watching import Watches
from mockpush.protocol.findings import Finding
from mockpush.protocol.headers import parse_urgency
from mockpush.protocol.keys import parse_application_server_key
from mockpush.protocol.links import PUSH, PUSH_SET, link, linked
from mockpush.protocol.model import (
    Subscription,
    SubscriptionSet,
    SubscriptionState,
    Urgency,
    new_token,
)
from mockpush.protocol.receipts import ReceiptSubscription
from mockpush.service import PushService

OPTIONS_TYPE: Final = "application/webpush-options+json"
SETS: Final = "/set/"
"""In front of the id of a subscription set."""


def routes(service: PushService) -> list[Route]:
    """The push service, and what user agents and application servers monitor."""
    monitoring = Monitoring(service)
    table = {
        "/subscribe": {"POST": monitoring.subscribe},
        "/s/{id}": {"GET": monitoring.monitor, "DELETE": monitoring.unsubscribe},
        "/s/{id}/online": {"POST": monitoring.go_online},
        "/s/{id}/offline": {"POST": monitoring.go_offline},
        "/set/{id}": {"GET": monitoring.monitor_set, "DELETE": monitoring.remove_set},
        "/set/{id}/online": {"POST": monitoring.set_goes_online},
        "/set/{id}/offline": {"POST": monitoring.set_goes_offline},
        "/m/{id}": {"DELETE": monitoring.acknowledge},
        "/r/{id}": {"GET": monitoring.monitor_receipts, "DELETE": monitoring.remove_receipts},
    }
    return [Route(path, Resource(handlers)) for path, handlers in table.items()]


class Monitoring:
    """The requests to each of these resources."""

    def __init__(self, service: PushService) -> None:
        self._service = service
        self._watches = Watches(service)

    async def subscribe(self, request: Request) -> Response:
        """A new subscription (RFC 8030, Section 4), restricted to a key if one is given.

        It joins the subscription set that the user agent offers, else it begins one (Section 4.1).
        """
        tenant = tenant_of(request)
        key = await _application_server_key(request)
        offered = self._offered_set(request)
        subscription = await self._service.subscribe(
            tenant,
            profile=PROFILE,
            application_server_key=key,
            held=True,
            set_id=offered or new_token(),
            joins=offered is not None,
        )
        origin = self._origin(request)
        links = (
            link(subscription.endpoint, PUSH),
            link(f"{origin}{SETS}{subscription.set_id}", PUSH_SET),
        )
        headers = {"Location": f"{origin}/s/{subscription.id}", "Link": ", ".join(links)}
        return Response(status_code=201, headers=headers)

    def _offered_set(self, request: Request) -> str | None:
        """The id of the set that the request offers; `InvalidRequestError` if it is not ours."""
        offered = linked(", ".join(request.headers.getlist("link")), PUSH_SET)
        if offered is None:
            return None
        origin = self._origin(request)
        try:
            parts = urlsplit(urljoin(f"{origin}/subscribe", offered))
        except ValueError:
            raise _no_set(offered) from None
        ours = f"{parts.scheme}://{parts.netloc}".lower() in (origin, *self._service.origins)
        if not ours or not parts.path.startswith(SETS):
            raise _no_set(offered)
        return parts.path.removeprefix(SETS)

    # Subscriptions

    async def monitor(self, request: Request) -> Response:
        """The messages of the subscription (Section 6)."""
        held, lowest = await self._subscription(request), _lowest_urgency(request)
        return await self._watches.monitor(request, OfSubscription(self._service, held, lowest))

    async def unsubscribe(self, request: Request) -> Response:
        """The user agent gives up the subscription (Section 7.3)."""
        subscription = await self._subscription(request)
        await self._service.end_subscription(subscription, state=SubscriptionState.REMOVED)
        return Response(status_code=204)

    async def go_online(self, request: Request) -> Response:
        """The user agent is there."""
        return await self._set_presence([await self._subscription(request)], online=True)

    async def go_offline(self, request: Request) -> Response:
        """The user agent is away: what it did not acknowledge is pending again."""
        return await self._set_presence([await self._subscription(request)], online=False)

    # Subscription sets

    async def monitor_set(self, request: Request) -> Response:
        """The messages of all subscriptions in the set (Section 6.1)."""
        found, lowest = await self._set(request), _lowest_urgency(request)
        return await self._watches.monitor(request, OfSet(self._service, found, lowest))

    async def remove_set(self, request: Request) -> Response:
        """The user agent gives up the set and all subscriptions in it (Section 7.3.1)."""
        found = await self._set(request)
        now = await self._service.now(found.tenant)
        state = SubscriptionState.REMOVED
        await self._service.storage.end_set(found.id, state=state, now=now)
        return Response(status_code=204)

    async def set_goes_online(self, request: Request) -> Response:
        """The user agent is there for all subscriptions in the set."""
        return await self._set_presence((await self._set(request)).members, online=True)

    async def set_goes_offline(self, request: Request) -> Response:
        """The user agent is away for all of them."""
        return await self._set_presence((await self._set(request)).members, online=False)

    # Messages and receipts

    async def acknowledge(self, request: Request) -> Response:
        """The user agent has the message, or the application server takes it back (Section 6.2)."""
        if not await self._service.close_message(request.path_params["id"]):
            raise NotFoundError("there is no such message, or it has been acknowledged")
        return Response(status_code=204)

    async def monitor_receipts(self, request: Request) -> Response:
        """What became of messages: 204 acknowledged, 410 never will be (Section 6.3)."""
        found = await self._receipts(request)
        return await self._watches.monitor(request, Receipts(self._service, found))

    async def remove_receipts(self, request: Request) -> Response:
        """The application server wants no more receipts here (Section 7.3)."""
        found = await self._receipts(request)
        now = await self._service.now(found.tenant)
        await self._service.storage.close_receipts(found.id, now=now)
        return Response(status_code=204)

    # Below the surface

    async def _set_presence(
        self, subscriptions: Iterable[Subscription], *, online: bool
    ) -> Response:
        for subscription in subscriptions:
            await self._service.set_presence(subscription, online=online)
        return Response(status_code=204)

    async def _subscription(self, request: Request) -> Subscription:
        own_id = request.path_params["id"]
        await self._service.now((await held_subscription(self._service, own_id)).tenant)
        return await held_subscription(self._service, own_id)

    async def _set(self, request: Request) -> SubscriptionSet:
        own_id = request.path_params["id"]
        await self._service.now((await subscription_set(self._service, own_id)).tenant)
        return await subscription_set(self._service, own_id)

    async def _receipts(self, request: Request) -> ReceiptSubscription:
        found = await self._service.storage.receipt_subscription(request.path_params["id"])
        if found is None:
            raise NotFoundError("there is no such receipt subscription")
        await self._service.now(found.tenant)
        return found

    def _origin(self, request: Request) -> str:
        """That by which the client reached us, if it is one of ours."""
        origin = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        origins = self._service.origins
        return origin if origin in origins else origins[0]


def _no_set(offered: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Link: {offered[:200]!r} is no subscription set of this service: without one you get one"
    )


async def _application_server_key(request: Request) -> bytes | None:
    """The key of RFC 8292, Section 4.1. Bodies of other types and unknown members are ignored."""
    body = await read_body(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != OPTIONS_TYPE:
        return None
    options = read_json(body)
    if not isinstance(options, dict):
        raise InvalidRequestError("the options must be a JSON object")
    key = options.get("vapid")
    if key is None:
        return None
    try:
        return parse_application_server_key(key if isinstance(key, str) else repr(key))
    except KeyFormatError as error:
        raise InvalidRequestError(f"vapid: {error}") from None


def _lowest_urgency(request: Request) -> Urgency | None:
    """The Urgency of a monitoring request; None if it has none (RFC 8030, Section 5.3)."""
    lines = [line.encode("latin-1") for line in request.headers.getlist("urgency")]
    if not lines:
        return None
    findings: list[Finding] = []
    urgency = parse_urgency(lines, findings)
    if urgency is None:
        raise InvalidRequestError(f"Urgency must be {findings[0].expected}")
    return urgency
