from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest

from mockpush import errors
from mockpush.client.control import Control
from mockpush.client.push_subscription import PushSubscription
from mockpush.protocol.model import MessageState

ROOT = "/_mockpush/v1"
SUBSCRIPTION = {
    "id": "s1",
    "endpoint": "https://localhost:8031/push/abc",
    "expirationTime": None,
    "keys": {"p256dh": "BPub", "auth": "c2VjcmV0"},
    "profile": "rfc",
    "managed": True,
    "state": "active",
}


class Service:
    """The control API as far as it is needed here, with lists that tests fill."""

    def __init__(self, application, listing) -> None:
        self.application = application
        self.messages = listing(filters=["subscription", "state", "topic"])
        self.requests = listing(filters=["subscription", "status"])
        self.strays = listing()
        self.subscriptions = listing([SUBSCRIPTION])
        self.tenants = listing([{"name": "default"}, {"name": "t2"}])
        lists = {
            "messages": self.messages,
            "requests": self.requests,
            "server/requests": self.strays,
            "subscriptions": self.subscriptions,
            "tenants": self.tenants,
        }
        for name, items in lists.items():
            application.handlers[f"{ROOT}/{name}"] = items

    def answer(self, path: str, status: int = 204, body: object = None) -> None:
        async def handler(call):
            return status, [], b"" if body is None else json.dumps(body).encode()

        self.application.handlers[f"{ROOT}/{path}".rstrip("/")] = handler

    @property
    def calls(self) -> list:
        return [(call.method, call.path.removeprefix(ROOT)) for call in self.application.calls]


@pytest.fixture
def service(application, listing):
    return Service(application, listing)


@pytest.fixture
def control(service, in_process):
    return Control(in_process, vapid=SimpleNamespace(public_key="BVapid"))


def ids(records) -> list[str]:
    return [record.id for record in records]


# Subscriptions


@pytest.fixture
def subscribing(service, application):
    service.answer("subscriptions", 201, SUBSCRIPTION)
    return lambda: json.loads(application.calls[-1].body)


def test_a_subscription_is_bound_to_the_vapid_key(control, subscribing):
    made = control.subscribe()
    assert isinstance(made, PushSubscription)
    assert made == {name: SUBSCRIPTION[name] for name in ("endpoint", "expirationTime", "keys")}
    assert made.id == "s1"
    assert subscribing() == {"applicationServerKey": "BVapid"}


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("BOther", {"applicationServerKey": "BOther"}),
        (b"\x04\xff", {"applicationServerKey": "BP8"}),
        (None, {}),
    ],
)
def test_unless_it_is_told_otherwise(control, subscribing, key, body):
    control.subscribe(application_server_key=key)
    assert subscribing() == body


def test_without_a_vapid_key_it_is_not_restricted(in_process, subscribing):
    Control(in_process).subscribe()
    assert subscribing() == {}


def test_the_members_of_a_new_subscription(control, subscribing):
    control.subscribe(
        application_server_key=None,
        profile="rfc",
        keys={"p256dh": "B", "auth": "a"},
        id="mine",
        origin="https://push.example",
        expiration_time=5,
        online=False,
    )
    assert subscribing() == {
        "profile": "rfc",
        "keys": {"p256dh": "B", "auth": "a"},
        "id": "mine",
        "origin": "https://push.example",
        "expirationTime": 5,
        "online": False,
    }


def test_subscriptions_there_are(control, service):
    service.answer("subscriptions/s1", 200, SUBSCRIPTION)
    assert control.subscription("s1") == control.subscriptions[0]
    assert len(control.subscriptions) == 1


def test_a_subscription_is_known_by_its_endpoint(control):
    endpoint = SUBSCRIPTION["endpoint"]
    plain = {"endpoint": endpoint, "keys": {}}
    given = [control.subscriptions[0], "s1", endpoint, plain]
    assert [control.subscription_id(each) for each in given] == ["s1"] * 4
    with pytest.raises(errors.NotFoundError, match="has endpoint https://elsewhere"):
        control.subscription_id("https://elsewhere")


# Messages and requests


def test_messages_and_requests_there_are(control, service, message_json, request_json):
    service.messages.items = [message_json("a"), message_json("b")]
    service.requests.items = [request_json("1"), request_json("2", 400, "ttl.missing")]
    assert ids(control.messages) == ["a", "b"]
    assert ids(control.requests) == ["1", "2"]
    assert ids(control.refused) == ["2"]


