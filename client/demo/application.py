"""The application server of the demo: it gives out its key, keeps subscriptions, and pushes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockpush.errors import NotFoundError, ServiceError
from mockpush.gateways.exchange import Resource, read_body, read_json, read_query
from mockpush.http.answers import JSONAnswer, write_json
from mockpush.http.hosts import HostGuard
from mockpush.http.kinds import Json, Kind, boolean, choice, integer, record, text
from mockpush.origins import is_one_of
from mockpush.protocol.model import Subscription, Urgency
from mockpush.service import PushService
from mockpush.vapid_keys import VapidKeys

from .sending import Fate, Outcome, Push, Sender
from .site import FILES, page
from .subscriptions import KEYS, Subscriptions

Answer = Callable[[Request], Awaitable[Response]]

LONGEST_TTL: Final = 28 * 86400
"""Seconds; what all vendors take."""
ACTIONS: Final = (
    {"action": "open", "title": "Open"},
    {"action": "read", "title": "Mark as read"},
)
"""The buttons of a notification, if it is to have any."""

_SHOWN: Final = ("id", "title", "body", "topic")
"""What the worker gets to show of what is asked for."""


SUBSCRIPTION: Final = record(
    {
        "endpoint": text("a URL", r"https?://.{1,2000}"),
        "expirationTime": integer(0, 2**53),
        "keys": KEYS,
        "replaces": text("the endpoint of another subscription"),
    },
    required=("endpoint", "keys"),
)
PUSH: Final = record(
    {
        "title": text("a text of 1 to 200 characters", r"(?s).{1,200}"),
        "body": text("a text of at most 2000 characters", r"(?s).{0,2000}"),
        "topic": text("1 to 32 characters of base64url", r"[A-Za-z0-9_-]{1,32}"),
        "urgency": choice(*Urgency),
        "ttl": integer(0, LONGEST_TTL),
        "actions": boolean(),
        "id": text("a name of this notification", r"[\w-]{1,64}"),
    },
    required=("title", "ttl", "id"),
)


class Place(Protocol):
    """What the running server says of itself: a `Server`."""

    @property
    def url(self) -> str:
        """The plain origin, by number."""

    @property
    def ca_file(self) -> str:
        """Whom to trust there."""

    @property
    def proxy_url(self) -> str | None:
        """The proxy that answers for the vendors' own hosts, if there is one."""


