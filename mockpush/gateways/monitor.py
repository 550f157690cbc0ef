"""User agents that speak RFC 8030: subscribing (Section 4), monitoring (Section 6), acknowledging.

Where the RFC pushes messages over HTTP/2, a monitoring request here is a long poll: it is answered
with the oldest message, and acknowledging that lets the next one come. A request that the client
gives up takes the user agent offline until it monitors again.

HTTP/1.1 has no reliable way to say that a connection is closed: an answer may be on its way to a
client that has gone, and proxies keep connections open. So there is an extension, `POST
/s/<id>/offline` and `/online`, by which a user agent says it in so many words.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from email.utils import formatdate
from typing import Final, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from mockpush.errors import InvalidRequestError, KeyFormatError, NotFoundError
from mockpush.gateways.exchange import (
    Resource,
    abandon,
    disconnected,
    read_body,
    read_json,
    tenant_of,
)
from mockpush.protocol.keys import parse_application_server_key
from mockpush.protocol.model import Subscription, SubscriptionState
from mockpush.protocol.records import PushMessage
from mockpush.service import PushService

PROFILE: Final = "rfc"
OPTIONS_TYPE: Final = "application/webpush-options+json"
PUSH_RELATION: Final = "urn:ietf:params:push"
LONGEST_WAIT: Final = 60
"""Seconds; proxies give up on answers after about a minute."""

_WAIT: Final = re.compile(r'\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?', re.IGNORECASE)


_Claimed: TypeAlias = Sequence[PushMessage] | None


def routes(service: PushService) -> list[Route]:
    """The push service, the subscriptions that user agents hold, and the message resources."""
    monitoring = Monitoring(service)
    table = {
        "/subscribe": {"POST": monitoring.subscribe},
        "/s/{id}": {"GET": monitoring.monitor, "DELETE": monitoring.unsubscribe},
        "/s/{id}/online": {"POST": monitoring.go_online},
        "/s/{id}/offline": {"POST": monitoring.go_offline},
        "/m/{id}": {"DELETE": monitoring.acknowledge},
    }
    return [Route(path, Resource(handlers)) for path, handlers in table.items()]


class Monitoring:
    """The requests of user agents; of each subscription one monitoring request at most is open."""

    def __init__(self, service: PushService) -> None:
        self._service = service
        self._open: dict[str, asyncio.Task[_Claimed]] = {}

    async def subscribe(self, request: Request) -> Response:
        """A new subscription (RFC 8030, Section 4), restricted to a key if one is given."""
        subscription = await self._service.subscribe(
            tenant_of(request),
            profile=PROFILE,
            application_server_key=await _application_server_key(request),
            held=True,
        )
        location = f"{self._origin(request)}/s/{subscription.id}"
        return Response(status_code=201, headers={"Location": location, **_link(subscription)})

    async def unsubscribe(self, request: Request) -> Response:
        """The user agent gives up the subscription (RFC 8030, Section 7.3)."""
        subscription = await self._subscription(request)
        await self._service.end_subscription(subscription, state=SubscriptionState.REMOVED)
        return Response(status_code=204)

    async def go_online(self, request: Request) -> Response:
        """The user agent is there."""
        return await self._set_presence(request, online=True)

    async def go_offline(self, request: Request) -> Response:
        """The user agent is away: what it did not acknowledge is pending again."""
        return await self._set_presence(request, online=False)

    async def acknowledge(self, request: Request) -> Response:
        """The user agent has the message, or the application server takes it back (Section 6.2)."""
        if not await self._service.close_message(request.path_params["id"]):
            raise NotFoundError("there is no such message, or it has been acknowledged")
        return Response(status_code=204)

    async def monitor(self, request: Request) -> Response:
        """The oldest message that is not acknowledged, as soon as there is one (Section 6).

        It takes over from an earlier monitoring request of the subscription, which ends with 204.
        """
        subscription = await self._subscription(request)
        preferred = _preferred_wait(request)
        await self._service.connection_made(subscription)
        work = self._take_over(subscription, LONGEST_WAIT if preferred is None else preferred)
        gone = asyncio.ensure_future(disconnected(request))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            return self._outcome(subscription, work, gone, preferred)
        except (ClientDisconnect, asyncio.CancelledError):
            if self._is_current(subscription, work):
                await self._service.connection_lost(subscription)
            raise
        finally:
            abandon(work)
            abandon(gone)
            if self._is_current(subscription, work):
                del self._open[subscription.id]

    def _take_over(self, subscription: Subscription, wait: float) -> asyncio.Task[_Claimed]:
        earlier = self._open.get(subscription.id)
        if earlier is not None:
            abandon(earlier)
        work = asyncio.ensure_future(self._claim_next(subscription, wait))
        self._open[subscription.id] = work
        return work

    def _is_current(self, subscription: Subscription, work: asyncio.Task[_Claimed]) -> bool:
        """Whether what this request claimed is still its own to deliver or to give back."""
        return self._open.get(subscription.id) is work

    def _outcome(
        self,
        subscription: Subscription,
        work: asyncio.Task[_Claimed],
        gone: asyncio.Future[None],
        preferred: int | None,
    ) -> Response:
        """From here to the socket nothing suspends: what is claimed is sent or given back."""
        headers = {} if preferred is None else {"Preference-Applied": f"wait={preferred}"}
        if not self._is_current(subscription, work):
            return Response(status_code=204, headers=headers)
        if gone.done():
            raise ClientDisconnect
        claimed = work.result()
        if not claimed:
            return Response(status_code=204, headers=headers)
        return _delivery(claimed[0], subscription, headers)

    async def _claim_next(self, subscription: Subscription, wait: float) -> _Claimed:
        """One message. None in time, or none since the user agent has gone offline meanwhile."""
        tenant, own_id = subscription.tenant, subscription.id
        storage, delivery = self._service.storage, self._service.delivery(subscription)
        await storage.release(tenant, own_id, now=await self._service.now(tenant))
        was_online = (await self._held(own_id)).online

        async def look() -> _Claimed:
            if not (await self._held(own_id)).online:
                return [] if was_online else None
            now = await self._service.now(tenant)
            return await storage.claim(tenant, own_id, delivery=delivery, now=now) or None

        return await self._service.wait(tenant, look, timeout=wait)

    async def _set_presence(self, request: Request, *, online: bool) -> Response:
        await self._service.set_presence(await self._subscription(request), online=online)
        return Response(status_code=204)

    async def _subscription(self, request: Request) -> Subscription:
        own_id = request.path_params["id"]
        await self._service.now((await self._held(own_id)).tenant)
        return await self._held(own_id)

    async def _held(self, subscription_id: str) -> Subscription:
        """The subscription if a user agent holds it and it is active (RFC 8030, Section 7.3)."""
        found = await self._service.storage.held_subscription(subscription_id)
        if found is None or found.state is not SubscriptionState.ACTIVE:
            state = "there is no such subscription" if found is None else f"it is {found.state}"
            raise NotFoundError(f"{state}: subscribe again")
        return found

    def _origin(self, request: Request) -> str:
        """That by which the client reached us, if it is one of ours."""
        origin = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        origins = self._service.origins
        return origin if origin in origins else origins[0]


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


def _preferred_wait(request: Request) -> int | None:
    """Seconds of `Prefer: wait=N` (RFC 7240, Section 4.3), bounded; None if there is none."""
    preferences = ",".join(request.headers.getlist("prefer")).split(",")
    waits = (_WAIT.fullmatch(preference) for preference in preferences)
    wait = next((int(match[1]) for match in waits if match), None)
    return None if wait is None else min(wait, LONGEST_WAIT)


def _link(subscription: Subscription) -> dict[str, str]:
    return {"Link": f'<{subscription.endpoint}>; rel="{PUSH_RELATION}"'}


def _delivery(
    message: PushMessage, subscription: Subscription, headers: dict[str, str]
) -> Response:
    """The message as it was sent, but for what the user agent must not see."""
    own = {
        **headers,
        **_link(subscription),
        "Content-Location": f"/m/{message.id}",
        "Last-Modified": formatdate(message.received_at, usegmt=True),
    }
    response = Response(message.body, headers=own)
    response.raw_headers += message.inspection.head.relayed
    return response
