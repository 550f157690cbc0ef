"""Tests that use a service which runs already."""

from __future__ import annotations

import re
import socket
import sys

import pytest

from mockpush import Server
from mockpush.client.control import Control
from mockpush.client.transports.http import HttpTransport

EXEC = (sys.executable, "-m", "mockpush.cli", "exec", "--")

TESTS = """
    import os
    import subprocess
    import sys

    import pytest
    from application import push, push_without_ttl

    @pytest.mark.parametrize("number", range(4))
    def test_each_has_a_tenant_of_its_own(push_service, push_subscription, push_vapid, number):
        push(push_subscription, push_vapid, f"push {number}")
        assert [message.text() for message in push_service.messages] == [f"push {number}"]

    def test_a_browser(push_user_agent, push_vapid):
        subscription = push_user_agent.subscribe()
        push_user_agent.go_offline()
        push(subscription, push_vapid)
        push_user_agent.go_online()
        assert [message.text() for message in push_user_agent.received] == ["hello"]

    def test_what_is_to_be_known(push_server):
        about = [push_server.url, push_server.https_url, push_server.ca_file]
        names = ["MOCKPUSH_URL", "MOCKPUSH_HTTPS_URL", "MOCKPUSH_CA_FILE"]
        assert [push_server.environ[name] for name in names] == about
        assert push_server.environ["MOCKPUSH_CONTROL_URL"] == push_server.url + "/_mockpush/v1"

    def test_a_child_trusts_it(push_server):
        program = f"import requests; requests.get({push_server.https_url + '/livez'!r})"
        subprocess.run([sys.executable, "-c", program], check=True)
"""


@pytest.fixture
def server():
    with Server().running() as server:
        yield server


@pytest.fixture
def tenants(server):
    """The names of the tenants that the service has."""

    def names() -> list[str]:
        with HttpTransport(server.url) as transport:
            return Control(transport).tenants

    return names


def test_by_the_option(run_tests, server, tenants):
    run = run_tests(
        TESTS
        + f"""
    def test_it_is_this_one(push_server):
        assert push_server.url == {server.url!r}
        assert push_server.https_url == {server.https_url!r}
    """,
        "--mockpush-url",
        server.url,
    )
    assert run.counts == {"passed": 8}
    assert tenants() == []


def test_by_the_variable(run_tests, server):
    run = run_tests(
        f"""
        def test_it_is_this_one(push_server):
            assert push_server.url == {server.url!r}
        """,
        MOCKPUSH_URL=server.url,
    )
    assert run.counts == {"passed": 1}


def test_the_option_goes_first(run_tests, server):
    run = run_tests(TESTS, "--mockpush-url", server.url, MOCKPUSH_URL="http://127.0.0.1:1")
    assert run.counts == {"passed": 7}


def test_over_https(run_tests, server):
    over_https = f"""
        def test_it_is_this_one(push_server):
            assert push_server.url == push_server.https_url == {server.https_url!r}

        def test_pushes(push_service, push_subscription):
            assert push_service.messages == []
        """
    run = run_tests(
        over_https, "--mockpush-url", server.https_url, MOCKPUSH_CA_FILE=str(server.ca_file)
    )
    assert run.counts == {"passed": 2}
    run = run_tests(over_https, "--mockpush-url", server.https_url, code=1)
    assert run.counts == {"error": 2}
    assert f"mockpush: {server.https_url} has a certificate that is not trusted" in run.output
    assert "set MOCKPUSH_CA_FILE to the file that `mockpush serve` names" in run.output
    run = run_tests(
        over_https, "--mockpush-url", server.https_url, MOCKPUSH_CA_FILE="test_it.py", code=1
    )
    assert "mockpush: MOCKPUSH_CA_FILE must name a file of certificates (PEM)" in run.output


