"""The group: what it lists, how it fails, where flags come from besides the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from mockpush import __version__, errors
from mockpush.cli import COMMANDS, load, main
from mockpush.commands.options import SettingOption
from mockpush.settings import SETTINGS
from mockpush.vapid_keys import VapidKeys

NAMED_IN_THE_CONTRACT = {
    "serve": "host port https-port profile strict hostname endpoint-origin data-dir vapid-key "
    "max-subscriptions max-messages max-requests max-body exit-on-stdin-eof json",
    "exec": "host port https-port profile strict hostname endpoint-origin data-dir vapid-key "
    "max-subscriptions max-messages max-requests max-body",
    "demo": "host port https-port profile data-dir vapid-key json",
    "check": "strict list fail-fast timeout start-timeout jobs json senders profile sender python "
    "stream app thorough",
    "subscribe": "profile application-server-key json tenant url",
    "send": "ttl urgency topic json tenant url",
    "messages": "wait timeout json tenant url",
    "tail": "json tenant url",
    "env": "shell json url",
    "ready": "wait json url",
    "reset": "json tenant url",
    "fault add": "subscription profile topic nth probability seed from until times answer status "
    "header body retry-after delay kind location limit json tenant url",
    "fault list": "json tenant url",
    "fault clear": "json tenant url",
    "version": "json",
    "browser": "tenant url data-dir user-agent",
    "inspect": "profile endpoint at subscription json",
    "vapid keys": "output json",
    "vapid inspect": "endpoint at json",
}


def every_command() -> dict[str, click.Command]:
    """All commands that do something, by their names as one types them."""
    commands = {}
    for name, entry in COMMANDS.items():
        command = load(entry)
        if isinstance(command, click.Group):
            commands |= {f"{name} {below}": each for below, each in command.commands.items()}
        else:
            commands[name] = command
    return commands


EVERY = every_command()


def run(*arguments: str, **options):
    return CliRunner().invoke(main, arguments, **options)


def flags(command: click.Command) -> set[str]:
    options = [each for each in command.params if isinstance(each, click.Option)]
    return {text.removeprefix("--") for option in options for text in option.opts}


def test_the_commands_of_the_contract_are_there():
    assert EVERY.keys() == NAMED_IN_THE_CONTRACT.keys()


@pytest.mark.parametrize("name", NAMED_IN_THE_CONTRACT)
def test_a_command_has_the_flags_of_the_contract(name):
    assert set(NAMED_IN_THE_CONTRACT[name].split()) <= flags(EVERY[name])


def test_help_lists_every_command_under_a_heading():
    output = run("--help").output
    for name, entry in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(entry.summary)}$", output, re.MULTILINE)
        assert f"\n{entry.heading}:\n" in output
    assert "Exit codes:" in output


def test_help_does_not_import_the_commands(modules_loaded_by):
    statement = "from mockpush.cli import main; main(['--help'], standalone_mode=False)"
    loaded = {name for name in modules_loaded_by(statement) if name.startswith("mockpush")}
    assert loaded <= {"mockpush", "mockpush._lazy", "mockpush.cli", "mockpush.errors"} | {
        "mockpush.settings",
        "mockpush.setting_kinds",
    }


@pytest.mark.parametrize("name", EVERY)
def test_the_help_of_every_command_teaches_by_example(name):
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert re.search(r"^  Examples?:\n      \S", result.output, re.MULTILINE)
    assert f"      mockpush {name}" in result.output or name == "env"


@pytest.mark.parametrize("name", EVERY)
def test_no_command_imports_the_server_to_show_its_help(name, modules_loaded_by):
    statement = (
        f"from mockpush.cli import main; main({[*name.split(), '--help']!r}, standalone_mode=False)"
    )
    loaded = modules_loaded_by(statement)
    assert loaded.isdisjoint({"starlette", "uvicorn", "cryptography", "mockpush.service"})


@pytest.mark.parametrize("name", EVERY)
def test_every_flag_is_an_environment_variable_too(name):
    """Settings say so in their help, the flags of commands through click."""
    output = " ".join(run(*name.split(), "--help").output.split())
    for option in EVERY[name].params:
        if isinstance(option, SettingOption):
            assert f"[env var: {option.setting.variable}" in output
        elif isinstance(option, click.Option) and option.show_envvar:
            prefix = f"MOCKPUSH_{name}_".replace(" ", "_").upper()
            variable = option.envvar or f"{prefix}{max(option.opts, key=len).strip('-')}"
            first = variable if isinstance(variable, str) else variable[0]
            assert f"env var: {first.replace('-', '_').upper()}" in output


def test_every_setting_is_a_flag_of_serve_and_exec():
    for name in ("serve", "exec"):
        options = [each for each in EVERY[name].params if isinstance(each, SettingOption)]
        assert [option.setting for option in options] == list(SETTINGS)


def test_shells_complete_the_names_of_commands():
    environ = {"_MOCKPUSH_COMPLETE": "bash_complete", "COMP_WORDS": "mockpush s", "COMP_CWORD": "1"}
    output = run(prog_name="mockpush", env=environ).output
    assert output.splitlines() == ["plain,serve", "plain,subscribe", "plain,send"]


@pytest.mark.parametrize("arguments", [("--version",), ("version",)])
def test_the_version_is_printed(arguments):
    assert run(*arguments).output.startswith(f"mockpush {__version__}\n")


def test_the_version_is_data_too():
    assert json.loads(run("version", "--json").output)["mockpush"] == __version__


def test_a_variable_can_name_a_version_without_asking_for_it():
    assert run("version", "--json", env={"MOCKPUSH_VERSION": "1"}).output.startswith("{")


def test_an_unknown_command_is_wrong_usage():
    result = run("serf")
    assert result.exit_code == 2
    assert "No such command 'serf'" in result.stderr


def failing(monkeypatch, error: BaseException) -> None:
    def fail(self, ctx):
        raise error

    monkeypatch.setattr(click.Group, "invoke", fail)


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.ConfigurationError("port 1 is taken"), 2),
        (errors.ConnectError("port 1 is taken"), 2),
        (errors.WaitError("port 1 is taken"), 1),
        (errors.NotFoundError("port 1 is taken"), 1),
    ],
)
def test_an_error_of_ours_is_one_sentence(monkeypatch, error, exit_code):
    failing(monkeypatch, error)
    result = run("version")
    assert (result.exit_code, result.stderr) == (exit_code, "Error: port 1 is taken\n")


def test_an_error_is_red_on_a_terminal_unless_no_color_is_set(monkeypatch):
    failing(monkeypatch, errors.ConfigurationError("no"))
    assert run("version", color=True).stderr == "\x1b[31mError: no\x1b[0m\n"
    assert run("version", color=True, env={"NO_COLOR": "1"}).stderr == "Error: no\n"


def test_nothing_is_coloured_when_no_color_is_set():
    assert "\x1b" in run("vapid", "keys", color=True).output
    assert "\x1b" not in run("vapid", "keys", color=True, env={"NO_COLOR": "1"}).output


def test_a_bug_keeps_its_traceback(monkeypatch):
    failing(monkeypatch, ZeroDivisionError())
    assert isinstance(run("version").exception, ZeroDivisionError)


def test_an_interrupt_ends_as_in_a_shell(monkeypatch):
    failing(monkeypatch, KeyboardInterrupt())
    result = run("version")
    assert (result.exit_code, result.stderr) == (130, "")


def test_whoever_closes_the_pipe_early_gets_no_complaint():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "mockpush.cli", "vapid", "keys"]
    completed = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (completed.returncode, completed.stderr) == (0, b"")


def project(tmp_path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")


def test_a_flag_wins_over_its_variable_over_its_key_in_the_project(tmp_path):
    files = [tmp_path / f"{number}.pem" for number in range(3)]
    pairs = [VapidKeys.generate() for _ in files]
    for file, pair in zip(files, pairs, strict=True):
        pair.save(file)

    def printed(*arguments: str, **environ: str) -> VapidKeys:
        output = run("vapid", "keys", "--json", *arguments, env=environ).output
        return next(pair for pair in pairs if pair.public_key in output)

    project(tmp_path, f"[tool.mockpush.vapid.keys]\nsource = {str(files[0])!r}\n")
    variable = {"MOCKPUSH_VAPID_KEYS_SOURCE": str(files[1])}
    assert printed() == pairs[0]
    assert printed(**variable) == pairs[1]
    assert printed("--source", str(files[2]), **variable) == pairs[2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.mockpush]\nprot = 1", "has no prot; do you mean port?"),
        ("[tool.mockpush.serf]\nport = 1", "[tool.mockpush] of "),
        ("[tool.mockpush.serf]\nport = 1", "has no serf"),
        (
            "[tool.mockpush.version]\nport = 1",
            "[tool.mockpush.version] has no port; there is: json",
        ),
        ("[tool.mockpush.vapid.key]\nport = 1", "[tool.mockpush.vapid] has no key"),
        ("[tool.mockpush.vapid.keys]\nport = 1", "[tool.mockpush.vapid.keys] has no port"),
        ("[tool.mockpush", "cannot be read"),
    ],
)
def test_a_key_that_nobody_knows_is_refused_by_its_name(tmp_path, text, words):
    project(tmp_path, text)
    result = run("vapid" if "vapid" in text else "version", *(["keys"] if "vapid" in text else []))
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_setting_of_the_service_has_no_place_in_the_table_of_a_command(tmp_path):
    project(tmp_path, "[tool.mockpush.serve]\nport = 1\n")
    result = run("serve")
    assert result.exit_code == 2
    assert "[tool.mockpush.serve] has no port; there is: exit-on-stdin-eof, json" in result.stderr
