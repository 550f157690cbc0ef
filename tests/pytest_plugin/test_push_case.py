"""`push_case`: each case of the judge is one test of a user's suite."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mockpush.harness.cases import CASES

SENDERS = Path(__file__).parents[1] / "harness" / "senders"
TTL = "rfc8030/5.2/ttl-present"
POST = "rfc8030/5/post"
PAYLOAD = "rfc8291/3.4/payload-text"

CONFTEST = f"""
import sys

import pytest
import requests

sys.path.insert(0, {str(SENDERS)!r})
from mistaken import Right
from mockpush.harness import StreamSender


class Sender(Right):
    made = 0

    def __init__(self, ttl=True, seen=None):
        self.authorizations = {{}}
        self.session = requests.Session()
        self.has_ttl = ttl

    def ttl(self, job):
        return super().ttl(job) if self.has_ttl else None


@pytest.fixture
def push_sender():
    return sender


sender = Sender()
"""
CHECK = "def test_my_sender(push_case): push_case.check()\n"


@pytest.fixture
def run_checks(project):
    """Runs `CHECK`, or other tests, for a sender; `made` is how it is made."""

    def run(*options, tests=CHECK, made="Sender()", **more):
        project.write("conftest.py", CONFTEST.replace("sender = Sender()", f"sender = {made}"))
        return project.run(tests, *options, **more)

    return run


def only(*globs):
    return [f"--mockpush-cases={glob}" for glob in globs]


# Which cases


def test_each_case_is_one_test_by_its_id(run_checks):
    run = run_checks(*only("rfc8030/5", PAYLOAD), "--collect-only")
    assert f"test_it.py::test_my_sender[{POST}]" in run.output
    assert f"test_it.py::test_my_sender[{PAYLOAD}]" in run.output
    assert "rfc8292" not in run.output


def test_a_right_sender_passes_and_a_case_can_be_named(run_checks):
    run = run_checks(f"test_it.py::test_my_sender[{TTL}]", f"test_it.py::test_my_sender[{POST}]")
    assert run.counts == {"passed": 2}


def test_cases_can_be_selected_by_pytests_own_flag(run_checks):
    assert run_checks("-k", "ttl-present or post]").counts["passed"] == 2


def test_a_marker_says_which_cases_a_test_is_about_and_flags_narrow_it(run_checks):
    tests = """
        import pytest

        pytestmark = pytest.mark.mockpush(cases=["rfc8030/5.2", "rfc8030/5"])

        def test_ttl(push_case):
            assert push_case.check().id == push_case.id

        @pytest.mark.mockpush(cases="rfc8291/3.4/payload-text")
        def test_payload(push_case):
            assert push_case.requirement == push_case.result.requirement
            assert push_case.result.verdict == "passed"
        """
    run = run_checks(*only("rfc8030/5.2/ttl-*", PAYLOAD, "!*zero*"), "-vv", tests=tests)
    assert f"test_ttl[{TTL}] PASSED" in run.output
    assert f"test_ttl[{POST}]" not in run.output
    assert f"test_payload[{PAYLOAD}] PASSED" in run.output


@pytest.mark.parametrize("options", [only("rfc8030/5.2/tll-present"), ()])
def test_a_glob_that_selects_nothing_is_named(run_checks, options):
    marker = "" if options else "@pytest.mark.mockpush(cases='rfc8030/5.2/tll-present')\n"
    run = run_checks(*options, tests=f"import pytest\n\n{marker}{CHECK}", code=2)
    assert f"no case matches rfc8030/5.2/tll-present; do you mean {TTL}?" in run.output
    assert "Traceback" not in run.output


def test_workers_of_xdist_share_the_cases(run_checks):
    assert run_checks(*only("rfc8030/5.2", POST), "-n2").counts["passed"] >= 3


def test_cases_that_take_minutes_are_named_in_full(run_checks):
    (long, *_) = [case.id for case in CASES if case.thorough]
    run = run_checks("--collect-only", *only(f"{long.rpartition('/')[0]}/*"))
    assert f"[{long}]" not in run.output
    run = run_checks("--collect-only", *only(long))
    assert f"test_my_sender[{long}]" in run.output


# Verdicts


def test_a_failed_case_fails_with_what_was_expected_and_the_request_as_sent(run_checks):
    run = run_checks(*only(TTL), made="Sender(ttl=False)", code=1)
    assert f"✗ {TTL}" in run.output
    assert "POST /push/" in run.output
    assert "[RFC 8030, Section 5.2]" in run.output
    assert f"reproduce pytest 'test_it.py::test_my_sender[{TTL}]'" in run.output
    assert "pytest_cases.py" not in run.output


def test_a_case_that_does_not_apply_is_skipped_with_the_reason(run_checks):
    run = run_checks(*only("app/prunes-410"))
    assert run.counts == {"skipped": 1}
    assert "the sender does not know notify, subscribe, subscriptions" in run.output


SLOPPY = "type('Sloppy', (Sender,), {'report': lambda self, response: {**Sender.report(self, "
SLOPPY += "response), 'error': ''}})()"


@pytest.fixture
def reason():
    """The id of a case that gives a warning to a sender without error texts."""
    return next(case.id for case in CASES if "reason" in case.id and case.level == "practice")


def test_a_warning_is_one_of_pytest(run_checks, reason):
    run = run_checks(*only(reason), "-Wdefault", made=SLOPPY)
    assert "1 passed, 1 warning" in run.output
    assert f"CheckWarning: {reason}: " in run.output


def test_a_warning_fails_if_it_is_strict(run_checks, reason):
    tests = f"import pytest\n\n@pytest.mark.mockpush(strict=True)\n{CHECK}"
    run = run_checks(*only(reason), tests=tests, made=SLOPPY, code=1)
    assert f"! {reason}" not in run.output
    assert f"✗ {reason}" in run.output


def test_information_is_shown_with_the_output_of_a_test_that_passes(run_checks):
    case = "rfc8292/5/reuses-tokens"
    run = run_checks(*only(case), "-rP", made="'pywebpush'")
    assert run.counts == {"passed": 1}
    assert "Captured mockpush call" in run.output
    assert f"i {case}" in run.output


def test_a_failure_that_the_baseline_lists_is_expected(run_checks, project):
    project.write("known", f"# mockpush baseline 1\n{TTL}\n{POST}\n")
    tests = f"import pytest\n\n@pytest.mark.mockpush(baseline='known')\n{CHECK}"
    run = run_checks(*only(TTL, POST), "-Wdefault", tests=tests, made="Sender(ttl=False)")
    assert run.counts["xfailed"] == 1
    assert "the baseline lists it" in run.output


def test_a_known_failure_that_is_none_any_more_is_said(run_checks, project):
    project.write("known", f"# mockpush baseline 1\n{TTL}\n")
    tests = f"import pytest\n\n@pytest.mark.mockpush(baseline='known')\n{CHECK}"
    run = run_checks(*only(TTL), "-Wdefault", tests=tests)
    assert f"{TTL} does not fail any more: take it out of the baseline" in run.output


def test_a_test_that_does_not_check_its_case_fails(run_checks):
    run = run_checks(*only(TTL), tests="def test_nothing(push_case): pass\n", code=1)
    assert "asked for push_case, but not for push_case.check()" in run.output


def test_a_test_that_reads_the_result_has_looked(run_checks):
    tests = "def test_it(push_case): assert push_case.result.verdict == 'failed'\n"
    assert run_checks(*only(TTL), tests=tests, made="Sender(ttl=False)").counts == {"passed": 1}


# Senders


def test_a_sender_is_started_once(run_checks, project):
    program = project.directory / "stream.py"
    project.write(
        "stream.py",
        f"""
        import sys
        sys.path.insert(0, {str(SENDERS)!r})
        from mistaken import Right
        import json, os
        with open("started", "a") as file:
            file.write("started")
        right = Right()
        for line in sys.stdin:
            print(json.dumps(right(json.loads(line))), flush=True)
        with open("started", "a") as file:
            file.write(" ended")
        """,
    )
    made = f"StreamSender([sys.executable, {str(program)!r}])"
    assert run_checks(*only("rfc8030/5.2", POST), made=made).counts["passed"] >= 3
    assert (project.directory / "started").read_text().startswith("started")
    assert (project.directory / "started").read_text().count("started") == 1


def test_a_sender_that_cannot_be_started_is_tried_once(run_checks, project):
    project.write("broken.py", "open('tried', 'a').write('x')\nprint('no')\n")
    made = "[sys.executable, 'broken.py']"
    run = run_checks(*only("rfc8030/5.2"), made=made, code=1)
    assert run.counts["failed"] >= 2
    assert "mockpush: the sender printed a line that is not JSON: 'no'" in run.output
    assert (project.directory / "tried").read_text() == "x"


def test_an_object_made_anew_for_each_test_is_another_sender(run_checks):
    tests = f"""
        import pytest
        from conftest import Sender

        @pytest.fixture(params=[True, False])
        def push_sender(request):
            return Sender(ttl=request.param)

        {CHECK}
        """
    run = run_checks(*only(TTL), "-vv", tests=tests, code=1)
    assert run.counts == {"passed": 1, "failed": 1}
    assert f"test_my_sender[True-{TTL}] PASSED" in run.output


def test_one_that_is_no_sender_is_said(run_checks):
    run = run_checks(*only(TTL), made="None", code=1)
    assert "mockpush: nothing is no sender: give a callable" in run.output


def test_without_a_sender_the_way_out_is_said(run_tests):
    run = run_tests(CHECK, *only(TTL), code=1)
    assert run.counts == {"error": 1}
    assert "push_case judges what the fixture push_sender returns: define one" in run.output


def test_profile_and_limit_come_from_the_marker(run_checks):
    tests = f"""
        import pytest

        @pytest.mark.mockpush(profile="fcm", timeout=0.2)
        {CHECK}
        """
    slow = "lambda job: right(job) if job['op'] == 'hello' else __import__('time').sleep(60)"
    run = run_checks(*only(POST), tests=tests, made=f"(right := Sender(), {slow})[1]", code=1)
    assert "did not return within 0.2 s" in run.output


def test_the_service_of_other_fixtures_is_trusted_before_and_after(run_checks):
    tests = f"""
        from application import push

        def test_before(push_subscription, push_vapid):
            push(push_subscription, push_vapid)

        {CHECK}
        def test_after(push_subscription, push_vapid):
            push(push_subscription, push_vapid)
        """
    run = run_checks(*only(POST), tests=tests)
    assert run.counts == {"passed": 3}


@pytest.mark.parametrize(
    "arguments", ["strict='yes'", "cases=7", "baseline=7", "profile=7", "timeout=0"]
)
def test_a_marker_that_cannot_be_is_an_error(run_checks, arguments):
    tests = f"import pytest\n\n@pytest.mark.mockpush({arguments})\n{CHECK}"
    run = run_checks("-k", "ttl-present", tests=tests, code=1)
    assert "cases='rfc8292/*', strict=True, baseline='FILE', profile='fcm' and" in run.output
    assert f"got mockpush({arguments})" in run.output


def test_workers_ask_a_running_application_one_after_another(run_checks, project):
    """Each of them resets it first: two at once would judge each other's subscriptions."""
    application = Path(__file__).parents[1] / "examples" / "application.py"
    command = [sys.executable, str(application)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            url = process.stdout.readline().strip()
            run = run_checks(*only("app/*"), "-n3", made=repr(url))
        finally:
            process.terminate()
    assert set(run.counts) == {"passed"}
