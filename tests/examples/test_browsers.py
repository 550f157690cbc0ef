import json

import pytest

from .shop import notify

pytestmark = pytest.mark.needs_browsers


def test_a_click_opens_the_order(push_browser, push_service, shop_url):
    push_browser.open(shop_url)
    push_browser.call("() => subscribe()")  # the page's own function
    push_browser.call("() => fetch('/ship', {method: 'POST'})")

    [notification] = push_browser.wait_notifications()
    assert notification.title == "Your order is on its way"
    push_browser.click(notification, "Track it")
    push_browser.wait_page(f"{shop_url}orders?track")

    message = push_service.wait()
    assert message.ttl == 3600
    assert notification.message == message.id


def test_a_backend_without_a_page(push_browser, push_clock):
    subscribers = [push_browser.subscribe()]
    notify(subscribers, {"order": 7})
    assert [json.loads(each.bytes) for each in push_browser.received] == [{"order": 7}]

    push_browser.stop()
    notify(subscribers, "1 new", topic="inbox", ttl=86400)
    notify(subscribers, "2 new", topic="inbox", ttl=86400)
    push_clock.advance("8h")
    push_browser.start()
    assert push_browser.received[-1].text() == "2 new"

    push_browser.permission = "denied"
    notify(subscribers, {"order": 8})
    assert subscribers == []
