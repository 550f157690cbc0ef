from __future__ import annotations

import freezegun
import pytest
import time_machine

from mockpush.client import deadlines
from mockpush.client.deadlines import Deadline


@pytest.mark.parametrize(
    "freeze",
    [
        lambda: freezegun.freeze_time("2020-01-01"),
        lambda: time_machine.travel("2020-01-01", tick=False),
    ],
)
def test_time_passes_for_a_deadline_while_the_user_s_clock_stands_still(freeze):
    with freeze():
        deadline = Deadline(1000)
        before = deadline.remaining
        while deadline.remaining == before:
            pass
        assert 999 < deadline.remaining < before


def test_a_deadline_that_has_passed_has_nothing_left():
    assert Deadline(0).remaining == 0.0


def test_without_freezegun_it_is_the_monotonic_clock(monkeypatch):
    monkeypatch.delitem(deadlines.sys.modules, "freezegun.api")
    assert deadlines.real_monotonic() == pytest.approx(deadlines.time.monotonic(), abs=60)
