"""Each symptom of docs/diagnosis.md: the mistake is made, and the message that names it is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import delivery, encryption, identification  # noqa: F401 - fill the table
from .application import Application
from .table import ELSEWHERE, ROWS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "diagnosis.md").read_text(encoding="utf-8")
LINES = {int(number): line for number, line in re.findall(r"^\| (\d+) (\|.*)$", PAGE, re.MULTILINE)}
"""The rows of the page by their numbers."""


@pytest.fixture
def application(push_service) -> Application:
    Application.heard.clear()
    return Application(push_service)


@pytest.mark.mockpush(allow_refused=True)
@pytest.mark.parametrize("number", sorted(ROWS))
def test_the_mistake_is_named(number, application, push_server):
    mistake = ROWS[number]
    arguments = (application, push_server)
    mistake(*arguments[: mistake.__code__.co_argcount])
    named = set(re.findall(r"\[([a-z0-9_.]+)\]\(finding-codes", LINES[number]))
    assert named <= application.heard


def test_every_symptom_of_the_page_is_tried_or_answered_elsewhere():
    assert sorted(LINES) == sorted(ROWS | ELSEWHERE) == list(range(1, 39))
    assert not ROWS.keys() & ELSEWHERE.keys()
    assert all((ROOT / page).exists() for page in ELSEWHERE.values())