def test_waiting_for_one_and_for_several(control, service, message_json):
    service.messages.items = [message_json(name) for name in "abc"]
    assert control.wait().id == "a"
    assert ids(control.wait_all(2)) == ["b", "c"]


def test_waiting_for_the_message_of_a_subscription(control, service, message_json):
    service.messages.items = [message_json("a", subscription="s2"), message_json("b")]
    assert control.wait(subscription=dict(control.subscriptions[0])).id == "b"


def test_waiting_for_requests(control, service, request_json):
    service.requests.items = [request_json("1", 429), request_json("2"), request_json("3", 429)]
    assert ids(control.wait_requests(2, status=429)) == ["1", "3"]
    assert ids(control.wait_requests(1)) == ["2"]


def test_a_wait_that_fails_tells_what_came_instead(control, service, request_json):
    service.requests.items = [request_json("1", 400, "ttl.missing"), request_json("2")]
    with pytest.raises(errors.WaitError) as caught:
        control.wait(timeout=0)
    assert str(caught.value) == (
        "expected 1 push message within 0 s, got 0; refused meanwhile: 400 ttl.missing: the "
        "request has no TTL header field [RFC 8030, Section 5.2]"
    )
    assert isinstance(caught.value, AssertionError)


def test_it_tells_what_came_closest(control, service, message_json):
    service.messages.items = [message_json("a", topic="inbox")]
    service.messages.closest = [
        {"id": "a", "differences": [{"field": "topic", "expected": "x", "actual": "inbox"}]}
    ]
    with pytest.raises(errors.WaitError) as caught:
        control.wait_all(2, timeout=0, topic="x", state=MessageState.PENDING)
    assert str(caught.value) == (
        "expected 2 push messages with topic='x', state='pending' within 0 s, got 0; "
        "closest: a (topic: expected 'x', got 'inbox')"
    )


def test_it_tells_what_reached_the_server_but_no_subscription(control, service):
    stray = {"id": 1, "kind": "tls_on_plain_port", "detail": {"peer": "127.0.0.1:5"}}
    service.strays.items = [stray]
    control.begin()
    unknown = {"kind": "unknown_subscription", "request": {"method": "POST", "target": "/push/x"}}
    service.strays.items += [{**unknown, "id": 2}, {**stray, "id": 3}]
    assert [entry["id"] for entry in control.strays()] == [2, 3]
    assert [entry["id"] for entry in control.server_requests()] == [1, 2, 3]
    with pytest.raises(errors.WaitError) as caught:
        control.wait(timeout=0)
    assert str(caught.value).endswith(
        "; the server got, for no subscription: unknown subscription: POST /push/x, "
        "tls on plain port (peer=127.0.0.1:5)"
    )


def test_without_a_beginning_it_tells_everything(control, service):
    service.strays.items = [{"id": 1, "kind": "failed_handshake", "detail": None}]
    with pytest.raises(errors.WaitError, match=r"no subscription: failed handshake$"):
        control.wait(timeout=0)


def test_a_long_list_is_cut(control, service, request_json):
    service.requests.items = [request_json(str(number), 503) for number in range(8)]
    with pytest.raises(errors.WaitError) as caught:
        control.wait(timeout=0)
    assert str(caught.value).count("503 without a finding") == 5
    assert str(caught.value).endswith(", and 3 more")


def test_a_refusal_that_the_test_knows_of_is_not_told_again(control, service, request_json):
    service.requests.items = [request_json("1", 400, "ttl.missing")]
    assert ids(control.refused) == ["1"]
    with pytest.raises(errors.WaitError, match=r"got 0$"):
        control.wait(timeout=0)


def test_no_message(control, service, message_json):
    control.assert_none()
    service.messages.items = [message_json("a")]
    control.assert_none(topic="t")
    control.wait()
    control.assert_none()
    service.messages.arriving = [message_json("b", "surprise")]
    with pytest.raises(errors.WaitError) as caught:
        control.assert_none(within=2)
    assert "expected no push message within 2 s, got <Message b" in str(caught.value)
    assert "'surprise'" in str(caught.value)


def test_a_match_that_does_not_exist(control):
    with pytest.raises(TypeError, match="use subscription, state, topic, urgency, text, json"):
        control.wait(titel="x")


# Refusals


