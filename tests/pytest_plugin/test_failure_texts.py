"""What a failed test says: on the terminal, under pytest-xdist, and in JUnit files."""

from __future__ import annotations

import re

import pytest

REFUSED = "400 ttl.missing: the request has no TTL header field [RFC 8030, Section 5.2]"
"""How mockpush speaks of what `push_without_ttl` gets."""

TESTS = """
    import pytest
    from application import push, push_without_ttl

    def test_waits_in_vain(push_service, push_subscription):
        push_without_ttl(push_subscription)
        push_service.wait()

    def test_asserts(push_service, push_subscription, push_vapid):
        push(push_subscription, push_vapid, Topic="inbox")
        push_without_ttl(push_subscription)
        assert len(push_service.messages) == 2

    def test_does_not_look(push_subscription):
        push_without_ttl(push_subscription)

    def test_is_not_about_pushes():
        assert False

    def test_passes(push_subscription, push_vapid):
        push(push_subscription, push_vapid)
"""


def test_a_wait_in_vain_says_what_was_refused_meanwhile(run_tests):
    run = run_tests(TESTS, "-k", "in_vain", code=1)
    assert f"expected 1 push message within 2 s, got 0; refused meanwhile: {REFUSED}\n" in (
        run.output
    )
    assert run.counts == {"failed": 1}


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["here", "xdist"])
def test_a_failure_carries_the_traffic(run_tests, options):
    run = run_tests(TESTS, "--junit-xml=junit.xml", *options, code=1)
    assert run.counts == {"failed": 4, "passed": 1}
    sections = re.findall(r"^-+ mockpush -+\n((?:POST .+\n)+)", run.output, re.MULTILINE)
    assert len(sections) == 3
    assert sorted(section.count("POST") for section in sections) == [1, 1, 2]
    junit = run.junit
    for text in junit["test_waits_in_vain"], junit["test_asserts"], junit["test_does_not_look"]:
        assert re.search(rf"POST /push/\S+ → {re.escape(REFUSED)}", text)
    assert re.search(r"POST /push/\S+ → 201\b", junit["test_asserts"])
    assert "mockpush" not in junit["test_is_not_about_pushes"]
    assert junit["test_passes"] == ""


def test_only_the_newest_requests_are_told(run_tests):
    run = run_tests(
        """
        from application import push_without_ttl

        def test_pushes(push_subscription):
            for _ in range(23):
                push_without_ttl(push_subscription)
        """,
        code=1,
    )
    assert "23 pushes were refused" in run.output
    assert run.output.count(f"  {REFUSED}\n") == 20
    assert "  and 3 more\n" in run.output
    assert "… 3 earlier\n" in run.output
    assert run.output.count("POST /push/") == 20


def test_what_reached_no_subscription_is_told_too(run_tests):
    run = run_tests(
        """
        import requests

        def test_of_before(push_server):
            requests.post(push_server.https_url + "/push/of-before")

        def test_fails(push_server, push_subscription):
            requests.post(push_server.https_url + "/push/nobody")
            assert push_subscription.messages
        """,
        code=1,
    )
    assert "for no subscription: unknown subscription: POST /push/nobody\n" in run.output
    assert "of-before" not in run.output


def test_a_failing_teardown_carries_the_traffic(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push

        @pytest.fixture
        def checked(push_service, push_subscription):
            yield push_subscription
            push_service.wait(0.01, topic="other")

        def test_pushes(checked, push_vapid):
            push(checked, push_vapid, Topic="inbox")
        """,
        code=1,
    )
    assert (
        "expected 1 push message with topic='other' within 0.01 s, got 0; closest: " in run.output
    )
    assert "topic: expected 'other', got 'inbox'" in run.output
    assert re.search(r"^-+ mockpush -+\nPOST /push/\S+ → 201\b", run.output, re.MULTILINE)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["here", "xdist"])
def test_pushes_after_the_end_of_their_test_are_in_the_summary(run_tests, options):
    run = run_tests(
        """
        import pytest
        from application import push_without_ttl

        kept = []

        @pytest.mark.parametrize("word", ["a b", "ä/[x]::y"])
        class TestLate:
            def test_leaves_work_behind(self, push_subscription, word):
                kept.append(dict(push_subscription))

        @pytest.fixture(scope="session", autouse=True)
        def background(push_server):
            yield
            for subscription in kept:
                push_without_ttl(subscription)
        """,
        *options,
    )
    [summary] = re.findall(
        r"=+ mockpush: pushes after the end of their test =+\n((?:.+\n)*)", run.output
    )
    for word in (r"a b", r"\\xe4/\[x\]::y"):
        assert re.search(
            rf"^test_it.py::TestLate::test_leaves_work_behind\[{word}\]: POST /push/\S+$",
            summary,
            re.MULTILINE,
        ), summary


def test_a_service_that_has_gone_does_not_break_the_report(run_tests):
    run = run_tests(
        """
        import subprocess, sys, time

        import pytest

        def test_fails(push_service, push_server):
            push_server._transport.close()
            assert False

        def test_goes_on():
            pass
        """,
        code=1,
    )
    assert run.counts["passed"] == 1
    assert "the traffic cannot be read: the transport to" in run.output
    assert "INTERNALERROR" not in run.output


def test_a_test_that_passes_against_expectation_carries_it_too(run_tests):
    run = run_tests(
        """
        import pytest
        from application import push

        @pytest.mark.xfail(strict=True)
        def test_passes(push_subscription, push_vapid):
            push(push_subscription, push_vapid)
        """,
        code=1,
    )
    assert "[XPASS(strict)]" in run.output
    assert re.search(r"^-+ mockpush -+\nPOST /push/\S+ → 201\b", run.output, re.MULTILINE)


def test_not_more_endpoints_are_remembered_than_memory_can_bear(project):
    project.write(
        "conftest.py",
        """
        from mockpush import pytest_session

        pytest_session._REMEMBERED = 1
        """,
    )
    run = project.run(
        """
        from application import push_without_ttl

        kept = []

        def test_first(push_subscription):
            kept.append(dict(push_subscription))

        def test_second(push_subscription):
            kept.append(dict(push_subscription))

        def test_pushes_late(push_server):
            for subscription in kept:
                push_without_ttl(subscription)
        """
    )
    assert re.findall(r"^test_it.py::(\w+): POST", run.output, re.MULTILINE) == ["test_second"]


def test_a_refusal_is_told_with_what_other_requests_tell_about_its_cause(run_tests):
    run = run_tests(
        """
        import pytest
        from pywebpush import WebPushException, webpush

        def push(subscription, vapid, claims):
            webpush(
                dict(subscription),
                "hello",
                vapid_private_key=vapid.private_key,
                vapid_claims=claims,
                ttl=60,
            )

        def test_one_dict_of_claims(push_service, push_server, push_vapid):
            claims = push_vapid.claims()
            push(push_service.subscribe(), push_vapid, claims)
            with pytest.raises(WebPushException):
                push(push_service.subscribe(origin=push_server.url), push_vapid, claims)
        """,
        code=1,
    )
    cause = (
        r"aud is the origin of another push service: https://localhost:\d+, that of subscription"
    )
    assert re.search(
        rf"  403 vapid\.aud\.mismatch: .+; {cause} .+, to which request 1 went\n", run.output
    )
    assert "  → Give your library a fresh copy of the claims for each push" in run.output
