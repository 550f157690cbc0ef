"""`mockpush check` on the command line."""

import json
import os
import signal

import pytest
from click.testing import CliRunner, Result

from mockpush.cli import main
from mockpush.harness import command, runner
from mockpush.harness.cases import CASES
from mockpush.harness.errors import SenderStartError
from mockpush.harness.jobs import Hello
from mockpush.harness.sender import (
    ApplicationSender,
    CommandSender,
    PythonSender,
    StreamSender,
)
from mockpush.harness.senders.registry import READY
from mockpush.harness.verdict import Report, Verdict


class Runner:
    """Stands in for `run_checks`: gives what it is told to, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.results = ()
        self.sender = None
        self.options = {}
        self.error = None

    def __call__(self, sender, *, progress, **options) -> Report:
        self.sender, self.options = sender, options
        if self.error is not None:
            raise self.error
        for result in self.results:
            progress(result)
        hello = Hello(name="scripted", version=None, ops=("send",), language=None)
        return Report(sender=hello, profile="rfc", strict=False, results=self.results, seconds=0.1)


@pytest.fixture
def checks(monkeypatch, tmp_path):
    """The stand-in, away from the checkout and its settings."""
    monkeypatch.chdir(tmp_path)
    stand_in = Runner()
    monkeypatch.setattr(runner, "run_checks", stand_in)
    return stand_in


def check(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], env=environ)


@pytest.mark.parametrize(
    ("arguments", "sender"),
    [
        (["--sender", "pywebpush"], READY["pywebpush"]),
        (["--python", "my.module:send"], PythonSender("my.module:send")),
        (["--app", "http://localhost:8000/push"], ApplicationSender("http://localhost:8000/push")),
        (["--", "node", "x.js", "--fast"], CommandSender(("node", "x.js", "--fast"))),
        (["node", "x.js", "--strict"], CommandSender(("node", "x.js", "--strict"))),
        (["--stream", "--", "node", "x.js"], StreamSender(("node", "x.js"))),
    ],
)
def test_a_sender_is_named_in_one_of_five_ways(checks, arguments, sender):
    assert check(*arguments).exit_code == 0
    assert checks.sender == sender


@pytest.mark.parametrize(
    "sender",
    [
        READY["pywebpush"],
        PythonSender("my.module:send"),
        ApplicationSender("http://localhost:8000/push"),
        CommandSender(("node", "x.js", "-k")),
        StreamSender(("node", "x.js")),
    ],
)
def test_the_arguments_of_a_sender_name_it_again(checks, sender):
    assert check(*sender.arguments).exit_code == 0
    assert checks.sender == sender


def test_without_flags_everything_is_at_its_default(checks):
    check("--sender", "pywebpush")
    assert checks.options == {
        "select": (),
        "strict": False,
        "fail_fast": False,
        "timeout": 10.0,
        "start_timeout": 30.0,
        "jobs": 1,
        "profile": "rfc",
    }


def test_flags_reach_the_runner(checks):
    flags = (
        "-k a -k !b --strict --fail-fast --timeout 2.5 --start-timeout 60 --jobs 3 --profile fcm"
    )
    check(*flags.split(), "--sender", "pywebpush")
    assert checks.options == {
        "select": ("a", "!b"),
        "strict": True,
        "fail_fast": True,
        "timeout": 2.5,
        "start_timeout": 60.0,
        "jobs": 3,
        "profile": "fcm",
    }


def test_flags_may_come_from_the_environment(checks):
    check(MOCKPUSH_CHECK_SENDER="pywebpush", MOCKPUSH_CHECK_TIMEOUT="3", MOCKPUSH_CHECK_K="a b")
    assert (checks.sender.name, checks.options["timeout"]) == ("pywebpush", 3.0)
    assert checks.options["select"] == ("a", "b")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Name one sender"),
        (["--sender", "pywebpush", "--", "node"], "Name one sender"),
        (["--stream", "--sender", "pywebpush"], "--stream goes with a COMMAND"),
        (["--sender", "pywebpsh"], "do you mean pywebpush?"),
        (["--sender", "zzz"], "there is: pywebpush"),
        (["--python", "x"], "--python takes MODULE:CALLABLE"),
        (["--app", "x"], "--app takes an http: or https: URL"),
        (["--timeout", "0", "--sender", "pywebpush"], "Invalid value for '--timeout'"),
        (["--jobs", "0", "--sender", "pywebpush"], "Invalid value for '--jobs'"),
        (["--list", "-k", "zzz"], "no case matches zzz"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(checks, arguments, text):
    result = check(*arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert checks.sender is None


@pytest.mark.parametrize(
    ("verdicts", "exit_code"), [(["passed", "warning", "skipped"], 0), (["passed", "failed"], 1)]
)
def test_the_exit_code_is_that_of_the_report(checks, case_result, verdicts, exit_code):
    checks.results = tuple(case_result(verdict=Verdict(each)) for each in verdicts)
    assert check("--sender", "pywebpush").exit_code == exit_code


def test_a_sender_that_cannot_be_started_exits_with_2(checks):
    checks.error = SenderStartError("the sender cannot be started: node: No such file")
    result = check("--", "node")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be started: node: No such file" in result.stderr


def test_the_report_is_printed(checks, case_result):
    checks.results = (case_result(),)
    shown = check("--sender", "pywebpush").stdout
    assert "✓ rfc8030/5.2/ttl-present" in shown
    assert shown.endswith("1 case in 0.1 s: 1 passed\n")
    assert "\x1b" not in shown


def test_json_is_written_beside_the_report(checks, case_result, tmp_path):
    checks.results = (case_result(),)
    shown = check("--json", "report.json", "--sender", "pywebpush").stdout
    assert "1 passed" in shown
    assert json.loads((tmp_path / "report.json").read_text())["counts"]["passed"] == 1


def test_json_on_standard_output_is_alone_there(checks, case_result):
    checks.results = (case_result(verdict=Verdict.FAILED),)
    result = check("--json", "-", "--sender", "pywebpush")
    assert json.loads(result.stdout)["counts"]["failed"] == 1
    assert (result.exit_code, result.stderr) == (1, "")


def test_a_report_that_cannot_be_written_exits_with_2(checks):
    result = check("--json", "no/such/report.json", "--sender", "pywebpush")
    assert result.exit_code == 2
    assert "no/such/report.json cannot be written: No such file" in result.stderr


def test_progress_is_only_for_terminals(checks, case_result, monkeypatch):
    checks.results = (case_result(), case_result(id="rfc8030/5/post"))
    assert check("--sender", "pywebpush").stderr == ""
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    shown = check("--sender", "pywebpush").stderr.split("\r\x1b[K")
    assert [each.removeprefix("✓ ") for each in shown] == [
        "",
        "rfc8030/5.2/ttl-present",
        "rfc8030/5/post",
        "",
    ]


def test_cases_are_listed(checks):
    shown = check("--list").stdout.splitlines()
    assert [line.split()[0] for line in shown] == [case.id for case in CASES]
    assert CASES[0].requirement in shown[0]


def test_cases_are_listed_as_json(checks):
    shown = json.loads(check("--list", "-k", "rfc8030/5.4", "--json", "-").stdout)
    assert {each["section"] for each in shown} == {"RFC 8030, Section 5.4"}


def test_ready_senders_are_listed(checks):
    assert check("--senders").stdout.startswith("pywebpush  Python  ")


def test_ready_senders_are_listed_as_json(checks):
    assert json.loads(check("--senders", "--json", "-").stdout)[0]["name"] == "pywebpush"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_check_as_an_exception_does(number):
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ending, command._ended_by_signals():
        os.kill(os.getpid(), number)
    assert ending.value.code == 128 + number
    assert signal.getsignal(number) == before


def test_the_command_line_starts_without_the_judge(modules_loaded_by):
    loaded = modules_loaded_by("import mockpush.harness.command")
    assert "mockpush.harness.runner" not in loaded
    assert "cryptography" not in loaded
    assert "starlette" not in loaded
