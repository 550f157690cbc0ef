"""Fault plans over the answers of the service."""

from __future__ import annotations

import json

import pytest

from mockpush.errors import InvalidRequestError, NotFoundError
from mockpush.faults import Action, Match, RateLimit, RetryAfter
from mockpush.injecting import Disturbed
from mockpush.protocol.fault_kinds import FaultKind
from mockpush.protocol.records import WireAnswer
from mockpush.service import DEFAULT_TENANT


@pytest.fixture
def add(service):
    """Adds a plan: members of its action, and a match."""

    async def add(match=None, *, times=None, **action):
        return await service.faults.add(
            DEFAULT_TENANT,
            match=Match(**(match or {})),
            action=Action(**action),
            times=times,
            now=await service.now(DEFAULT_TENANT),
        )

    return add


async def test_a_request_that_is_struck_is_inspected_and_in_the_journal(
    sender, observer, service, add
):
    subscription = await sender.subscribe()
    await add(status=503, times=1)
    answer = await sender.push(subscription, headers={"TTL": None})
    record = await observer.last_request()
    assert (answer.status, record.answer) == (503, answer)
    assert record.judgement.codes == ("ttl.missing",)
    assert record.fault == ("f1", FaultKind.ANSWER, True, 0.0)
    assert record.message is None
    assert await observer.messages() == []
    assert (await sender.push(subscription)).status == 201


async def test_the_service_answers_itself_where_a_fault_only_disturbs(sender, observer, add):
    subscription = await sender.subscribe()
    await add(delay=2.0)
    disturbed = await sender.push(subscription)
    assert isinstance(disturbed, Disturbed)
    assert (disturbed.answer.status, disturbed.fault.delay) == (201, 2.0)
    message = await observer.last_message()
    assert str(message.fault) == "f1 (delay)"
    assert (await observer.last_request()).message == message.id
    refused = await sender.push(subscription, headers={"TTL": None})
    assert (refused.answer.status, refused.fault.replaces) == (400, False)


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind in ("reset", "no_answer")])
async def test_without_a_connection_a_fault_that_needs_one_says_so(
    sender, observer, problem, add, kind
):
    subscription = await sender.subscribe()
    await add(kind=kind)
    answer = await sender.push(subscription)
    assert isinstance(answer, WireAnswer)
    assert answer.status == 501
    assert problem(answer)["code"] == "fault.needs_connection"
    assert str((await observer.last_request()).fault) == "f1 (answer)"
    assert await observer.messages() == []


async def test_with_a_connection_the_journal_has_no_answer(service, sender, observer, add):
    subscription = await sender.subscribe()
    await add(kind=FaultKind.RESET)
    disturbed = await service.receive(
        profile=service.profiles["rfc"],
        token=subscription.token,
        method="POST",
        target="/push/x",
        headers=[],
        body=b"",
        connected=True,
    )
    assert disturbed == (None, ("f1", FaultKind.RESET, True, 0.0), DEFAULT_TENANT)
    record = await observer.last_request()
    assert (record.answer, record.status) == (None, None)
    assert (await observer.kinds())[-2:] == ["fault.injected", "request"]


async def test_windows_and_limits_are_on_the_tenants_clock(service, sender, add):
    subscription = await sender.subscribe()
    now = await service.now(DEFAULT_TENANT)
    await service.freeze(DEFAULT_TENANT)
    await add({"begins_at": now + 3600, "ends_at": now + 7200}, answer="unavailable")
    await add(limit=RateLimit(1, 600))

    async def pushed() -> list[int]:
        return [(await sender.push(subscription)).status for _ in range(2)]

    statuses = [await pushed()]
    for _ in range(2):
        await service.advance(DEFAULT_TENANT, 3600)
        statuses.append(await pushed())
    assert statuses == [[201, 429], [503, 503], [201, 429]]


async def test_a_date_in_retry_after_is_in_real_time(service, sender, add, real_clock):
    subscription = await sender.subscribe()
    await service.advance(DEFAULT_TENANT, 8 * 86400)
    await add(status=503, retry_after=RetryAfter(60.0, as_date=True))
    answer = await sender.push(subscription)
    assert dict(answer.headers)[b"retry-after"] == b"Fri, 15 Jan 2027 08:01:00 GMT"


async def test_what_is_gone_and_what_is_unknown(service, sender, observer, add):
    """A fault comes before 410; a request to no subscription belongs to no tenant."""
    subscription = await sender.subscribe()
    await add(status=503)
    await service.end_subscription(subscription, state="expired")
    assert (await sender.push(subscription)).status == 503
    assert (await sender.push(subscription, token="nobody")).status == 404


async def test_a_subscription_can_be_matched_by_its_profile(make_service, make_sender):
    service = make_service()
    sender = make_sender(service)
    await service.faults.add(
        DEFAULT_TENANT, match=Match(profile="fcm"), action=Action(answer="throttled"), now=0.0
    )
    plain, other = await sender.subscribe(), await sender.subscribe(profile="fcm")
    assert (await sender.push(plain)).status == 201
    assert (await sender.push(other)).status == 429


async def test_a_full_service_keeps_the_mark(make_service, make_sender, make_observer):
    from mockpush.storage.base import Limits

    service = make_service(limits=Limits(messages=1))
    sender = make_sender(service)
    subscription = await sender.subscribe(online=False)
    await sender.push(subscription)
    await service.faults.add(DEFAULT_TENANT, match=Match(), action=Action(delay=1.0), now=0.0)
    disturbed = await sender.push(subscription)
    assert (disturbed.answer.status, disturbed.fault.id) == (503, "f1")
    assert json.loads(disturbed.answer.body)["code"] == "service.full"


async def test_a_probability_without_a_seed_gets_one_that_is_told(add):
    fault = await add({"probability": 0.5}, status=503)
    assert fault.match.seed is not None


@pytest.mark.parametrize(
    ("match", "action", "told"),
    [
        ({"profile": "acme"}, {"status": 503}, "no profile 'acme'"),
        ({}, {"answer": "tired"}, "no answer 'tired'; there is: .*throttled"),
        ({"ends_at": 1.0}, {"status": 503}, "until has passed"),
    ],
)
async def test_what_can_never_strike_is_refused(add, match, action, told):
    with pytest.raises(InvalidRequestError, match=told):
        await add(match, **action)


async def test_plans_are_found_and_ended(service, add):
    for _ in range(3):
        await add(status=503)
    assert (await service.faults.find(DEFAULT_TENANT, "f2")).sequence == 2
    await service.faults.remove(DEFAULT_TENANT, "f2")
    with pytest.raises(NotFoundError, match="no fault plan 'f2'"):
        await service.faults.remove(DEFAULT_TENANT, "f2")
    assert [each.id for each in await service.faults.all(DEFAULT_TENANT, after=1)] == ["f3"]
    await service.faults.clear(DEFAULT_TENANT)
    assert await service.faults.all(DEFAULT_TENANT) == []
