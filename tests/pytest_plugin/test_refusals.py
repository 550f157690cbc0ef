"""A push that was refused for what its sender did fails a test that did not look at it."""

from __future__ import annotations

import pytest

REFUSED = "400 ttl.missing: the request has no TTL header field [RFC 8030, Section 5.2]"
"""How mockpush speaks of what `push_without_ttl` gets."""


def test_a_refusal_that_nobody_looked_at_fails_the_test(run_tests):
    run = run_tests(
        """
        from application import push_without_ttl

        def test_pushes(push_subscription):
            push_without_ttl(push_subscription)

        def test_pushes_twice(push_subscription):
            push_without_ttl(push_subscription)
            push_without_ttl(push_subscription)
        """,
        code=1,
    )
    assert run.counts == {"failed": 2}
    assert f"a push was refused, and the test did not look at it:\n  {REFUSED}\n" in run.output
    assert "2 pushes were refused, and the test did not look at it:\n" in run.output
    assert "push_service.expect_refused(…)" in run.output
    assert "Traceback" not in run.output


def test_looking_afterwards_expecting_and_allowing_let_it_pass(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push_without_ttl

        def test_reads_refused(push_service, push_subscription):
            push_without_ttl(push_subscription)
            assert [request.status for request in push_service.refused] == [400]

        def test_reads_requests(push_service, push_subscription):
            push_without_ttl(push_subscription)
            assert push_service.requests

        def test_waits_for_requests(push_service, push_subscription):
            push_without_ttl(push_subscription)
            push_service.wait_requests(1, status=400)

        def test_expects(push_service, push_subscription):
            with push_service.expect_refused("ttl.*") as refused:
                push_without_ttl(push_subscription)
            assert [request.codes[0] for request in refused] == ["ttl.missing"]

        @pytest.mark.mockpush(allow_refused=True)
        def test_allows(push_subscription):
            push_without_ttl(push_subscription)

        @pytest.mark.mockpush(allow_refused=True)
        class TestAll:
            def test_allows(self, push_subscription):
                push_without_ttl(push_subscription)

            @pytest.mark.mockpush
            def test_a_marker_that_says_nothing_changes_nothing(self, push_subscription):
                push_without_ttl(push_subscription)
        """
    )
    assert run.counts == {"passed": 7}


def test_looking_before_and_expecting_something_else_do_not(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push, push_without_ttl

        def test_read_before(push_service, push_subscription):
            assert not push_service.refused
            push_without_ttl(push_subscription)

        def test_expects_another(push_service, push_subscription, push_vapid):
            push_without_ttl(push_subscription)
            with push_service.expect_refused("topic.*"):
                with pytest.raises(Exception):
                    push(push_subscription, push_vapid, Topic="two words")

        @pytest.mark.mockpush(allow_refused=True)
        class TestAll:
            @pytest.mark.mockpush(allow_refused=False)
            def test_the_closest_marker_decides(self, push_subscription):
                push_without_ttl(push_subscription)
        """,
        code=1,
    )
    assert run.counts == {"failed": 3}
    assert run.output.count(f"did not look at it:\n  {REFUSED}\n") == 3


