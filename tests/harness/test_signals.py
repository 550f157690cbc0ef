"""Signals that end a check."""

import os
import signal

import pytest

from mockpush.harness.signals import ended_by_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_check_as_an_exception_does(number):
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ending, ended_by_signals():
        os.kill(os.getpid(), number)
    assert ending.value.code == 128 + number
    assert signal.getsignal(number) == before
