"""Pushes from the request to the answer, the message, the journal and the events."""

from __future__ import annotations

import time
from dataclasses import replace

import freezegun
import pytest

from mockpush import profiles
from mockpush.errors import ConfigurationError
from mockpush.options import InspectionMode, ServiceOptions, TokenClock
from mockpush.protocol.answering import UNDECRYPTABLE
from mockpush.protocol.inspection import Decryption
from mockpush.protocol.model import Subscription
from mockpush.server_journal import Stray
from mockpush.service import PushService
from mockpush.storage.base import Limits
from mockpush.storage.memory import MemoryStorage


async def test_an_accepted_push_is_answered_kept_and_recorded(service, sender, observer):
    subscription = await sender.subscribe()
    answer = await sender.push(subscription, b"hello", headers={"Topic": "upd8", "Urgency": "high"})
    message = await observer.last_message()
    assert (answer.status, answer.body) == (201, b"")
    assert dict(answer.headers) == {
        b"location": f"https://localhost/m/{message.id}".encode(),
        b"ttl": b"60",
        b"content-length": b"0",
    }
    assert (message.topic, message.ttl, message.inspection.urgency) == ("upd8", 60, "high")
    assert message.expires_at == message.received_at + 60
    assert message.state == "acknowledged"
    assert (await service.read(message)).data == b"hello"
    record = await observer.last_request()
    assert (record.id, record.message, record.answer) == (message.request, message.id, answer)
    assert record.request.body == message.body
    assert record.inspection.codes == []
    assert await observer.kinds(after=1) == [
        "message.accepted",
        "message.delivered",
        "message.acknowledged",
        "request",
    ]


async def test_a_refused_push_is_recorded_and_not_kept(sender, observer, problem):
    subscription = await sender.subscribe()
    answer = await sender.push(subscription, headers={"TTL": None, "Topic": "dXA="})
    assert answer.status == 400
    document = problem(answer)
    assert (document["code"], document["section"]) == ("ttl.missing", "RFC 8030, Section 5.2")
    assert [each["code"] for each in document["findings"]] == ["ttl.missing", "topic.padded"]
    assert await observer.messages() == []
    record = await observer.last_request()
    assert (record.message, record.judgement.codes) == (None, ("ttl.missing", "topic.padded"))
    assert record.answer is answer


REFUSALS = [
    ({"method": "GET"}, 405, "request.method"),
    ({"body": b"x" * 4097}, 413, "body.too_large"),
    ({"headers": {"TTL": "soon"}}, 400, "ttl.not_a_number"),
    ({"headers": {"Topic": "x" * 33}}, 400, "topic.too_long"),
    ({"headers": {"Urgency": "a, b"}}, 400, "urgency.several"),
    ({"headers": {"Authorization": None}}, 401, "vapid.absent"),
    ({"claims": {"aud": "https://example.net"}}, 403, "vapid.aud.mismatch"),
    ({"claims": {"aud": "https://localhost/"}}, 403, "vapid.aud.path"),
    ({"claims": {"exp": 1}}, 403, "vapid.exp.past"),
    ({"headers": {"Content-Encoding": None}}, 400, "content_encoding.missing"),
    ({"body": b"hello"}, 400, "encryption.header.truncated"),
]


@pytest.mark.parametrize(("changes", "status", "code"), REFUSALS)
async def test_each_check_refuses(sender, problem, changes, status, code):
    answer = await sender.push(await sender.subscribe(), **changes)
    assert answer.status == status
    assert problem(answer)["code"] == code


@pytest.mark.parametrize("at", range(len(REFUSALS) - 1))
async def test_the_earlier_check_comes_first(sender, problem, at):
    changes: dict = {"headers": {}, "claims": {}}
    for each, _, _ in reversed(REFUSALS[at:]):
        for name, value in each.items():
            changes[name] = {**changes[name], **value} if isinstance(value, dict) else value
    answer = await sender.push(await sender.subscribe(), **changes)
    assert (answer.status, problem(answer)["code"]) == REFUSALS[at][1:]


async def test_only_a_restricted_subscription_asks_who_sends(sender, observer):
    subscription = await sender.subscribe(application_server_key=None)
    assert (await sender.push(subscription, headers={"Authorization": None})).status == 201
    assert (await observer.last_message()).inspection.codes == ["vapid.not_sent"]
    assert (await sender.push(subscription, claims={"exp": 1})).status == 201
    assert (await observer.last_message()).inspection.codes == ["vapid.exp.past"]


async def test_the_audience_is_the_origin_that_was_given_out(sender):
    subscription = await sender.subscribe(origin="https://push.test")
    assert (await sender.push(subscription)).status == 201
    assert (await sender.push(subscription, claims={"aud": "https://localhost"})).status == 403


