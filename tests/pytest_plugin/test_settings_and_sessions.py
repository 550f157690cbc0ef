"""What a session takes its settings from, what it leaves behind, and how it goes with others."""

from __future__ import annotations

import sys

import pytest

from mockpush import Server
from mockpush.vapid_keys import VapidKeys


def test_settings_are_overridden_for_the_session(project):
    project.write(
        "conftest.py",
        """
        import dataclasses

        import pytest

        @pytest.fixture(scope="session")
        def mockpush_settings(mockpush_settings):
            return dataclasses.replace(mockpush_settings, strict=True, hostnames=("push.test",))

        @pytest.fixture
        def push_subscription(push_service):
            return push_service.subscribe(id="mine")
        """,
    )
    run = project.run(
        """
        import time

        import requests
        from mockpush.protocol.vapid import authorization

        def test_strict(push_service, push_subscription, push_vapid):
            claims = push_vapid.claims(aud="https://localhost", exp=int(time.time()) + 60)
            token = authorization(claims, push_vapid.scalar)
            with push_service.expect_refused("vapid.aud.port_missing"):
                requests.post(
                    push_subscription.endpoint, headers={"TTL": "0", "Authorization": token}
                )

        def test_names(push_server):
            assert "push.test" in push_server.environ["NO_PROXY"]

        def test_the_subscription_is_that_of_the_user(push_subscription):
            assert push_subscription.id == "mine"
        """
    )
    assert run.counts == {"passed": 3}


def test_settings_come_from_variables_and_the_project(project):
    project.write("pyproject.toml", "[tool.mockpush]\nhostname = ['from.project']\n")
    run = project.run(
        """
        def test_settings(mockpush_settings, push_server):
            assert mockpush_settings.strict
            assert mockpush_settings.hostnames == ("from.project",)
            assert (mockpush_settings.port, mockpush_settings.https_port) == (0, 0)
        """,
        MOCKPUSH_STRICT="1",
    )
    assert run.counts == {"passed": 1}


def test_a_suite_can_push_to_every_vendor(project):
    project.write("pyproject.toml", "[tool.mockpush]\nprofile = 'apple'\n")
    run = project.run(
        """
        import pytest
        import requests

        def test_the_setting(push_subscription, push_service):
            with push_service.expect_refused("vapid.absent"):
                answer = requests.post(push_subscription.endpoint, headers={"TTL": "1"})
            assert answer.json() == {"reason": "BadJwtToken"}

        @pytest.mark.parametrize(
            ("profile", "status"),
            [("rfc", 401), ("fcm", 403), ("mozilla", 401), ("apple", 403), ("wns", 401)],
        )
        def test_one_subscription(push_service, profile, status):
            subscription = push_service.subscribe(profile=profile)
            with push_service.expect_refused("vapid.absent"):
                answer = requests.post(subscription.endpoint, headers={"TTL": "1"})
            assert answer.status_code == status
        """
    )
    assert run.counts == {"passed": 6}


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"MOCKPUSH_PROFILE": "netscape"}, "there is no profile 'netscape'; there is: rfc"),
        ({"MOCKPUSH_PORT": "many"}, "MOCKPUSH_PORT must be"),
        ({"VAPID_PRIVATE_KEY": "rubbish"}, "VAPID_PRIVATE_KEY must be a P-256 private key"),
        ({"MOCKPUSH_HTTPS_PORT": "99999"}, "MOCKPUSH_HTTPS_PORT must be"),
    ],
)
def test_settings_that_cannot_be_used_are_a_clear_error(run_tests, variables, text):
    run = run_tests("def test_it(push_service): pass", code=1, **variables)
    assert run.counts == {"error": 1}
    assert f"\nmockpush: {text}" in run.output or f"\nE   mockpush: {text}" in run.output, (
        run.output
    )
    assert "pytest_session.py" not in run.output


def test_a_port_that_is_taken_is_a_clear_error(run_tests):
    run = run_tests(
        """
        def test_it(push_service): pass
        """,
        MOCKPUSH_PORT="1",
        MOCKPUSH_HOST="192.0.2.1",
        code=1,
    )
    assert run.counts == {"error": 1}
    assert "mockpush: " in run.output
    assert "pytest_session.py" not in run.output


def test_the_user_s_own_key_is_taken(run_tests):
    keys = VapidKeys.generate()
    tests = f"""
        from application import push

        def test_it(push_service, push_subscription, push_vapid):
            assert push_vapid.public_key == {keys.public_key!r}
            assert push_vapid.subject == "mailto:push@example.com"
            push(push_subscription, push_vapid)
            assert push_service.wait().vapid["sub"] == "mailto:push@example.com"
        """
    variables = {"VAPID_PRIVATE_KEY": keys.private_key, "VAPID_SUBJECT": "mailto:push@example.com"}
    assert run_tests(tests, **variables).counts == {"passed": 1}


def test_a_subject_without_a_key_goes_with_the_new_one(run_tests):
    run = run_tests(
        """
        def test_it(push_vapid):
            assert push_vapid.claims() == {"sub": "mailto:push@example.com"}
        """,
        VAPID_SUBJECT="mailto:push@example.com",
    )
    assert run.counts == {"passed": 1}


def test_without_the_plugin(run_tests):
    run = run_tests("def test_it(push_service): pass", "-p", "no:mockpush", code=1)
    assert "fixture 'push_service' not found" in run.output


