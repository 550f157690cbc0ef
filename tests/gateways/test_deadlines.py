"""Deadlines of many under one timer, on a loop whose time the test moves."""

from __future__ import annotations

import asyncio

import pytest

from mockpush.gateways.deadlines import Deadlines


class Timers:
    """The part of an event loop that deadlines use."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, object]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds, callback):
        return self.call_at(self.now + seconds, callback)

    def call_at(self, when, callback):
        entry = (when, callback)
        self.due.append(entry)
        timer = type("Timer", (), {"cancel": lambda _: self.due.remove(entry)})
        return timer()

    def advance(self, to: float) -> None:
        while self.due and (entry := min(self.due, key=lambda each: each[0]))[0] <= to:
            self.due.remove(entry)
            self.now = entry[0]
            entry[1]()
        self.now = to


@pytest.fixture
def timers(monkeypatch):
    timers = Timers()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: timers)
    return timers


@pytest.fixture
def missed():
    return []


@pytest.fixture
def deadlines(timers, missed):
    return Deadlines(10.0, lambda each: missed.append((each, timers.now)))


def test_each_is_missed_in_its_time(timers, deadlines, missed):
    for start, name in [(0, "a"), (3, "b"), (3, "c"), (12, "d")]:
        timers.advance(start)
        deadlines.start(name)
    timers.advance(100)
    assert missed == [("a", 10), ("b", 13), ("c", 13), ("d", 22)]
    assert len(deadlines) == 0
    assert timers.due == []


def test_what_is_stopped_is_not_missed(timers, deadlines, missed):
    for name in "abc":
        deadlines.start(name)
    deadlines.stop("a")
    deadlines.stop("c")
    deadlines.stop("nobody")
    timers.advance(100)
    assert missed == [("b", 10)]


def test_what_is_started_again_has_its_whole_time(timers, deadlines, missed):
    deadlines.start("a")
    deadlines.start("b")
    timers.advance(6)
    deadlines.start("a")
    timers.advance(100)
    assert missed == [("b", 10), ("a", 16)]


def test_there_is_one_timer_for_all_and_none_for_none(timers, deadlines):
    assert timers.due == []
    for number in range(100):
        deadlines.start(number)
    assert len(timers.due) == 1
    for number in range(100):
        deadlines.stop(number)
    assert timers.due == []


def test_one_that_is_missed_may_stop_and_start_others(timers, missed):
    def miss(name):
        missed.append(name)
        deadlines.stop("b")
        if len(missed) < 3:
            deadlines.start("a")

    deadlines = Deadlines(10.0, miss)
    deadlines.start("a")
    timers.advance(1)
    deadlines.start("b")
    timers.advance(100)
    assert missed == ["a", "a", "a"]
    assert timers.due == []
