"""Subscriptions in the control API."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from mockpush.endpoints import VENDOR
from mockpush.errors import InvalidRequestError
from mockpush.http.answers import ROOT, JSONAnswer
from mockpush.http.kinds import Json, boolean, choice, decoded, integer, record, text
from mockpush.http.listings import Listing, one_by_one
from mockpush.http.operations import Call, Operation, Returns, no_content, shown
from mockpush.http.shapes import iso_time, show
from mockpush.http.views import SUBSCRIPTION
from mockpush.protocol.keys import (
    generate_key_pair,
    load_private_key,
    parse_application_server_key,
    parse_private_key,
    public_point,
)
from mockpush.protocol.model import (
    AUTH_SECRET_LENGTH,
    Subscription,
    SubscriptionKeys,
    SubscriptionState,
    base64url_decode,
)
from mockpush.service import PushService

LATEST_TIME: Final = 253_402_300_799_999
"""Milliseconds since the epoch: the last that a date of four-digit years can say."""

_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9][0-9]{0,4}))?")
_DEFAULT_PORTS: Final = {"https": "443", "http": "80"}


def _origin(text: str) -> str:
    """An origin in its ASCII serialisation (RFC 6454, Section 6.2), or `vendor`."""
    if text == VENDOR:
        return text
    match = _ORIGIN.fullmatch(text.lower())
    if match is None or int(match[3] or 0) > 0xFFFF:
        raise ValueError
    scheme, host, port = match.groups()
    return f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")


def _auth(text: str) -> bytes:
    secret = base64url_decode(text)
    if len(secret) != AUTH_SECRET_LENGTH:
        raise ValueError(f"it has {len(secret)} octets")
    return secret


_POINT: Final = decoded(
    "a point on P-256: 65 octets in unpadded base64url", parse_application_server_key
)


def _p256dh(text: str) -> bytes:
    try:
        return parse_application_server_key(text)
    except ValueError as error:
        if len(text) == _AUTH_CHARACTERS:
            raise ValueError(f"{error}; auth has that length: are the two swapped?") from None
        raise


_AUTH_CHARACTERS: Final = 22

KEYS: Final = record(
    {
        "p256dh": decoded(_POINT.words, _p256dh),
        "auth": decoded(f"{AUTH_SECRET_LENGTH} octets in unpadded base64url", _auth),
        "private_key": decoded(
            "a P-256 private key: its 32 octets in unpadded base64url, or PEM", parse_private_key
        ),
    },
    required=("p256dh", "auth"),
)

SUBSCRIBE: Final = record(
    {
        "profile": text("the name of a profile"),
        "applicationServerKey": _POINT,
        "keys": KEYS,
        "id": text(
            "1 to 128 printable ASCII characters without space and slash, neither . nor ..",
            r"^(?!\.{1,2}$)[!-.0-~]{1,128}$",
        ),
        "origin": decoded(
            "an origin such as https://push.example:8031, without a path, or vendor: the origin "
            "of the vendor's own host",
            _origin,
        ),
        "expirationTime": integer(0, LATEST_TIME),
        "online": boolean(),
    }
)


async def subscribe(call: Call) -> Response:
    """A new subscription; without keys the service makes them, and can read what is sent to it."""
    body = call.body
    subscription = await call.service.subscribe(
        call.tenant,
        profile=body.get("profile"),
        application_server_key=body.get("applicationServerKey"),
        keys=_keys(body["keys"]) if "keys" in body else _new_keys(),
        subscription_id=body.get("id"),
        origin=body.get("origin"),
        expires_at=await _expires_at(call),
        online=body.get("online", True),
    )
    location = f"{ROOT}/subscriptions/{quote(subscription.id, safe='')}"
    return shown(SUBSCRIPTION, subscription, status=201, location=location)


def _new_keys() -> SubscriptionKeys:
    private_key, p256dh = generate_key_pair()
    return SubscriptionKeys(p256dh, secrets.token_bytes(AUTH_SECRET_LENGTH), private_key)


def _keys(members: Json) -> SubscriptionKeys:
    keys = SubscriptionKeys(**members)
    if keys.private_key is not None:
        point = public_point(load_private_key(keys.private_key).public_key())
        if point != keys.p256dh:
            raise InvalidRequestError("keys: private_key is not the private key of p256dh")
    return keys


async def _expires_at(call: Call) -> float | None:
    if "expirationTime" not in call.body:
        return None
    expires_at = call.body["expirationTime"] / 1000
    now = await call.service.now(call.tenant)
    if expires_at <= now:
        raise InvalidRequestError(
            f"expirationTime is in milliseconds since the epoch, and {iso_time(expires_at)} has "
            f"passed: it is {iso_time(now)}; to end a subscription, POST /subscriptions/ID/expire"
        )
    return float(expires_at)


async def _find(call: Call) -> Subscription:
    return await call.service.subscription(call.tenant, call.target)


async def read(call: Call) -> Response:
    """One subscription."""
    return shown(SUBSCRIPTION, await _find(call))


async def remove(call: Call) -> Response:
    """The user agent unsubscribes."""
    await call.service.end_subscription(await _find(call), state=SubscriptionState.REMOVED)
    return no_content()


async def expire(call: Call) -> Response:
    """The subscription expires; pushes get `status`, or the profile's own answer."""
    await call.service.end_subscription(
        await _find(call), state=SubscriptionState.EXPIRED, gone_status=call.body.get("status")
    )
    return await read(call)


