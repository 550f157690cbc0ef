"""Faults in tests of users."""

from __future__ import annotations


def test_what_a_fault_refused_fails_no_test(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push
        from pywebpush import WebPushException

        def test_fails_next(push_service, push_subscription, push_vapid):
            push_service.fail_next(429, times=2, retry_after=120)
            for _ in range(2):
                with pytest.raises(WebPushException) as refused:
                    push(push_subscription, push_vapid)
                assert refused.value.response.headers["Retry-After"] == "120"
            assert push(push_subscription, push_vapid).status_code == 201
            assert push_service.wait().text() == "hello"

        def test_is_alone_with_its_faults(push_service, push_subscription, push_vapid):
            assert push_service.faults.list() == []
            push_service.faults.add(kind="reset", times=1)
            with pytest.raises(Exception):
                push(push_subscription, push_vapid)
        """
    )
    assert run.counts == {"passed": 2}


def test_a_refusal_that_a_fault_only_delayed_does(run_tests):
    run = run_tests(
        """
        from application import push_without_ttl

        def test_pushes(push_service, push_subscription):
            push_service.faults.add(delay=0.001)
            push_without_ttl(push_subscription)
        """,
        code=1,
    )
    assert "400 by fault f1 (delay) ttl.missing" in run.output


def test_failures_say_what_was_injected(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push

        def test_waits(push_service, push_subscription, push_vapid):
            push_service.faults.add(delay=0.001, times=1)
            push(push_subscription, push_vapid)
            push_service.wait()
            push_service.fail_next("throttled")
            push_service.faults.add(kind="reset", nth=2)
            for _ in range(2):
                with pytest.raises(Exception):
                    push(push_subscription, push_vapid)
            push_service.wait(timeout=0)
        """,
        code=1,
    )
    assert (
        "refused meanwhile: 429 by fault f2 (answer), no answer by fault f3 (reset)" in run.output
    )
    assert "→ 201 by fault f1 (delay)\n" in run.output
    assert "→ no answer by fault f3 (reset)\n" in run.output
