"""What only Chromium does."""

from __future__ import annotations

import pytest

from mockpush import errors
from mockpush.client.browsers import Chromium

pytestmark = pytest.mark.needs_browsers


def steps(push_service, message) -> list[tuple[str, str | None]]:
    timeline = push_service.message(message.id).timeline
    return [(step["event"], step["detail"]) for step in timeline]


def test_payloads_that_are_no_text_are_lost(chromium, push):
    subscription = chromium.subscribe()
    for payload in ("wörld\0\ufeff", "x" * 3993, None, b"\x80", b""):
        assert push(subscription, payload) == 201
    received = [each.payload for each in chromium.received]
    assert received == ["wörld\0\ufeff".encode(), b"x" * 3993, None, None, None]


def test_what_becomes_of_a_message_is_in_its_timeline(chromium, push, push_service, shop):
    subscription = chromium.subscribe(shop)
    with push_service.follow_events() as events:
        push(subscription, "hello")
        push(subscription, "reject")
        next(each for each in events if each.type == "message.rejected")
    done, rejected = push_service.wait_all(2)
    told = steps(push_service, done)
    events = [event for event, _ in told if not event.startswith("notification")]
    assert events.index("acknowledged") > 1  # by a way of its own
    events.remove("acknowledged")
    assert events == ["accepted", "delivered", "decrypted", "dispatched", "completed"]
    assert ("notification_shown", "hello") in told
    assert steps(push_service, rejected)[-1] == ("rejected", "waitUntil Rejected")


def test_what_cannot_be_decrypted_is_in_the_timeline(chromium, push, push_service, shop):
    subscription = chromium.subscribe(shop)
    keys = {**subscription["keys"], "auth": "A" * 22}
    assert push({**subscription, "keys": keys}, "for somebody else") == 201
    assert chromium.received == []
    [reason] = [
        detail
        for event, detail in steps(push_service, push_service.wait())
        if event == "not_decrypted"
    ]
    assert reason


def test_page_and_worker_see_the_endpoint_that_the_service_gives(chromium, push_service, shop):
    subscription = chromium.subscribe(shop)
    assert subscription.endpoint == push_service.subscriptions[0].endpoint
    shown = """async () => {
      const {pushManager} = await navigator.serviceWorker.ready;
      const subscription = await pushManager.getSubscription();
      return [subscription.endpoint, subscription.toJSON().endpoint,
              JSON.parse(JSON.stringify(subscription)).endpoint];
    }"""
    in_worker = shown.replace("await navigator.serviceWorker.ready", "registration")
    assert set(chromium.call(shown)) == {subscription.endpoint}
    assert set(chromium.call_worker(in_worker)) == {subscription.endpoint}


def test_a_worker_that_a_push_starts_sees_it_too(chromium, push, shop):
    subscription = chromium.subscribe(shop)
    before = chromium.call_worker("() => self.began ??= Math.random()")
    chromium.stop_workers()
    push(subscription, "wake up")
    assert [each.text() for each in chromium.received] == ["wake up"]
    assert chromium.call_worker("() => self.began ??= Math.random()") != before
    endpoint = "async () => (await registration.pushManager.getSubscription()).endpoint"
    assert chromium.call_worker(endpoint) == subscription.endpoint


def test_left_alone_it_shows_the_endpoints_that_are_built_into_it(
    push_service, push_vapid, push, shop
):
    key = push_vapid.public_key
    with Chromium(push_service, application_server_key=key, endpoints="native") as chromium:
        subscription = chromium.subscribe(shop)
        assert subscription.endpoint.startswith(
            ("https://jmt17.google.com/fcm/send/", "https://fcm.googleapis.com/fcm/send/")
        )
        [known] = push_service.subscriptions
        assert known.id == subscription.id
        assert push({**subscription, "endpoint": known.endpoint}, "hello") == 201
        assert [each.text() for each in chromium.received] == ["hello"]
        chromium.call("() => navigator.setAppBadge(1)")
        assert chromium.badge is None


@pytest.mark.parametrize("place", ["call", "call_worker"])
def test_badges_of_pages_and_workers_are_seen(chromium, shop, place):
    chromium.subscribe(shop)
    call = getattr(chromium, place)
    assert chromium.badge is None
    for function, badge in (
        ("() => navigator.setAppBadge(3)", 3),
        ("() => navigator.setAppBadge()", 0),
        ("() => navigator.clearAppBadge()", None),
        ("() => navigator.setAppBadge(2)", 2),
        ("() => navigator.setAppBadge(0)", None),
    ):
        call(function)
        assert chromium.badge == badge


def test_a_permission_that_is_given_again_is_a_change(chromium, shop):
    chromium.subscribe(shop)
    chromium.permission = "denied"
    assert chromium.subscription_changes == []
    chromium.permission = "granted"
    [change] = chromium.wait_subscription_changes()
    assert (change.old, change.new) == (None, None)


def test_a_notification_of_the_same_tag_replaces_the_other(chromium, push, push_service, shop):
    subscription = chromium.subscribe(shop)
    push(subscription, "one")
    [first] = chromium.wait_notifications()
    assert first.tag == "tag of one"
    with push_service.follow_events() as events:
        push(subscription, "one")
        next(each for each in events if each.type == "message.notification_shown")
    [second] = chromium.notifications
    assert second.id != first.id


def test_which_message_has_made_a_notification_is_not_guessed(chromium, push, push_service, shop):
    subscription = chromium.subscribe(shop)
    with push_service.follow_events() as events:
        for text in ("silent", "one", "reject", "two", "one"):
            push(subscription, text)
        _, one, _, two, last = push_service.wait_all(5)
        shown = (each for each in events if each.type == "message.notification_shown")
        assert [next(shown).data["message"] for _ in range(3)] == [one.id, two.id, last.id]
    known = [(each.title, each.message) for each in chromium.notifications]
    assert known == [("two", two.id), ("one", last.id)]


def test_a_notification_of_a_page_is_of_no_message(chromium, push, push_service, shop):
    push(chromium.subscribe(shop), "silent")
    assert len(chromium.received) == 1
    chromium.call("""async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.showNotification('by the page', {tag: 'here'});
    }""")
    [notification] = chromium.wait_notifications()
    assert (notification.title, notification.tag) == ("by the page", "here")
    assert notification.message is None


def test_what_does_not_load_is_told(chromium):
    with pytest.raises(errors.BrowserError, match="ERR_"):
        chromium.open("http://localhost:1/")
    chromium.open("about:blank")
    with pytest.raises(errors.BrowserError, match="no service worker"):
        chromium.call_worker("() => 1")


def test_who_is_not_running_says_so(push_service):
    chromium = Chromium(push_service)
    with pytest.raises(errors.BrowserError, match="not running"):
        chromium.open("about:blank")
    chromium.close()
