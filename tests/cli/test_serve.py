"""`mockpush serve` as people and programs start it: real processes on free ports."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener, urlopen

import pytest
from click.testing import CliRunner

from mockpush.cli import main
from mockpush.vapid_keys import VapidKeys

MOCKPUSH = [sys.executable, "-m", "mockpush.cli"]
FREE = ("--port", "0", "--https-port", "0")


@contextmanager
def serving(*arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """`mockpush serve`; whatever happens, it does not outlive the test."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [*MOCKPUSH, "serve", *arguments]
    with subprocess.Popen(command, text=True, env={**os.environ, **environ}, **pipes) as process:
        try:
            yield process
        finally:
            process.terminate()


def refused(*arguments: str, **environ: str) -> str:
    """What a start that cannot be says on standard error."""
    completed = subprocess.run(
        [*MOCKPUSH, "serve", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
    )
    assert (completed.returncode, completed.stdout) == (2, "")
    return completed.stderr


def test_it_says_in_one_line_where_it_is_and_is_there():
    with serving(*FREE, "--json") as process:
        said = json.loads(process.stdout.readline())
        assert said.keys() == {"ready", "http", "https", "ca_file", "control"}
        assert said["ready"] is True
        assert said["control"] == f"{said['http']}/_mockpush/v1"
        context = ssl.create_default_context(cafile=said["ca_file"])
        for url in (said["http"], said["https"]):
            trusting = context if url.startswith("https") else None
            with urlopen(f"{url}/_mockpush/v1/readyz", context=trusting) as answer:
                assert answer.status == 200
        process.terminate()
        assert process.stdout.read() == ""


def test_with_a_proxy_port_it_says_where_the_proxy_is():
    with serving(*FREE, "--proxy-port", "0", "--json") as process:
        said = json.loads(process.stdout.readline())
        subscription = post(f"{said['control']}/subscriptions", {"profile": "apple"})
        assert subscription["endpoint"].startswith("https://web.push.apple.com/")
        status = status_through(said["proxy"], said["ca_file"], subscription["endpoint"])
        with urlopen(f"{said['control']}/requests") as answer:
            [request] = json.load(answer)["items"]
        assert request["answer"]["status"] == status
        with pytest.raises(OSError, match="403"):
            status_through(said["proxy"], said["ca_file"], "https://example.com/")
        process.terminate()
        assert process.wait() == 0


def post(url: str, document: object) -> dict:
    fields = {"Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(document).encode(), fields)) as answer:
        return json.load(answer)


def status_through(proxy: str, ca_file: str, url: str) -> int:
    """What an empty push through the proxy is answered."""
    context = ssl.create_default_context(cafile=ca_file)
    opener = build_opener(ProxyHandler({"https": proxy}), HTTPSHandler(context=context))
    try:
        with opener.open(url, b"") as answer:
            return answer.status
    except HTTPError as error:
        return error.code


def test_the_screen_names_the_proxy():
    with serving(*FREE, "--proxy-port", "0") as process:
        lines = list(takewhile(lambda line: "Stop it" not in line, process.stdout))
        assert any("proxy" in line and "http://127.0.0.1:" in line for line in lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number):
    with serving(*FREE, "--json") as process:
        ca_file = Path(json.loads(process.stdout.readline())["ca_file"])
        assert ca_file.exists()
        process.send_signal(number)
        assert process.wait() == 0
        assert process.stderr.read() == ""
    assert not ca_file.exists()


def test_it_ends_with_its_standard_input_if_told_to():
    with serving(*FREE, "--json", "--exit-on-stdin-eof") as process:
        assert process.stdout.readline()
        process.stdin.write("anything")
        process.stdin.close()
        assert process.wait() == 0


def test_without_a_standard_input_it_has_ended_already():
    command = f'exec "$@" --exit-on-stdin-eof --json {" ".join(FREE)} <&-'
    completed = subprocess.run(["sh", "-c", command, "sh", *MOCKPUSH, "serve"], capture_output=True)
    assert completed.returncode == 0
    assert json.loads(completed.stdout)["ready"] is True


def test_it_outlives_its_standard_input_otherwise():
    with serving(*FREE, "--json") as process:
        said = json.loads(process.stdout.readline())
        process.stdin.close()
        with urlopen(f"{said['control']}/livez") as answer:
            assert answer.status == 200


def test_what_it_shows_to_people_says_how_to_go_on():
    with serving(*FREE, "--strict") as process:
        lines = list(takewhile(lambda line: "Ctrl-C" not in line, process.stdout))
        process.terminate()
    screen = "".join(lines)
    url = next(line.split()[1] for line in lines if line.startswith("  HTTP "))
    assert f'eval "$(mockpush env --url {url})"' in screen
    assert f"mockpush subscribe --url {url} > subscription.json" in screen
    assert "profile            rfc (strict)" in screen
    assert "(of this run)" in screen
    assert len(lines) < 24


def test_a_port_in_use_is_one_clear_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        text = refused("--port", port, "--https-port", "0")
    assert text.startswith(f"Error: port {port} of 127.0.0.1 is in use")
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--profile", "acme"), "there is no profile 'acme'; there is: rfc"),
        (("--variant", "acme"), "there is no variant 'acme'; there is: fcm.too_large_400"),
        (("--profile-file", "file"), "file defines no mockpush.protocol.judging.Profile"),
        (("--port", "http"), "--port must be a port from 0 to 65535, not 'http'"),
        (("--hostname", "a b"), "a b"),
        (("--data-dir", "file/data"), "file"),
        (("--vapid-key", "file"), "file cannot be used as a VAPID key"),
    ],
)
def test_a_setting_that_cannot_be_is_one_clear_sentence(arguments, words, tmp_path):
    (tmp_path / "file").write_text("")
    text = refused(*FREE, *arguments)
    assert text.startswith("Error: ")
    assert words in text
    assert text.count("\n") == 1


