"""The whole way of a push message, in browsers as they come from Debian."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from mockpush import errors
from mockpush.client.user_agent import PermissionState
from mockpush.vapid_keys import VapidKeys

pytestmark = pytest.mark.needs_browsers


@pytest.fixture(params=["emulated", "firefox", "chromium"])
def user_agent(request):
    """The emulated browser, then the real ones."""
    name = {"emulated": "push_user_agent"}.get(request.param, request.param)
    return request.getfixturevalue(name)


def test_one_test_for_emulated_and_real_browsers(user_agent, push, push_clock):
    subscription = user_agent.subscribe()
    assert push(subscription, "hello", headers={"urgency": "high"}) == 201
    assert [each.text() for each in user_agent.received] == ["hello"]

    user_agent.go_offline()
    assert push(subscription, "1 new", headers={"topic": "inbox"}) == 201
    assert push(subscription, "2 new", headers={"topic": "inbox"}) == 201
    assert push(subscription, "too late", ttl=60) == 201
    push_clock.advance("5 min")
    user_agent.go_online()
    assert [each.text() for each in user_agent.received] == ["hello", "2 new"]

    user_agent.permission = "denied"
    assert push(subscription, "nobody wants it") == 410
    with pytest.raises(errors.NotAllowedError):
        user_agent.subscribe()
    user_agent.permission = "granted"
    again = user_agent.subscribe()
    assert again.endpoint != subscription.endpoint
    assert user_agent.unsubscribe() is True
    assert user_agent.subscription is None
    assert push(again, "nobody is there") == 410


def test_from_subscription_to_the_page_that_a_click_opens(push_browser, push, push_service, shop):
    subscription = push_browser.subscribe(shop)
    options = {"topic": "news", "urgency": "high"}
    assert push(subscription, "Sale", ttl=3600, headers=options) == 201
    message = push_service.wait()
    assert (message.ttl, message.topic, message.urgency) == (3600, "news", "high")

    [notification] = push_browser.wait_notifications()
    assert (notification.title, notification.body) == ("Sale", "body")
    assert [each["title"] for each in notification.actions] == ["Buy it"]
    assert notification.message == message.id
    push_browser.click(notification)
    push_browser.wait_page(f"{shop}opened?")

    steps = [step["event"] for step in push_service.message(message.id).timeline]
    assert steps.index("notification_shown") < steps.index("notification_clicked")
    assert {"accepted", "delivered", "decrypted", "dispatched", "acknowledged"} < set(steps)


def test_a_click_on_a_button_and_a_notification_that_is_closed(push_browser, push, shop):
    subscription = push_browser.subscribe(shop)
    push(subscription, "one")
    push(subscription, "two")
    first, second = push_browser.wait_notifications(2)
    push_browser.close_notification(first)
    push_browser.click(second, "buy")
    push_browser.wait_page(f"{shop}opened?buy")
    assert "closed one" in push_browser.call_worker("() => self.events")


def test_what_is_pushed_while_the_browser_is_closed_waits(
    push_browser, push, push_service, push_clock, shop
):
    subscription = push_browser.subscribe(shop)
    push_browser.stop()
    assert not push_browser.online
    push(subscription, "1 new", headers={"topic": "inbox"})
    push(subscription, "2 new", headers={"topic": "inbox"})
    push(subscription, "too late", ttl=60)
    push(subscription, "now or never", ttl=0)
    push_clock.advance("5 min")
    push_browser.start()
    [notification] = push_browser.wait_notifications()
    assert notification.title == "2 new"
    assert [each.text() for each in push_browser.received] == ["2 new"]
    states = [each.state for each in push_service.messages]
    assert states == ["replaced", "acknowledged", "expired", "dropped"]


def test_whatever_senders_may_send_makes_an_event(push_browser, push, shop):
    subscription = push_browser.subscribe(shop)
    for text, options in (("now or never", {"ttl": 0}), ("draft", {"content_encoding": "aesgcm"})):
        assert push(subscription, text, **options) == 201
        assert push_browser.received[-1].text() == text
    assert push_browser.call_worker("() => self.trusted") is True


def test_each_test_begins_without_what_was_before(push_browser, push_service, shop):
    assert push_browser.pages == ["about:blank"]
    assert push_browser.notifications == []
    assert push_browser.received == []
    push_browser.open(shop)
    assert push_browser.subscription is None
    assert push_browser.permission is PermissionState.GRANTED
    assert push_browser.subscribe().endpoint == push_service.subscriptions[0].endpoint
    push_browser.permission = "denied"  # for the next one


test_each_test_begins_without_what_was_before_indeed = test_each_test_begins_without_what_was_before


def test_functions_in_page_and_worker(push_browser, shop):
    push_browser.subscribe(shop)
    assert push_browser.call("async word => [greeting, word]", "world") == ["hello", "world"]
    assert push_browser.call("() => undefined") is None
    assert push_browser.call_worker("async () => registration.scope") == shop
    long = push_browser.call_worker("text => text.repeat(2)", "é" * 10_000)
    assert long == "é" * 20_000
    for call in (push_browser.call, push_browser.call_worker):
        with pytest.raises(errors.ScriptError, match="TypeError: no"):
            call("() => { throw new TypeError('no') }")


def test_what_subscribe_rejects_with_is_raised(push_browser, shop):
    with pytest.raises(errors.InvalidAccessError):
        push_browser.subscribe(shop, application_server_key=bytes(65))
    push_browser.subscribe()
    other = VapidKeys.generate().public_key
    with pytest.raises(errors.InvalidStateError):
        push_browser.subscribe(application_server_key=other)


def test_a_permission_that_is_asked_for_is_not_given(push_browser, shop):
    push_browser.open(shop)
    push_browser.permission = "prompt"
    assert push_browser.permission == "prompt"
    with pytest.raises(errors.NotAllowedError):
        push_browser.subscribe()
    assert push_browser.call("() => Notification.requestPermission()") != "granted"


def test_a_subscription_that_the_service_refuses_is_told(push_browser, shop):
    push_browser.open(shop)
    push_browser.refuse()
    with pytest.raises(errors.AbortError):
        push_browser.subscribe()
    push_browser.subscribe()


def test_a_page_without_a_worker_cannot_subscribe(push_browser, shop):
    push_browser.open(f"{shop}plain")
    with pytest.raises(errors.ScriptError, match=r"within 0 s: the page has registered none"):
        push_browser.subscribe(timeout=0)


def test_a_worker_may_come_late(push_browser, shop):
    push_browser.open(f"{shop}plain")
    push_browser.call("() => { setTimeout(() => navigator.serviceWorker.register('/worker.js')); }")
    push_browser.subscribe()


def test_a_worker_that_is_never_active_is_told(push_browser, shop):
    push_browser.open(f"{shop}plain")
    push_browser.call("() => { navigator.serviceWorker.register('/never.js'); }")
    with pytest.raises(errors.ScriptError, match=rf"within 1 s: that of {shop} is installing"):
        push_browser.subscribe(timeout=1)


def test_a_notification_that_is_gone_cannot_be_clicked(push_browser, push, shop):
    push(push_browser.subscribe(shop), "one")
    [notification] = push_browser.wait_notifications()
    push_browser.close_notification(notification)
    assert push_browser.notifications == []
    with pytest.raises(errors.MockpushError):
        push_browser.click(notification)


RUN = """
import os, sys
from mockpush.client import Control, browsers
from mockpush.client.transports.http import HttpTransport

name, url = sys.argv[1:]
browser = getattr(browsers, name)(Control(HttpTransport(url)))
os.mkfifo(browser.home / f"{name.lower()}.log")
print(browser.home, flush=True)
browser.start()
print("started", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["Firefox", "Chromium"])
def test_nothing_of_a_browser_outlives_a_run_that_is_killed(push_server, name):
    """Its log is a FIFO, which ends when the last process has ended that writes to it."""
    command = [sys.executable, "-c", RUN, name, push_server.url]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with run:
        home = Path(run.stdout.readline().strip())
        with (home / f"{name.lower()}.log").open("rb") as log:
            reading = Thread(target=log.read)
            reading.start()
            assert run.stdout.readline() == "started\n"
            run.kill()
            reading.join(30)
            assert not reading.is_alive()
        assert run.stdout.read() == ""  # who removes the profile has ended, too
    assert not home.exists()
