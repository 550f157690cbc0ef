"""Several browsers at once on one service."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from mockpush.client.browsers import Chromium, Firefox

pytestmark = pytest.mark.needs_browsers


def test_browsers_at_once_stay_apart(push_service, push_vapid, push):
    key = push_vapid.public_key
    with ExitStack() as stack:
        browsers = [
            stack.enter_context(kind(push_service, application_server_key=key))
            for kind in (Firefox, Firefox, Chromium)
        ]
        subscriptions = [browser.subscribe() for browser in browsers]
        for subscription, browser in zip(subscriptions, browsers, strict=True):
            push(subscription, f"for {browser.id}")
        browsers[0].go_offline()
        push(subscriptions[0], "later")
        push(subscriptions[1], "now")
        texts = [[each.text() for each in browser.received] for browser in browsers]
        ids = [browser.id for browser in browsers]
        assert texts == [[f"for {ids[0]}"], [f"for {ids[1]}", "now"], [f"for {ids[2]}"]]
        shown = [browser.wait_notifications()[0].title for browser in browsers]
        assert shown == [f"for {each}" for each in ids]
        browsers[0].go_online()
        assert browsers[0].received[-1].text() == "later"
    assert not any(browser.home.exists() for browser in browsers)