class Demo:
    """The routes of the page and of its application server, beside those of `service`.

    `hosts` are the names to which it answers besides those of loopback; `place` is asked when it
    runs.
    """

    def __init__(
        self,
        service: PushService,
        *,
        identity: VapidKeys,
        subscriptions: Subscriptions,
        place: Callable[[], Place],
        hosts: Sequence[str] = (),
    ) -> None:
        self._service = service
        self._identity = identity
        self._subscriptions = subscriptions
        self._place = place
        self._hosts = tuple(hosts)

    @property
    def routes(self) -> list[Route]:
        """The page at `/`, its files beside it, the application server below `/api`."""
        paths: dict[str, Mapping[str, Answer]] = {
            "/api/key": {"GET": self._key},
            "/api/subscriptions": {
                "GET": self._list,
                "POST": self._subscribe,
                "DELETE": self._unsubscribe,
            },
            "/api/push": {"POST": self._push},
            "/": {"GET": partial(self._page, "index.html")},
            **{f"/{name}": {"GET": partial(self._page, name)} for name in FILES},
        }
        return [
            Route(path, HostGuard(Resource(_with_head(answers)), self._hosts))
            for path, answers in paths.items()
        ]

    async def _page(self, name: str, _: Request) -> Response:
        """A real Chromium tells the service of the badge by that one's plain origin."""
        return page(name, self._place().url)

    async def _key(self, _: Request) -> Response:
        return JSONAnswer({"publicKey": self._identity.public_key})

    async def _list(self, _: Request) -> Response:
        endpoints = [{"endpoint": each["endpoint"]} for each in self._subscriptions]
        return JSONAnswer({"items": endpoints})

    async def _subscribe(self, request: Request) -> Response:
        """Keeps a subscription of this service, and of no other: no push is to leave the machine.

        A Chromium that nobody has told otherwise shows an endpoint at Google's host; its token
        tells where it really is.
        """
        given = await _body(request, SUBSCRIPTION)
        known = await self._known(given["endpoint"])
        old = await self._at(given.get("replaces", ""))
        subscription = {"endpoint": known.endpoint, "keys": given["keys"]}
        self._subscriptions.add(subscription, replaces=None if old is None else old.endpoint)
        return JSONAnswer(_shown(known), 201)

    async def _known(self, endpoint: str) -> Subscription:
        found = await self._at(endpoint)
        if found is None:
            host = endpoint.split("/")[2]
            raise NotFoundError(
                f"{host} gave out this subscription, and this push service "
                "does not know it: the browser is not pointed here, or the service was restarted"
            )
        if self._route(found.endpoint) is None:
            raise ServiceError(
                f"{urlsplit(found.endpoint).netloc} is not this push service, and no push of the "
                "demo goes elsewhere: subscribe without an origin of its own",
                status=409,
            )
        return found

    def _route(self, endpoint: str) -> Mapping[str, str] | None:
        """To the service itself, or to what its proxy answers for, and to nobody else."""
        parts = urlsplit(endpoint)
        if f"{parts.scheme}://{parts.netloc}" in self._service.origins:
            return {}
        proxy = self._place().proxy_url
        hosts = [each for profile in self._service.profiles.values() for each in profile.hosts]
        if proxy is None or not is_one_of(parts.hostname or "", hosts):
            return None
        return {"https": proxy}

    async def _unsubscribe(self, request: Request) -> Response:
        endpoint = read_query(request).get("endpoint", "")
        known = await self._at(endpoint)
        if not self._subscriptions.remove(endpoint if known is None else known.endpoint):
            raise NotFoundError("the demo does not keep a subscription with this endpoint")
        return Response(status_code=204)

    async def _push(self, request: Request) -> Response:
        """Pushes to all, and forgets those that are gone."""
        given = await _body(request, PUSH)
        push = _push_of(given)
        sender = Sender(self._identity, self._place().ca_file, self._route)
        kept = list(self._subscriptions)
        outcomes = await sender.send_all(kept, push)
        for subscription, outcome in zip(kept, outcomes, strict=True):
            if outcome.fate is Fate.GONE:
                self._subscriptions.remove(subscription["endpoint"])
        known = [await self._at(each["endpoint"]) for each in kept]
        messages = await self._messages({each.tenant for each in known if each is not None})
        told = [
            _told(subscription, outcome, messages.get(outcome.body))
            for subscription, outcome in zip(known, outcomes, strict=True)
        ]
        return JSONAnswer({"items": told})

    async def _at(self, endpoint: str) -> Subscription | None:
        return await self._service.storage.subscription_at(_token(endpoint))

    async def _messages(self, tenants: Iterable[str]) -> Mapping[bytes, str]:
        """The ids of all messages by their ciphertexts, each of which has its own salt."""
        storage = self._service.storage
        found = [each for name in tenants for each in await storage.messages(name)]
        return {each.body: each.id for each in found if each.body}


def _with_head(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    return {**answers, **({"HEAD": answers["GET"]} if "GET" in answers else {})}


async def _body(request: Request, kind: Kind[Json]) -> Json:
    return kind.parse("the body", read_json(await read_body(request)))


def _token(endpoint: str) -> str:
    """The last part of an endpoint's path, which names it in all of this service."""
    try:
        return urlsplit(endpoint).path.rpartition("/")[2]
    except ValueError:  # a host in brackets that is none
        return ""


def _shown(known: Subscription) -> Json:
    return {
        "id": known.id,
        "endpoint": known.endpoint,
        "profile": known.profile,
        "state": known.state,
        "user_agent": None if known.holder is None else known.holder.user_agent,
    }


def _told(subscription: Subscription | None, outcome: Outcome, message: str | None) -> Json:
    return {
        "subscription": None if subscription is None else subscription.id,
        "message": message,
        "fate": outcome.fate,
        "status": outcome.status,
        "reason": outcome.reason,
        "attempts": outcome.attempts,
        "retry_after": outcome.retry_after,
    }


def _push_of(given: Json) -> Push:
    """The notification as JSON, which the worker of the page shows."""
    data: Json = {name: given[name] for name in _SHOWN if name in given}
    data["actions"] = ACTIONS if given.get("actions") else ()
    text = write_json(data).decode()
    return Push(data=text, ttl=given["ttl"], urgency=given.get("urgency"), topic=given.get("topic"))
