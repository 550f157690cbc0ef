"""Messages after they were accepted: read, explained and closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockpush.options import InspectionMode
from mockpush.profiles import PROFILES
from mockpush.protocol.delivery import RFC8030
from mockpush.protocol.findings import Finding
from mockpush.protocol.inspection import Decryption, Payload
from mockpush.protocol.model import SubscriptionState
from mockpush.storage.base import Limits


async def test_a_payload_can_be_read_after_its_subscription_has_ended(service, sender, observer):
    subscription = await sender.subscribe()
    await sender.push(subscription)
    await service.end_subscription(subscription, state=SubscriptionState.REMOVED)
    assert (await service.read(await observer.last_message())).data == b"hello"


async def test_a_payload_that_nobody_read_is_lost_with_its_subscription(
    make_service, make_sender, make_observer
):
    service = make_service(inspection=InspectionMode.LAZY, limits=Limits(subscriptions=1))
    sender, observer = make_sender(service), make_observer(service)
    subscription = await sender.subscribe()
    await sender.push(subscription)
    await service.end_subscription(subscription, state=SubscriptionState.REMOVED)
    await sender.subscribe()
    payload = await service.read(await observer.last_message())
    assert (payload.decryption, payload.data) == (Decryption.OPAQUE, None)


async def test_a_push_without_payload_reads_as_none(service, sender, observer):
    subscription = await sender.subscribe()
    await sender.push(subscription, body=b"", headers={"Content-Encoding": None})
    payload = await service.read(await observer.last_message())
    assert (payload.decryption, payload.data, payload.findings) == (Decryption.NONE, None, ())


@pytest.mark.parametrize("mode", InspectionMode)
async def test_a_message_for_another_subscription_is_recognised(
    make_service, make_sender, make_observer, mode
):
    service = make_service(inspection=mode)
    sender, observer = make_sender(service), make_observer(service)
    meant, hit = await sender.subscribe(), await sender.subscribe()
    await sender.push(hit, body=sender.encrypt(meant, b"hello"))
    message = await observer.last_message()
    payload = await service.read(message)
    assert payload.decryption is Decryption.FAILED
    [finding] = payload.findings
    assert finding.code.endswith(".other_subscription")
    assert meant.id in finding.actual
    assert meant.id in finding.hint
    assert await service.read(message) is payload
    assert message.payload is payload


@pytest.mark.parametrize("tenant", ["default", "other"])
async def test_other_subscriptions_are_those_of_the_tenant(service, sender, observer, tenant):
    meant, hit = await sender.subscribe(tenant), await sender.subscribe()
    await sender.push(hit, body=sender.encrypt(meant, b"hello"))
    [finding] = (await service.read(await observer.last_message())).findings
    assert finding.code.endswith(".other_subscription") == (tenant == "default")


async def test_an_opaque_subscription_explains_nothing(service, sender, observer):
    managed = await sender.subscribe()
    hit = await sender.subscribe(keys=replace(managed.keys, private_key=None))
    await sender.push(hit, body=sender.encrypt(managed, b"hello"))
    payload = await service.read(await observer.last_message())
    assert (payload.decryption, payload.findings) == (Decryption.OPAQUE, ())


async def test_only_what_is_open_can_be_closed(service, sender, observer):
    subscription = await sender.subscribe(online=False, held=True)
    for _ in range(2):
        await sender.push(subscription)
    delivered, pending = await observer.messages()
    await service.set_presence(subscription, online=True)
    now = await service.now("default")
    await service.storage.claim("default", subscription.id, delivery=RFC8030, now=now)
    for message in (delivered, pending):
        assert await service.close_message(message.id)
        assert not await service.close_message(message.id)
    assert await observer.states() == ["acknowledged", "cancelled"]
    assert not await service.close_message("nowhere")


async def test_what_has_expired_meanwhile_can_not_be_cancelled(
    service, sender, observer, real_clock
):
    await sender.push(await sender.subscribe(online=False))
    real_clock.time += 60
    assert not await service.close_message((await observer.last_message()).id)
    assert await observer.states() == ["expired"]


async def test_only_the_newest_of_many_subscriptions_are_tried(
    service, sender, observer, monkeypatch
):
    monkeypatch.setattr("mockpush.unreadable.MAX_OTHERS", 3)
    meant = [await sender.subscribe() for _ in range(4)]
    hit = await sender.subscribe()
    codes = []
    for each in meant[:2]:
        await sender.push(hit, body=sender.encrypt(each, b"hello"))
        [finding] = (await service.read(await observer.last_message())).findings
        codes.append(finding.code.endswith(".other_subscription"))
    assert codes == [False, True]


async def test_what_nobody_can_explain_keeps_its_own_finding(service, sender, observer):
    subscription = await sender.subscribe()
    await sender.push(subscription)
    message = await observer.last_message()
    message.payload = Payload(Decryption.FAILED, None, (Finding("encryption.tag.invalid"),))
    await service.storage.reset("default", keep=frozenset(), now=message.received_at)
    payload = await service.read(message)
    assert payload.explained
    assert [finding.code for finding in payload.findings] == ["encryption.tag.invalid"]


@pytest.mark.parametrize(
    ("encrypted", "codes"), [(True, ["encryption.coding.mislabelled"]), (False, [])]
)
async def test_a_body_without_a_coding_is_explained_where_it_is_accepted(
    monkeypatch, make_service, make_sender, make_observer, encrypted, codes
):
    lenient = replace(PROFILES["rfc"], rows=())
    monkeypatch.setattr("mockpush.profiles.PROFILES", {"rfc": lenient})
    service = make_service()
    sender, observer = make_sender(service), make_observer(service)
    subscription = await sender.subscribe()
    body = sender.encrypt(subscription, b"hello") if encrypted else bytes(200)
    await sender.push(subscription, body=body, headers={"Content-Encoding": None})
    message = await observer.last_message()
    payload = await service.read(message)
    assert (payload.decryption, payload.explained) == (Decryption.FAILED, True)
    assert message.inspection.codes == ["content_encoding.missing"]
    assert [finding.code for finding in payload.findings] == codes


@pytest.mark.parametrize("mode", InspectionMode)
async def test_what_a_payload_shows_is_seen_when_somebody_reads_it(
    make_service, make_sender, make_observer, mode
):
    service = make_service(inspection=mode)
    sender, observer = make_sender(service), make_observer(service)
    subscription = await sender.subscribe()
    answer = await sender.push(subscription, body=sender.encrypt(subscription, b"\x80"))
    assert answer.status == 201
    message = await observer.last_message()
    assert message.payload is None or message.payload.findings == ()
    payload = await service.read(message)
    assert [finding.code for finding in payload.findings] == ["payload.not_utf8"]
    assert payload.data == b"\x80"
    assert await service.read(message) is payload
