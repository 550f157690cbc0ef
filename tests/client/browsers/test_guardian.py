"""The program that ends what a run has left; here in this process, to see each of its steps."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from mockpush.client.browsers import guardian


@pytest.fixture
def let_go(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The run lets go of what is guarded; signals are as before afterwards."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    reading, writing = os.pipe()
    held = [writing]
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda: os.close(held.pop())
    for descriptor in held:
        os.close(descriptor)
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def python(program: str) -> list[str]:
    return ["run", "0.1", sys.executable, "-c", program]


def test_the_exit_code_is_the_commands(let_go):
    assert guardian.main(python("raise SystemExit(7)")) == 7


def test_a_command_that_ends_by_a_signal_has_the_exit_code_of_a_shell(let_go):
    assert guardian.main(python("import os; os.kill(os.getpid(), 15)")) == 128 + 15


def test_a_command_is_asked_to_end_when_the_run_lets_go(let_go):
    let_go()
    assert guardian.main(python("import time; time.sleep(600)")) == 128 + signal.SIGTERM


def test_a_command_that_does_not_end_is_killed(let_go, tmp_path):
    ready = tmp_path / "ready"
    os.mkfifo(ready)

    def when_ready() -> None:
        ready.read_bytes()
        let_go()

    waiting = Thread(target=when_ready)
    waiting.start()
    stubborn = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    command = python(f"{stubborn} open({str(ready)!r}, 'w').close(); time.sleep(600)")
    assert guardian.main(command) == 128 + signal.SIGKILL
    waiting.join()


def test_the_interruption_of_a_run_does_not_interrupt_the_guardian(let_go):
    command = python("import os, signal; os.kill(os.getppid(), signal.SIGINT)")
    assert guardian.main(command) == 0


def test_a_directory_is_removed_when_the_run_lets_go(let_go, tmp_path: Path):
    guarded = tmp_path / "home"
    (guarded / "deep").mkdir(parents=True)
    let_go()
    assert guardian.main(["remove", str(guarded)]) == 0
    assert not guarded.exists()


def test_a_directory_that_cannot_be_removed_is_told(let_go, tmp_path, monkeypatch):
    monkeypatch.setattr(guardian.shutil, "rmtree", lambda *_, **__: None)
    let_go()
    assert guardian.main(["remove", str(tmp_path)]) == 1


def test_only_linux_lets_a_command_end_with_its_guardian(let_go, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert guardian.main(python("pass")) == 0
