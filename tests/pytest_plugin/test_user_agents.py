"""Browsers that tests start themselves: nothing of them reaches the next test."""

from __future__ import annotations

TESTS = """
import httpx
import pytest

DESKTOPS = []


@pytest.mark.parametrize("number", [1, 2])
def test_it(push_service, push_server, number):
    mine = push_service.user_agent("mine")
    control = push_server.environ["MOCKPUSH_CONTROL_URL"]
    assert (mine.badge, mine.notifications) == (None, [])
    DESKTOPS.append(mine.launch("chromium").env)
    httpx.post(f"{control}/user-agents/mine/badge", json={"count": 7})
    httpx.post(f"{control}/notifications", json={"user_agent": "mine", "title": "Late"})
    mine.refuse(times=9)
    assert (mine.badge, len(mine.notifications)) == (7, 1)


def test_after_them(push_server):
    control = push_server.environ["MOCKPUSH_CONTROL_URL"]
    for path in ("user-agents", "notifications"):
        assert httpx.get(f"{control}/{path}").json()["items"] == []
    assert DESKTOPS[0] != DESKTOPS[1]
"""


def test_a_test_forgets_the_user_agents_that_it_has_asked_for(run_tests):
    assert run_tests(TESTS).counts == {"passed": 3}
