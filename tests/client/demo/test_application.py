"""The application server of the demo, with emulated browsers."""

from __future__ import annotations

import threading

import httpx
import pytest

P256DH = "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"
AUTH = "tBHItJI5svbpez7KI4CCXg"


def test_a_push_arrives_with_its_topic_urgency_and_ttl(demo, shown):
    browser = demo.browser()
    subscription = browser.subscribe()
    answer = demo.keep(subscription)
    assert answer.status_code == 201
    assert answer.json()["id"] == subscription.id

    (outcome,) = demo.push(
        title="Tür 3", body="Köln", topic="orders", urgency="high", ttl=60, actions=True
    )
    (received,) = browser.received
    push = shown(received)
    assert (push.id, push.title, push.body, push.topic) == ("n-1", "Tür 3", "Köln", "orders")
    assert [each["action"] for each in push.actions] == ["open", "read"]

    message = demo.control.message(outcome["message"])
    assert (message.topic, message.urgency, message.ttl) == ("orders", "high", 60)
    assert outcome["subscription"] == subscription.id
    assert (outcome["fate"], outcome["status"], outcome["attempts"]) == ("accepted", 201, 1)


def test_an_expired_subscription_is_pruned_and_no_other(demo):
    gone, stays = demo.browser().subscribe(), demo.browser().subscribe()
    demo.keep(gone)
    demo.keep(stays)
    gone.expire()

    outcomes = {each["subscription"]: each for each in demo.push()}
    assert (outcomes[gone.id]["fate"], outcomes[gone.id]["status"]) == ("gone", 410)
    assert outcomes[stays.id]["fate"] == "accepted"
    assert demo.kept == [stays.endpoint]
    assert [each["subscription"] for each in demo.push()] == [stays.id]


def test_a_subscription_that_is_unknown_after_all_is_pruned_too(demo):
    subscription = demo.browser().subscribe()
    demo.keep(subscription)
    demo.control.reset()
    assert [each["status"] for each in demo.push()] == [404]
    assert demo.kept == []


def test_what_is_refused_for_another_reason_is_kept(demo):
    subscription = demo.browser().subscribe()
    demo.keep(subscription)
    demo.control.fail_next(413)
    assert [each["fate"] for each in demo.push()] == ["refused"]
    assert demo.kept == [subscription.endpoint]


def test_a_renewed_subscription_takes_the_place_of_the_old_one(demo):
    browser = demo.browser()
    old = browser.subscribe()
    demo.keep(old)
    new = browser.resubscribe()
    assert demo.keep(new, replaces=old.endpoint).status_code == 201
    assert demo.kept == [new.endpoint]
    demo.push(title="again")
    assert len(browser.received) == 1


def test_the_same_subscription_twice_is_one(demo):
    subscription = demo.browser().subscribe()
    demo.keep(subscription)
    demo.keep(subscription)
    assert demo.kept == [subscription.endpoint]


def test_who_unsubscribes_gets_no_more(demo):
    browser = demo.browser()
    subscription = browser.subscribe()
    demo.keep(subscription)
    path = "/api/subscriptions"
    assert demo.site.delete(path, params={"endpoint": subscription.endpoint}).status_code == 204
    assert demo.push() == []
    assert demo.site.delete(path, params={"endpoint": subscription.endpoint}).status_code == 404


def test_the_endpoint_at_googles_host_leads_to_the_subscription_here(demo):
    """Chromium shows it when nobody has told it otherwise."""
    subscription = demo.control.subscribe(profile="fcm", application_server_key=demo.key)
    path = subscription.endpoint.removeprefix(demo.server.https_url)
    answer = demo.keep({**subscription, "endpoint": f"https://jmt17.google.com{path}"})
    assert answer.json()["endpoint"] == subscription.endpoint
    assert demo.kept == [subscription.endpoint]
    assert [each["fate"] for each in demo.push()] == ["accepted"]


