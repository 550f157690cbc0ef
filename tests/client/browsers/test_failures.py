"""Browsers that do not do what they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockpush import errors
from mockpush.client.browsers import Firefox
from mockpush.pytest_browsers import Browsers


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found as Firefox is another program."""
    program = tmp_path / "firefox"
    program.write_text("#!/bin/sh\necho no room in here >&2\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setenv("MOCKPUSH_FIREFOX", str(program))


def test_what_a_browser_says_that_does_not_start_is_quoted(broken, push_service):
    firefox = Firefox(push_service)
    says = "Firefox has not started and ended with exit code 3; it says: no room in"
    with pytest.raises(errors.BrowserError, match=says), firefox:
        pytest.fail("it has started")
    assert not firefox.running
    assert not firefox.home.exists()


def test_a_browser_that_does_not_start_is_not_kept(broken, push_service, push_vapid):
    browsers = Browsers()
    for _ in range(2):
        lent = browsers.lent("firefox", push_service, push_vapid)
        with pytest.raises(errors.BrowserError, match="has not started"), lent:
            pytest.fail("it has started")
    assert browsers._browsers == {}


def test_a_browser_that_has_not_been_started(push_service):
    firefox = Firefox(push_service)
    firefox.stop()
    for ask in (lambda: firefox.pages, lambda: firefox._ask("take")):
        with pytest.raises(errors.BrowserError, match=r"not running: start it with start\(\)"):
            ask()
    assert firefox.subscription_changes == []
    firefox.clear()
    firefox.close()
    firefox.close()


@pytest.mark.needs_browsers
def test_a_browser_that_has_gone_is_told_and_replaced(push_service, push_vapid):
    browsers = Browsers()
    with browsers.lent("firefox", push_service, push_vapid) as firefox:
        firefox._process.stop()
        with pytest.raises(errors.BrowserError, match="the browser has gone"):
            firefox.open("about:blank")
        with pytest.raises(errors.BrowserError, match="the browser has gone"):
            assert firefox.subscription_changes == []
    assert firefox.closed
    with browsers.lent("firefox", push_service, push_vapid) as another:
        assert another is not firefox
        another.close()
    browsers.close()


@pytest.mark.needs_browsers
def test_what_is_waited_for_in_vain(firefox):
    with pytest.raises(errors.WaitError, match=r"expected 1 notifications within 0 s, got \[\]"):
        firefox.wait_notifications(timeout=0)
    with pytest.raises(errors.WaitError, match="expected 2 pushsubscriptionchange events"):
        firefox.wait_subscription_changes(2, timeout=0.01)
    with pytest.raises(errors.WaitError, match=r"expected a tab with http://x/.*got \['about:bla"):
        firefox.wait_page("http://x/", timeout=0)


@pytest.mark.needs_browsers
async def test_in_an_event_loop_the_twin_is_awaited(firefox):
    with pytest.raises(errors.BlockingWaitError, match="await wait_notifications_async"):
        firefox.wait_notifications()
    with pytest.raises(errors.WaitError, match="expected 2 notifications"):
        await firefox.wait_notifications_async(2, timeout=0.01)


@pytest.mark.needs_browsers
def test_a_subscription_of_another_tenant_is_not_the_tests(firefox, push_service, shop):
    firefox.subscribe(shop)
    firefox.assign(push_service.for_tenant("another"), application_server_key=None)
    with pytest.raises(errors.BrowserError, match="does not know in tenant another"):
        assert firefox.subscription


@pytest.mark.needs_browsers
def test_a_page_that_cannot_be_loaded_is_told(firefox):
    with pytest.raises(errors.BrowserError, match=r"browsingContext\.navigate: "):
        firefox.open("http://localhost:1/")
    with pytest.raises(errors.ScriptError, match="SyntaxError"):
        firefox.call("not a function")
