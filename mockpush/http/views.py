"""How subscriptions, tenants, clocks and events look in JSON: one table for each."""

from __future__ import annotations

from typing import Final

from mockpush.http.kinds import Json
from mockpush.http.shapes import (
    BOOLEAN,
    INTEGER,
    OPTIONAL_STRING,
    STRING,
    TIME,
    Shown,
    View,
    array_of,
    encoded,
    enum_of,
    iso_time,
    nullable,
    object_of,
    reference,
    show,
)
from mockpush.http.traffic_views import REQUEST, SeenRequest
from mockpush.protocol.clock import Clock
from mockpush.protocol.events import Event, EventKind
from mockpush.protocol.model import (
    Subscription,
    SubscriptionKeys,
    SubscriptionState,
    base64url_encode,
)
from mockpush.protocol.notifications import Notification, NotificationState
from mockpush.protocol.user_agents import Refusal, UserAgent, UserAgentKind
from mockpush.server_journal import Stray, StrayEntry
from mockpush.storage.base import TenantSummary


def _keys(keys: SubscriptionKeys | None) -> Json | None:
    if keys is None:
        return None
    return {"p256dh": base64url_encode(keys.p256dh), "auth": base64url_encode(keys.auth)}


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


SUBSCRIPTION: Final[View[Subscription]] = {
    "id": Shown(STRING, lambda each: each.id),
    "endpoint": Shown({"type": "string", "format": "uri"}, lambda each: each.endpoint),
    "expirationTime": Shown(nullable(INTEGER), lambda each: _milliseconds(each.expires_at)),
    "keys": Shown(nullable(object_of(p256dh=STRING, auth=STRING)), lambda each: _keys(each.keys)),
    "profile": Shown(STRING, lambda each: each.profile),
    "managed": Shown(BOOLEAN, lambda each: each.managed),
    "state": Shown(enum_of(SubscriptionState), lambda each: each.state),
    "online": Shown(BOOLEAN, lambda each: each.online),
    "applicationServerKey": Shown(
        OPTIONAL_STRING, lambda each: encoded(each.application_server_key)
    ),
    "tenant": Shown(STRING, lambda each: each.tenant),
    "user_agent": Shown(
        OPTIONAL_STRING, lambda each: None if each.holder is None else each.holder.user_agent
    ),
    "created_at": Shown(TIME, lambda each: iso_time(each.created_at)),
}


USER_AGENT: Final[View[UserAgent]] = {
    "id": Shown(STRING, lambda each: each.id),
    "kind": Shown(nullable(enum_of(UserAgentKind)), lambda each: each.kind),
    "device": Shown(OPTIONAL_STRING, lambda each: each.device),
    "tenant": Shown(STRING, lambda each: each.tenant),
    "online": Shown(BOOLEAN, lambda each: each.online),
    "connected": Shown(BOOLEAN, lambda each: each.connected),
    "refuses": Shown(
        nullable(object_of(error=enum_of(Refusal), times=INTEGER)),
        lambda each: each.refusal and {"error": each.refusal, "times": each.refusals},
    ),
    "badge": Shown(nullable(INTEGER), lambda each: each.badge),
    "subscription_changes": Shown(
        array_of(object_of(old=OPTIONAL_STRING, new=OPTIONAL_STRING)),
        lambda each: [change._asdict() for change in each.changes],
    ),
    "since": Shown(TIME, lambda each: iso_time(each.since)),
}

NOTIFICATION: Final[View[Notification]] = {
    "id": Shown(STRING, lambda each: each.id),
    "user_agent": Shown(STRING, lambda each: each.user_agent),
    "at": Shown(TIME, lambda each: iso_time(each.at)),
    "title": Shown(STRING, lambda each: each.title),
    "body": Shown(STRING, lambda each: each.body),
    "origin": Shown(OPTIONAL_STRING, lambda each: each.origin),
    "tag": Shown(OPTIONAL_STRING, lambda each: each.tag),
    "actions": Shown(
        array_of(object_of(title=STRING, action=OPTIONAL_STRING)),
        lambda each: [action._asdict() for action in each.actions],
    ),
    "message": Shown(OPTIONAL_STRING, lambda each: each.message),
    "state": Shown(enum_of(NotificationState), lambda each: each.state),
    "clicks": Shown(array_of(OPTIONAL_STRING), lambda each: list(each.clicks)),
}

STRAY: Final[View[tuple[StrayEntry, SeenRequest | None]]] = {
    "id": Shown(STRING, lambda each: str(each[0].id)),
    "at": Shown(TIME, lambda each: iso_time(each[0].at)),
    "kind": Shown(enum_of(Stray), lambda each: each[0].kind),
    "detail": Shown(
        {"type": "object", "additionalProperties": STRING}, lambda each: dict(each[0].detail)
    ),
    "request": Shown(
        nullable(reference("Request")),
        lambda each: None if each[1] is None else show(REQUEST, each[1]),
    ),
}

TENANT: Final[View[TenantSummary]] = {
    "name": Shown(STRING, lambda each: each.name),
    "subscriptions": Shown(INTEGER, lambda each: each.subscriptions),
    "messages": Shown(INTEGER, lambda each: each.messages),
    "requests": Shown(INTEGER, lambda each: each.requests),
}

EVENT_LETTER: Final = "e"
"""In front of the number: the id of an event is the cursor behind it."""

CLOCK: Final[View[tuple[Clock, float]]] = {
    "now": Shown(TIME, lambda each: iso_time(each[1])),
    "frozen": Shown(BOOLEAN, lambda each: each[0].frozen_at is not None),
    "offset": Shown({"type": "number", "description": "seconds"}, lambda each: each[0].offset),
}

EVENT: Final[View[Event]] = {
    "id": Shown(STRING, lambda event: f"{EVENT_LETTER}{event.sequence}"),
    "at": Shown(TIME, lambda event: iso_time(event.at)),
    "kind": Shown(enum_of(EventKind), lambda event: event.kind),
    "subscription": Shown(OPTIONAL_STRING, lambda event: event.subscription),
    "message": Shown(OPTIONAL_STRING, lambda event: event.message),
    "request": Shown(
        OPTIONAL_STRING, lambda event: None if event.request is None else str(event.request)
    ),
    "detail": Shown(OPTIONAL_STRING, lambda event: event.detail),
}
