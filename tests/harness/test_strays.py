"""Processes that have left the group of their sender."""

import os
import subprocess
import sys

import pytest

from mockpush.harness import strays

PAUSE = [sys.executable, "-S", "-c", "import signal; signal.pause()"]


@pytest.fixture
def stray():
    environ = strays.marked(os.environ)
    with subprocess.Popen(PAUSE, env=environ, start_new_session=True) as process:
        yield process, environ
        process.kill()


def test_what_has_the_mark_is_killed(stray):
    process, environ = stray
    strays.kill_strays(environ)
    assert process.wait(30) == -9


def test_what_has_another_mark_is_left_alone(stray):
    process, _ = stray
    strays.kill_strays(strays.marked(os.environ))
    assert process.poll() is None


def test_every_mark_is_another():
    marks = {strays.marked({})[strays.MARK] for _ in range(3)}
    assert len(marks) == 3


def test_a_list_of_processes_shows_marks_as_well(monkeypatch):
    listed = "   12 sleep 9 A=1 MOCK=xyz\\n  345 sh\\n 6789 sleep MOCK=xyz B=2\\n"
    monkeypatch.setattr(strays, "_PS", (sys.executable, "-S", "-c", f"print('{listed}')"))
    assert list(strays._in_list(b"MOCK=xyz")) == [12, 6789]


def test_what_cannot_be_killed_is_not_tried_for_ever(monkeypatch):
    tried = []
    monkeypatch.setattr(os, "kill", lambda *signal: tried.append(signal))
    monkeypatch.setattr(strays, "_having", lambda mark: iter([12]))
    strays.kill_strays(strays.marked({}), patience=0)
    assert set(tried) == {(12, 9)}


def test_where_nothing_can_be_asked_nothing_is_found():
    assert list(strays._nowhere(b"MOCK=xyz")) == []