def test_what_the_test_arranged_does_not_count(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push
        from pywebpush import WebPushException

        def gone(subscription, vapid, status=410):
            with pytest.raises(WebPushException) as refused:
                push(subscription, vapid)
            assert refused.value.response.status_code == status

        def test_expired(push_subscription, push_vapid):
            push_subscription.expire()
            gone(push_subscription, push_vapid)

        def test_expired_with_a_status(push_subscription, push_vapid):
            push_subscription.expire(404)
            gone(push_subscription, push_vapid, 404)

        def test_unsubscribed(push_subscription, push_vapid):
            push_subscription.unsubscribe()
            gone(push_subscription, push_vapid)

        def test_unsubscribed_by_the_browser(push_user_agent, push_vapid):
            subscription = push_user_agent.subscribe()
            push_user_agent.unsubscribe()
            gone(subscription, push_vapid)

        def test_permission_taken_back(push_user_agent, push_vapid):
            subscription = push_user_agent.subscribe()
            push_user_agent.permission = "denied"
            gone(subscription, push_vapid)

        def test_refreshed(push_user_agent, push_vapid):
            subscription = push_user_agent.subscribe()
            push_user_agent.resubscribe()
            gone(subscription, push_vapid)

        def test_time_has_passed(push_service, push_clock, push_vapid):
            in_an_hour = int(push_clock.now.timestamp() + 3600) * 1000
            subscription = push_service.subscribe(expiration_time=in_an_hour)
            push_clock.advance("2h")
            gone(subscription, push_vapid)
        """
    )
    assert run.counts == {"passed": 7}


def test_a_gone_subscription_does_not_excuse_other_mistakes(run_tests):
    run = run_tests(
        """
        from application import push_without_ttl

        def test_pushes(push_service, push_subscription):
            push_service.subscribe().expire()
            push_without_ttl(push_subscription)
        """,
        code=1,
    )
    assert run.counts == {"failed": 1}


def test_a_test_that_fails_or_is_skipped_is_not_failed_again(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push_without_ttl

        def test_fails(push_subscription):
            push_without_ttl(push_subscription)
            assert not "its own reason"

        def test_skips(push_subscription):
            push_without_ttl(push_subscription)
            pytest.skip("not today")

        @pytest.mark.xfail(strict=True)
        def test_fails_as_expected(push_subscription):
            push_without_ttl(push_subscription)
            assert False

        @pytest.mark.xfail(strict=True)
        def test_fails_as_expected_by_its_pushes(push_subscription):
            push_without_ttl(push_subscription)

        @pytest.fixture
        def broken(push_subscription):
            push_without_ttl(push_subscription)
            raise LookupError("in the fixture")

        def test_cannot_begin(broken):
            pass
        """,
        code=1,
    )
    assert run.counts == {"failed": 1, "skipped": 1, "xfailed": 2, "error": 1}
    assert "did not look at it" not in run.output
    assert run.output.count("POST /push/") == 2, run.output
    assert run.output.count(f"→ {REFUSED}") == 2


def test_what_is_refused_during_teardown_counts_as_well(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push_without_ttl

        @pytest.fixture
        def worker(push_subscription):
            yield
            push_without_ttl(push_subscription)

        def test_passes(worker):
            pass

        def test_fails(worker):
            assert False
        """,
        code=1,
    )
    assert run.counts == {"passed": 1, "failed": 1, "error": 1}
    assert "ERROR at teardown of test_passes" in run.output
    assert run.output.count(f"did not look at it:\n  {REFUSED}\n") == 1


def test_unittest_classes_and_parameters_are_judged_too(run_tests):
    run = run_tests(
        """
        import unittest

        import pytest
        from application import push_without_ttl

        class TestPush(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def use(self, push_service):
                self.push_service = push_service

            def test_does_not_look(self):
                push_without_ttl(self.push_service.subscribe())

            def test_looks(self):
                push_without_ttl(self.push_service.subscribe())
                assert self.push_service.refused

        @pytest.mark.parametrize("looks", [True, False])
        def test_with_parameters(push_service, looks):
            push_without_ttl(push_service.subscribe())
            if looks:
                assert push_service.refused

        def test_that_asks_late(request):
            push_without_ttl(request.getfixturevalue("push_subscription"))
        """,
        code=1,
    )
    assert run.counts == {"passed": 2, "failed": 3}


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ("allow_refusal=True", "mockpush(allow_refusal=True)"),
        ("True", "mockpush(True)"),
        ("allow_refused='yes'", "mockpush(allow_refused='yes')"),
        ("require=7", "mockpush(require=7)"),
        ("require=[7]", "mockpush(require=[7])"),
    ],
)
def test_a_misspelt_marker_is_an_error(run_tests, arguments, written):
    run = run_tests(
        f"""
        import pytest

        @pytest.mark.mockpush({arguments})
        def test_passes():
            raise AssertionError("it does not run")
        """,
        code=1,
    )
    assert run.counts == {"error": 1}
    assert "takes allow_refused=True or allow_refused=False, and require=() or" in run.output
    assert f"and nothing else: got {written}" in run.output