def test_a_suite_that_does_not_push_starts_nothing(run_tests):
    run = run_tests(
        """
        import sys
        import threading

        import pytest

        @pytest.mark.mockpush(allow_refused=True)
        def test_it():
            ours = {name for name in sys.modules if name.startswith("mockpush")}
            assert ours == {"mockpush", "mockpush._lazy", "mockpush.errors",
                            "mockpush.pytest_plugin"} & ours
            assert threading.active_count() == 1
        """,
        MOCKPUSH_URL="http://127.0.0.1:1",
    )
    assert run.counts == {"passed": 1}


LEFT_BEHIND = """
    import gc
    import json
    import os
    import sys
    import tempfile
    import threading
    import socket

    import pytest

    directory = {directory!r}
    tempfile.tempdir = directory
    before = dict(os.environ)

    def descriptors():
        return sorted(
            os.readlink(f"/proc/self/fd/{{each}}")
            for each in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{{each}}")
        )

    code = pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]])
    gc.collect()
    assert code == {code}, code
    assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
    assert os.listdir(directory) == [], os.listdir(directory)
    after = dict(os.environ)
    after.pop("PYTEST_CURRENT_TEST", None)  # pytest leaves it there when it is interrupted
    assert after == before, set(after.items()) ^ set(before.items())
    sockets = [each for each in gc.get_objects() if type(each) is socket.socket]
    assert not [each for each in sockets if each.fileno() != -1], sockets
    assert not [each for each in descriptors() if each.startswith("socket:")], descriptors()
    print("nothing is left")
"""

PUSHES = """
    from application import push, push_without_ttl

    def test_pushes(push_service, push_subscription, push_vapid):
        push(push_subscription, push_vapid)
        push_service.wait()

    def test_receives(push_user_agent, push_vapid):
        push(push_user_agent.subscribe(), push_vapid)
        assert push_user_agent.received

    def test_a_browser_that_stays_online(push_user_agent, push_clock):
        push_user_agent.subscribe()
        push_clock.advance("1h")

    async def test_waits(push_service, push_subscription, push_vapid):
        push(push_subscription, push_vapid)
        await push_service.wait_async()
    """


@pytest.fixture
def run_main(project, tmp_path):
    """Runs tests by `pytest.main()` in a process that looks round afterwards."""

    def run(tests: str, *options: str, code: int = 0) -> str:
        directory = tmp_path / "temporary"
        directory.mkdir()
        project.write("test_it.py", tests)
        project.write("main.py", LEFT_BEHIND.format(directory=str(directory), code=code))
        output = project.command(sys.executable, "main.py", *options).output
        assert output.endswith("nothing is left\n"), output
        return output

    return run


def test_nothing_outlives_the_session(run_main):
    output = run_main(PUSHES, "-o", "asyncio_mode=auto")
    assert "4 passed" in output


def test_nothing_outlives_a_session_that_was_attached(run_main):
    with Server().running() as server:
        output = run_main(PUSHES, "-o", "asyncio_mode=auto", "--mockpush-url", server.url)
    assert "4 passed" in output


def test_nothing_outlives_an_interrupted_session(run_main):
    output = run_main(
        """
        import signal
        import threading

        def interrupt():
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        def test_waits(push_service, push_user_agent):
            push_user_agent.subscribe()
            threading.Timer(0.2, interrupt).start()
            push_service.wait(timeout=60)
        """,
        code=2,
    )
    assert "KeyboardInterrupt" in output


def test_a_fixture_that_fails_ends_its_test_alone(run_tests):
    run = run_tests(
        """
        import pytest

        @pytest.fixture
        def broken(push_service):
            raise LookupError

        def test_cannot_begin(broken, push_user_agent):
            pass

        def test_can(push_service, push_user_agent):
            push_user_agent.subscribe()
            assert len(push_service.tenants) == 1
        """,
        code=1,
    )
    assert run.counts == {"passed": 1, "error": 1}


def test_what_a_browser_s_callbacks_raise_fails_the_test(run_tests):
    run = run_tests(
        """
        from application import push

        def test_it(push_user_agent, push_vapid):
            @push_user_agent.on_push
            def show(message):
                raise LookupError("in the service worker")

            push(push_user_agent.subscribe(), push_vapid)
            push_user_agent.go_offline()
        """,
        code=1,
    )
    assert "LookupError: in the service worker" in run.output
    assert run.counts["error"] == 1


def test_tests_of_anyio(run_tests):
    run = run_tests(
        """
        import anyio
        import pytest
        from application import push
        from mockpush import errors

        pytestmark = pytest.mark.anyio

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        async def test_twins(push_service, push_subscription, push_vapid):
            with pytest.raises(errors.BlockingWaitError):
                push_service.wait()
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.to_thread.run_sync, push, push_subscription, push_vapid)
                message = await push_service.wait_async()
            assert message.text() == "hello"
            with anyio.move_on_after(0.01):
                await push_service.wait_async(timeout=60)
            await push_service.assert_none_async()
        """
    )
    assert run.counts == {"passed": 1}


def test_the_help_names_the_option_and_the_marker(run_tests):
    options = run_tests("", "--help").output
    assert "--mockpush-url=URL" in options
    assert "--mockpush-require=NAME" in options
    markers = run_tests("", "--markers").output
    assert "@pytest.mark.mockpush(allow_refused=False)" in markers
    assert "@pytest.mark.mockpush(require=" in markers
