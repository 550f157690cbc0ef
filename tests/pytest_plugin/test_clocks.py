"""freezegun and time-machine stop the clock of the user's code, not that of the service."""

from __future__ import annotations

import sys

import pytest

TESTS = """
    import datetime
    import time

    import pytest
    import requests
    from application import push
    from mockpush import errors
    from mockpush.protocol.vapid import authorization

    def test_the_clock_is_not_the_real_one():
        assert datetime.datetime.now(datetime.timezone.utc).year == YEAR
        assert time.gmtime(time.time()).tm_year == YEAR

    def test_a_push_is_accepted_and_waited_for(push_service, push_subscription, push_vapid):
        push(push_subscription, push_vapid)
        message = push_service.wait()
        assert message.text() == "hello"
        assert message.received_at.year not in (2020, 2040)

    def test_waits_end(push_service):
        with pytest.raises(errors.WaitError, match="within 0.05 s, got 0"):
            push_service.wait(timeout=0.05)
        push_service.assert_none(within=0.05)

    def test_so_do_those_of_twins(push_service):
        import asyncio

        async def wait():
            with pytest.raises(errors.WaitError, match="within 0.05 s, got 0"):
                await push_service.wait_async(timeout=0.05)

        asyncio.run(wait())

    def test_the_clock_of_the_service_moves(
        push_service, push_subscription, push_user_agent, push_clock, push_vapid
    ):
        before = push_clock.now
        subscription = push_user_agent.subscribe()
        push_user_agent.go_offline()
        push(subscription, push_vapid, "short", ttl=60)
        push(subscription, push_vapid, "long", ttl=86400)
        push_clock.advance("8h")
        assert push_clock.now - before >= datetime.timedelta(hours=8)
        push(subscription, push_vapid, "new")
        push_user_agent.go_online()
        assert [message.text() for message in push_user_agent.received] == ["long", "new"]

    def test_a_token_of_another_time_is_refused(push_service, push_subscription, push_vapid):
        origin = push_subscription.endpoint.partition("/push/")[0]
        claims = push_vapid.claims(aud=origin, exp=int(REAL) + 3600)
        headers = {"TTL": "60", "Authorization": authorization(claims, push_vapid.scalar)}
        with push_service.expect_refused("vapid.exp.*"):
            requests.post(push_subscription.endpoint, headers=headers)
"""

INI = """\
    [pytest]
    addopts = -p no:cacheprovider
    asyncio_default_fixture_loop_scope = function
    filterwarnings =
        error
        ignore:System time is way off
    """
"""urllib3 warns of a clock that stands in the past."""

FREEZE = {
    "freezegun": "freezegun.freeze_time({moment!r}, tick={tick})",
    "time-machine": "time_machine.travel({moment!r}, tick={tick})",
}


def frozen(library: str, moment: str, *, tick: bool) -> str:
    """The head of a module: `frozen()` stops the clock."""
    module = library.replace("-", "_")
    call = FREEZE[library].format(moment=moment, tick=tick)
    return f"""
    import time
    REAL = time.time()
    YEAR = {moment[:4]}

    import {module}

    def frozen():
        return {call}
    """


CLOCKS = pytest.mark.parametrize(
    ("library", "moment", "tick"),
    [
        ("freezegun", "2020-02-29T12:00:00Z", False),
        ("freezegun", "2040-02-29T12:00:00Z", True),
        ("time-machine", "2020-02-29T12:00:00Z", True),
        ("time-machine", "2040-02-29T12:00:00Z", False),
    ],
)


@CLOCKS
def test_around_each_test(project, library, moment, tick):
    project.write("pytest.ini", INI)
    project.write("clock.py", frozen(library, moment, tick=tick))
    run = project.run(
        """
    from clock import REAL, YEAR, frozen
    """
        + TESTS
        + """
    @pytest.fixture(autouse=True)
    def stopped(push_server):
        with frozen():
            yield
    """
    )
    assert run.counts == {"passed": 6}


@CLOCKS
def test_around_the_whole_session(project, library, moment, tick):
    project.write("pytest.ini", INI)
    project.write(
        "conftest.py",
        frozen(library, moment, tick=tick)
        + """
    CLOCK = frozen()

    def pytest_sessionstart():
        CLOCK.start()

    def pytest_unconfigure():
        CLOCK.stop()
    """,
    )
    run = project.run("    from conftest import REAL, YEAR\n" + TESTS)
    assert run.counts == {"passed": 6}


@CLOCKS
def test_a_service_elsewhere_is_reached_too(project, library, moment, tick):
    """Its own clock is real, so that it takes no tokens of another time: only the waits count."""
    project.write("pytest.ini", INI)
    project.write("clock.py", frozen(library, moment, tick=tick))
    run = project.run(
        """
    import pytest
    from clock import frozen
    from mockpush import errors

    def test_waits_end(push_service, push_user_agent, push_clock):
        with frozen():
            subscription = push_user_agent.subscribe()
            push_clock.advance("1h")
            with pytest.raises(errors.WaitError):
                push_service.wait(timeout=0.05)
            assert push_user_agent.received == []
    """,
        before=(sys.executable, "-m", "mockpush.cli", "exec", "--"),
    )
    assert run.counts == {"passed": 1}
