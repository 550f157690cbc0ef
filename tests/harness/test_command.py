"""`mockpush check` on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockpush.cli import main
from mockpush.harness import runner
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

    def __call__(self, sender, *, progress, steps, **options) -> Report:
        self.sender, self.options = sender, options
        if self.error is not None:
            raise self.error
        for result in self.results:
            progress(result)
        return Report(
            sender=Hello(name="scripted", version=None, ops=("send",), language=None),
            profile="rfc",
            strict=False,
            results=self.results,
            seconds=0.1,
            known=options["baseline"],
        )


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
        "cases": (),
        "strict": False,
        "fail_fast": False,
        "timeout": None,
        "start_timeout": 30.0,
        "jobs": None,
        "profile": "rfc",
        "variants": (),
        "profile_file": None,
        "baseline": None,
        "require": (),
        "thorough": False,
    }


def test_flags_reach_the_runner(checks):
    flags = "-k rfc8030 -k !*/5/* --strict --fail-fast --timeout 2.5 --start-timeout 60 --jobs 3"
    required = ("--require", "apple,fcm", "--require", "wns")
    vendor = "--profile fcm --variant fcm.too_large_400,wns.success_200 --profile-file own.py"
    more = (*vendor.split(), "--thorough", *required)
    check(*flags.split(), *more, "--sender", "pywebpush")
    assert checks.options == {
        "cases": ("rfc8030", "!*/5/*"),
        "strict": True,
        "fail_fast": True,
        "timeout": 2.5,
        "start_timeout": 60.0,
        "jobs": 3,
        "profile": "fcm",
        "variants": ("fcm.too_large_400", "wns.success_200"),
        "profile_file": Path("own.py"),
        "baseline": None,
        "require": ("apple", "fcm", "wns"),
        "thorough": True,
    }


def test_a_long_case_is_listed_with_the_flag_that_it_needs(checks):
    listed = check("--list").stdout
    assert "every size up to 3993 octets arrives. (--thorough)\n" in listed
    (one,) = json.loads(check("--list", "-k", "rfc8030/5/post", "--json", "-").stdout)
    assert one["thorough"] is False


def test_flags_may_come_from_the_environment(checks):
    check(
        MOCKPUSH_CHECK_SENDER="pywebpush",
        MOCKPUSH_CHECK_TIMEOUT="3",
        MOCKPUSH_CHECK_K="rfc8030 rfc8292",
    )
    assert (checks.sender.name, checks.options["timeout"]) == ("pywebpush", 3.0)
    assert checks.options["cases"] == ("rfc8030", "rfc8292")


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
        (["-k", "zzz", "--sender", "pywebpush"], "no case matches zzz"),
        (["--update-baseline", "--sender", "pywebpush"], "--update-baseline goes with --baseline"),
        (["--baseline", "x", "--sender", "pywebpush"], "x cannot be read: No such file"),
        (["--html", "x", "--junit", "x", "--sender", "pywebpush"], "cannot both be written to x"),
        (["--html", "-", "--junit", "-", "--sender", "pywebpush"], "cannot both be written to -"),
        (["--combine"], "--combine takes the names of JSON reports"),
        (["--json", "x", "--combine", "a.json"], "--json is the report of one run"),
        (["--combine", "no.json"], "no.json cannot be read: No such file"),
        (["--combine", ".."], ".. cannot be read: Is a directory"),
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
    assert "    ✓ ttl-present  Every push message has a TTL." in shown
    assert shown.endswith("1 case in 0.1 s: 1 passed\n")
    assert "\x1b" not in shown


def test_json_is_written_beside_the_report(checks, case_result, tmp_path):
    checks.results = (case_result(),)
    shown = check("--json", "report.json", "--sender", "pywebpush").stdout
    assert "1 passed" in shown
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["passed"] == 1


def test_json_on_standard_output_is_alone_there(checks, case_result):
    checks.results = (case_result(verdict=Verdict.FAILED),)
    result = check("--json", "-", "--sender", "pywebpush")
    assert json.loads(result.stdout)["summary"]["failed"] == 1
    assert (result.exit_code, result.stderr) == (1, "")


@pytest.mark.parametrize("name", ["json", "junit", "html", "markdown"])
def test_a_report_that_cannot_be_written_exits_with_2_before_the_run(checks, name):
    result = check(f"--{name}", "no/such/report", "--sender", "pywebpush")
    assert result.exit_code == 2
    assert "no/such/report cannot be written: No such file" in result.stderr
    assert checks.sender is None


def test_several_formats_are_written_in_one_run(checks, case_result, tmp_path):
    checks.results = (case_result(),)
    files = {"json": "a.json", "junit": "a.xml", "html": "a.html", "markdown": "a.md"}
    flags = [each for name, file in files.items() for each in (f"--{name}", file)]
    assert check(*flags, "--sender", "pywebpush").exit_code == 0
    for file in files.values():
        assert "rfc8030/5.2/ttl-present" in (tmp_path / file).read_text() or file == "a.md"


def test_a_check_that_cannot_begin_leaves_no_files(checks, tmp_path):
    checks.error = SenderStartError("the sender cannot be started")
    flags = ("--html", "a.html", "--baseline", "b", "--update-baseline")
    assert check(*flags, "--", "node").exit_code == 2
    assert list(tmp_path.iterdir()) == []


# Baselines


def test_a_baseline_is_what_is_known_of_the_run(checks, case_result, tmp_path):
    (tmp_path / "b").write_text("# mockpush baseline 1\nrfc8030/5.2/ttl-present\n")
    checks.results = (case_result(verdict=Verdict.FAILED),)
    result = check("--baseline", "b", "--sender", "pywebpush")
    assert checks.options["baseline"] == {"rfc8030/5.2/ttl-present"}
    assert result.exit_code == 0
    assert "1 failed (1 of them known)" in result.stdout


def test_a_baseline_may_come_from_the_project(checks, case_result, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.mockpush.check]\nbaseline = "b"\n')
    (tmp_path / "b").write_text("# mockpush baseline 1\n")
    check("--sender", "pywebpush")
    assert checks.options["baseline"] == frozenset()


def test_an_update_makes_every_failure_known_in_all_formats(checks, case_result, tmp_path):
    checks.results = (case_result(verdict=Verdict.FAILED),)
    flags = ("--baseline", "b", "--update-baseline", "--json", "r.json")
    result = check(*flags, "--sender", "pywebpush")
    assert result.exit_code == 0
    assert (tmp_path / "b").read_text() == "# mockpush baseline 1\nrfc8030/5.2/ttl-present\n"
    assert json.loads((tmp_path / "r.json").read_text())["summary"]["known"] == 1


# Several runs


@pytest.fixture
def two_reports(checks, case_result, tmp_path):
    """One of a run in which all passed, and one of a run in which a case failed."""
    for name, verdict in (("good", Verdict.PASSED), ("bad", Verdict.FAILED)):
        checks.results = (case_result(verdict=verdict, reason=verdict),)
        check("--json", f"{name}.json", "--sender", "pywebpush")
    checks.sender = None


@pytest.mark.usefixtures("two_reports")
def test_reports_are_combined_without_a_run(checks, tmp_path):
    result = check("--html", "m.html", "--junit", "m.xml", "--combine", "good.json", "bad.json")
    assert checks.sender is None
    assert (result.exit_code, result.stderr) == (1, "")
    assert "Cases that not all passed" in result.stdout
    assert "Senders and cases" in (tmp_path / "m.html").read_text(encoding="utf-8")
    assert (tmp_path / "m.xml").read_text(encoding="utf-8").count("<testsuite ") == 2


@pytest.mark.usefixtures("two_reports")
def test_one_report_can_be_shown_in_another_form():
    result = check("--markdown", "-", "--combine", "good.json")
    assert result.stdout.startswith("### ✓ mockpush check: scripted")
    assert result.exit_code == 0


# GitHub


def in_a_workflow(*arguments: str, summary: str) -> Result:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary}
    return check(*arguments, "--sender", "pywebpush", **environ)


def test_in_a_workflow_failures_are_annotated_and_the_summary_is_written(
    checks, case_result, tmp_path
):
    checks.results = (case_result(verdict=Verdict.FAILED, reason="no TTL"),)
    result = in_a_workflow("--json", "-", summary=str(tmp_path / "s.md"))
    assert result.stderr.startswith("::error title=scripted rfc8030/5.2/ttl-present::no TTL [")
    assert json.loads(result.stdout)["exit_code"] == result.exit_code == 1
    assert (tmp_path / "s.md").read_text(encoding="utf-8").startswith("### ✗ mockpush check")


def test_a_summary_that_cannot_be_written_fails_nothing(checks, case_result):
    checks.results = (case_result(),)
    result = in_a_workflow(summary="no/s.md")
    assert result.exit_code == 0
    assert result.stderr == (
        "The summary of the workflow cannot be written: no/s.md: No such file or directory\n"
    )


def test_elsewhere_there_are_no_annotations(checks, case_result):
    checks.results = (case_result(verdict=Verdict.FAILED),)
    assert check("--sender", "pywebpush", GITHUB_ACTIONS="").stderr == ""


def test_cases_are_listed(checks):
    shown = check("--list").stdout.splitlines()
    assert [line.split()[0] for line in shown] == [case.id for case in CASES]
    assert CASES[0].requirement in shown[0]


def test_cases_are_listed_as_json(checks):
    shown = json.loads(check("--list", "-k", "rfc8030/5.4", "--json", "-").stdout)
    assert {each["requirement"] for each in shown} == {"RFC 8030, Section 5.4"}


def test_ready_senders_are_listed(checks):
    assert check("--senders").stdout.startswith("pywebpush ")


def test_ready_senders_are_listed_as_json(checks):
    assert json.loads(check("--senders", "--json", "-").stdout)[0]["name"] == "pywebpush"


def test_the_command_line_starts_without_the_judge(modules_loaded_by):
    loaded = modules_loaded_by("import mockpush.harness.command")
    assert "mockpush.harness.runner" not in loaded
    assert "cryptography" not in loaded
    assert "starlette" not in loaded
