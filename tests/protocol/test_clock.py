"""A tenant's clock: it can be put forward and stopped, and never goes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mockpush.protocol.clock import MAX_DURATION, MAX_TIME, Clock, parse_duration, parse_time

REAL = 1_800_000_000.0


def test_a_new_clock_shows_real_time():
    assert Clock().now(REAL) == REAL


def test_a_clock_put_forward_runs_on_from_there():
    clock = Clock().advanced(3600)
    assert clock.now(REAL) == REAL + 3600
    assert clock.now(REAL + 5) == REAL + 3605


def test_a_frozen_clock_stands_still_until_it_is_put_forward():
    clock = Clock().advanced(60).frozen(REAL)
    assert clock.now(REAL + 1000) == REAL + 60
    assert clock.advanced(10).now(REAL + 2000) == REAL + 70


def test_a_resumed_clock_runs_on_from_where_it_stood():
    clock = Clock().frozen(REAL).resumed(REAL + 1000)
    assert clock.now(REAL + 1000) == REAL
    assert clock.now(REAL + 1001) == REAL + 1
    assert clock.frozen_at is None


def test_freezing_twice_and_resuming_a_running_clock_change_nothing():
    frozen = Clock().frozen(REAL)
    assert frozen.frozen(REAL + 9) == frozen
    assert Clock(5).resumed(REAL).now(REAL) == REAL + 5


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), float("inf"), MAX_DURATION + 1])
def test_a_clock_is_put_neither_back_nor_out_of_range(seconds):
    with pytest.raises(ValueError, match="forward"):
        Clock().advanced(seconds)
    with pytest.raises(ValueError, match="forward"):
        Clock().frozen(REAL).advanced(seconds)


@pytest.mark.parametrize("clock", [Clock(), Clock().frozen(REAL)])
def test_the_range_counts_in_all(clock):
    clock = clock.advanced(MAX_DURATION)
    with pytest.raises(ValueError, match="forward"):
        clock.advanced(1)


steps = st.lists(
    st.tuples(
        st.sampled_from(["advance", "freeze", "resume"]),
        st.floats(0, 1e6),
        st.floats(0, 1e6),
    )
)


@given(steps)
def test_time_never_goes_back(steps):
    clock, real, last = Clock(), REAL, REAL
    for name, seconds, passed in steps:
        real += passed
        before = clock.now(real)
        assert before >= last
        if name == "advance":
            clock = clock.advanced(seconds)
            assert clock.now(real) == pytest.approx(before + seconds, abs=1e-5)
        else:
            clock = clock.frozen(real) if name == "freeze" else clock.resumed(real)
            assert clock.now(real) == pytest.approx(before, abs=1e-5)
        last = clock.now(real) - 1e-5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        (" 90 ", 90),
        ("90s", 90),
        ("250ms", 0.25),
        ("15m", 900),
        ("15min", 900),
        ("8h", 28_800),
        ("8d", 691_200),
        ("2w", 1_209_600),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        ("1.5h", 5400),
        ("0", 0),
        ("10 d", 864_000),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "h", "-1", "-1h", "+1", "1x", "1h30", "1,5h", "inf", "nan", "1e3", "8 days", "d8"],
)
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.text(max_size=20))
def test_no_text_makes_the_reader_fail_otherwise(text):
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert seconds >= 0


@pytest.mark.parametrize(
    "text",
    [
        "1738324800",
        "1738324800.0",
        "2025-01-31T12:00:00Z",
        "2025-01-31T12:00:00",
        "2025-01-31 14:00:00+02:00",
        "2025-01-31T12:00:00.000000000Z",
    ],
)
def test_a_time_is_read_in_every_form(text):
    assert parse_time(text) == 1_738_324_800


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),
        timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))),
    )
)
def test_any_date_is_read(moment):
    assert parse_time(moment.isoformat()) == moment.timestamp()


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1e9", "9" * 12, "9" * 13, "0001-01-01T00:00+23:00", "12:00"]
)
def test_other_text_is_no_time(text):
    with pytest.raises(ValueError, match=r"is no (time|date)"):
        parse_time(text)


def test_every_time_can_be_written():
    assert datetime.fromtimestamp(parse_time(str(MAX_TIME)), UTC).year == 9999


@given(st.text())
def test_any_text_is_a_time_or_explained(text):
    try:
        datetime.fromtimestamp(parse_time(text), UTC)
    except ValueError as error:
        event(str(error)[-40:])
