"""Notifications in the control API, and what drivers tell about messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from mockpush.http.answers import ROOT, JSONAnswer
from mockpush.http.kinds import choice, record, several, text
from mockpush.http.listings import Listing, one_by_one
from mockpush.http.matching import differences
from mockpush.http.operations import Call, Operation, Returns, no_content, shown
from mockpush.http.shapes import show
from mockpush.http.user_agents import NAME
from mockpush.http.views import NOTIFICATION
from mockpush.protocol.notifications import Action, Appearance, Notification, NotificationState
from mockpush.service import PushService

_ACTION: Final = record(
    {"action": text("the button's name on the page"), "title": text("what is on the button")},
    required=("title",),
)
SHOW: Final = record(
    {
        "user_agent": NAME,
        "title": text("the title"),
        "body": text("the text"),
        "origin": text("the origin of the page"),
        "tag": text("the tag"),
        "actions": several(_ACTION),
        "subscription": text("the id of the subscription that its worker has"),
        "message": text("the id of the push message that made it"),
    },
    required=("user_agent", "title"),
)
CLICK: Final = record({"action": text("the name or the title of a button")})
TELL: Final = record(
    {
        "event": choice("clicked", "closed", "replaced"),
        "action": text("the name or the title of a button"),
    },
    required=("event",),
)


async def _read(service: PushService, _: str, after: int) -> Sequence[Notification]:
    return await service.storage.notifications(after=after)


NOTIFICATIONS: Final[Listing[Notification]] = Listing(
    letter="n",
    read=_read,
    number=lambda each: each.sequence,
    at=lambda each: each.at,
    show=one_by_one(lambda notification: show(NOTIFICATION, notification)),
    name=lambda each: each.id,
    fields={
        "user_agent": lambda each: each.user_agent,
        "message": lambda each: each.message,
        "title": lambda each: each.title,
        "body": lambda each: each.body,
        "origin": lambda each: each.origin,
        "state": lambda each: each.state,
    },
    kinds={
        "user_agent": text("the id of a user agent"),
        "message": text("the id of a push message"),
        "title": text("a title"),
        "body": text("a text"),
        "origin": text("the origin of a page"),
        "state": choice(*NotificationState),
    },
    waits=True,
    scoped=False,
)


async def list_all(call: Call) -> Response:
    """What user agents show and have shown."""
    return JSONAnswer(await NOTIFICATIONS.page(call))


async def read(call: Call) -> Response:
    """One notification."""
    return shown(NOTIFICATION, await call.service.notifications.find(call.target))


async def add(call: Call) -> Response:
    """A driver tells that its browser shows one."""
    given = dict(call.body)
    user_agent = given.pop("user_agent")
    actions = tuple(Action(**each) for each in given.pop("actions", ()))
    notification = await call.service.notifications.show(
        user_agent, Appearance(**given, actions=actions)
    )
    location = f"{ROOT}/notifications/{notification.id}"
    return shown(NOTIFICATION, notification, status=201, location=location)


async def tell(call: Call) -> Response:
    """A driver tells what has become of one."""
    notifications = call.service.notifications
    event = call.body["event"]
    if event == "clicked":
        found = await notifications.clicked(call.target, call.body.get("action"))
    else:
        found = await notifications.closed(call.target, NotificationState(event))
    return shown(NOTIFICATION, found)


async def click(call: Call) -> Response:
    """Clicks on it as a user does."""
    found = await call.service.notifications.click(call.target, call.body.get("action"))
    return shown(NOTIFICATION, found)


async def close(call: Call) -> Response:
    """Closes it as a user does."""
    return shown(NOTIFICATION, await call.service.notifications.close(call.target))


async def forget(call: Call) -> Response:
    """Forgets those that match, without parameters all."""
    wanted = NOTIFICATIONS.wanted(call)
    await call.service.notifications.forget(
        lambda each: not differences(each, wanted, NOTIFICATIONS.fields)
    )
    return no_content()


_ONE: Final = Returns(schema="Notification")

OPERATIONS: Final = (
    Operation(
        "GET",
        "/notifications",
        "List the notifications that browsers show and have shown",
        list_all,
        Returns(schema="NotificationList"),
        query=NOTIFICATIONS.query,
        scoped=False,
    ),
    Operation(
        "POST",
        "/notifications",
        "Tell of a notification, as a browser's driver",
        add,
        Returns(201, "Notification"),
        body=SHOW,
        scoped=False,
    ),
    Operation(
        "DELETE",
        "/notifications",
        "Forget the notifications",
        forget,
        Returns(204),
        query=NOTIFICATIONS.kinds,
        scoped=False,
    ),
    Operation("GET", "/notifications/{id}", "Read a notification", read, _ONE, scoped=False),
    Operation(
        "POST",
        "/notifications/{id}/click",
        "Click on a notification, or on one of its buttons, as a user",
        click,
        _ONE,
        body=CLICK,
        scoped=False,
    ),
    Operation(
        "POST",
        "/notifications/{id}/close",
        "Close a notification, as a user",
        close,
        _ONE,
        scoped=False,
    ),
    Operation(
        "POST",
        "/notifications/{id}/events",
        "Tell what has become of a notification, as a browser's driver",
        tell,
        _ONE,
        body=TELL,
        scoped=False,
    ),
)
