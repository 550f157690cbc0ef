"""`mockpush exec --require`: push services that must take every push of the command."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

MOCKPUSH = [sys.executable, "-m", "mockpush.cli"]
PUSH = """
    import json, os, requests
    from pywebpush import webpush

    def push(sub="mailto:me@localhost", **options):
        webpush(
            json.loads(os.environ["MOCKPUSH_SUBSCRIPTION"]), "hello", ttl=60,
            vapid_private_key=os.environ["VAPID_PRIVATE_KEY"], vapid_claims={"sub": sub}, **options,
        )
"""
SAID = "mockpush: apple would have refused 3 of 3 pushes; --require says that none may\n"


def execute(program: str, *flags: str, **environ: str):
    text = textwrap.dedent(PUSH) + textwrap.dedent(program)
    return subprocess.run(
        [*MOCKPUSH, "exec", *flags, "--", sys.executable, "-c", text],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
    )


THREE = "for _ in range(3): push()"


def test_what_a_required_push_service_would_refuse_is_a_failure():
    completed = execute(THREE, "--require", "apple,fcm")
    assert completed.returncode == 1
    first, *lines = completed.stderr.splitlines(keepends=True)
    assert first == SAID
    assert "      apple answers 403 BadJwtToken\n" in lines
    assert sum("vapid.sub.local_host" in line for line in lines) == 1


def test_what_they_all_take_is_not():
    completed = execute(THREE, "--require", "fcm", "--require", "wns,mozilla")
    assert (completed.returncode, completed.stderr) == (0, "")


def test_a_command_that_fails_keeps_its_code():
    completed = execute(f"{THREE}\nraise SystemExit(7)", "--require", "apple")
    assert completed.returncode == 7
    assert SAID in completed.stderr


def test_what_is_reset_and_deleted_is_not_forgotten():
    completed = execute(
        """
        for _ in range(3): push()
        control = os.environ["MOCKPUSH_CONTROL_URL"]
        assert requests.post(control + "/reset").status_code == 204
        assert requests.delete(control + "/tenants/default").status_code == 204
        """,
        "--require=apple",
    )
    assert completed.returncode == 1
    assert completed.stderr.startswith(SAID)


def test_a_tenant_can_require_less():
    completed = execute(
        """
        control = os.environ["MOCKPUSH_CONTROL_URL"]
        requests.post(control + "/requirement", json={"profiles": []})
        push()
        """,
        "--require=apple",
    )
    assert (completed.returncode, completed.stderr) == (0, "")


def test_the_environment_and_pyproject_require(tmp_path):
    assert execute(THREE, MOCKPUSH_REQUIRE="apple").returncode == 1
    (tmp_path / "pyproject.toml").write_text('[tool.mockpush]\nrequire = ["wns", "apple"]\n')
    assert execute(THREE).stderr.startswith(SAID)
    assert execute(THREE, MOCKPUSH_REQUIRE="fcm").returncode == 0


def test_the_command_finds_the_requirement():
    program = "print(os.environ.get('MOCKPUSH_REQUIRE'))"
    assert execute(program, "--require", "apple, fcm").stdout == "apple,fcm\n"
    assert execute(program).stdout == "None\n"


def test_a_name_that_is_none_is_wrong_usage_and_names_the_others():
    completed = execute("", "--require", "aple")
    assert completed.returncode == 2
    assert "no profile 'aple'; there is: rfc, fcm, mozilla, apple, wns" in completed.stderr


def test_the_refusals_of_a_command_that_fails_have_the_answers_of_all():
    completed = execute(
        """
        try:
            push("mailto:me@example.com", headers={"Topic": "two words"})
        finally:
            raise SystemExit(1)
        """
    )
    assert "      rfc 400 (topic.alphabet) · fcm 201 · " in completed.stderr
    assert "apple 400 BadWebPushTopic (topic.alphabet) · wns 201" in completed.stderr