def test_under_exec(run_tests):
    run = run_tests(
        """
        import json
        import os

        from application import push, push_without_ttl

        def test_it_is_that_of_exec(push_server, push_vapid):
            assert push_server.url == os.environ["MOCKPUSH_URL"]
            assert push_vapid.private_key == os.environ["VAPID_PRIVATE_KEY"]
            assert push_vapid.public_key == os.environ["VAPID_PUBLIC_KEY"]

        def test_pushes(push_service, push_subscription, push_vapid):
            push(push_subscription, push_vapid)
            assert push_service.wait().text() == "hello"

        def test_its_subscription_is_another_tenant_s(push_service, push_vapid):
            push(json.loads(os.environ["MOCKPUSH_SUBSCRIPTION"]), push_vapid)
            push_service.assert_none()
            assert push_service.for_tenant("default").wait().text() == "hello"
        """,
        before=EXEC,
    )
    assert run.counts == {"passed": 3}


def test_several_processes_share_one_under_exec(run_tests):
    run = run_tests(TESTS, "-n", "2", before=EXEC)
    assert run.counts == {"passed": 7}


def test_two_sessions_at_once(project, server, tenants):
    """The inner session runs while a test of the outer one has its tenant."""
    project.write(
        "test_inner.py",
        """
        from application import push

        def test_inner(push_service, push_subscription, push_vapid):
            push(push_subscription, push_vapid, "inner")
            assert [message.text() for message in push_service.messages] == ["inner"]
        """,
    )
    run = project.run(
        """
        import subprocess
        import sys

        from application import push

        def test_outer(push_service, push_subscription, push_server, push_vapid):
            push(push_subscription, push_vapid, "outer")
            command = [sys.executable, "-m", "pytest", "test_inner.py"]
            subprocess.run([*command, "--mockpush-url", push_server.url], check=True)
            assert [message.text() for message in push_service.messages] == ["outer"]
        """,
        "test_it.py",
        "--mockpush-url",
        server.url,
    )
    assert run.counts == {"passed": 1}
    assert tenants() == []


def test_late_pushes_are_noticed_there_as_well_and_only_one_s_own(run_tests, server):
    run = run_tests(
        """
        import pytest
        import requests
        from application import push_without_ttl

        kept = []

        def test_leaves_work_behind(push_subscription):
            kept.append(dict(push_subscription))

        def test_of_another_session(push_server):
            requests.post(push_server.https_url + "/push/of-another-session")
            push_without_ttl(kept[0])
        """,
        "--mockpush-url",
        server.url,
    )
    assert re.search(r"^test_it.py::test_leaves_work_behind: POST /push/", run.output, re.MULTILINE)
    assert "of-another-session" not in run.output


@pytest.fixture
def closed_port():
    """A port on which nobody listens, and nobody will while the test runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_unreachable_service_is_one_clear_error(run_tests, closed_port, scheme):
    url = f"{scheme}://127.0.0.1:{closed_port}"
    run = run_tests(
        """
        def test_pushes(push_service):
            pass

        def test_does_not_push():
            pass
        """,
        MOCKPUSH_URL=url,
        code=1,
    )
    assert run.counts == {"passed": 1, "error": 1}
    assert f"mockpush: cannot reach the service at {url}" in run.output
    assert "start it with `mockpush serve`, or set MOCKPUSH_URL to where it runs" in run.output
    assert "Traceback" not in run.output
    assert "pytest_session.py" not in run.output


@pytest.mark.parametrize("url", ["127.0.0.1:8030", "ftp://localhost", "http://"])
def test_what_is_no_url_is_a_clear_error(run_tests, url):
    run = run_tests("def test_pushes(push_service): pass", "--mockpush-url", url, code=1)
    assert run.counts == {"error": 1}
    assert f"mockpush: {url!r} is not the URL of a service" in run.output
    assert "pytest_session.py" not in run.output


def test_what_is_no_mockpush_is_a_clear_error(run_tests, tmp_path):
    from http.server import HTTPServer, SimpleHTTPRequestHandler
    from threading import Thread

    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as other:
        thread = Thread(target=other.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{other.server_port}"
        try:
            run = run_tests("def test_pushes(push_service): pass", "--mockpush-url", url, code=1)
        finally:
            other.shutdown()
            thread.join()
    assert run.counts == {"error": 1}
    assert f"mockpush: {url} is not a mockpush service" in run.output
    assert "pytest_session.py" not in run.output
