from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from mockpush.client.api import Api
from mockpush.client.clock import Clock


@pytest.fixture
def clock(application, in_process):
    @application.route("/_mockpush/v1/clock")
    async def answer(call):
        now = "2026-01-09T00:00:00Z" if call.method == "POST" else "2026-01-01T00:00:00+00:00"
        return 200, [], json.dumps({"now": now, "frozen": False}).encode()

    return Clock(Api(in_process, "default"))


def test_now_has_a_time_zone(clock):
    assert clock.now == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("operate", "body"),
    [
        (lambda clock: clock.advance("8d"), {"advance": "8d"}),
        (lambda clock: clock.advance(90), {"advance": 90}),
        (lambda clock: clock.advance(timedelta(hours=8)), {"advance": 28800.0}),
        (lambda clock: clock.freeze(), {"freeze": True}),
        (lambda clock: clock.resume(), {"resume": True}),
    ],
)
def test_the_clock_is_set_through_the_service(application, clock, operate, body):
    assert operate(clock) == datetime(2026, 1, 9, tzinfo=UTC)
    assert json.loads(application.calls[-1].body) == body
