"""Nothing that was started outlives the run, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mockpush.client.browsers.processes import Home

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(os.open(sys.argv[1], os.O_WRONLY), b"!")
if len(sys.argv) == 2:
    subprocess.Popen([sys.executable, "-c", open(__file__).read(), sys.argv[1], "a child"])
time.sleep(600)
"""
"""A program with a child. Both write to a FIFO, which is at its end when both have ended."""

RUN = """
import sys
from mockpush.client.browsers.processes import Home
home = Home(grace=0.1)
process = home.run(sys.argv[1:])
print(home.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def stubborn(tmp_path: Path, witness) -> list[str]:
    """The command of a program that ends only by force, with its child."""
    program = tmp_path / "stubborn.py"
    program.write_text(STUBBORN)
    return [sys.executable, str(program), witness.path]


def test_a_process_ends_with_its_children_when_it_is_stopped(stubborn, witness):
    with Home(grace=0.1) as home:
        process = home.run(stubborn)
        assert (witness.next(), witness.next()) == (b"!", b"!")
        assert process.running
        process.stop()
        assert witness.all_gone()
        assert not process.running
    assert not home.path.exists()


def test_what_it_leaves_ends_when_it_ends_by_itself(tmp_path, witness, stubborn):
    leaving = "import subprocess, sys; subprocess.Popen(sys.argv[1:]); open(sys.argv[3]).read(1)"
    with Home(grace=0.1) as home:
        process = home.run([sys.executable, "-c", leaving, *stubborn, "a child"])
        assert process.wait(timeout=30) == 0
        assert witness.all_gone()


def test_nothing_outlives_a_run_that_is_killed(stubborn, witness):
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, *stubborn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with run:
        home = Path(run.stdout.readline().strip())
        assert (witness.next(), witness.next()) == (b"!", b"!")
        assert home.exists()
        os.killpg(run.pid, signal.SIGKILL)
        assert witness.all_gone()
        assert run.stdout.read() == ""  # who removes the directory has ended, too
    assert not home.exists()


def test_a_process_does_not_outlive_its_guardian(stubborn, witness):
    with Home(grace=0.1) as home:
        process = home.run([*stubborn, "a child"])
        assert witness.next() == b"!"
        process._guardian.kill()
        assert witness.all_gone()


def test_a_process_lives_at_home_and_its_output_is_kept():
    program = "import os; print(os.environ['HOME'], os.environ['TMPDIR'], os.environ['COLOUR'])"
    with Home(grace=0.1) as home:
        process = home.run([sys.executable, "-c", program], environ={"COLOUR": "blue"})
        assert process.wait(timeout=30) == 0
        assert process.log == f"{home.path} {home.path / 'tmp'} blue\n"


def test_an_exit_code_is_told():
    with Home(grace=0.1) as home:
        assert home.run([sys.executable, "-c", "raise SystemExit(3)"]).wait(timeout=30) == 3
        waiting = home.run([sys.executable, "-c", "import time; time.sleep(600)"])
        assert waiting.wait(timeout=0) is None
        waiting.stop()
        assert waiting.wait(timeout=0) == 128 + signal.SIGTERM


def test_the_path_of_a_home_leaves_room_for_sockets(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with Home() as home:
        assert len(str(home.path)) < 60
        assert (home.path.stat().st_mode & 0o777) == 0o700
