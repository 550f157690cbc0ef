"""Which cases run at once, and which begin."""

from mockpush.harness.cases import CASES
from mockpush.harness.lanes import lanes


def test_one_at_a_time_they_run_in_their_order():
    assert lanes(CASES, jobs=1) == [list(CASES)]


def test_every_case_is_in_one_lane():
    ids = [case.id for lane in lanes(CASES, jobs=2) for case in lane]
    assert sorted(ids) == sorted(case.id for case in CASES)


def test_what_takes_long_begins_first():
    *first, last = lanes(CASES, jobs=2)[:4]
    assert [case.thorough for lane in first for case in lane] == [True] * 3
    assert [case.id for case in last] == ["rfc9112/9.5/silence-is-an-error"]


def test_only_cases_that_take_turns_share_a_lane_in_their_order():
    shared = [lane for lane in lanes(CASES, jobs=2) if len(lane) > 1]
    assert shared == [[case for case in CASES if case.takes_turns]]
