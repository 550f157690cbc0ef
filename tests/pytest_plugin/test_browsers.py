"""Real browsers as fixtures, where there are none."""

from __future__ import annotations

import pytest

TESTS = """
def test_firefox(firefox): ...
def test_chromium(chromium): ...
def test_both(push_browser): ...
"""


def test_a_browser_that_is_not_installed_is_skipped_and_says_how_to_install_it(run_tests, tmp_path):
    run = run_tests(TESTS, PATH=str(tmp_path))
    assert run.counts == {"skipped": 4}
    for name in ("Firefox", "Chromium"):
        assert f"{name} not found: install it, on Debian with `apt install" in run.output


def test_a_variable_that_names_no_browser_skips_nothing(run_tests):
    run = run_tests(TESTS, code=1, MOCKPUSH_FIREFOX="none", MOCKPUSH_CHROMIUM="none")
    assert run.counts == {"error": 4}
    assert "MOCKPUSH_FIREFOX=none is no program" in run.output


SHARED = """
import pytest
from application import push

@pytest.mark.parametrize("number", range(3))
def test_shared(push_browser, push_service, push_vapid, number):
    text = f"{push_browser.id} {number}"
    push(push_browser.subscribe(), push_vapid, text)
    [notification] = push_browser.wait_notifications()
    assert (notification.title, notification.message) == (text, push_service.wait().id)
    assert [each.text() for each in push_browser.received] == [text]
"""


@pytest.mark.needs_browsers
@pytest.mark.parametrize("shared", [True, False], ids=["one service", "two services"])
def test_browsers_of_several_processes_stay_apart(run_tests, push_server, shared):
    options = ("--mockpush-url", push_server.url) if shared else ()
    assert run_tests(SHARED, "-n", "2", *options).counts == {"passed": 6}


@pytest.mark.needs_browsers
def test_an_interruption_ends_the_browsers_in_order(run_tests):
    interrupted = "    import _thread; _thread.interrupt_main()\n"
    run = run_tests(SHARED + interrupted, code=pytest.ExitCode.INTERRUPTED)
    assert "KeyboardInterrupt" in run.output
    assert "ERROR" not in run.output