async def test_a_token_of_another_sender_is_refused(service, sender, make_sender, problem):
    subscription = await sender.subscribe()
    answer = await make_sender(service).push(subscription)
    assert (answer.status, problem(answer)["code"]) == (403, "vapid.key.mismatch")


async def test_strict_refuses_what_is_tolerated_otherwise(make_service, make_sender, problem):
    claims = {"aud": "https://localhost", "sub": "http://example.com"}
    statuses = {}
    for strict in (False, True):
        service = make_service(strict=strict)
        service.origins = ("https://localhost:8031",)
        sender = make_sender(service)
        answer = await sender.push(await sender.subscribe(), claims=claims)
        statuses[strict] = answer.status
    assert statuses == {False: 201, True: 403}
    assert problem(answer)["code"] == "vapid.sub.not_a_contact"


# Resources that nobody knows


async def test_a_push_to_nowhere_is_in_the_servers_own_journal(service, sender, observer, problem):
    subscription = await sender.subscribe()
    answer = await sender.push(subscription, token="nowhere")
    assert (answer.status, problem(answer)["code"]) == (404, "subscription.unknown")
    assert list(await service.storage.requests("default")) == []
    [entry] = service.journal.entries()
    assert (entry.id, entry.record.id, entry.kind) == (1, 1, Stray.UNKNOWN_SUBSCRIPTION)
    assert (entry.record.request.target, entry.record.answer) == ("/push/nowhere", answer)
    assert "vapid.sub.missing" not in entry.record.inspection.codes


async def test_the_servers_journal_keeps_the_newest(make_service, make_sender):
    service = make_service(limits=Limits(requests=3))
    sender = make_sender(service)
    subscription = await sender.subscribe()
    for number in range(5):
        await sender.push(subscription, token=f"nowhere-{number}")
    service.journal.add(Stray.TLS_ON_PLAIN_PORT, at=5.0, detail={"peer": "x"})
    assert [entry.id for entry in service.journal.entries()] == [4, 5, 6]
    [entry] = service.journal.entries(after=5)
    assert (entry.at, entry.detail, entry.record) == (5.0, {"peer": "x"}, None)


# Decryption


def damaged(sender, subscription: Subscription) -> bytes:
    body = sender.encrypt(subscription, b"hello")
    return body[:-1] + bytes((body[-1] ^ 1,))


@pytest.mark.parametrize(
    ("mode", "decryption"), [("eager", Decryption.OK), ("lazy", Decryption.PENDING)]
)
async def test_lazy_inspection_decrypts_when_somebody_looks(
    make_service, make_sender, make_observer, mode, decryption
):
    service = make_service(inspection=mode)
    sender = make_sender(service)
    await sender.push(await sender.subscribe())
    message = await make_observer(service).last_message()
    assert message.decryption is decryption
    assert message.payload is None or message.payload.data is None
    assert (await service.read(message)).data == b"hello"
    assert message.decryption is Decryption.OK


@pytest.mark.parametrize("mode", ["eager", "lazy"])
@pytest.mark.parametrize("strict", [False, True])
async def test_decryption_never_decides_the_answer(
    make_service, make_sender, make_observer, mode, strict
):
    service = make_service(inspection=mode, strict=strict)
    sender = make_sender(service)
    subscription = await sender.subscribe()
    answer = await sender.push(subscription, body=damaged(sender, subscription))
    assert answer.status == 201
    payload = await service.read(await make_observer(service).last_message())
    assert payload.decryption is Decryption.FAILED
    assert [finding.code for finding in payload.findings] != []


@pytest.mark.parametrize("mode", ["eager", "lazy"])
async def test_what_cannot_be_decrypted_is_refused_if_that_is_wanted(
    make_service, make_sender, make_observer, problem, mode
):
    service = make_service(refuse_undecryptable=True, inspection=mode)
    sender, observer = make_sender(service), make_observer(service)
    subscription = await sender.subscribe()
    answer = await sender.push(subscription, body=damaged(sender, subscription))
    document = problem(answer)
    assert (answer.status, document["code"]) == (400, "encryption.tag.invalid")
    assert document["expected"]
    assert document["actual"]
    record = await observer.last_request()
    assert record.judgement.template is UNDECRYPTABLE
    assert record.inspection.codes == ["encryption.tag.invalid"]
    assert await observer.messages() == []
    assert (await sender.push(subscription)).status == 201
    assert (await observer.last_message()).decryption is Decryption.OK


