"""docs/conformance.md: every requirement has what does it and what proves it."""

from __future__ import annotations

import ast
import fnmatch
import importlib
import sys
from functools import cache, reduce
from pathlib import Path

import pytest

from mockpush.harness.cases import CASES
from mockpush.protocol.findings import REGISTRY

ROOT = Path(__file__).parents[1]

sys.path.insert(0, str(ROOT / "scripts"))
from documentation.conformance import Requirement, requirements  # noqa: E402

COUNTS = {"PS": 42, "AS": 20, "UA": 12}
"""How many the RFCs have for each party."""

ROWS = requirements()
JUDGED = [each for each in ROWS if each.party == "AS"]
DONE = [each for each in ROWS if each.party != "AS"]


def test_no_requirement_is_left_out():
    expected = {f"{party}-{n:02}" for party, count in COUNTS.items() for n in range(1, count + 1)}
    assert [each.id for each in ROWS if each.id not in expected] == []
    assert expected - {each.id for each in ROWS} == set()
    assert len(ROWS) == len({each.id for each in ROWS})


@cache
def functions(file: str) -> set[str]:
    """The names of the tests in a file, or in all files of a folder."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, definitions)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_what_proves_it_exists(row: Requirement):
    assert row.tests or row.cases
    for name in row.tests:
        file, _, function = name.partition("::")
        assert not function or function in functions(file), name
        assert any(each.startswith("test_") for each in functions(file)), name


@pytest.mark.parametrize("row", DONE, ids=lambda row: row.id)
def test_what_does_it_exists(row: Requirement):
    assert row.by
    for name in row.by:
        assert found(name), name


def found(name: str) -> bool:
    """Whether there is a module, or something in one, of this name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        try:
            reduce(getattr, parts[length:], module)
        except AttributeError:
            return False
        return True
    return False


@pytest.mark.parametrize("row", JUDGED, ids=lambda row: row.id)
def test_what_judges_an_application_server_exists(row: Requirement):
    assert row.findings or row.cases
    for pattern in row.findings:
        assert fnmatch.filter(REGISTRY, pattern), pattern
    cases = {each.id for each in CASES}
    assert set(row.cases) <= cases
