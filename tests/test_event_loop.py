"""Event loops that a frozen clock cannot stop, and the thread that owns one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from concurrent.futures import CancelledError

import pytest
import time_machine
from freezegun import freeze_time

from mockpush.event_loop import LoopThread, SteadyEventLoop, new_event_loop, run, stop_signals

FOREVER = 30
"""Seconds after which a wait has failed."""


@pytest.fixture(params=[new_event_loop, SteadyEventLoop])
def loop_thread(request):
    thread = LoopThread(name="tested", loop_factory=request.param)
    yield thread
    thread.stop()


@pytest.mark.parametrize(
    "frozen",
    [freeze_time("2001-01-01"), time_machine.travel("2001-01-01", tick=False)],
    ids=["freezegun", "time-machine"],
)
def test_timers_fire_while_the_clock_is_frozen(loop_thread, frozen):
    with frozen:
        loop_thread.submit(asyncio.sleep(0.01)).result(FOREVER)


def test_timers_fire_in_a_loop_first_imported_while_the_clock_is_frozen(run_python):
    run_python(
        """
from freezegun import freeze_time
with freeze_time("2001-01-01"):
    import asyncio
    from mockpush.event_loop import LoopThread, SteadyEventLoop
    thread = LoopThread(name="tested", loop_factory=SteadyEventLoop)
    thread.submit(asyncio.sleep(0.01)).result(30)
    thread.stop()
"""
    )


def test_without_uvloop_the_loop_is_a_steady_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = new_event_loop()
    loop.close()
    assert type(loop) is SteadyEventLoop


def test_the_result_and_the_exception_of_a_coroutine_reach_the_caller(loop_thread):
    async def divide(by):
        return 1 / by

    assert loop_thread.submit(divide(2)).result(FOREVER) == 0.5
    with pytest.raises(ZeroDivisionError):
        loop_thread.submit(divide(0)).result(FOREVER)


def test_stopping_cancels_what_still_runs(loop_thread):
    entered = threading.Event()

    async def forever():
        entered.set()
        await asyncio.Event().wait()

    waiting = loop_thread.submit(forever())
    assert entered.wait(FOREVER)
    loop_thread.stop()
    with pytest.raises(CancelledError):
        waiting.result(0)


def test_after_the_stop_nothing_can_be_submitted_and_no_thread_is_left(loop_thread):
    loop_thread.stop()
    loop_thread.stop()
    with pytest.raises(RuntimeError, match="does not run"):
        loop_thread.submit(asyncio.sleep(0))
    assert not [each for each in threading.enumerate() if each.name == "tested"]


def test_no_thread_is_started_for_a_loop_that_cannot_be_made():
    def broken():
        raise OSError("no file descriptor left")

    before = threading.active_count()
    with pytest.raises(OSError, match="descriptor"):
        LoopThread(name="tested", loop_factory=broken)
    assert threading.active_count() == before


@pytest.mark.parametrize("loop_factory", [new_event_loop, SteadyEventLoop])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_sets_the_event_and_the_handlers_are_put_back(loop_factory, number):
    before = signal.getsignal(number)

    async def main():
        with stop_signals() as asked:
            os.kill(os.getpid(), number)
            await asyncio.wait_for(asked.wait(), FOREVER)

    run(main(), loop_factory=loop_factory)
    assert signal.getsignal(number) is before
