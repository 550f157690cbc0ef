"""Processes that have left everything behind that told whose they are."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mockpush.harness import orphans

PAUSE = [sys.executable, "-S", "-c", "import signal; signal.pause()"]


@pytest.fixture
def child():
    with subprocess.Popen(PAUSE) as process:
        yield process
        process.kill()


@pytest.fixture
def leave_a_stranger(program, witness):
    def leave() -> None:
        subprocess.run(program("misbehaving", "leaves_a_stranger", witness.path), check=True)
        assert witness.somebody_is_there()

    return leave


def test_an_orphan_ends_with_the_block(leave_a_stranger, witness):
    with orphans.orphans_ended():
        leave_a_stranger()
    assert witness.all_gone()


def test_it_ends_also_when_the_block_is_left_in_a_hurry(leave_a_stranger, witness):
    def interrupted() -> None:
        leave_a_stranger()
        raise SystemExit(143)

    with pytest.raises(SystemExit), orphans.orphans_ended():
        interrupted()
    assert witness.all_gone()


def test_children_that_were_there_before_stay(child):
    with orphans.orphans_ended():
        pass
    assert child.poll() is None


def test_after_the_block_orphans_belong_to_others(leave_a_stranger, witness):
    with orphans.orphans_ended():
        pass
    before = orphans._children()
    leave_a_stranger()
    assert orphans._children() == before
    others = (pid for pid, _ in orphans._parents() if witness.path in command_line(pid))
    os.kill(next(others), signal.SIGKILL)
    assert witness.all_gone()


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()


def test_what_cannot_be_ended_is_not_tried_for_ever(child, monkeypatch):
    tried = []
    monkeypatch.setattr(os, "kill", lambda *signal: tried.append(signal))
    orphans._kill_children(orphans._children() - {child.pid}, patience=0)
    monkeypatch.undo()
    assert set(tried) == {(child.pid, signal.SIGKILL)}


def test_where_orphans_cannot_be_adopted_the_block_runs_all_the_same(monkeypatch):
    monkeypatch.setattr(orphans, "_CAN_ADOPT", False)
    monkeypatch.setattr(orphans, "_adopt", None)
    with orphans.orphans_ended():
        pass
