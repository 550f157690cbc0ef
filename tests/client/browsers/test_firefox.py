"""What only Firefox does."""

from __future__ import annotations

import pytest

from mockpush import errors

pytestmark = pytest.mark.needs_browsers


def test_payloads_come_with_every_octet(firefox, push):
    subscription = firefox.subscribe()
    payloads = [bytes(range(256)), None, b"x" * 3993]
    for payload in payloads:
        assert push(subscription, payload) == 201
    assert [each.payload for each in firefox.received] == payloads


def test_a_new_identity_ends_all_subscriptions(firefox, push, push_service, shop):
    old = firefox.subscribe(shop)
    firefox.lose_subscriptions()
    assert push(old, "x") == 410
    [change] = firefox.wait_subscription_changes()
    assert (change.old, change.new) == (old, None)


def test_a_permission_that_is_given_again_is_a_change(firefox, shop):
    old = firefox.subscribe(shop)
    firefox.permission = "denied"
    assert firefox.subscription_changes == []
    firefox.permission = "granted"
    [change] = firefox.wait_subscription_changes()
    assert (change.old, change.new) == (old, None)


@pytest.mark.parametrize(("text", "code"), [("reject", "302: "), ("throw", "301: ")])
def test_a_worker_that_fails_is_in_the_timeline(firefox, push, push_service, shop, text, code):
    subscription = firefox.subscribe(shop)
    with push_service.follow_events() as events:
        push(subscription, text)
        next(each for each in events if each.type == "message.rejected")
    message = push_service.wait()
    steps = push_service.message(message.id).timeline
    assert steps[-1]["event"] == "rejected"
    assert steps[-1]["detail"].startswith(code)


def test_what_cannot_be_decrypted_is_in_the_timeline(firefox, push, push_service, shop):
    subscription = firefox.subscribe(shop)
    keys = {**subscription["keys"], "auth": "A" * 22}
    assert push({**subscription, "keys": keys}, "for somebody else") == 201
    assert firefox.received == []
    message = push_service.wait()
    steps = [step["event"] for step in push_service.message(message.id).timeline]
    assert steps == ["accepted", "delivered", "not_decrypted", "acknowledged"]


def test_a_notification_of_the_same_tag_replaces_the_other(firefox, push, push_service, shop):
    subscription = firefox.subscribe(shop)
    push(subscription, "one")
    [first] = firefox.wait_notifications()
    push(subscription, "one")
    push_service.wait_all(2)
    firefox.call_worker("() => registration.getNotifications().then(all => all.length)")
    [second] = firefox.wait_notifications()
    assert second.id != first.id


def test_firefox_has_no_badges(firefox, shop):
    firefox.open(shop)
    assert firefox.call("() => 'setAppBadge' in navigator") is False
    assert firefox.badge is None


def test_a_page_without_a_worker_is_told(firefox, shop):
    with pytest.raises(errors.BrowserError, match="about:blank, is of no site"):
        firefox.call_worker("() => 1")
    firefox.open(f"{shop}plain")
    with pytest.raises(errors.BrowserError, match="no service worker is active"):
        firefox.call_worker("() => 1")
