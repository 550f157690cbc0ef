"""`mockpush fault`, and how other commands speak of what was struck."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys

import pytest
from click.testing import CliRunner

from mockpush.cli import main


def run(*arguments: str):
    return CliRunner().invoke(main, arguments)


def printed(*arguments: str):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("flags", "members"),
    [
        (["--status", "429", "--retry-after", "2m"], {"status": 429, "retry_after": 120.0}),
        (["--status", "429", "--retry-after", "120"], {"retry_after": 120.0}),
        (["--answer", "throttled"], {"kind": "answer", "answer": "throttled"}),
        (["--location", "/x", "--status", "302"], {"kind": "redirect", "status": 302}),
        (["--limit", "10/1m"], {"limit": {"requests": 10, "window": 60.0}}),
        (["--delay", "1.5"], {"kind": "delay", "delay": 1.5}),
        (["--delay", "1m"], {"delay": 60.0}),
        (["--kind", "reset_midway"], {"kind": "reset_midway"}),
        (
            ["--status", "503", "--header", "X-A: b", "--header", "X-C:d", "--body", "no"],
            {"headers": {"X-A": "b", "X-C": "d"}, "body": "no"},
        ),
    ],
)
def test_every_action_has_its_flags(control, flags, members):
    action = printed("fault", "add", *flags)["action"]
    assert {name: action[name] for name in members} == members


def test_every_match_has_its_flag(control):
    subscription = control.subscribe()
    plan = printed(
        *("fault", "add", "--status", "503", "--times", "2", "--subscription", subscription.id),
        *("--profile", "rfc", "--topic", "inbox", "--nth", "4-", "--probability", "0.5"),
        *("--seed", "7", "--from", "10", "--until", "1h"),
    )
    match = plan["match"]
    assert plan["times"] == 2
    assert (match["subscription"], match["profile"]) == (subscription.id, "rfc")
    assert (match["topic"], match["nth"], match["probability"], match["seed"]) == (
        "inbox",
        "4-",
        0.5,
        7,
    )
    assert match["from"] < match["until"]


def test_plans_are_listed_for_people_and_ended(control):
    assert run("fault", "list").stderr == "no faults\n"
    run("fault", "add", "--answer", "throttled", "--times", "2", "--topic", "inbox")
    run("fault", "add", "--limit", "3/1m")
    run("send", control.subscribe().id, "hello", "--topic", "inbox")
    assert run("fault", "list").stdout.splitlines() == [
        "f1  answer  active  hits 1 of 2  answer=throttled  topic=inbox",
        "f2  rate_limit  active  hits 0  limit=requests:3,window:60",
    ]
    assert [each["id"] for each in printed("fault", "list")] == ["f1", "f2"]
    assert run("fault", "clear", "f1").stdout == "ended: f1\n"
    assert run("fault", "clear", "f1").exit_code == 1
    assert printed("fault", "clear") == {"cleared": ["f2"]}
    assert run("fault", "clear").stdout == "there were no faults\n"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "does not say what happens"),
        (["--status", "503", "--answer", "throttled"], "two answers"),
        (["--kind", "reset", "--status", "503"], "status does not go with reset"),
        (["--limit", "10"], "not written as REQUESTS/WINDOW"),
        (["--status", "503", "--header", "X"], "not written as NAME:VALUE"),
        (["--kind", "explode"], "explode"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(control, flags, told):
    result = run("fault", "add", *flags)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_message_whose_answer_was_late_says_so(control):
    run("fault", "add", "--delay", "0.001")
    run("send", control.subscribe().id, "hello")
    assert "fault f1 (delay)" in run("messages").stdout
    assert "fault f1 (delay)" in run("messages", "latest").stdout


def test_tail_tells_what_was_struck(control):
    subscription = control.subscribe()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "mockpush.cli", "tail"], stdout=subprocess.PIPE, text=True
    ) as tail:
        try:
            control.fail_next(429)
            while not select.select([tail.stdout], [], [], 0.1)[0]:
                run("send", subscription.id, "hello")
                control.fail_next(429)
            line = tail.stdout.readline()
        finally:
            tail.terminate()
    assert line.startswith("429  ")
    assert line.endswith(" (answer)\n")


def test_exec_tells_what_was_struck(monkeypatch):
    """A connection that was reset had no answer, which is no reason to fall silent."""
    for name in [name for name in os.environ if name.startswith(("MOCKPUSH", "VAPID"))]:
        monkeypatch.delenv(name)
    program = """
    mockpush() { "$PYTHON" -m mockpush.cli "$@"; }
    mockpush fault add --answer throttled --times 1 >/dev/null
    mockpush fault add --kind reset >/dev/null
    mockpush send "$MOCKPUSH_SUBSCRIPTION" hello
    mockpush send "$MOCKPUSH_SUBSCRIPTION" hello
    exit 3
    """
    completed = subprocess.run(
        [sys.executable, "-m", "mockpush.cli", "exec", "--", "sh", "-c", program],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert completed.returncode == 3
    assert "the service refused 2 of 2 requests" in completed.stderr
    assert re.search(r"^  429 POST /push/\S+  fault f1 \(answer\)$", completed.stderr, re.MULTILINE)
    assert re.search(
        r"^  no answer POST /push/\S+  fault f2 \(reset\)$", completed.stderr, re.MULTILINE
    )


def test_a_reset_can_keep_them(control):
    control.fail_next(429)
    assert run("reset", "--keep", "faults").exit_code == 0
    assert len(control.faults.list()) == 1
    run("reset")
    assert control.faults.list() == []
