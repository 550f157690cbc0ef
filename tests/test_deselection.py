"""Tests that need more than Python: left out and counted, or with --all run and never skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

SUITE = """
import pytest

@pytest.mark.needs_node
def test_in_node():
    pass

@pytest.mark.needs_node
def test_in_node_too():
    pass

def test_in_python():
    pass
"""


@pytest.fixture
def run_suite(tmp_path, run_python):
    """Run the suite above under our conftest.py, with these tools on PATH; returns the output."""
    (tmp_path / "conftest.py").write_bytes((Path(__file__).parent / "conftest.py").read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs_node\n")
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "bin").mkdir()

    def run(*arguments: str, tools: tuple[str, ...] = ()) -> str:
        for tool in tools:
            (tmp_path / "bin" / tool).touch(mode=0o755)
        path = f"import os; os.environ['PATH'] = {str(tmp_path / 'bin')!r}"
        return run_python(f"{path}\nimport pytest; pytest.main({list(arguments)})")

    return run


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_they_are_deselected_and_the_summary_says_so(run_suite, arguments):
    output = run_suite(*arguments)
    assert "deselected: 2 tests that need node (run scripts/test --all)" in output
    assert " 1 passed" in output


def test_with_all_they_run(run_suite):
    output = run_suite("--all", tools=("node", "npm"))
    assert " 3 passed" in output
    assert "deselected" not in output


def test_with_all_a_missing_tool_is_a_failure(run_suite):
    output = run_suite("--all", tools=("node",))
    assert "needs npm, which is not on PATH" in output
    assert " 1 passed, 2 errors" in output
