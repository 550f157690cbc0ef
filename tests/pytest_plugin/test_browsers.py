"""Real browsers as fixtures, where there are none."""

from __future__ import annotations

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
