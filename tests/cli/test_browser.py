"""`mockpush browser` with a program in place of Firefox, which tells what it is given."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from mockpush.protocol.user_agents import UserAgentKind

DESKTOP = "DBUS_SESSION_BUS_ADDRESS"
PROGRAM = """#!{python}
import json, os, signal, sys
with open({told!r}, "w") as told:
    json.dump({{"arguments": sys.argv[1:], "environ": dict(os.environ)}}, told)
if {stays}:
    signal.pause()
sys.exit(7)
"""


@pytest.fixture
def told(tmp_path):
    """What the program is given; reading it waits for that."""
    pipe = tmp_path / "told"
    os.mkfifo(pipe)
    return lambda: json.loads(pipe.read_text())


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def browser(control, tmp_path, data):
    """Runs the command; it is ended as by Ctrl-C, unless it has ended by itself."""
    program = tmp_path / "program"
    own = {name: text for name, text in os.environ.items() if name != DESKTOP}

    @contextmanager
    def running(*arguments, stays=False, **environ):
        text = PROGRAM.format(python=sys.executable, told=str(tmp_path / "told"), stays=stays)
        program.write_text(text)
        program.chmod(0o755)
        command = [sys.executable, "-m", "mockpush.cli", "browser", "--data-dir", data, "firefox"]
        process = subprocess.Popen(
            [*command, *arguments],
            env={**own, "XDG_RUNTIME_DIR": "", "MOCKPUSH_FIREFOX": str(program), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
            assert "Traceback" not in rest

    return running


@pytest.mark.parametrize(
    ("given", "arguments", "page"),
    [
        ([], [], "about:blank"),
        (["--", "--headless", "-P"], ["--headless", "-P"], "about:blank"),
        (["about:support", "--", "--headless"], ["--headless"], "about:support"),
    ],
)
def test_what_follows_two_dashes_is_for_the_browser(browser, told, data, given, arguments, page):
    with browser(*given) as process:
        profile = str(data / "browsers/firefox")
        assert told()["arguments"] == [*arguments, "--profile", profile, "--no-remote", page]
        assert process.wait(timeout=30) == 7  # as the browser does
        assert "Firefox has ended with exit code 7" in process.stdout.read()


@pytest.mark.parametrize(
    ("page", "url"),
    [
        ("localhost:3000", "http://localhost:3000"),
        ("shop.test/ö", "http://shop.test/%C3%B6"),
        ("https://shop.test/?a=%20#b", "https://shop.test/?a=%20#b"),
    ],
)
def test_a_page_is_what_an_address_bar_takes(browser, told, server, wire, page, url):
    """It is opened as soon as the browser has connected."""
    with browser(page, stays=True):
        first = told()["arguments"][-1]
        agents = server.service.user_agents
        kind = UserAgentKind.FIREFOX
        coming = agents.connect(wire, kind=kind, device="d", name="firefox")
        server.submit(coming).result()
        connection = HTTPConnection(first.removeprefix("http://").rstrip("/"))
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (303, url)
        connection.close()


def test_notifications_appear_where_those_of_others_do(browser, told, tmp_path):
    def desktop(**environ) -> str | None:
        with browser(**environ):
            return told()["environ"].get(DESKTOP)

    assert desktop(**{DESKTOP: "unix:path=/own"}) == "unix:path=/own"
    with socket.socket(socket.AF_UNIX) as usual:
        usual.bind(str(tmp_path / "bus"))
        assert desktop(XDG_RUNTIME_DIR=str(tmp_path)) == f"unix:path={tmp_path}/bus"


def test_a_profile_has_one_browser_at_a_time(browser, told, data):
    with browser(stays=True):
        told()
        with browser() as second:
            said, _ = second.communicate(timeout=30)
        assert second.returncode == 2
        assert f"{data}/browsers/firefox already" in said
        assert "--user-agent" in said
        with browser("--user-agent", "another"):
            assert f"{data}/browsers/firefox-another" in told()["arguments"]
    with browser():
        told()


@pytest.mark.parametrize("name", ["..", "../../x", "a b"])
def test_a_name_that_is_none_makes_no_directory(browser, data, name):
    with browser("--user-agent", name) as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "user_agent must be" in said
    assert not data.exists()


def test_without_a_service_it_says_how_to_start_one(browser, data):
    with browser(MOCKPUSH_URL="http://127.0.0.1:1") as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "mockpush serve" in said
    assert not data.exists()


def test_ctrl_c_ends_the_browser_too(browser, told):
    with browser(stays=True) as process:
        told()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
