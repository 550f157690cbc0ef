"""Whole runs: real senders in processes of their own against the real service."""

import json
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness import run_checks
from mockpush.harness.conversation import Conversations
from mockpush.harness.errors import OverdueError, SenderStartError
from mockpush.harness.jobs import Hello
from mockpush.harness.run import Options, Run
from mockpush.harness.runner import select_cases
from mockpush.harness.sender import ApplicationSender, CommandSender, PythonSender, StreamSender
from mockpush.harness.senders.registry import READY
from mockpush.harness.service import running_service

SENDERS = Path(__file__).parent / "senders"
EXAMPLES = Path(__file__).parents[1] / "examples"
TWO = ["rfc8030/5/post", "rfc8030/5/sent-once"]
SILENCE = "rfc9112/9.5/silence-is-an-error"
THREE = [*TWO, "rfc8030/5/201-is-success"]


@pytest.fixture(scope="module")
def service():
    with running_service(profile="rfc") as running:
        yield running


@pytest.fixture
def stream(program):
    """A stream sender that behaves as its name says when it is asked to send."""

    def make(behaviour: str, *arguments: str) -> StreamSender:
        return StreamSender(tuple(program("greeting", behaviour, *arguments)))

    return make


class Application(BaseHTTPRequestHandler):
    """A right sender behind a URL, which learns from `hello` whom to trust."""

    make = None
    sender = None

    def do_POST(self) -> None:
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if job["op"] == "hello":
            Application.sender = Application.make(job["ca_file"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(Application.sender(job)).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def application(mistaken):
    """The URL of a running application."""
    Application.make = mistaken.Right
    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/jobs"
        server.shutdown()
        thread.join()


@pytest.fixture
def keeping_application():
    """The URL of the application in the documentation, which runs in a process of its own."""
    command = [sys.executable, str(EXAMPLES / "application.py")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield process.stdout.readline().strip()
        process.terminate()


def verdicts(report):
    return [result.verdict for result in report.results]


def test_pywebpush_is_judged_by_every_case():
    """It follows as requests does, has no time limit, and takes 200 to 202 for success.

    Its records have 4096 octets: what is longer becomes several, and what fills one is not less.
    """
    report = run_checks(READY["pywebpush"])
    others = {each.id: each.verdict for each in report.results if each.verdict != "passed"}
    assert others == {
        **{f"rfc8291/4/payload-of-{each}": "failed" for each in (4079, 4080, 4100, 10000)},
        "rfc8292/4.2/reason-of-wns": "info",
        "rfc8292/5/reuses-tokens": "info",
        "rfc9110/15.3.5/204-is-success": "warning",
        "rfc9110/15.4.2/301-loses-nothing": "failed",
        "rfc9110/15.4.3/302-loses-nothing": "failed",
        "rfc9112/9.5/silence-is-an-error": "failed",
        **{case.id: "skipped" for case in select_cases(["app"])},
    }
    assert [each.id for each in report.results] == [case.id for case in select_cases(())]
    assert (report.sender.name, report.sender.version) == ("pywebpush", READY["pywebpush"].version)
    assert (report.exit_code, report.profile) == (1, "rfc")


def test_a_library_that_answers_at_once_or_never_is_waited_for_a_shorter_time():
    (silence,) = run_checks(READY["pywebpush"], cases=SILENCE).results
    assert "did not answer within 5 s" in silence.problems[0].actual


def test_how_long_a_sender_is_waited_for_can_be_chosen():
    (silence,) = run_checks(READY["pywebpush"], cases=SILENCE, timeout=0.5).results
    assert "did not answer within 0.5 s" in silence.problems[0].actual


def test_a_sender_that_keeps_no_subscriptions_is_not_judged_by_how_it_does():
    report = run_checks(READY["pywebpush"], cases=["app"])
    reasons = {each.reason for each in report.results}
    assert reasons == {"the sender does not know notify, subscribe, subscriptions"}
    assert report.exit_code == 0


def test_a_real_application_is_judged_by_what_it_keeps(keeping_application):
    report = run_checks(ApplicationSender(keeping_application), cases=["app"], jobs=4)
    others = [(each.id, each.verdict) for each in report.results if each.verdict != "passed"]
    assert others == [("app/one-token-for-each-push-service", "info")]


@pytest.mark.parametrize("sender", ["right", "cautious"])
def test_who_is_right_everywhere_passes_every_case(monkeypatch, sender):
    monkeypatch.chdir(SENDERS)
    report = run_checks(f"reference:{sender}", strict=True)
    assert [each.id for each in report.results if each.verdict != "passed"] == []
    assert len(report.results) == len(select_cases(()))


def test_a_callable_is_a_sender(monkeypatch):
    monkeypatch.chdir(SENDERS)
    report = run_checks(PythonSender("mistaken:answer"), cases=["rfc8291/3.4/payload-text"])
    assert verdicts(report) == ["passed"]
    assert report.sender.name == "Right"


def test_a_command_is_a_sender(program):
    report = run_checks(CommandSender(tuple(program("one_job"))), cases=TWO)
    assert verdicts(report) == ["passed", "passed"]


def test_an_application_is_a_sender(application):
    report = run_checks(ApplicationSender(application), cases=TWO, jobs=2)
    assert verdicts(report) == ["passed", "passed"]


@pytest.mark.parametrize(
    ("behaviour", "limit", "text"),
    [
        ("crashes", 30, "ended with exit code 3 before it answered"),
        ("hangs", 0.5, "did not answer within 0.5 s"),
        ("prints_rubbish", 30, "a line that is not JSON"),
        ("says_too_little", 30, "must have 'ok': true or false"),
    ],
)
def test_a_sender_that_fails_fails_each_case_with_the_evidence(stream, behaviour, limit, text):
    report = run_checks(stream(behaviour), cases=TWO, timeout=limit)
    assert verdicts(report) == ["failed", "failed"]
    for result in report.results:
        assert text in result.reason
        (unanswered,) = result.evidence.jobs
        assert unanswered.job.as_json()["op"] == "send"
        assert unanswered.error == result.reason
    assert (report.exit_code, report.sender.name) == (1, behaviour)


def test_what_a_sender_without_a_result_has_sent_is_evidence():
    (result,) = run_checks(
        READY["pywebpush"], cases=["rfc9112/9.5/silence-is-an-error"], timeout=2
    ).results
    (unanswered,) = result.evidence.jobs
    assert "did not answer within 2 s" in unanswered.error
    (request,) = unanswered.requests
    assert (request.method, request.answer, request.fault["kind"]) == ("POST", None, "no_answer")


def test_what_a_sender_logged_is_evidence(stream):
    (result,) = run_checks(stream("crashes"), cases=TWO[:1]).results
    assert result.evidence.log == "no such key\n"


def test_a_sender_that_died_is_started_anew_for_the_next_case(stream, tmp_path):
    report = run_checks(stream("crashes_once", str(tmp_path / "crashed")), cases=THREE, jobs=1)
    assert verdicts(report) == ["failed", "passed", "passed"]


def test_an_option_that_a_sender_does_not_have_is_skipped(stream):
    report = run_checks(stream("has_no_topics"), cases=["rfc8030/5.4/topic-collapses"])
    (result,) = report.results
    assert (result.verdict, result.reason) == ("skipped", "the sender has no option for topic")
    assert report.exit_code == 0


def test_an_operation_that_a_sender_does_not_know_is_skipped(stream):
    report = run_checks(stream("only_notifies"), cases=TWO)
    assert [result.reason for result in report.results] == ["the sender does not know send"] * 2
    assert verdicts(report) == ["skipped", "skipped"]


def test_fail_fast_skips_what_comes_after_a_failure(stream, tmp_path):
    sender = stream("crashes_once", str(tmp_path / "crashed"))
    report = run_checks(sender, cases=THREE, fail_fast=True, jobs=1)
    assert verdicts(report) == ["failed", "skipped", "skipped"]
    assert "--fail-fast" in report.results[1].reason


def test_fail_fast_goes_on_after_a_known_failure(stream, tmp_path):
    sender = stream("crashes_once", str(tmp_path / "crashed"))
    (known,) = (case.id for case in select_cases(THREE)[:1])
    report = run_checks(sender, cases=THREE, fail_fast=True, jobs=1, baseline=[known])
    assert verdicts(report)[0] == "failed"
    assert "skipped" not in verdicts(report)
    assert report.known == {known}


def test_a_report_says_when_its_run_began(stream):
    before = datetime.now(UTC)
    report = run_checks(READY["pywebpush"], cases=["rfc8030/5/post"])
    (push,) = report.results[0].evidence.jobs
    (request,) = push.requests
    arrived = datetime.fromisoformat(request.raw["received_at"])
    assert before <= report.started <= arrived


def test_strict_turns_a_warning_into_a_failure(stream):
    case = ["rfc8030/5/sent-once"]
    lax, strict = (run_checks(stream("sends_twice"), cases=case, strict=x) for x in (False, True))
    assert (verdicts(lax), lax.exit_code) == (["warning"], 0)
    assert (verdicts(strict), strict.exit_code, strict.strict) == (["failed"], 1, True)


def test_results_come_as_they_are_there(stream):
    seen = []
    report = run_checks(stream("sends"), cases=THREE, jobs=1, progress=seen.append)
    assert seen == list(report.results)


def test_each_case_says_how_to_run_it_alone():
    report = run_checks(READY["pywebpush"], cases=["rfc8030/5/post"], strict=True)
    (result,) = report.results
    assert result.reproduce == "mockpush check -k rfc8030/5/post --strict --sender pywebpush"


def test_a_profile_other_than_the_usual_one_is_part_of_how_to_run_it():
    conversations = Conversations(lambda: None, count=0)
    options = Options(
        strict=False, fail_fast=False, timeout=1, start_timeout=1, jobs=1, profile="fcm"
    )
    run = Run(
        sender=READY["pywebpush"],
        hello=Hello(name="x", version=None, ops=("none",), language=None),
        service=None,
        conversations=conversations,
        options=options,
    )
    result = run.judge(select_cases(TWO[:1])[0])
    assert result.reproduce == "mockpush check -k rfc8030/5/post --profile fcm --sender pywebpush"


@pytest.mark.parametrize(
    ("behaviour", "limit", "text"),
    [
        ("crashes_at_once", 30, "ended with exit code 5 before it answered\nno such module"),
        ("prints_rubbish_at_once", 30, "a line that is not JSON: 'Ready.'"),
        ("hangs_at_once", 0.5, "did not answer within 0.5 s"),
        ("has_no_name", 30, "must have 'name'"),
    ],
)
def test_a_sender_without_a_valid_hello_cannot_be_judged(stream, behaviour, limit, text):
    with pytest.raises(SenderStartError, match=text):
        run_checks(stream(behaviour), start_timeout=limit)


def test_a_sender_that_hangs_at_every_job_is_given_up(stream):
    every = [case.id for case in select_cases(["rfc8030"])]
    report = run_checks(stream("hangs"), cases=every, timeout=0.5, jobs=1)
    assert set(verdicts(report)) == {"failed"}
    (*hung, after) = report.results[:4]
    assert all("did not answer within 0.5 s" in each.reason for each in hung)
    assert after.reason == (
        "not run: the sender was given up, since it did not answer in time in 3 cases in a row"
    )
    assert {each.reason for each in report.results[3:]} == {after.reason}


def test_a_sender_that_hangs_now_and_then_is_judged_by_every_case(begin, service):
    def hangs_at_every_second_case(job):
        if job["op"] == "hello":
            return {"name": "x", "ops": ["send"]}
        seen.append(job)
        if len(seen) % 2:
            raise OverdueError("the sender did not answer in time")
        return {"ok": False}

    seen = []
    run = begin(service, hangs_at_every_second_case)
    results = [run.judge(case) for case in [*select_cases(["rfc8030/5/post"]) * 8]]
    assert not [each for each in results if "not run" in each.reason]


def test_waiting_for_a_push_service_that_keeps_silent_costs_no_patience(begin, service):
    def hangs(job):
        if job["op"] == "hello":
            return {"name": "x", "ops": ["send"]}
        raise OverdueError("the sender did not answer in time")

    run = begin(service, hangs)
    (silence,) = select_cases([SILENCE])
    results = [run.judge(silence) for _ in range(4)]
    assert {each.verdict for each in results} == {"failed"}
    assert not [each for each in results if "not run" in each.reason]


@pytest.mark.parametrize("jobs", [1, 4])
def test_an_error_of_the_judge_itself_ends_the_run(stream, monkeypatch, jobs):
    def breaks(run: Run, case: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Run, "judge", breaks)
    with pytest.raises(ZeroDivisionError):
        run_checks(stream("sends"), cases=THREE, jobs=jobs)


def test_a_command_that_is_not_there_cannot_be_judged():
    with pytest.raises(SenderStartError, match="cannot be started: /no/such/sender"):
        run_checks(CommandSender(("/no/such/sender",)))


@pytest.mark.parametrize("profile", ["fcm", "mozilla", "apple", "wns"])
def test_a_sender_can_be_judged_at_a_vendor(profile):
    report = run_checks(READY["pywebpush"], cases=["rfc8030/5/*"], profile=profile)
    assert report.profile == profile
    assert verdicts(report).count("passed") >= 1
    assert set(verdicts(report)) <= {"passed", "skipped"}


def test_a_profile_that_does_not_exist_is_named():
    with pytest.raises(ConfigurationError, match="zzz"):
        run_checks(READY["pywebpush"], profile="zzz")


PROGRAM = """
from mockpush.cli import main
main()
"""


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_check_leaves_no_process_behind(program, witness, number, exit_code, jobs):
    sender = program("greeting", "ignores_the_end", witness.path)
    flags = ["--timeout", "1000", "--jobs", jobs, "--stream"]
    command = [sys.executable, "-c", PROGRAM, "check", *flags, "--", *sender]
    check = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert witness.somebody_is_there()
        check.send_signal(number)
        _, errors = check.communicate(timeout=30)
        assert (check.returncode, errors) == (exit_code, b"")
    finally:
        check.kill()
        check.communicate()
    assert witness.all_gone()
