"""Real browsers as fixtures, where there are none."""

from __future__ import annotations

TESTS = """
def test_firefox(firefox): ...
def test_chromium(chromium): ...
def test_both(push_browser): ...
"""


def test_a_browser_that_is_not_installed_is_skipped_and_says_how_to_install_it(run_tests):
    run = run_tests(TESTS, MOCKPUSH_FIREFOX="none", MOCKPUSH_CHROMIUM="none")
    assert run.counts == {"skipped": 4}
    for name in ("firefox", "chromium"):
        assert f"{name.capitalize()} MOCKPUSH_{name.upper()}=none is no program" in run.output
