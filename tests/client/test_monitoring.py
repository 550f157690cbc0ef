from __future__ import annotations

import threading

import pytest

from mockpush import errors
from mockpush.client.monitoring import Monitor, Turn


class Line:
    """A transport that only knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_a_turn_knows_whose_it_is():
    turn = Turn()
    seen = []
    assert not turn.mine
    with turn, turn:
        assert turn.mine
        other = threading.Thread(target=lambda: seen.append(turn.mine))
        other.start()
        other.join()
    assert seen == [False]
    assert not turn.mine


def test_only_one_thread_has_its_turn():
    turn, inside, order = Turn(), threading.Event(), []

    def second() -> None:
        inside.set()
        with turn:
            order.append("second")

    with turn:
        thread = threading.Thread(target=second)
        thread.start()
        assert inside.wait(10)
        with turn:
            order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_it_takes_turns_until_it_is_stopped():
    turns = []

    def turn(monitor: Monitor) -> None:
        turns.append(monitor)
        if len(turns) == 3:
            monitor.stop()

    monitor = Monitor(Line(), turn, pytest.fail)
    monitor.join()
    assert turns == [monitor] * 3
    assert monitor.stopped
    assert not monitor.alive
    assert monitor.transport.closed.is_set()


def test_stopping_closes_what_it_waits_for():
    waiting = threading.Event()

    def turn(monitor: Monitor) -> None:
        waiting.set()
        assert monitor.transport.closed.wait(10)
        raise errors.ConnectError("closed")

    monitor = Monitor(Line(), turn, pytest.fail)
    assert waiting.wait(10)
    monitor.stop()
    monitor.join()


def test_a_service_that_cannot_be_reached_is_tried_again(monkeypatch):
    monkeypatch.setattr("mockpush.client.monitoring._FIRST_PAUSE", 0.001)
    turns = []

    def turn(monitor: Monitor) -> None:
        turns.append(monitor)
        if len(turns) < 4:
            raise errors.ConnectError("refused")
        monitor.stop()

    Monitor(Line(), turn, pytest.fail).join()
    assert len(turns) == 4


def test_the_pauses_grow_up_to_a_limit_until_a_turn_succeeds(monkeypatch):
    pauses, begin = [], threading.Event()

    def turn(monitor: Monitor) -> None:
        assert begin.wait(10)
        if len(pauses) == 8:
            pauses.append("success")
            return
        if len(pauses) == 11:
            monitor.stop()
        raise errors.ConnectError("refused")

    monitor = Monitor(Line(), turn, pytest.fail)
    monkeypatch.setattr(monitor._stopped, "wait", pauses.append)
    begin.set()
    monitor.join()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, "success", 0.1, 0.2, 0.4]


@pytest.mark.parametrize("error", [LookupError("a bug"), errors.ServiceError("refused")])
def test_any_other_error_ends_it_and_is_handed_on(error):
    failed = []

    def turn(monitor: Monitor) -> None:
        raise error

    monitor = Monitor(Line(), turn, failed.append)
    monitor.join()
    assert failed == [error]
    assert monitor.stopped


def test_it_does_not_wait_for_itself():
    joined = []

    def turn(monitor: Monitor) -> None:
        monitor.stop()
        monitor.join()
        joined.append(monitor)

    monitor = Monitor(Line(), turn, pytest.fail)
    monitor.join()
    assert joined == [monitor]


def test_it_never_keeps_the_interpreter_alive(run_python):
    program = """
import threading
from mockpush.client.monitoring import Monitor
class Line:
    def close(self): pass
waiting = threading.Event()
def turn(monitor):
    waiting.set()
    threading.Event().wait()
Monitor(Line(), turn, print)
waiting.wait()
print("ends")
"""
    assert run_python(program) == "ends\n"
