"""What cases of a run have in common."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mockpush.harness.shared import Shared


def test_it_is_made_once_also_if_several_ask_at_once():
    made = []
    shared = Shared()
    with ThreadPoolExecutor(4) as executor:
        asked = [
            executor.submit(shared.once, "x", lambda: made.append(1) or len(made)) for _ in range(8)
        ]
    assert {each.result() for each in asked} == {1}
    assert shared.once("y", lambda: 2) == 2


def test_what_was_not_made_is_made_for_the_next():
    shared = Shared()
    with pytest.raises(ZeroDivisionError):
        shared.once("x", lambda: 1 // 0)
    assert shared.once("x", lambda: 1) == 1
