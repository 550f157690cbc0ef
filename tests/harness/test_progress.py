"""How far a check has come."""

import io
import os
from types import SimpleNamespace

import pytest

from mockpush.harness import progress
from mockpush.harness.progress import Progress
from mockpush.harness.verdict import Verdict

CASES = ("rfc8030/5/a", "rfc8030/5/b", "rfc8030/5/c")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=terminal))
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: os.terminal_size((60, 20)))
    return terminal


def test_it_counts_and_names_the_case_that_is_next(terminal, case_result):
    with (shown := Progress(CASES)):
        shown(case_result(id="rfc8030/5/a"))
        shown(case_result(id="rfc8030/5/c", verdict=Verdict.FAILED))
        shown(case_result(id="rfc8030/5/b"))
    assert terminal.getvalue().split("\r\x1b[K") == [
        "",
        "0/3  rfc8030/5/a",
        "1/3  rfc8030/5/b",
        "2/3, 1 failed  rfc8030/5/b",
        "3/3, 1 failed  ",
        "",
    ]


def test_of_a_long_case_it_tells_how_long(terminal, monkeypatch):
    times = iter((100.0, 101.0, 111.0, 120.0))
    monkeypatch.setattr(progress, "monotonic", lambda: next(times))
    with (shown := Progress(CASES)):
        shown.step("rfc8030/5/b", 1, 1000)
        shown.step("rfc8030/5/b", 10, 1000)
        shown.step("rfc8030/5/b", 550, 1000)
    assert terminal.getvalue().split("\r\x1b[K")[2:5] == [
        "0/3  rfc8030/5/b  1/1000, 0 s left",
        "0/3  rfc8030/5/b  10/1000, 2 min left",
        "0/3  rfc8030/5/b  550/1000, 9 s left",
    ]


def test_a_line_never_wraps(terminal):
    with Progress([f"rfc8030/5/{'x' * 80}"]):
        pass
    assert max(map(len, terminal.getvalue().split("\r\x1b[K"))) == 59


def test_the_line_goes_whatever_happens(terminal):
    with pytest.raises(KeyError), Progress(CASES):
        raise KeyError
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_nothing_is_shown_where_there_is_no_terminal(case_result, capsys):
    with (shown := Progress(CASES)):
        shown(case_result(id="rfc8030/5/a"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(143)])
def test_what_is_known_when_it_is_interrupted_is_told(case_result, capsys, interruption):
    def interrupted(shown: Progress) -> None:
        shown(case_result(id="rfc8030/5/a"))
        shown(case_result(id="rfc8030/5/c", verdict=Verdict.FAILED, reason="no \x1b[31mTTL"))
        raise interruption

    progress = Progress(CASES)
    with pytest.raises(type(interruption)), progress:
        interrupted(progress)
    assert capsys.readouterr().err == (
        "Interrupted: 2 of 3 cases were judged, 1 failed\n  rfc8030/5/c  no \\x1b[31mTTL\n"
    )


def test_there_is_nothing_to_tell_before_the_first_case_is_judged(case_result, capsys):
    progress = Progress(CASES)
    progress(case_result(verdict=Verdict.SKIPPED))
    with pytest.raises(KeyboardInterrupt), progress:
        raise KeyboardInterrupt
    assert capsys.readouterr().err == ""
