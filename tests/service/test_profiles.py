"""A profile is data: a push service that exists only here behaves by nothing but its table."""

from __future__ import annotations

import pytest

from mockpush import profiles
from mockpush.options import ServiceOptions
from mockpush.protocol.judging import Compare, Measure, Operator, Profile, Row, Template, on
from mockpush.service import PushService
from mockpush.storage.base import Limits

VENDOR = Profile(
    name="vendor",
    title="A push service of nobody",
    prefix="/v/send/",
    query="token",
    rows=(
        Row(on("vapid.absent", "vapid.not_sent"), Template(403, body='{"reason":"Who"}')),
        Row(on("subscription.unknown", "subscription.expired"), Template(410, word="Gone")),
        Row(Compare(Measure.TTL, Operator.EQUALS, 0, "ttl.zero"), Template(400, body="no TTL 0")),
        Row(
            Compare(Measure.TOPIC_LENGTH, Operator.MOD_4, 1, "topic.length_mod_4"),
            Template(400, (("x-reason", "{reason}"), ("x-id", "{uuid}"))),
        ),
        Row(
            Compare(Measure.BODY_SIZE, Operator.ABOVE, "body", "body.too_large"),
            Template(413, (("Content-Type", "text/plain"),)),
        ),
    ),
    success=Template(200, (("TTL", "{ttl}"),), "id={uuid}"),
    full=Template(429, (("Retry-After", "1"),)),
    limits={"body": 3000, "ttl": 2_419_200},
)


@pytest.fixture
def vendor(monkeypatch, make_sender, make_observer):
    """A service that also knows a profile that exists only here."""
    monkeypatch.setattr(profiles, "PROFILES", {**profiles.PROFILES, "vendor": VENDOR})
    service = PushService(ServiceOptions(profile="vendor", limits=Limits(messages=2)))
    return service, make_sender(service), make_observer(service)


@pytest.mark.parametrize(
    ("changes", "status", "body", "codes"),
    [
        ({}, 200, None, ()),
        ({"headers": {"TTL": None}}, 200, None, ()),
        ({"headers": {"TTL": "0"}}, 400, b"no TTL 0", ("ttl.zero",)),
        ({"headers": {"Topic": "new_event"}}, 400, b"", ("topic.length_mod_4",)),
        ({"body": b"x" * 3001}, 413, b"", ("body.too_large",)),
        ({"headers": {"Authorization": None}}, 403, b'{"reason":"Who"}', ("vapid.absent",)),
        (
            {"headers": {"Authorization": None, "TTL": "0"}},
            403,
            b'{"reason":"Who"}',
            ("vapid.absent", "ttl.zero"),
        ),
    ],
)
async def test_a_vendor_is_nothing_but_a_table(vendor, changes, status, body, codes):
    _, sender, observer = vendor
    subscription = await sender.subscribe()
    assert subscription.endpoint.endswith(f"/v/send/?token={subscription.token}")
    answer = await sender.push(subscription, **changes)
    assert answer.status == status
    if body is not None:
        assert answer.body == body
    assert (await observer.last_request()).judgement.codes == codes
    assert len(await observer.messages()) == (status == 200)


async def test_a_vendor_has_its_own_words_for_everything(vendor):
    service, sender, _ = vendor
    subscription = await sender.subscribe(online=False)
    first = await sender.push(subscription, headers={"TTL": "9999999"})
    assert dict(first.headers)[b"ttl"] == b"2419200"
    assert first.body.startswith(b"id=")
    assert (await sender.push(subscription)).body != first.body
    full = await sender.push(subscription)
    assert (full.status, dict(full.headers)[b"retry-after"]) == (429, b"1")
    gone = await sender.push(subscription, token="nowhere")
    assert (gone.status, gone.body) == (410, b"")
    refused = await sender.push(subscription, headers={"Topic": "new_event"})
    headers = dict(refused.headers)
    assert headers[b"x-reason"] == b"{reason}"
    assert len(headers[b"x-id"]) == 36
    arrival = await service.storage.arrive(subscription.token)
    assert arrival is not None
    assert arrival.number == 5


async def test_without_a_ttl_a_message_is_for_now_or_never(vendor):
    _, sender, observer = vendor
    subscription = await sender.subscribe(online=False)
    assert (await sender.push(subscription, headers={"TTL": None})).status == 200
    message = await observer.last_message()
    assert (message.ttl, message.state) == (0, "dropped")


async def test_the_subscription_has_the_say_whatever_the_shape_of_the_endpoint(vendor):
    service, sender, _ = vendor
    subscription = await sender.subscribe()
    answer = await service.receive(
        profile=service.profiles["rfc"],
        token=subscription.token,
        method="POST",
        target=f"/push/{subscription.token}",
        headers=[],
        body=b"",
    )
    assert answer.body == b'{"reason":"Who"}'


async def test_no_coding_at_all_can_be_refused_as_undecryptable(vendor, make_sender, problem):
    service = PushService(ServiceOptions(profile="vendor", refuse_undecryptable=True))
    sender = make_sender(service)
    answer = await sender.push(await sender.subscribe(), headers={"Content-Encoding": None})
    assert (answer.status, problem(answer)["code"]) == (400, "content_encoding.missing")
