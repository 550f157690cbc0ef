"""Push messages and requests in the control API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from mockpush.errors import NotFoundError, ServiceError
from mockpush.http.answers import JSONAnswer
from mockpush.http.kinds import Json, choice, integer, record, text
from mockpush.http.listings import Listing
from mockpush.http.matching import differences
from mockpush.http.operations import Call, Operation, Returns, no_content
from mockpush.http.shapes import show
from mockpush.http.traffic_views import MESSAGE, REQUEST, see_message, see_request
from mockpush.protocol.delivery import Report
from mockpush.protocol.model import MessageState
from mockpush.protocol.records import PushMessage, RequestRecord
from mockpush.service import PushService


async def _show_messages(
    service: PushService, tenant: str, messages: Sequence[PushMessage]
) -> Sequence[Json]:
    history = await service.history(tenant)
    return [show(MESSAGE, await see_message(service, each, history=history)) for each in messages]


async def _show_requests(
    service: PushService, tenant: str, records: Sequence[RequestRecord]
) -> Sequence[Json]:
    history = await service.history(tenant)
    return [show(REQUEST, await see_request(service, each, history=history)) for each in records]


MESSAGES: Final[Listing[PushMessage]] = Listing(
    letter="m",
    read=lambda service, tenant, after: service.storage.messages(tenant, after=after),
    number=lambda message: message.request,
    at=lambda message: message.received_at,
    show=_show_messages,
    name=lambda message: message.id,
    fields={
        "subscription": lambda message: message.subscription,
        "state": lambda message: message.state,
        "topic": lambda message: message.topic,
    },
    kinds={
        "subscription": text("the id of a subscription"),
        "state": choice(*MessageState),
        "topic": text("a topic"),
    },
    waits=True,
)

REQUESTS: Final[Listing[RequestRecord]] = Listing(
    letter="r",
    read=lambda service, tenant, after: service.storage.requests(tenant, after=after),
    number=lambda record: record.id,
    at=lambda record: record.request.received_at,
    show=_show_requests,
    name=lambda record: str(record.id),
    fields={
        "subscription": lambda record: record.subscription,
        "status": lambda record: record.status,
    },
    kinds={"subscription": text("the id of a subscription"), "status": integer(100, 599)},
    waits=True,
)


REPORT: Final = record(
    {"event": choice(*Report), "detail": text("what the browser says about it")},
    required=("event",),
)


async def list_messages(call: Call) -> Response:
    """The accepted messages."""
    return JSONAnswer(await MESSAGES.page(call))


async def list_requests(call: Call) -> Response:
    """The journal: every request to a push resource of the tenant, refused or not."""
    return JSONAnswer(await REQUESTS.page(call))


async def latest_message(call: Call) -> Response:
    """The newest message, of those that match."""
    return await _answer(call, await MESSAGES.latest(call))


async def read_message(call: Call) -> Response:
    """One message."""
    return await _answer(call, await _find(call))


async def acknowledge(call: Call) -> Response:
    """Acknowledges a message as its user agent would; that it is acknowledged already is fine."""
    now = await call.service.now(call.tenant)
    await call.service.storage.acknowledge((await _find(call)).id, now=now)
    message = await _find(call)
    if message.state is not MessageState.ACKNOWLEDGED:
        raise ServiceError(
            f"only a message that is delivered can be acknowledged; this one is {message.state}",
            status=409,
        )
    return await _answer(call, message)


async def report(call: Call) -> Response:
    """Writes what a browser's driver tells into the timeline of a message."""
    message = await _find(call)
    now = await call.service.now(call.tenant)
    await call.service.storage.report(
        message.id, call.body["event"], now=now, detail=call.body.get("detail")
    )
    return await _answer(call, message)


async def forget_message(call: Call) -> Response:
    """Forgets a message; if it is pending, it is not delivered any more."""
    message = await _find(call)
    await call.service.storage.forget_messages(call.tenant, lambda each: each is message)
    return no_content()


async def forget_messages(call: Call) -> Response:
    """Forgets the messages that match, without parameters all."""
    wanted = MESSAGES.wanted(call)
    await call.service.storage.forget_messages(
        call.tenant, lambda each: not differences(each, wanted, MESSAGES.fields)
    )
    return no_content()


async def read_request(call: Call) -> Response:
    """One request of the journal."""
    for each in await call.service.storage.requests(call.tenant):
        if str(each.id) == call.target:
            [shown] = await _show_requests(call.service, call.tenant, [each])
            return JSONAnswer(shown)
    raise NotFoundError(f"there is no request {call.target!r} in this tenant's journal")


async def forget_requests(call: Call) -> Response:
    """Empties the journal."""
    await call.service.storage.forget_requests(call.tenant)
    return no_content()


async def _answer(call: Call, message: PushMessage) -> Response:
    [shown] = await _show_messages(call.service, call.tenant, [message])
    return JSONAnswer(shown)


async def _find(call: Call) -> PushMessage:
    await call.service.now(call.tenant)
    message = await call.service.storage.message(call.target)
    if message is None or message.tenant != call.tenant:
        raise NotFoundError(f"there is no message {call.target!r} in this tenant")
    return message


_MESSAGE: Final = Returns(schema="Message")

OPERATIONS: Final = (
    Operation(
        "GET",
        "/messages",
        "List the push messages",
        list_messages,
        Returns(schema="MessageList"),
        query=MESSAGES.query,
    ),
    Operation(
        "DELETE",
        "/messages",
        "Forget the push messages",
        forget_messages,
        Returns(204),
        query=MESSAGES.kinds,
    ),
    Operation(
        "GET",
        "/messages/latest",
        "Read the newest push message",
        latest_message,
        _MESSAGE,
        query={**MESSAGES.narrowing, "wait": integer(0, 1, default=0)},
    ),
    Operation("GET", "/messages/{id}", "Read a push message", read_message, _MESSAGE),
    Operation("DELETE", "/messages/{id}", "Forget a push message", forget_message, Returns(204)),
    Operation(
        "POST", "/messages/{id}/acknowledge", "Acknowledge a push message", acknowledge, _MESSAGE
    ),
    Operation(
        "POST",
        "/messages/{id}/reports",
        "Tell what has become of a push message in a browser, as its driver",
        report,
        _MESSAGE,
        body=REPORT,
    ),
    Operation(
        "GET",
        "/requests",
        "List the requests to push resources",
        list_requests,
        Returns(schema="RequestList"),
        query=REQUESTS.query,
    ),
    Operation("DELETE", "/requests", "Empty the journal", forget_requests, Returns(204)),
    Operation("GET", "/requests/{id}", "Read a request", read_request, Returns(schema="Request")),
)