async def go_online(call: Call) -> Response:
    """The user agent comes; answered when what was pending has been delivered."""
    subscription, agents = await _find(call), call.service.user_agents
    holder = subscription.holder
    if holder is not None and not await agents.online(holder.device):
        raise InvalidRequestError(
            f"its user agent {holder.user_agent!r} is not there, or was taken offline", status=409
        )
    await call.service.set_presence(subscription, online=True)
    if holder is not None:
        await agents.look(holder.device)
    return await read(call)


async def go_offline(call: Call) -> Response:
    """The user agent goes: messages stay pending."""
    await call.service.set_presence(await _find(call), online=False)
    return await read(call)


async def _read(service: PushService, tenant: str, after: int) -> Sequence[Subscription]:
    found = await service.storage.subscriptions(tenant)
    return [each for each in found if each.sequence > after]


SUBSCRIPTIONS: Final[Listing[Subscription]] = Listing(
    letter="s",
    read=_read,
    number=lambda each: each.sequence,
    at=lambda each: each.created_at,
    show=one_by_one(lambda subscription: show(SUBSCRIPTION, subscription)),
    name=lambda each: each.id,
    fields={"state": lambda each: each.state},
    kinds={"state": choice(*SubscriptionState)},
)


async def list_all(call: Call) -> Response:
    """The subscriptions, those that have ended too."""
    return JSONAnswer(await SUBSCRIPTIONS.page(call))


_ONE: Final = Returns(schema="Subscription")

OPERATIONS: Final = (
    Operation(
        "POST",
        "/subscriptions",
        "Subscribe",
        subscribe,
        Returns(201, "Subscription"),
        body=SUBSCRIBE,
    ),
    Operation(
        "GET",
        "/subscriptions",
        "List the subscriptions",
        list_all,
        Returns(schema="SubscriptionList"),
        query=SUBSCRIPTIONS.query,
    ),
    Operation("GET", "/subscriptions/{id}", "Read a subscription", read, _ONE),
    Operation("DELETE", "/subscriptions/{id}", "Unsubscribe", remove, Returns(204)),
    Operation(
        "POST",
        "/subscriptions/{id}/expire",
        "Let a subscription expire",
        expire,
        _ONE,
        body=record({"status": choice(404, 410)}),
    ),
    Operation("POST", "/subscriptions/{id}/online", "The user agent is there", go_online, _ONE),
    Operation("POST", "/subscriptions/{id}/offline", "The user agent is away", go_offline, _ONE),
)
