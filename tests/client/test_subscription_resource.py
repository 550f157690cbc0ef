"""The wire of RFC 8030 as user agents speak it."""

from __future__ import annotations

import json

import pytest

from mockpush import errors
from mockpush.client.subscription_resource import SubscriptionResource, subscribe

LINK = ("Link", '<https://push.example/push/x>; rel="urn:ietf:params:push"')


def answering(application, path: str, status: int, headers=(), body: bytes = b""):
    @application.route(path)
    async def answer(call):
        return status, headers, body


def subscribed(transport) -> SubscriptionResource:
    return subscribe(transport, tenant="default", application_server_key=None)


@pytest.fixture
def resource(transport) -> SubscriptionResource:
    return SubscriptionResource(transport, "/s/s1", "https://push.example/push/x")


@pytest.mark.parametrize("location", ["/s/s1", "https://push.example:8031/s/s1", "s/s1"])
def test_subscribing_gives_the_subscription_and_its_push_resource(application, transport, location):
    answering(application, "/subscribe", 201, [LINK, ("Location", location)])
    made = subscribed(transport)
    assert (made.path, made.id, made.endpoint) == ("/s/s1", "s1", "https://push.example/push/x")


def test_a_location_with_a_query_keeps_it(application, transport):
    answering(application, "/subscribe", 201, [LINK, ("Location", "/s/s1?x=1")])
    assert subscribed(transport).path == "/s/s1?x=1"


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_is_followed_with_all_that_was_sent(application, transport, status):
    answering(application, "/subscribe", status, [("Location", "/elsewhere/subscribe")])
    answering(application, "/elsewhere/subscribe", 201, [LINK, ("Location", "../s/s1")])
    made = subscribe(transport, tenant="t", application_server_key=b"\x04key")
    assert made.path == "/s/s1"
    first, second = application.calls
    for name in ("mockpush-tenant", "content-type"):
        assert second.headers[name] == first.headers[name]
    assert json.loads(second.body) == {"vapid": "BGtleQ"}
    assert second.method == "POST"


def test_a_redirect_to_the_same_service_by_its_full_url(application, transport):
    answering(application, "/subscribe", 307, [("Location", f"{transport.url}/here")])
    answering(application, "/here", 201, [LINK, ("Location", "/s/s1")])
    assert subscribed(transport).id == "s1"


@pytest.mark.parametrize(
    "location",
    ["https://elsewhere.example/subscribe", "//elsewhere.example/", "http://localhost.x"],
)
def test_a_redirect_to_another_service_is_not_followed(application, transport, location):
    answering(application, "/subscribe", 307, [("Location", location)])
    with pytest.raises(errors.ServiceError, match=r"redirects to http\S+: use a transport"):
        subscribed(transport)


@pytest.mark.parametrize("headers", [[("Location", "/subscribe")], []])
def test_redirects_come_to_an_end(application, transport, headers):
    answering(application, "/subscribe", 307, headers)
    with pytest.raises(errors.ServiceError, match="more than 5 times"):
        subscribed(transport)
    assert len(application.calls) == 6


@pytest.mark.parametrize(("status", "text"), [(400, "a reason"), (200, "a reason")])
def test_anything_but_created_is_a_refusal(application, transport, status, text):
    answering(application, "/subscribe", status, body=json.dumps({"detail": text}).encode())
    with pytest.raises(errors.ServiceError, match=text):
        subscribed(transport)


@pytest.mark.parametrize("headers", [[LINK], [("Location", "/s/s1")]])
def test_an_answer_that_lacks_what_a_user_agent_needs(application, transport, headers):
    answering(application, "/subscribe", 201, headers)
    with pytest.raises(errors.ServiceError, match="lacks its Link or its Location"):
        subscribed(transport)


def test_monitoring_asks_the_service_to_wait(application, resource):
    answering(application, "/s/s1", 204)
    assert resource.monitor(wait=30) == []
    [call] = application.calls
    assert (call.method, call.headers["prefer"]) == ("GET", "wait=30")


@pytest.mark.parametrize("location", ["/m/7", "https://push.example/m/7", "../m/7"])
def test_a_delivery_names_its_message_resource(application, resource, location):
    headers = [("Content-Location", location), ("Content-Encoding", "aes128gcm")]
    answering(application, "/s/s1", 200, headers, b"\x00body")
    [delivery] = resource.monitor(wait=0)
    assert (delivery.url, delivery.body) == ("/m/7", b"\x00body")
    assert delivery.headers["content-encoding"] == "aes128gcm"
    for status in (204, 404, 410):
        answering(application, "/m/7", status)
        resource.acknowledge(delivery)
    assert application.calls[-1].method == "DELETE"
    answering(application, "/m/7", 500, body=b'{"detail": "a bug"}')
    with pytest.raises(errors.ServiceError, match="a bug"):
        resource.acknowledge(delivery)


def test_monitoring_over_a_transport_of_its_own(application, resource, in_process):
    in_process.close()
    with pytest.raises(errors.ConnectError):
        resource.monitor(wait=0, transport=in_process)
    assert application.calls == []


@pytest.mark.parametrize(
    ("act", "method", "path"),
    [
        (lambda resource: resource.monitor(wait=0), "GET", "/s/s1"),
        (lambda resource: resource.go_offline(), "POST", "/s/s1/offline"),
        (lambda resource: resource.go_online(), "POST", "/s/s1/online"),
        (lambda resource: resource.delete(), "DELETE", "/s/s1"),
    ],
)
def test_whatever_meets_a_subscription_that_is_gone(application, resource, act, method, path):
    for status in (404, 410):
        answering(application, path, status)
        with pytest.raises(errors.NotFoundError, match="the subscription s1 is gone") as caught:
            act(resource)
        assert caught.value.status == status
    answering(application, path, 429, body=b'{"detail": "slower", "setting": "rate"}')
    with pytest.raises(errors.LimitError, match="slower"):
        act(resource)
    assert {call.method for call in application.calls} == {method}
