"""The fixture `push_vendor_hosts` in the tests of a user."""

from __future__ import annotations

import sys

import pytest

EXEC = (sys.executable, "-m", "mockpush.cli", "exec")

TESTS = """
    import os
    import socket

    import pytest
    import requests
    from application import push

    PROFILES = ["fcm", "mozilla", "apple", "wns"]

    @pytest.mark.parametrize("profile", PROFILES)
    def test_a_push(push_service, push_vendor_hosts, push_vapid, profile):
        subscription = push_service.subscribe(profile=profile)
        assert subscription.endpoint.startswith(f"https://{push_vendor_hosts[profile][0]}/")
        assert push(subscription, push_vapid).status_code == 201
        assert push_service.wait(subscription=subscription).text() == "hello"

    def test_the_origin_that_is_asked_for(push_service, push_vendor_hosts, push_server):
        subscription = push_service.subscribe(profile="fcm", origin=push_server.https_url)
        assert subscription.endpoint.startswith(push_server.https_url)
        other = push_service.for_tenant("other").subscribe(profile="fcm")
        assert other.endpoint.startswith("https://fcm.googleapis.com/")

    def test_it_is_over(push_service):
        subscription = push_service.subscribe(profile="fcm")
        assert subscription.endpoint.startswith("https://localhost:")
        assert not socket.getaddrinfo.__module__.startswith("mockpush")
        assert "connect" not in vars(socket.socket)
"""

ORDER = """
    def test_after_the_subscription(push_subscription, push_vendor_hosts):
        assert push_subscription.endpoint.startswith("https://web.push.apple.com/")

    def test_before_the_subscription(push_vendor_hosts, push_subscription):
        assert push_subscription.endpoint.startswith("https://web.push.apple.com/")

    def test_asked_for_later(push_service, request):
        assert push_service.subscribe().endpoint.startswith("https://localhost:")
        request.getfixturevalue("push_vendor_hosts")
        assert push_service.subscribe().endpoint.startswith("https://web.push.apple.com/")

    def test_not_asked_for(push_subscription):
        assert push_subscription.endpoint.startswith("https://localhost:")
"""


@pytest.mark.parametrize("flags", [None, (), ("--vendor-hosts",)])
def test_tests_push_to_the_vendors_and_reach_the_service(project, flags):
    before = () if flags is None else (*EXEC, *flags, "--")
    if flags:  # there the endpoints are the vendors' anyway, and so they stay
        run = project.run(TESTS, "-k", "not over", before=before)
        assert run.counts == {"passed": 5}
    else:
        assert project.run(TESTS, before=before).counts == {"passed": 6}


def test_it_does_not_matter_in_which_order_the_fixtures_are_asked_for(run_tests):
    assert run_tests(ORDER, MOCKPUSH_PROFILE="apple").counts == {"passed": 4}


def test_a_refusal_that_nobody_looked_at_fails_the_test_there_too(run_tests):
    run = run_tests(
        """
        import requests

        def test_it(push_service, push_vendor_hosts):
            requests.post(push_service.subscribe(profile="apple").endpoint)
        """,
        code=1,
    )
    assert "a push was refused, and the test did not look at it" in run.output


PROFILE = """
    from dataclasses import replace

    from mockpush.profiles import PROFILES

    MINE = replace(PROFILES["rfc"], name="mine", prefix="/mine/", hosts=("push.example.com",))
"""


def test_hosts_of_a_profile_of_ones_own(project):
    project.write("profile.py", PROFILE)
    tests = """
        from application import push

        def test_it(push_service, push_vendor_hosts, push_vapid):
            subscription = push_service.subscribe(profile="mine")
            assert subscription.endpoint.startswith("https://push.example.com/mine/")
            assert push(subscription, push_vapid).status_code == 201
    """
    assert project.run(tests, MOCKPUSH_PROFILE_FILE="profile.py").counts == {"passed": 1}
