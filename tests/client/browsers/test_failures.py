"""Browsers that do not do what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from freezegun import freeze_time

from mockpush import errors
from mockpush.client.browsers import Chromium, Firefox
from mockpush.pytest_browsers import Browsers


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Makes a program of these lines, for what is no browser."""

    def make(lines: str) -> str:
        path = tmp_path / "firefox"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o700)
        return str(path)

    return make


@pytest.fixture
def broken(program, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found as Firefox is another program."""
    monkeypatch.setenv("MOCKPUSH_FIREFOX", program("echo no room in here >&2; exit 3"))


def test_what_a_browser_says_that_does_not_start_is_quoted(broken, push_service):
    firefox = Firefox(push_service)
    says = (
        "has not started: .*firefox ended with exit code 3; MOCKPUSH_FIREFOX names .* says: no room"
    )
    with pytest.raises(errors.BrowserError, match=says), firefox:
        pytest.fail("it has started")
    assert not firefox.running
    assert not firefox.home.exists()


def test_a_browser_that_does_not_start_is_tried_twice(broken, push_service, push_vapid):
    browsers = Browsers()
    for told in ("^Firefox has not", "^Firefox has not", "^not tried again after 2 times: Firefox"):
        lent = browsers.lent("firefox", push_service, push_vapid)
        with pytest.raises(errors.BrowserError, match=told), lent:
            pytest.fail("it has started")
    assert browsers._browsers == {}


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("ERROR: No usable sandbox!", "MOCKPUSH_CHROMIUM_ARGS=--no-sandbox"),
        ("write: No space left on device", "TMPDIR"),
        ("", "MOCKPUSH_CHROMIUM names another program. It says nothing"),
    ],
)
def test_what_may_help_is_said(program, push_service, monkeypatch, said, cure):
    monkeypatch.setenv("MOCKPUSH_CHROMIUM", program(f"echo '{said}' >&2; exit 1"))
    with pytest.raises(errors.BrowserError, match=cure):
        Chromium(push_service).__enter__()


def test_a_browser_that_does_nothing_is_given_up(program, push_service, monkeypatch):
    monkeypatch.setenv("MOCKPUSH_CHROMIUM", program("exec sleep 600"))
    monkeypatch.setattr("mockpush.client.browsers.starting.PATIENCE", 0.1)
    with pytest.raises(errors.BrowserError, match=r"is not ready after 0\.1 s"):
        Chromium(push_service).__enter__()


@pytest.mark.parametrize("kind", [Firefox, Chromium])
def test_a_variable_adds_arguments(program, push_service, monkeypatch, kind):
    variable = f"MOCKPUSH_{kind.kind.upper()}"
    monkeypatch.setenv(variable, program('printf "<%s>" "$@"; exit 1'))
    monkeypatch.setenv(f"{variable}_ARGS", "--one '--two=a b'")
    with pytest.raises(errors.BrowserError, match="<--one><--two=a b>"):
        kind(push_service).__enter__()
    monkeypatch.setenv(f"{variable}_ARGS", "--one '")
    with pytest.raises(errors.BrowserError, match=f'{variable}_ARGS="--one .": No closing quot'):
        kind(push_service).__enter__()


def test_a_disk_that_is_full_is_told(push_service, monkeypatch):
    monkeypatch.setattr("mockpush.client.browsers.processes._ROOM", 1 << 60)
    with pytest.raises(errors.BrowserError, match="set TMPDIR to another directory"):
        Firefox(push_service)


def test_whatever_fails_at_the_end_everything_is_ended(push_service, monkeypatch):
    firefox = Firefox(push_service)
    ended = []
    monkeypatch.setattr(firefox._presence, "forget", lambda: ended.append("presence"))
    monkeypatch.setattr(firefox._blank, "close", lambda: 1 / 0)
    monkeypatch.setattr(firefox, "_quit", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        firefox.close()
    assert (ended, firefox.home.exists()) == (["presence"], False)


def test_a_browser_that_has_not_been_started(push_service):
    firefox = Firefox(push_service)
    assert not firefox.online
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
        firefox.start()  # it was started, and not stopped
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
def test_waits_end_while_the_clocks_of_a_test_stand_still(push_browser, shop):
    push_browser.open(shop)
    with freeze_time("2020-01-01"):
        with pytest.raises(errors.WaitError, match="expected a tab with http://x/ within"):
            push_browser.wait_page("http://x/", timeout=0.1)
        with pytest.raises(errors.WaitError, match="expected 1 pushsubscriptionchange"):
            push_browser.wait_subscription_changes(timeout=0.1)


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
