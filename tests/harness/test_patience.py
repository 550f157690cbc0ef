"""When a sender that hangs is given up."""

import pytest

from mockpush.harness.patience import Patience, with_margin


@pytest.fixture
def patience() -> Patience:
    return Patience(in_a_row=2, in_all=4)


def after(patience: Patience, cases: str) -> str | None:
    for case in cases:
        patience.saw(hung=case == "h")
    return patience.lost


@pytest.mark.parametrize("cases", ["", ".", "h", "h.h.h", ".h..h."])
def test_a_sender_that_answers_between_is_not_given_up(patience, cases):
    assert after(patience, cases) is None


@pytest.mark.parametrize("cases", ["hh", "h.hh", "hh."])
def test_a_sender_that_hangs_in_a_row_is(patience, cases):
    assert after(patience, cases).endswith("it did not answer in time in 2 cases in a row")


@pytest.mark.parametrize("cases", ["h.h.h.h", "h.h.h.h."])
def test_a_sender_that_hangs_all_too_often_is(patience, cases):
    assert after(patience, cases).endswith("it did not answer in time in 4 cases")


def test_a_tenth_beyond_the_limit_is_waited():
    assert with_margin(10) == pytest.approx(11)
