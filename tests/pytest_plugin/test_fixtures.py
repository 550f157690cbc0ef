"""What each fixture is and has, in a process that runs this very test."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import time
from datetime import timedelta
from urllib.request import urlopen

import pytest
import requests
from pywebpush import webpush

from mockpush import Urgency, errors
from mockpush.client import UserAgent
from mockpush.protocol.keys import parse_private_key
from mockpush.protocol.vapid import authorization
from mockpush.vapid_keys import VapidKeys


def push(subscription, vapid, data="hello", *, ttl=60, **headers):
    return webpush(
        dict(subscription),
        data,
        vapid_private_key=vapid.private_key,
        vapid_claims=vapid.claims(),
        ttl=ttl,
        headers=headers,
    )


# The subscription


def test_a_subscription_is_a_dict_as_a_browser_writes_it(push_subscription):
    assert isinstance(push_subscription, dict)
    assert list(push_subscription) == ["endpoint", "expirationTime", "keys"]
    assert list(push_subscription["keys"]) == ["p256dh", "auth"]
    assert push_subscription["expirationTime"] is None
    assert push_subscription["endpoint"] == push_subscription.endpoint
    assert push_subscription["keys"] == {
        "p256dh": push_subscription.p256dh,
        "auth": push_subscription.auth,
    }
    assert json.loads(json.dumps(push_subscription)) == push_subscription


@pytest.mark.parametrize(
    "kept",
    [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each)), dict],
    ids=["copy", "deepcopy", "pickle", "dict"],
)
def test_what_an_application_keeps_of_it_is_a_plain_dict(push_subscription, kept):
    copied = kept(push_subscription)
    assert type(copied) is dict
    assert copied == push_subscription


def test_another_process_unpickles_it_without_mockpush(push_subscription):
    program = (
        "import pickle, sys\n"
        "sys.modules['mockpush'] = None\n"
        "print(pickle.load(sys.stdin.buffer)['endpoint'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(push_subscription),
        capture_output=True,
        check=True,
    )
    assert told.stdout.decode().strip() == push_subscription.endpoint


def test_a_subscription_has_its_messages(push_service, push_subscription, push_vapid):
    other = push_service.subscribe()
    push(push_subscription, push_vapid, "one")
    push(other, push_vapid, "two")
    assert [message.text() for message in push_subscription.messages] == ["one"]
    assert {message.subscription for message in push_service.messages} == {
        push_subscription.id,
        other.id,
    }


def test_subscriptions_are_bound_to_the_vapid_key(push_service, push_subscription):
    with push_service.expect_refused("vapid.absent") as refused:
        assert requests.post(push_subscription.endpoint, headers={"TTL": "0"}).status_code == 401
    assert refused[0].finding.section.startswith("RFC 8292")


def test_unless_told_otherwise(push_service):
    free = push_service.subscribe(application_server_key=None)
    assert requests.post(free.endpoint, headers={"TTL": "0"}).status_code == 201
    another = VapidKeys.generate()
    bound = push_service.subscribe(application_server_key=another.public_key)
    assert push(bound, another).status_code == 201


@pytest.mark.parametrize(
    ("audience", "status"),
    [
        ("{origin}", 201),
        ("{origin}/", 403),
        ("https://localhost", 201),  # without the port, as many libraries write it
        ("https://LOCALHOST", 403),
        ("https://127.0.0.1", 403),
        ("http://localhost", 403),
        ("https://push.example", 403),
    ],
)
@pytest.mark.mockpush(allow_refused=True)
def test_the_audience_is_the_origin_of_the_endpoint(
    push_server, push_subscription, push_vapid, audience, status
):
    origin = push_server.https_url
    claims = push_vapid.claims(aud=audience.format(origin=origin), exp=int(time.time()) + 60)
    token = authorization(claims, parse_private_key(push_vapid.private_key))
    answer = requests.post(push_subscription.endpoint, headers={"TTL": "0", "Authorization": token})
    assert answer.status_code == status, answer.text
    assert push_subscription.endpoint.startswith(origin + "/")


# The service


def test_a_message_has_everything(push_service, push_subscription, push_vapid):
    push(push_subscription, push_vapid, json.dumps({"order": 7}), ttl=3600, Topic="order-7")
    message = push_service.wait(subscription=push_subscription)
    assert message.json() == {"order": 7}
    assert (message.ttl, message.topic, message.urgency) == (3600, "order-7", "normal")
    assert message.state == "acknowledged"
    assert message.vapid["sub"] == push_vapid.subject


def test_urgency_compares_as_a_string(push_service, push_subscription, push_vapid):
    push(push_subscription, push_vapid, Urgency="very-low")
    message = push_service.wait(urgency=Urgency.VERY_LOW)
    assert message.urgency == "very-low"


def test_waits_give_each_message_once_and_in_order(push_service, push_subscription, push_vapid):
    for text in ("one", "two", "three", "four"):
        push(push_subscription, push_vapid, text)
    assert push_service.wait(text="two").text() == "two"
    assert push_service.wait().text() == "one"
    assert [message.text() for message in push_service.wait_all(2)] == ["three", "four"]
    push_service.assert_none()
    with pytest.raises(errors.WaitError, match=r"expected 1 push message within 0\.01 s, got 0"):
        push_service.wait(timeout=0.01)
    assert [request.status for request in push_service.wait_requests(4, status=201)] == [201] * 4
    assert len(push_service.messages) == len(push_service.requests) == 4


def test_assert_none_tells_what_came(push_service, push_subscription, push_vapid):
    push(push_subscription, push_vapid, Topic="inbox")
    push_service.assert_none(within=0.01, topic="other")
    with pytest.raises(errors.WaitError, match="expected no push message within 0 s, got <Mess"):
        push_service.assert_none()


def test_events_tell_what_has_happened(push_service, push_subscription, push_vapid):
    push(push_subscription, push_vapid)
    events = push_service.events
    assert [event.type for event in events][:2] == ["subscription.created", "message.accepted"]
    assert {event.data["subscription"] for event in events} == {push_subscription.id}
    with push_service.follow_events(since=events[0].id) as following:
        assert next(following) == events[1]


def test_a_reset_empties_the_tenant(push_service, push_subscription, push_clock, push_vapid):
    push(push_subscription, push_vapid)
    before = push_clock.now
    push_clock.advance("8d")
    push_service.reset()
    assert (push_service.messages, push_service.requests) == ([], [])
    assert push_service.subscriptions == []
    assert push_clock.now - before < timedelta(days=1)
    push(push_service.subscribe(), push_vapid)
    push_service.wait()


def test_a_tenant_may_be_deleted_by_its_test(push_service, push_subscription):
    push_service.delete_tenant()


def test_each_test_has_a_tenant_of_its_own(push_service):
    assert push_service.messages == []
    assert push_service.tenant.rpartition("-")[0].endswith("test_each_test_has_a_tenant_of_its_own")


@pytest.mark.parametrize(
    "word", ["ä ö/ü", " ", "a" * 300, "\n\t\x00", "日本", "../..", "%2F?#", ""]
)
def test_odd_names_make_tenants_too(push_service, push_subscription, push_vapid, word):
    push(push_subscription, push_vapid)
    assert push_service.tenant in push_service.tenants
    assert len(push_service.tenant) <= 128


# The browser, the clock, the keys, the server


def test_a_browser_receives(push_user_agent, push_service, push_vapid):
    assert isinstance(push_user_agent, UserAgent)
    subscription = push_user_agent.subscribe()
    push(subscription, push_vapid)
    assert [message.text() for message in push_user_agent.received] == ["hello"]
    assert push_service.wait().state == "acknowledged"
    assert [each.id for each in push_service.subscriptions] == [subscription.id]


def test_the_clock_is_the_service_s(push_service, push_clock):
    push_clock.freeze()
    now = push_clock.now
    assert push_service.clock.now == now
    assert push_clock.advance("8h") - now == timedelta(hours=8)
    push_clock.resume()
    assert push_clock.now >= now + timedelta(hours=8)


def test_after_eight_days_its_sender_is_still_accepted(push_service, push_clock, push_vapid):
    subscription = push_service.subscribe()
    push_clock.advance("8d")
    assert push(subscription, push_vapid).status_code == 201


def test_a_key_pair_in_every_form(push_vapid):
    again = VapidKeys.from_scalar(push_vapid.scalar)
    assert again.public_key == push_vapid.public_key
    assert parse_private_key(push_vapid.private_key_pem) == push_vapid.scalar
    assert push_vapid.claims() == {"sub": push_vapid.subject}
    assert push_vapid.claims() is not push_vapid.claims()


def test_the_server_is_known(push_server):
    assert push_server.url.startswith("http://127.0.0.1:")
    assert push_server.https_url.startswith("https://localhost:")
    with urlopen(push_server.https_url + "/livez", context=push_server.ssl_context) as answer:
        assert answer.status == 200
    with open(push_server.ca_file, encoding="ascii") as file:
        assert "BEGIN CERTIFICATE" in file.read()
    assert push_server.environ["MOCKPUSH_URL"] == push_server.url
    assert push_server.environ["MOCKPUSH_CA_FILE"] == push_server.ca_file
    assert push_server.environ["REQUESTS_CA_BUNDLE"]


# In an event loop


async def test_a_blocking_wait_says_so(push_service, push_subscription):
    with pytest.raises(errors.BlockingWaitError, match=r"use `await wait_async\(…\)`"):
        push_service.wait()
    with pytest.raises(errors.BlockingWaitError, match=r"use `await wait_all_async\(…\)`"):
        push_service.wait_all(2)
    with pytest.raises(errors.BlockingWaitError, match=r"use `await wait_requests_async\(…\)`"):
        push_service.wait_requests(1)
    with pytest.raises(errors.BlockingWaitError, match=r"use `await assert_none_async\(…\)`"):
        push_service.assert_none(within=1)


async def test_what_is_there_already_needs_no_wait(push_service, push_subscription, push_vapid):
    push(push_subscription, push_vapid)
    assert push_service.wait().text() == "hello"


async def test_the_twins(push_service, push_subscription, push_vapid):
    waiting = asyncio.create_task(push_service.wait_async())
    await asyncio.to_thread(push, push_subscription, push_vapid, "one")
    assert (await waiting).text() == "one"
    push(push_subscription, push_vapid, "two")
    assert [message.text() for message in await push_service.wait_all_async(1)] == ["two"]
    assert len(await push_service.wait_requests_async(2)) == 2
    await push_service.assert_none_async(within=0.01)
    async with push_service.expect_refused("ttl.*"):
        await asyncio.to_thread(requests.post, push_subscription.endpoint)


@pytest.fixture
async def pushed(push_subscription, push_vapid):
    """An asynchronous fixture on top of ours."""
    push(push_subscription, push_vapid, "from a fixture")
    return push_subscription


async def test_asynchronous_fixtures(push_service, pushed):
    assert (await push_service.wait_async(subscription=pushed)).text() == "from a fixture"
