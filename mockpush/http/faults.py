"""Fault plans in the control API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from starlette.responses import Response

from mockpush.faults import Action, Fault, FaultState, Match, RateLimit
from mockpush.http.answers import ROOT, JSONAnswer
from mockpush.http.fault_kinds import PLAN, shown_nth, shown_retry_after
from mockpush.http.kinds import Json
from mockpush.http.listings import Listing, one_by_one
from mockpush.http.operations import Call, Operation, Returns, no_content, shown
from mockpush.http.shapes import (
    INTEGER,
    OPTIONAL_STRING,
    STRING,
    TIME,
    Shown,
    View,
    enum_of,
    iso_time,
    nullable,
    object_of,
    schema_of,
    show,
)
from mockpush.protocol.fault_kinds import FaultKind
from mockpush.service import PushService

SeenFault: TypeAlias = tuple[Fault, float]
"""A plan, and the time on the tenant's clock at which somebody looks."""

_NUMBER: Final[Json] = {"type": "number"}

MATCH: Final[View[Match]] = {
    "subscription": Shown(OPTIONAL_STRING, lambda match: match.subscription),
    "profile": Shown(OPTIONAL_STRING, lambda match: match.profile),
    "topic": Shown(OPTIONAL_STRING, lambda match: match.topic),
    "nth": Shown({"anyOf": [INTEGER, OPTIONAL_STRING]}, lambda match: shown_nth(match.nth)),
    "probability": Shown(nullable(_NUMBER), lambda match: match.probability),
    "seed": Shown(nullable(INTEGER), lambda match: match.seed),
    "from": Shown(nullable(TIME), lambda match: _time(match.begins_at)),
    "until": Shown(nullable(TIME), lambda match: _time(match.ends_at)),
}

_RETRY_AFTER: Final[Json] = {"anyOf": [_NUMBER, STRING, object_of(date=_NUMBER), {"type": "null"}]}

ACTION: Final[View[Action]] = {
    "kind": Shown(enum_of(FaultKind), lambda action: action.kind),
    "status": Shown(nullable(INTEGER), lambda action: action.status),
    "answer": Shown(OPTIONAL_STRING, lambda action: action.answer),
    "headers": Shown(
        nullable({"type": "object", "additionalProperties": STRING}),
        lambda action: None if action.headers is None else dict(action.headers),
    ),
    "body": Shown(OPTIONAL_STRING, lambda action: action.body),
    "retry_after": Shown(_RETRY_AFTER, lambda action: shown_retry_after(action.retry_after)),
    "location": Shown(OPTIONAL_STRING, lambda action: action.location),
    "limit": Shown(
        nullable(object_of(requests=INTEGER, window=_NUMBER)),
        lambda action: action.limit and action.limit._asdict(),
    ),
    "delay": Shown(nullable(_NUMBER), lambda action: action.delay),
}


FAULT: Final[View[SeenFault]] = {
    "id": Shown(STRING, lambda each: each[0].id),
    "created_at": Shown(TIME, lambda each: iso_time(each[0].created_at)),
    "match": Shown(schema_of(MATCH), lambda each: show(MATCH, each[0].match)),
    "times": Shown(nullable(INTEGER), lambda each: each[0].times),
    "action": Shown(schema_of(ACTION), lambda each: show(ACTION, each[0].action)),
    "seen": Shown(INTEGER, lambda each: each[0].seen),
    "hits": Shown(INTEGER, lambda each: each[0].hits),
    "state": Shown(enum_of(FaultState), lambda each: each[0].state(each[1])),
}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else iso_time(seconds)


async def _read(service: PushService, tenant: str, after: int) -> Sequence[SeenFault]:
    now = await service.now(tenant)
    return [(fault, now) for fault in await service.faults.all(tenant, after=after)]


FAULTS: Final[Listing[SeenFault]] = Listing(
    letter="f",
    read=_read,
    number=lambda seen: seen[0].sequence,
    at=lambda seen: seen[0].created_at,
    show=one_by_one(lambda seen: show(FAULT, seen)),
    name=lambda seen: seen[0].id,
    fields={},
)


async def list_faults(call: Call) -> Response:
    """The fault plans."""
    return JSONAnswer(await FAULTS.page(call))


async def add_fault(call: Call) -> Response:
    """Keeps a plan; it is asked from the next request on."""
    now = await call.service.now(call.tenant)
    fault = await call.service.faults.add(
        call.tenant,
        match=_match(call.body.get("match", {}), now),
        action=_action(call.body["action"]),
        times=call.body.get("times"),
        now=now,
    )
    location = f"{ROOT}/faults/{fault.id}"
    return shown(FAULT, (fault, now), status=201, location=location)


def _match(members: Json, now: float) -> Match:
    times = {"from": "begins_at", "until": "ends_at"}
    plain = {name: value for name, value in members.items() if name not in times}
    moments = {times[name]: members[name].on(now) for name in times if name in members}
    return Match(**plain, **moments)


def _action(members: Json) -> Action:
    limit = members.get("limit")
    return Action(**{**members, "limit": None if limit is None else RateLimit(**limit)})


async def read_fault(call: Call) -> Response:
    """One plan."""
    fault = await call.service.faults.find(call.tenant, call.target)
    return shown(FAULT, (fault, await call.service.now(call.tenant)))


async def delete_fault(call: Call) -> Response:
    """Ends one plan."""
    await call.service.faults.remove(call.tenant, call.target)
    return no_content()


async def delete_faults(call: Call) -> Response:
    """Ends all plans."""
    await call.service.faults.clear(call.tenant)
    return no_content()


_FAULT: Final = Returns(schema="Fault")

OPERATIONS: Final = (
    Operation(
        "GET",
        "/faults",
        "List the fault plans",
        list_faults,
        Returns(schema="FaultList"),
        query=FAULTS.query,
    ),
    Operation(
        "POST", "/faults", "Add a fault plan", add_fault, Returns(201, schema="Fault"), body=PLAN
    ),
    Operation("DELETE", "/faults", "End all fault plans", delete_faults, Returns(204)),
    Operation("GET", "/faults/{id}", "Read a fault plan", read_fault, _FAULT),
    Operation("DELETE", "/faults/{id}", "End a fault plan", delete_fault, Returns(204)),
)