def test_a_refusal_that_is_expected(control, service, request_json):
    service.requests.items = [request_json("1", 400, "ttl.missing")]
    with control.expect_refused("ttl.*") as refused:
        service.requests.items += [
            request_json("2", 201, "ttl.zero"),
            request_json("3", 403, "vapid.aud.mismatch"),
            request_json("4", 400, "ttl.negative"),
            request_json("5", 400, "ttl.negative"),
        ]
    assert ids(refused) == ["4", "5"]
    assert ids(control.unnoticed_refusals()) == ["1", "3"]


def test_a_refusal_that_does_not_come(control, service, request_json):
    with (
        pytest.raises(errors.WaitError) as caught,
        control.expect_refused("ttl.*", timeout=0) as refused,
    ):
        service.requests.items.append(request_json("1", 403, "vapid.aud.mismatch"))
    assert refused == []
    assert str(caught.value).startswith(
        "expected 1 request with refused=True, code='ttl.*' within 0 s, got 0; "
        "closest: 1 (code: expected 'ttl.*', got ['vapid.aud.mismatch']); refused meanwhile: 403"
    )


def test_an_error_in_the_context_goes_first(control):
    with pytest.raises(LookupError), control.expect_refused("ttl.*"):
        raise LookupError


async def test_refusals_expected_in_an_event_loop(control, service, request_json):
    async with control.expect_refused("ttl.*") as refused:
        service.requests.arriving = [request_json("1", 400, "ttl.missing")]
    assert ids(refused) == ["1"]
    with pytest.raises(LookupError):
        async with control.expect_refused("ttl.*"):
            raise LookupError
    with control.expect_refused("ttl.*") as refused:
        service.requests.items.append(request_json("2", 400, "ttl.missing"))
    assert ids(refused) == ["2"]
    with (
        pytest.raises(errors.BlockingWaitError, match=r"async with expect_refused"),
        control.expect_refused("ttl.*"),
    ):
        pass


def test_refusals_that_nobody_noticed_are_those_about_the_sender(
    control, service, request_json, finding_json
):
    gone = request_json("2", 410, "subscription.expired")
    gone["findings"] = [finding_json("subscription.expired", level="information")]
    service.requests.items = [
        request_json("1", 400, "ttl.missing"),
        gone,
        request_json("3", 503, fault={"id": "f1"}),
        request_json("4"),
    ]
    assert ids(control.unnoticed_refusals()) == ["1"]
    assert ids(control.refused) == ["1", "2", "3"]
    assert control.unnoticed_refusals() == []


def test_reading_on_tells_what_is_new_and_notices_nothing(control, service, request_json):
    service.requests.items = [request_json("1", 400, "ttl.missing")]
    first, cursor = control.read_on(None)
    service.requests.items += [request_json("2", 400, "ttl.missing"), request_json("3")]
    second, cursor = control.read_on(cursor)
    assert (ids(first), ids(second)) == (["1"], ["2", "3"])
    assert control.read_on(cursor) == ([], cursor)
    assert ids(control.unnoticed_refusals(second)) == ["2"]
    assert ids(control.unnoticed_refusals()) == ["1", "2"]


def test_a_beginning_is_found_from_an_earlier_one(control, service):
    entry = {"kind": "tls_on_plain_port", "detail": {}}
    service.strays.items = [{**entry, "id": 1}, {**entry, "id": 2}]
    cursor = control.begin()
    service.strays.items += [{**entry, "id": 3}]
    later = control.for_tenant("t2")
    assert later.begin(after=cursor) == control.begin()
    assert later.strays() == []


# Event loops


async def test_in_an_event_loop_what_is_there_is_returned(control, service, message_json):
    service.messages.items = [message_json("a")]
    assert control.wait().id == "a"
    assert [query.get("wait") for query in service.messages.queries] == [None]


@pytest.mark.parametrize(
    ("block", "twin"),
    [
        (lambda control: control.wait(), r"await wait_async\(…\)"),
        (lambda control: control.wait_all(2), r"await wait_all_async\(…\)"),
        (lambda control: control.wait_requests(1), r"await wait_requests_async\(…\)"),
        (lambda control: control.assert_none(within=1), r"await assert_none_async\(…\)"),
    ],
)
async def test_in_an_event_loop_a_wait_that_would_block_names_its_twin(control, block, twin):
    with pytest.raises(errors.BlockingWaitError, match=twin):
        block(control)