def test_a_subscription_of_another_push_service_is_not_kept(demo):
    """No push leaves the machine."""
    endpoint = "https://updates.push.services.mozilla.com/wpush/v2/gAAAA"
    answer = demo.keep({"endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}})
    assert answer.status_code == 404
    assert "updates.push.services.mozilla.com" in answer.json()["detail"]
    assert demo.kept == []


def test_one_of_this_service_with_an_origin_elsewhere_is_not_kept_either(demo):
    made = demo.control.subscribe(application_server_key=demo.key, origin="https://push.example:9")
    answer = demo.keep(made)
    assert answer.status_code == 409
    assert "push.example:9" in answer.json()["detail"]
    assert demo.kept == []


def test_vendors_own_hosts_are_reached_by_the_proxy_and_never_directly(start, tmp_path, caplog):
    """The tests have no network: what went out would be an error of theirs."""
    with start(proxy_port=0, data_dir=tmp_path) as demo:
        made = demo.control.subscribe(profile="mozilla", application_server_key=demo.key)
        assert made.endpoint.startswith("https://updates.push.services.mozilla.com/")
        assert demo.keep(made).status_code == 201
        own = demo.browser().subscribe()
        assert demo.keep(own).status_code == 201
        assert [each["fate"] for each in demo.push()] == ["accepted", "accepted"]
    with start(data_dir=tmp_path) as demo:  # without a proxy they would be the vendor's
        fates = [(each["fate"], each["reason"]) for each in demo.push()]
        assert fates == [("gone", "it leads to another push service")] * 2
        assert demo.kept == []


@pytest.mark.parametrize("endpoint", ["http://[x", "https://[::g]/push/y"])
def test_a_host_that_is_none_is_an_endpoint_of_nobody(demo, endpoint):
    keys = {"p256dh": P256DH, "auth": AUTH}
    assert demo.keep({"endpoint": endpoint, "keys": keys}).status_code == 404
    assert demo.site.delete("/api/subscriptions", params={"endpoint": endpoint}).status_code == 404
    renewed = demo.keep(demo.browser().subscribe(), replaces=endpoint)
    assert renewed.status_code == 201


def test_any_text_can_be_pushed(demo, shown):
    browser = demo.browser()
    demo.keep(browser.subscribe())
    content = b'{"id": "n", "ttl": 60, "title": "\\ud800 half"}'
    assert demo.site.post("/api/push", content=content).status_code == 200
    push = shown(browser.received[0])
    assert push.title == "\ud800 half"
    assert not hasattr(push, "body")  # none was given


def test_a_message_is_told_only_if_it_was_accepted(demo):
    made = demo.control.subscribe()
    httpx.post(made.endpoint, headers={"TTL": "60"}, verify=demo.server.ssl_context)  # no payload
    demo.keep(demo.browser().subscribe())
    demo.control.faults.add(kind="reset", times=1)
    assert [each["message"] for each in demo.push()] == [None]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"endpoint": "ftp://localhost/x"}, "endpoint"),
        ({"keys": {"p256dh": "AAAA", "auth": AUTH}}, "p256dh"),
        ({"keys": {"p256dh": P256DH, "auth": "AAAA"}}, "auth"),
        ({"keys": {"p256dh": P256DH}}, "auth"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_no_subscription_is_refused_with_the_reason(demo, changes, named):
    good = {"endpoint": "https://localhost/push/x", "keys": {"p256dh": P256DH, "auth": AUTH}}
    answer = demo.site.post("/api/subscriptions", json={**good, **changes})
    assert answer.status_code == 400
    assert named in answer.json()["detail"]


@pytest.mark.parametrize(
    "members", [{"ttl": -1}, {"topic": "not allowed!"}, {"urgency": "now"}, {"title": ""}]
)
def test_what_cannot_be_pushed_is_refused_before_it_is_sent(demo, members):
    demo.keep(demo.browser().subscribe())
    push = {"id": "n-1", "title": "x", "ttl": 0, **members}
    assert demo.site.post("/api/push", json=push).status_code == 400
    assert demo.control.requests == []


def test_pushes_are_as_push_services_want_them(demo):
    """None of the real ones would object."""
    demo.keep(demo.browser().subscribe())
    demo.push(topic="orders", urgency="low")
    demo.control.assert_portable("fcm", "mozilla", "wns")


def test_pages_of_others_can_neither_subscribe_nor_push(demo):
    foreign = {"Origin": "https://example.com"}
    assert demo.site.post("/api/push", json={}, headers=foreign).status_code == 403
    assert demo.site.get("/api/key", headers={"Host": "example.com"}).status_code == 403


def test_subscriptions_and_key_outlive_the_demo_in_its_data_directory(start, tmp_path):
    with start(data_dir=tmp_path) as first:
        first.keep(first.browser().subscribe())
        kept, key = first.kept, first.key
    with start(data_dir=tmp_path) as second:
        assert (second.kept, second.key) == (kept, key)


def test_the_event_stream_of_the_push_service_is_on_the_same_origin(demo):
    """As the page reads it."""
    with demo.site.stream("GET", "/_mockpush/v1/events?since=e0") as stream:
        kinds = (line for line in stream.iter_lines() if line.startswith("event:"))
        subscription = demo.browser().subscribe()
        demo.keep(subscription)
        sending = threading.Thread(target=demo.push)
        sending.start()
        assert next(kinds) == "event: subscription.created"
        assert "event: message.accepted" in kinds
        sending.join()
