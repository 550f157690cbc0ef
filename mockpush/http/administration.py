"""Clock, tenants, the server's own journal, and what everybody may ask: health, CA, description."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from starlette.responses import Response

from mockpush._version import __version__
from mockpush.errors import InvalidRequestError, NotFoundError, ServiceError
from mockpush.history import History
from mockpush.http.answers import JSONAnswer
from mockpush.http.kinds import Json, choice, duration, only_true, record, several, text
from mockpush.http.listings import Listing, one_by_one
from mockpush.http.operations import Call, Operation, Returns, no_content, shown
from mockpush.http.shapes import show
from mockpush.http.traffic_views import SeenRequest, see_request
from mockpush.http.views import CLOCK, STRAY, TENANT
from mockpush.protocol.clock import parse_duration
from mockpush.protocol.model import NO_TENANT
from mockpush.server_journal import Stray, StrayEntry
from mockpush.service import PushService
from mockpush.storage.base import Keep, TenantSummary

# The clock

SET_CLOCK: Final = record(
    {"advance": duration(parse_duration), "freeze": only_true(), "resume": only_true()}
)


async def read_clock(call: Call) -> Response:
    """The tenant's clock."""
    now = await call.service.now(call.tenant)
    return shown(CLOCK, (await call.service.storage.clock(call.tenant), now))


async def set_clock(call: Call) -> Response:
    """Advances, freezes or resumes; answered when what became due has happened."""
    if len(call.body) != 1:
        raise InvalidRequestError(
            'say one of {"advance": "8d"}, {"freeze": true}, {"resume": true}'
        )
    if "advance" in call.body:
        await call.service.advance(call.tenant, call.body["advance"])
    elif "freeze" in call.body:
        await call.service.freeze(call.tenant)
    else:
        await call.service.resume(call.tenant)
    return await read_clock(call)


# Tenants


async def _read_tenants(
    service: PushService, _: str, after: int
) -> Sequence[tuple[int, TenantSummary]]:
    return list(enumerate(await service.storage.tenants(), 1))[after:]


TENANTS: Final[Listing[tuple[int, TenantSummary]]] = Listing(
    letter="t",
    read=_read_tenants,
    number=lambda numbered: numbered[0],
    at=lambda _: 0.0,
    show=one_by_one(lambda numbered: show(TENANT, numbered[1])),
    name=lambda numbered: numbered[1].name,
    fields={},
)


async def list_tenants(call: Call) -> Response:
    """The tenants that exist."""
    return JSONAnswer(await TENANTS.page(call))


async def delete_tenant(call: Call) -> Response:
    """Forgets a tenant and all that it holds."""
    call.service.gate.forget(call.target)
    if not await call.service.delete_tenant(call.target):
        raise NotFoundError(f"there is no tenant {call.target!r}")
    return no_content()


async def reset(call: Call) -> Response:
    """Empties the tenant and sets its clock back, but for what is to be kept."""
    keep = frozenset(call.body.get("keep", ()))
    if Keep.MESSAGES in keep and Keep.SUBSCRIPTIONS not in keep:
        raise InvalidRequestError("messages can be kept only together with subscriptions")
    await call.service.reset(call.tenant, keep=keep)
    return no_content()


# Portability


async def read_requirement(call: Call) -> Response:
    """The push services that must take the tenant's pushes."""
    return JSONAnswer({"profiles": list(call.service.gate.required(call.tenant))})


async def set_requirement(call: Call) -> Response:
    """Replaces them, in this tenant only."""
    call.service.gate.require(call.tenant, call.body.get("profiles", ()))
    return await read_requirement(call)


async def read_portability(call: Call) -> Response:
    """What they would have refused, of all tenants since the service began."""
    return JSONAnswer(call.service.gate.tally.as_json())


# The server's own journal


async def _read_strays(service: PushService, _: str, after: int) -> Sequence[StrayEntry]:
    return service.journal.entries(after=after)


async def _show_strays(
    service: PushService, _: str, entries: Sequence[StrayEntry]
) -> Sequence[Json]:
    history = await service.history(NO_TENANT)
    return [show(STRAY, (entry, await _seen(service, entry, history))) for entry in entries]


async def _seen(service: PushService, entry: StrayEntry, history: History) -> SeenRequest | None:
    if entry.record is None:
        return None
    return await see_request(service, entry.record, history=history)


STRAYS: Final[Listing[StrayEntry]] = Listing(
    letter="j",
    read=_read_strays,
    number=lambda entry: entry.id,
    at=lambda entry: entry.at,
    show=_show_strays,
    name=lambda entry: str(entry.id),
    fields={"kind": lambda entry: entry.kind},
    kinds={"kind": choice(*Stray)},
)


async def list_strays(call: Call) -> Response:
    """What reached the server and belongs to no tenant; times are real ones."""
    return JSONAnswer(await STRAYS.page(call))


# Health


async def live(_: Call) -> Response:
    """The process answers."""
    return JSONAnswer({"status": "live", "version": __version__})


async def ready(call: Call) -> Response:
    """The service takes pushes."""
    if call.service.closing:
        raise ServiceError("the service is stopping", status=503)
    return JSONAnswer({"status": "ready", "version": __version__})


def health_operations(ca_pem: Callable[[], bytes] | None) -> tuple[Operation, ...]:
    """What is answered to every host; `ca_pem` gives the certificate of the service's authority."""

    async def certificate(_: Call) -> Response:
        if ca_pem is None:
            raise NotFoundError("this service has no certificate authority of its own")
        return Response(ca_pem(), media_type="application/x-pem-file")

    pem = Returns(schema="PEM", media_type="application/x-pem-file")
    health = Returns(schema="Health")
    return tuple(
        Operation("GET", path, summary, answer, returns, scoped=False, guarded=False)
        for path, summary, answer, returns in (
            ("/ca.pem", "The certificate of the service's authority", certificate, pem),
            ("/livez", "Whether the process answers", live, health),
            ("/readyz", "Whether the service takes pushes", ready, health),
        )
    )


OPERATIONS: Final = (
    Operation("GET", "/clock", "Read the clock", read_clock, Returns(schema="Clock")),
    Operation(
        "POST", "/clock", "Set the clock", set_clock, Returns(schema="Clock"), body=SET_CLOCK
    ),
    Operation(
        "POST",
        "/reset",
        "Empty the tenant",
        reset,
        Returns(204),
        body=record({"keep": several(choice(*Keep))}),
    ),
    Operation(
        "GET",
        "/tenants",
        "List the tenants",
        list_tenants,
        Returns(schema="TenantList"),
        query=TENANTS.query,
        scoped=False,
    ),
    Operation(
        "DELETE", "/tenants/{id}", "Delete a tenant", delete_tenant, Returns(204), scoped=False
    ),
    Operation(
        "GET",
        "/requirement",
        "Read which push services must take every push",
        read_requirement,
        Returns(schema="Requirement"),
    ),
    Operation(
        "POST",
        "/requirement",
        "Replace them, in this tenant",
        set_requirement,
        Returns(schema="Requirement"),
        body=record({"profiles": several(text("the name of a profile"))}),
    ),
    Operation(
        "GET",
        "/server/portability",
        "Say what those push services would have refused, in all tenants",
        read_portability,
        Returns(schema="Portability"),
        scoped=False,
    ),
    Operation(
        "GET",
        "/server/requests",
        "List what reached the server and belongs to no tenant",
        list_strays,
        Returns(schema="StrayList"),
        query=STRAYS.query,
        scoped=False,
    ),
)