async def test_in_an_event_loop_a_wait_of_no_time_is_a_wait(control):
    with pytest.raises(errors.WaitError):
        control.wait(timeout=0)
    control.assert_none()


async def test_the_twins(control, service, message_json, request_json):
    service.messages.arriving = [message_json(name) for name in "abc"]
    service.requests.items = [request_json("1", 400, "ttl.missing")]
    assert (await control.wait_async()).id == "a"
    assert ids(await control.wait_all_async(2)) == ["b", "c"]
    assert ids(await control.wait_requests_async(1, status=400)) == ["1"]
    assert control.unnoticed_refusals() == []
    await control.assert_none_async(within=0.01)
    with pytest.raises(errors.WaitError):
        await control.wait_async(timeout=0)


async def test_twins_at_the_same_time_get_different_messages(control, service, message_json):
    service.messages.items = [message_json(name) for name in "abcd"]
    waited = await asyncio.gather(*(control.wait_async() for _ in "abcd"))
    assert sorted(ids(waited)) == list("abcd")


async def test_a_message_from_a_twin_can_still_be_acknowledged(control, service, message_json):
    service.messages.items = [message_json("a")]
    service.answer("messages/a/acknowledge")
    (await control.wait_async()).acknowledge()
    assert service.calls[-1] == ("POST", "/messages/a/acknowledge")


async def test_a_cancelled_twin_ends_its_request(control, application, loop):
    ended = asyncio.run_coroutine_threadsafe(_event(), loop).result()

    async def wait_for_ever(call):
        try:
            if "wait" not in call.query:
                return 200, [], b'{"items": [], "next": "0", "more": false}'
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            ended.set()
            raise

    application.handlers[f"{ROOT}/messages"] = wait_for_ever
    waiting = asyncio.create_task(control.wait_async(timeout=600))
    for _ in range(2):
        await asyncio.to_thread(application.reached.acquire)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.run_coroutine_threadsafe(ended.wait(), loop).result(10)


async def _event() -> asyncio.Event:
    return asyncio.Event()


# The service


def test_reset(control, service, application):
    service.answer("reset")
    control.reset()
    control.reset(keep=["subscriptions"])
    bodies = [json.loads(call.body) for call in application.calls]
    assert bodies == [{}, {"keep": ["subscriptions"]}]


def test_another_tenant(control, service, application):
    other = control.for_tenant("t2")
    assert other.tenant == "t2"
    assert other.messages == []
    assert application.calls[-1].headers["mockpush-tenant"] == "t2"
    service.answer("subscriptions", 201, SUBSCRIPTION)
    other.subscribe()
    assert json.loads(application.calls[-1].body) == {"applicationServerKey": "BVapid"}


def test_tenants(control, service):
    service.answer("tenants/t2")
    service.answer("tenants/default")
    assert control.tenants == ["default", "t2"]
    control.delete_tenant("t2")
    control.delete_tenant()
    assert service.calls[-2:] == [("DELETE", "/tenants/t2"), ("DELETE", "/tenants/default")]


def test_messages_by_id(control, service, message_json):
    service.answer("messages/latest", 200, message_json("z"))
    service.answer("messages/z/acknowledge")
    assert control.message("latest").id == "z"
    control.acknowledge("z")
    assert service.calls[-1] == ("POST", "/messages/z/acknowledge")


def test_emptying_the_lists(control, service):
    service.answer("messages")
    service.answer("requests")
    control.delete_messages()
    control.delete_requests()
    assert service.calls == [("DELETE", "/messages"), ("DELETE", "/requests")]


def test_the_certificate_and_the_health_of_the_service(control, service, in_process):
    async def pem(call):
        return 200, [], b"-----BEGIN CERTIFICATE-----"

    service.application.handlers[f"{ROOT}/ca.pem"] = pem
    service.answer("livez", 200, {})
    service.answer("readyz", 503, {"detail": "starting"})
    assert control.ca_pem() == "-----BEGIN CERTIFICATE-----"
    assert control.healthy()
    assert not control.ready()
    in_process.close()
    assert not control.healthy()


def test_what_the_service_is(control, service):
    service.answer("", 200, {"version": "1"})
    assert control.about() == {"version": "1"}


def test_the_clock_is_the_tenant_s(control, service, application):
    service.answer("clock", 200, {"now": "2026-01-01T00:00:00Z"})
    assert control.for_tenant("t2").clock.now.year == 2026
    assert application.calls[-1].headers["mockpush-tenant"] == "t2"
