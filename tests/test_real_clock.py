"""The real clocks: a frozen clock in the user's test stops the process's time and not ours."""

from __future__ import annotations

import datetime
import time

import freezegun
import pytest
import time_machine

from mockpush.real_clock import process_time, real_time

THEN = 978_307_200.0
DAY = 86_400
FREEZERS = {
    "freezegun": lambda: freezegun.freeze_time("2001-01-01"),
    "freezegun, ticking": lambda: freezegun.freeze_time("2001-01-01", tick=True),
    "time-machine": lambda: time_machine.travel(
        datetime.datetime.fromtimestamp(THEN, datetime.UTC), tick=False
    ),
    "time-machine, ticking": lambda: time_machine.travel(THEN),
}


def test_without_a_frozen_clock_both_show_the_time():
    before = time.time()
    assert before <= real_time() <= time.time()
    assert before <= process_time() <= time.time()


@pytest.mark.parametrize("freeze", FREEZERS.values(), ids=FREEZERS)
def test_a_frozen_clock_stops_the_time_of_the_process_only(freeze):
    before = real_time()
    with freeze():
        assert THEN <= process_time() < THEN + DAY
        first = real_time()
        second = real_time()
        assert before <= first <= second < before + DAY
    assert before <= process_time() < before + DAY


def test_one_frozen_clock_within_another_stops_it_no_more():
    before = real_time()
    with time_machine.travel(THEN), freezegun.freeze_time("2011-01-01"):
        assert before <= real_time() < before + DAY
        assert process_time() > THEN + DAY


@pytest.mark.parametrize(
    "frozen",
    [
        "import freezegun; freezegun.freeze_time('2001-01-01').start()",
        "import time_machine; time_machine.travel(978307200.0, tick=False).start()",
    ],
    ids=["freezegun", "time-machine"],
)
def test_it_does_not_matter_when_we_are_imported(run_python, frozen):
    shown = run_python(
        f"{frozen}\nfrom mockpush.real_clock import process_time, real_time\n"
        "print(real_time(), process_time())"
    )
    real, process = map(float, shown.split())
    assert abs(real - time.time()) < DAY
    assert process == pytest.approx(THEN, abs=DAY)
