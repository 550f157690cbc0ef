"""The gate: a push that a required push service would have refused fails its test."""

from __future__ import annotations

import sys

import pytest

from mockpush import PushService, Server
from mockpush.client.control import Control
from mockpush.client.transports.http import HttpTransport
from mockpush.options import ServiceOptions

TESTS = """
    import pytest
    from application import push, push_without_ttl
    from pywebpush import WebPushException, webpush

    def push_as(sub, subscription, vapid):
        claims = {**vapid.claims(), "sub": sub}
        webpush(dict(subscription), "hello", vapid_private_key=vapid.private_key,
                vapid_claims=claims, ttl=60)

    LOCAL = "mailto:me@localhost"

    def test_right(push_subscription, push_vapid):
        push(push_subscription, push_vapid)

    def test_local(push_subscription, push_vapid):
        push_as(LOCAL, push_subscription, push_vapid)
        push_as(LOCAL, push_subscription, push_vapid)

    @pytest.mark.mockpush(require=())
    def test_on_purpose(push_subscription, push_vapid):
        push_as(LOCAL, push_subscription, push_vapid)

    @pytest.mark.mockpush(require=["fcm"])
    class TestOfChrome:
        def test_local_is_right(self, push_subscription, push_vapid):
            push_as(LOCAL, push_subscription, push_vapid)

        @pytest.mark.mockpush(allow_refused=True)
        def test_what_is_refused_here_too_is_allowed(self, push_subscription):
            push_without_ttl(push_subscription)
"""
EXEC = (sys.executable, "-m", "mockpush.cli", "exec")


def assert_gated(run, names="apple"):
    assert "\n1 failed, 4 passed in " in run.output
    assert "\napple would have refused 2 of 2 pushes:\n" in run.output
    assert "\n      apple answers 403 BadJwtToken\n" in run.output
    assert "\n      → Apple refuses localhost" in run.output
    assert f"Every push must suit {names}." in run.output
    assert "Traceback" not in run.output


def test_without_a_requirement_nothing_fails(run_tests):
    assert run_tests(TESTS).counts == {"passed": 5}


def test_a_flag_is_all_it_takes(run_tests):
    assert_gated(run_tests(TESTS, "--mockpush-require", "apple", code=1))


def test_those_that_take_everything_can_be_required(run_tests):
    assert run_tests(TESTS, "--mockpush-require=fcm,mozilla").counts == {"passed": 5}


def test_the_environment_requires(run_tests):
    assert_gated(run_tests(TESTS, code=1, MOCKPUSH_REQUIRE="fcm,apple"), "fcm, apple")


def test_pyproject_requires(project):
    project.write("pyproject.toml", '[tool.mockpush]\nrequire = ["apple", "wns"]\n')
    assert_gated(project.run(TESTS, code=1), "apple, wns")


@pytest.mark.parametrize("value", ["apple", "apple,fcm", "apple fcm"])
def test_the_file_of_pytest_requires(project, value):
    ini = (project.directory / "pytest.ini").read_text() + f"mockpush_require = {value}\n"
    project.write("pytest.ini", ini)
    assert_gated(project.run(TESTS, code=1), ", ".join(value.replace(",", " ").split()))


def test_the_flag_wins_over_the_file_and_that_over_the_environment(project):
    ini = (project.directory / "pytest.ini").read_text() + "mockpush_require = fcm\n"
    project.write("pytest.ini", ini)
    assert project.run(TESTS, MOCKPUSH_REQUIRE="apple").counts == {"passed": 5}
    assert_gated(project.run(TESTS, "--mockpush-require=apple", code=1))
    assert project.run(TESTS, "--mockpush-require=").counts == {"passed": 5}


def test_the_traffic_of_a_failure_has_the_answers_of_all(run_tests):
    run = run_tests(TESTS, "--mockpush-require", "apple", "--junit-xml", "junit.xml", code=1)
    line = (
        " → 201 (vapid.sub.local_host)  rfc 201 · fcm 201 · mozilla 201 · "
        "apple 403 BadJwtToken (vapid.sub.local_host) · wns 201\n"
    )
    assert run.output.count(line) == 2
    assert "apple answers 403 BadJwtToken" in run.junit["test_local"]


@pytest.mark.parametrize("names", ["aple", "fcm,aple"])
def test_a_name_that_is_none_is_an_error_that_names_the_others(run_tests, names):
    run = run_tests(TESTS, "--mockpush-require", names, code=1)
    assert run.counts == {"error": 2, "passed": 3}
    words = "mockpush: there is no profile 'aple'; there is: rfc, fcm, mozilla, apple, wns"
    assert words in run.output


def test_pushes_of_the_teardown_count(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push

        @pytest.fixture
        def late(push_subscription, push_vapid):
            yield
            push(push_subscription, push_vapid, ttl=0)

        def test_passes(late):
            pass
        """,
        "--mockpush-require=wns",
        code=1,
    )
    assert run.counts == {"passed": 1, "error": 1}
    assert "wns would have refused 1 of 1 push:" in run.output


def test_refused_pushes_that_the_test_expects_do_not_count(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push, push_without_ttl
        from pywebpush import WebPushException

        def test_expects(push_service, push_subscription):
            with push_service.expect_refused("ttl.missing"):
                push_without_ttl(push_subscription)

        def test_arranges(push_subscription, push_vapid):
            push_subscription.expire()
            with pytest.raises(WebPushException):
                push(push_subscription, push_vapid)

        def test_hides_nothing(push_subscription, push_vapid):
            push_subscription.expire()
            with pytest.raises(WebPushException):
                push(push_subscription, push_vapid, ttl=0)
        """,
        "--mockpush-require=fcm,mozilla,apple,wns",
        code=1,
    )
    assert run.counts == {"failed": 1, "passed": 2}
    assert "wns would have refused 1 of 1 push:" in run.output


def test_it_works_under_xdist(run_tests):
    assert_gated(run_tests(TESTS, "--mockpush-require=apple", "-n", "2", code=1))


@pytest.fixture
def server():
    service = PushService(ServiceOptions(require=("apple",)))
    with Server(service).running() as server:
        yield server


def test_it_works_with_a_service_that_runs_elsewhere(run_tests, server):
    url = ("--mockpush-url", server.url)
    assert_gated(run_tests(TESTS, *url, "--mockpush-require=apple", code=1))


def test_tests_are_judged_by_pytest_not_by_the_service(run_tests, server):
    run_tests(TESTS, "--mockpush-url", server.url)
    with HttpTransport(server.url) as transport:
        assert Control(transport).portability()["requests"] == 0


def test_exec_hands_its_requirement_on(run_tests):
    before = (*EXEC, "--require", "apple", "--")
    assert_gated(run_tests(TESTS, "-n", "2", code=1, before=before))


def test_exec_passes_where_pytest_does(run_tests):
    before = (*EXEC, "--require", "apple", "--")
    run = run_tests(TESTS, "--deselect=test_it.py::test_local", before=before)
    assert "passed" in run.output
    assert "would have refused" not in run.output
