"""`mockpush demo` as people and programs start it: a real process on free ports."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from mockpush.cli import main

MOCKPUSH = [sys.executable, "-m", "mockpush.cli"]
FREE = ("--port", "0", "--https-port", "0")


@pytest.fixture
def started():
    """Starts `mockpush demo`; it does not outlive the test."""
    processes = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [*MOCKPUSH, "demo", *FREE, *arguments]
        processes.append(subprocess.Popen(command, text=True, stdout=subprocess.PIPE))
        return processes[-1]

    yield start
    for process in processes:
        process.terminate()
        process.communicate()


def test_it_says_in_one_line_where_everything_is(started):
    said = json.loads(started("--json").stdout.readline())
    assert said.keys() == {"ready", "http", "https", "ca_file", "control", "demo"}
    assert said["ready"] is True
    assert said["demo"] == said["http"].replace("127.0.0.1", "localhost") + "/"
    with urlopen(said["demo"]) as page, urlopen(f"{said['control']}/readyz") as service:
        assert b"<title>mockpush demo</title>" in page.read()
        assert service.status == 200


def test_people_are_told_where_it_is_and_what_to_do(started):
    process = started()
    first = process.stdout.readline()
    process.terminate()
    rest = process.stdout.read()
    page = first.split()[-1]
    assert first.startswith("The demo is at http://localhost:")
    for browser in ("firefox", "chromium"):
        assert f"mockpush browser {browser}" in rest
    assert rest.count(page) == 2


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_also_while_a_page_watches(started, sign):
    process = started("--json")
    said = json.loads(process.stdout.readline())
    with urlopen(f"{said['control']}/events") as stream:
        stream.readline()
        process.send_signal(sign)
        assert process.wait(timeout=10) == 0


def test_without_pywebpush_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pywebpush", None)
    result = CliRunner().invoke(main, ["demo", *FREE])
    assert result.exit_code == 2
    assert "pip install 'mockpush[demo]'" in result.output


def test_a_file_of_something_else_is_one_sentence(tmp_path):
    (tmp_path / "demo-subscriptions.json").write_text("{")
    result = CliRunner().invoke(main, ["demo", *FREE, "--data-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "demo-subscriptions.json" in result.output