def test_a_variable_that_cannot_be_is_named():
    text = refused(MOCKPUSH_STRICT="perhaps")
    assert "MOCKPUSH_STRICT must be true or false, not 'perhaps'" in text


def test_variables_and_the_project_set_what_flags_do_not(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        "[tool.mockpush]\nport = 0\nprofile = 'acme'\n[tool.mockpush.serve]\njson = true\n"
    )
    with serving(MOCKPUSH_HTTPS_PORT="0", MOCKPUSH_PROFILE="rfc") as process:
        assert json.loads(process.stdout.readline())["ready"] is True


def test_every_profile_is_served_and_those_of_a_file_too(tmp_path):
    (tmp_path / "acme.py").write_text(
        "from dataclasses import replace\n"
        "from mockpush.profiles.rfc import RFC\n"
        "ACME = replace(RFC, name='acme', prefix='/acme/')\n"
    )
    (tmp_path / "pyproject.toml").write_text("[tool.mockpush]\nprofile-file = 'acme.py'\n")
    names = ["rfc", "fcm", "mozilla", "apple", "wns", "acme"]
    for name in names[1:]:
        with serving(*FREE, "--json", "--profile", name) as process:
            control = json.loads(process.stdout.readline())["control"]
            with urlopen(control) as answer:
                assert json.load(answer)["profiles"] == names
            with urlopen(Request(f"{control}/subscriptions", b"{}", method="POST")) as answer:
                assert json.load(answer)["profile"] == name


def test_a_directory_keeps_the_authority_and_the_key(tmp_path):
    authorities = set()
    for _ in range(2):
        with serving(*FREE, "--json", "--data-dir", "data") as process:
            said = json.loads(process.stdout.readline())
            authorities.add(Path(said["ca_file"]).read_text())
            process.terminate()
            process.wait()
    assert len(authorities) == 1
    assert VapidKeys.kept_in(tmp_path / "data").public_key
    assert (tmp_path / "data" / "vapid.pem").exists()


def test_people_are_told_where_the_private_key_is_kept():
    with serving(*FREE, "--data-dir", "data") as process:
        assert any("VAPID private key  in data/vapid.pem" in line for line in process.stdout)


def test_the_key_of_a_file_is_the_key_of_the_service(tmp_path):
    pair = VapidKeys.generate()
    pair.save(tmp_path / "key.pem")
    with serving(*FREE, "--vapid-key", "key.pem") as process:
        line = next(line for line in process.stdout if "VAPID public key" in line)
        assert line.split()[-1] == pair.public_key
        assert process.stdout.readline().split()[-2:] == ["in", "key.pem"]


def test_a_name_of_the_service_is_in_its_certificate():
    with serving(*FREE, "--json", "--hostname", "push.test") as process:
        said = json.loads(process.stdout.readline())
        port = int(said["https"].rpartition(":")[2])
        context = ssl.create_default_context(cafile=said["ca_file"])
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname="push.test") as secure,
        ):
            assert secure.version()


def test_help_shows_what_a_flag_is_called_elsewhere():
    output = " ".join(CliRunner().invoke(main, ["serve", "--help"]).output.split())
    assert "8030" in output
    assert "[env var: MOCKPUSH_PORT; default: 8030]" in output
    assert "[env var: MOCKPUSH_STRICT]" in output
