"""User agents that gateways connect, in the control API. They belong to no tenant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from mockpush.gateways.exchange import TENANT_NAME, USER_AGENT_NAME
from mockpush.http.answers import JSONAnswer
from mockpush.http.kinds import choice, flag, integer, record, text
from mockpush.http.listings import Listing, one_by_one
from mockpush.http.operations import Call, Operation, Returns, no_content, shown
from mockpush.http.shapes import show
from mockpush.http.views import USER_AGENT
from mockpush.protocol.user_agents import (
    MAX_CHANGES,
    Refusal,
    SubscriptionChange,
    UserAgent,
    UserAgentKind,
)
from mockpush.service import PushService

NAME: Final = text(
    "the id of a user agent: at most 128 characters of printable ASCII, no space and no slash",
    USER_AGENT_NAME,
)
ASSIGN: Final = record({"tenant": text("the name of a tenant", TENANT_NAME)}, required=("tenant",))

REFUSE: Final = record({"error": choice(*Refusal), "times": integer(0, 1_000_000, 1)})
"""`error` is what Chromium is told; `times` 0: no more."""


BADGE: Final = record({"count": integer(0, 2**53)})
"""0 is one without a number; without a count it is cleared."""

_URL: Final = "(?s).{1,2000}"
CHANGE: Final = record(
    {
        "old": text("the endpoint before, at most 2000 characters", _URL),
        "new": text("the endpoint from now on, at most 2000 characters", _URL),
    }
)


async def _read(service: PushService, _: str, after: int) -> Sequence[UserAgent]:
    return [each for each in await service.user_agents.all() if each.sequence > after]


USER_AGENTS: Final[Listing[UserAgent]] = Listing(
    letter="u",
    read=_read,
    number=lambda each: each.sequence,
    at=lambda each: each.since,
    show=one_by_one(lambda user_agent: show(USER_AGENT, user_agent)),
    name=lambda each: each.id,
    fields={
        "id": lambda each: each.id,
        "kind": lambda each: each.kind,
        "online": lambda each: each.online,
        "connected": lambda each: each.connected,
        "badge": lambda each: each.badge,
        "subscription_changes": lambda each: len(each.changes),
    },
    kinds={
        "id": text("the id of a user agent"),
        "kind": choice(*UserAgentKind),
        "online": flag(),
        "connected": flag(),
        "badge": integer(0, 2**53),
        "subscription_changes": integer(0, MAX_CHANGES),
    },
    waits=True,
    scoped=False,
)


async def list_all(call: Call) -> Response:
    """Those that are there, may come back, or are expected."""
    return JSONAnswer(await USER_AGENTS.page(call))


async def read(call: Call) -> Response:
    """One user agent."""
    return shown(USER_AGENT, await call.service.user_agents.find(call.target))


async def assign(call: Call) -> Response:
    """Says to which tenant its next subscriptions belong, also before it comes."""
    NAME.parse("id", call.target)
    return shown(
        USER_AGENT, await call.service.user_agents.assign(call.target, call.body["tenant"])
    )


async def refuse(call: Call) -> Response:
    """Its next subscriptions fail, also before it comes."""
    NAME.parse("id", call.target)
    refusal = call.body.get("error", Refusal.QUOTA_EXCEEDED)
    times = call.body.get("times", 1)
    return shown(
        USER_AGENT, await call.service.user_agents.refuse(call.target, refusal, times=times)
    )


async def go_online(call: Call) -> Response:
    """Messages reach it again; answered when those that waited are on their way."""
    return shown(USER_AGENT, await call.service.user_agents.set_presence(call.target, online=True))


async def go_offline(call: Call) -> Response:
    """Messages for it wait; its connection stays open."""
    return shown(USER_AGENT, await call.service.user_agents.set_presence(call.target, online=False))


async def forget(call: Call) -> Response:
    """Its subscriptions expire, and it is told when it connects the next time."""
    await call.service.user_agents.forget(call.target)
    return no_content()


async def remove(call: Call) -> Response:
    """The same, and it is expected no more; nor is anything known of what it has shown."""
    await call.service.user_agents.remove(call.target)
    return no_content()


async def set_badge(call: Call) -> Response:
    """A page of it tells."""
    return shown(
        USER_AGENT, await call.service.user_agents.set_badge(call.target, call.body.get("count"))
    )


async def change(call: Call) -> Response:
    """A worker of it tells."""
    event = SubscriptionChange(call.body.get("old"), call.body.get("new"))
    return shown(USER_AGENT, await call.service.user_agents.change(call.target, event))


_ONE: Final = Returns(schema="UserAgent")

OPERATIONS: Final = (
    Operation(
        "GET",
        "/user-agents",
        "List the user agents that are connected, or may be",
        list_all,
        Returns(schema="UserAgentList"),
        query=USER_AGENTS.query,
        scoped=False,
    ),
    Operation("GET", "/user-agents/{id}", "Read a user agent", read, _ONE, scoped=False),
    Operation(
        "PATCH",
        "/user-agents/{id}",
        "Say to which tenant the next subscriptions of a user agent belong",
        assign,
        _ONE,
        body=ASSIGN,
        scoped=False,
    ),
    Operation(
        "DELETE",
        "/user-agents/{id}",
        "Forget a user agent and its notifications, its subscriptions expire",
        remove,
        Returns(204),
        scoped=False,
    ),
    Operation(
        "POST",
        "/user-agents/{id}/refuse",
        "Refuse the next subscriptions of a user agent",
        refuse,
        _ONE,
        body=REFUSE,
        scoped=False,
    ),
    Operation(
        "POST",
        "/user-agents/{id}/online",
        "Let messages reach a user agent",
        go_online,
        _ONE,
        scoped=False,
    ),
    Operation(
        "POST",
        "/user-agents/{id}/offline",
        "Hold messages for a user agent back",
        go_offline,
        _ONE,
        scoped=False,
    ),
    Operation(
        "POST",
        "/user-agents/{id}/forget",
        "Let all subscriptions of a user agent expire; Firefox gets a new identity with that",
        forget,
        Returns(204),
        scoped=False,
    ),
    Operation(
        "POST",
        "/user-agents/{id}/badge",
        "Tell the badge of a user agent, as its pages",
        set_badge,
        _ONE,
        body=BADGE,
        scoped=False,
        told_by_pages=True,
    ),
    Operation(
        "POST",
        "/user-agents/{id}/subscription-changes",
        "Tell of a pushsubscriptionchange event, as a worker of a user agent",
        change,
        _ONE,
        body=CHANGE,
        scoped=False,
        told_by_pages=True,
    ),
)
