"""Pages, workers and browsers that do what makes a driver wait for ever, or lie."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

import pytest

from mockpush import errors
from mockpush.client.user_agent import PermissionState

pytestmark = pytest.mark.needs_browsers


def test_a_page_that_leads_to_another_is_loaded_when_that_is(push_browser, shop):
    push_browser.open(f"{shop}leading")
    push_browser.wait_page(f"{shop}led")
    assert push_browser.call("() => document.readyState") == "complete"


def test_an_address_that_a_page_gives_itself_can_be_waited_for(push_browser, shop):
    push_browser.open(shop)
    for function, url in (
        ("() => { setTimeout(() => history.pushState({}, '', '/pushed')); }", f"{shop}pushed"),
        ("() => { setTimeout(() => location.hash = 'x'); }", f"{shop}pushed#x"),
    ):
        push_browser.call(function)
        push_browser.wait_page(url)
    push_browser.open(f"{shop}pushed#y")
    assert push_browser.pages == [f"{shop}pushed#y"]


def test_a_window_that_closes_at_once_harms_nobody(push_browser, shop):
    push_browser.open(shop)
    for _ in range(5):
        push_browser.call("() => open('/plain').close()")
    push_browser.subscribe()
    assert push_browser.received == []


def test_a_tab_that_its_page_closes_is_left(push_browser, push, shop):
    push(push_browser.subscribe(shop), "one")
    [notification] = push_browser.wait_notifications()
    assert repr(notification).endswith("shown 'one' 'body' [Buy it]>")
    push_browser.click(notification, "buy")
    push_browser.wait_page(f"{shop}opened?buy")
    with pytest.raises(errors.BrowserError):
        push_browser.call("() => new Promise(() => close())")
    assert push_browser.pages == [shop]
    push_browser.wait_page(shop)


def test_a_worker_that_never_ends_holds_up_no_other_test(push_browser, push, shop):
    push(push_browser.subscribe(shop), "hang")
    assert [each.text() for each in push_browser.received] == ["hang"]


def test_in_firefox_events_do_not_wait_for_each_other(firefox, push, shop):
    subscription = firefox.subscribe(shop)
    push(subscription, "hang")
    push(subscription, "one")
    assert [each.text() for each in firefox.received] == ["hang", "one"]


def test_in_chromium_an_event_waits_for_the_one_before(
    chromium, push, push_service, shop, monkeypatch
):
    subscription = chromium.subscribe(shop)
    push(subscription, "hang")
    assert [each.text() for each in chromium.received] == ["hang"]
    monkeypatch.setattr("mockpush.client.browsers.chromium._UNDISPATCHED", 0)
    push(subscription, "one")
    hanging, waiting = push_service.wait_all(2)
    text = f"decrypted {waiting.id}, and not .* that have not ended: {hanging.id}$"
    with pytest.raises(errors.BrowserError, match=text):
        assert chromium.received == []


@pytest.mark.parametrize("again", [False, True])
def test_of_the_same_site_nothing_is_left_for_the_next_test(
    push_browser, push, shop, shop_server, again
):
    push_browser.open(f"{shop}plain")
    assert "/plain" in shop_server.paths  # and not from a cache
    assert push_browser.permission is PermissionState.GRANTED
    assert push_browser.call("() => [document.cookie, localStorage.length]") == ["", 0]
    push_browser.call("() => { document.cookie = 'a=b; max-age=600'; localStorage.a = 'b' }")
    push(push_browser.subscribe(shop), "one")
    push_browser.wait_notifications()
    count = "() => registration.getNotifications().then(shown => shown.length)"
    assert push_browser.call_worker(count) == 1
    push_browser.permission = "denied"


def test_a_question_of_the_page_holds_up_nobody(push_browser, shop):
    push_browser.open(shop)
    push_browser.call("() => { setTimeout(() => alert('hello')); }")
    assert push_browser.call("() => confirm('go on?')") is False
    push_browser.call("() => { onbeforeunload = event => event.preventDefault(); }")
    push_browser.open(f"{shop}plain")


def test_a_page_that_crashes_is_told_and_left(chromium, shop):
    chromium.open(shop)
    session = chromium._targets.session
    crashing = Thread(target=suppressed, args=(chromium._tools.call, "Page.crash", session))
    crashing.start()
    with pytest.raises(errors.BrowserError, match="has crashed"):
        chromium.call("() => new Promise(() => {})")
    crashing.join()
    chromium.subscribe(shop)


def test_a_browser_that_crashes_is_told(chromium, shop):
    chromium.open(shop)
    crashing = Thread(target=suppressed, args=(chromium._tools.call, "Browser.crash"))
    crashing.start()
    with pytest.raises(errors.BrowserError, match="has gone"):
        chromium.call("() => new Promise(() => {})")
    crashing.join()
    with pytest.raises(errors.BrowserError, match="has gone"):
        chromium.wait_page(shop)


def suppressed(call, *arguments):
    with suppress(errors.BrowserError):
        call(*arguments)


def test_what_a_page_has_stored_outlives_a_stop(push_browser, push, shop):
    subscription = push_browser.subscribe(shop)
    push_browser.call("() => { document.cookie = 'a=b; max-age=600'; localStorage.a = 'b'; }")
    push_browser.stop()
    assert push(subscription, "one") == 201
    push_browser.start()
    assert [each.text() for each in push_browser.received] == ["one"]
    push_browser.open(shop)
    assert push_browser.call("() => [document.cookie, localStorage.a]") == ["a=b", "b"]