@pytest.mark.parametrize("options", [{}, {"refuse_undecryptable": True}])
@pytest.mark.parametrize("body", [b"hello", b"x" * 200, b""])
async def test_what_is_opaque_is_relayed_untouched(
    make_service, make_sender, make_observer, options, body
):
    service = make_service(**options)
    sender, observer = make_sender(service), make_observer(service)
    managed = await sender.subscribe()
    for keys in (None, replace(managed.keys, private_key=None)):
        subscription = await sender.subscribe(keys=keys)
        assert (await sender.push(subscription, body=body)).status == 201
        message = await observer.last_message()
        assert message.body == body
        assert message.decryption is (Decryption.OPAQUE if body else Decryption.NONE)


# The clock that judges tokens


async def test_tokens_are_judged_by_the_clock_of_the_process(service, sender):
    subscription = await sender.subscribe()
    await service.advance("default", 8 * 86_400)
    assert (await sender.push(subscription)).status == 201


async def test_tokens_are_judged_by_the_clock_of_the_service_if_that_is_wanted(
    make_service, make_sender, problem
):
    service = make_service(token_clock=TokenClock.SERVICE)
    sender = make_sender(service)
    subscription = await sender.subscribe()
    assert (await sender.push(subscription)).status == 201
    await service.advance("default", 8 * 86_400)
    answer = await sender.push(subscription)
    assert (answer.status, problem(answer)["code"]) == (403, "vapid.exp.past")


async def test_a_sender_in_frozen_time_is_accepted_in_real_time(service, sender, observer):
    subscription = await sender.subscribe()
    real = time.time()
    with freezegun.freeze_time("2012-01-14"):
        assert (await sender.push(subscription)).status == 201
    message = await observer.last_message()
    assert message.received_at >= real


# Limits


async def test_a_full_service_says_so_and_loses_nothing(
    make_service, make_sender, make_observer, problem
):
    service = make_service(limits=Limits(messages=2))
    sender, observer = make_sender(service), make_observer(service)
    subscription = await sender.subscribe(online=False)
    for _ in range(2):
        assert (await sender.push(subscription)).status == 201
    answer = await sender.push(subscription)
    assert (answer.status, problem(answer)["code"]) == (503, "service.full")
    assert int(dict(answer.headers)[b"retry-after"]) > 0
    assert "--max-messages" in problem(answer)["detail"]
    assert await observer.states() == ["pending", "pending"]
    assert (await observer.last_request()).judgement.codes == ("service.full",)
    await service.set_presence(subscription, online=True)
    assert (await sender.push(subscription)).status == 201


@pytest.mark.parametrize("inspection", InspectionMode)
async def test_what_a_full_service_refuses_leaves_one_record_and_no_message(
    make_service, make_sender, inspection
):
    service = make_service(limits=Limits(messages=1), inspection=inspection)
    sender = make_sender(service)
    subscription = await sender.subscribe(online=False)
    assert (await sender.push(subscription)).status == 201
    before = [*await service.storage.messages("default")]
    last = [*await service.storage.events("default")][-1].sequence
    answer = await sender.push(subscription)
    assert [*await service.storage.messages("default")] == before
    _, record = await service.storage.requests("default")
    assert (record.answer, record.message) == (answer, None)
    assert b"location" not in dict(answer.headers)
    [event] = await service.storage.events("default", after=last)
    assert (event.kind, event.message, event.detail) == ("request", None, "503")


async def test_max_body_stands_in_for_the_limit_of_the_profile(make_service, make_sender, problem):
    for limit in (100, 10_000):
        service = make_service(max_body=limit)
        sender = make_sender(service)
        subscription = await sender.subscribe(keys=None)
        assert (await sender.push(subscription, body=b"x" * limit)).status == 201
        answer = await sender.push(subscription, body=b"x" * (limit + 1))
        assert (answer.status, problem(answer)["code"]) == (413, "body.too_large")


async def test_a_ttl_beyond_the_limit_is_shortened_and_said(sender, observer):
    subscription = await sender.subscribe()
    answer = await sender.push(subscription, headers={"TTL": "9999999999"})
    assert dict(answer.headers)[b"ttl"] == b"2147483648"
    assert (await observer.last_message()).ttl == 2**31


async def test_an_unknown_profile_is_no_configuration():
    with pytest.raises(ConfigurationError, match=r"'netscape'.*rfc"):
        PushService(ServiceOptions(profile="netscape"))


async def test_another_storage_can_be_given():
    storage = MemoryStorage()
    service = PushService(storage=storage)
    subscription = await service.subscribe()
    assert await storage.subscription_at(subscription.token) == subscription


async def test_the_options_do_not_touch_the_profiles(make_service):
    make_service(max_body=1)
    assert profiles.PROFILES["rfc"].limits["body"] == 4096
