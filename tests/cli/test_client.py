"""The commands for a running service: subscribe, send, messages, tail, env, ready, reset."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mockpush.cli import main
from mockpush.client.control import Control
from mockpush.client.transports.http import HttpTransport
from mockpush.commands import running
from mockpush.options import ServiceOptions
from mockpush.protocol.model import base64url_encode
from mockpush.server import Server
from mockpush.service import PushService
from mockpush.vapid_keys import VapidKeys


def run(*arguments: str, **options):
    """A command with its exit code in front; standard input is a terminal unless it is given."""
    return CliRunner().invoke(main, arguments, **options)


def printed(*arguments: str, **options):
    """What a command prints with --json."""
    result = run(*arguments, "--json", **options)
    assert result.stdout.count("\n") == 1, result.stderr
    return json.loads(result.stdout)


def subscription(**options: str) -> str:
    """A new subscription as JSON."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return json.dumps(printed("subscribe", *flags))


@contextmanager
def other_service(status: int, body: bytes) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Another push service on plain HTTP: its origin, and the header fields that it got."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(dict(self.headers))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    service = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{service.server_port}", got
    finally:
        service.shutdown()
        thread.join()
        service.server_close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


# subscribe


def test_a_subscription_has_the_shape_of_the_browsers_and_an_id(control):
    made = printed("subscribe")
    assert made.keys() == {"id", "endpoint", "expirationTime", "keys"}
    assert dict(control.subscription(made["id"])) == {
        name: value for name, value in made.items() if name != "id"
    }


def test_a_subscription_for_people_is_json_too(control):
    assert json.loads(run("subscribe").output).keys() == printed("subscribe").keys()


@pytest.mark.parametrize("place", ["flag", "VAPID_PUBLIC_KEY"])
def test_a_subscription_is_restricted_to_the_key(control, place):
    key = VapidKeys.generate().public_key
    flag = ("--application-server-key", key) if place == "flag" else ()
    made = printed("subscribe", *flag, env={"VAPID_PUBLIC_KEY": key if not flag else ""})
    result = run("send", json.dumps(made), "hello")
    assert result.exit_code == 1
    assert "vapid.key.mismatch" in result.output


def test_an_unknown_profile_is_refused_with_the_words_of_the_service(control):
    result = run("subscribe", "--profile", "acme")
    assert result.exit_code == 2
    assert "acme" in result.stderr
    assert result.stderr.count("\n") == 1


# send


def the_message(control: Control):
    (message,) = control.messages
    return message


@pytest.mark.parametrize("form", ["json", "file", "id"])
def test_a_subscription_is_given_in_any_form(control, form, tmp_path):
    made = json.dumps(control.subscribe(id="my-subscription"))
    (tmp_path / "subscription.json").write_text(made)
    given = {"json": made, "file": "subscription.json", "id": "my-subscription"}[form]
    result = run("send", given, "Hello wörld")
    assert result.exit_code == 0
    assert result.output.startswith("201 accepted: https://")
    assert the_message(control).text() == "Hello wörld"


def test_what_is_sent_has_nothing_to_be_found_fault_with(control):
    run("send", subscription(), "hello", "--urgency", "high")
    message = the_message(control)
    assert message.findings == []
    assert (message.ttl, message.urgency, message.topic) == (60, "high", None)


def test_the_options_of_a_push_reach_the_service(control):
    arguments = ("--ttl", "7", "--topic", "greeting", "--urgency", "very-low")
    run("send", subscription(), "hello", *arguments)
    message = the_message(control)
    assert (message.ttl, message.topic, message.urgency) == (7, "greeting", "very-low")


def test_data_comes_from_standard_input_if_it_is_not_given(control):
    run("send", subscription(), input=b"\x00\xff")
    assert the_message(control).bytes == b"\x00\xff"


def test_no_data_is_a_push_without_a_payload(control):
    assert run("send", subscription(), input="").exit_code == 0
    message = the_message(control)
    assert (message.decryption, message.bytes) == ("none", b"")


def test_a_refusal_names_what_was_found_and_is_a_failure(control):
    result = run("send", subscription(), "hello", "--ttl", "-1")
    assert result.exit_code == 1
    assert result.output.startswith("400 refused\n    must ttl.negative: ")
    assert "        hint      " in result.output


def test_a_payload_that_is_too_large_is_sent_all_the_same(control):
    result = run("send", subscription(), "x" * 4000)
    assert result.exit_code == 1
    assert result.output.startswith("413 refused\n    practice body.too_large: ")


def test_the_answer_is_data_too(control):
    made = subscription()
    accepted = printed("send", made, "hello")
    assert accepted["status"] == 201
    assert ["ttl", "60"] in accepted["headers"]
    assert accepted["body"] is None
    refused = printed("send", made, "hello", "--ttl=-1")
    assert (refused["status"], refused["body"]["code"]) == (400, "ttl.negative")


def test_the_key_of_a_flag_signs_before_that_of_the_environment(control, tmp_path):
    pair, other = VapidKeys.generate(), VapidKeys.generate(subject="mailto:me@example.com")
    pair.save(tmp_path / "key.pem")
    made = printed("subscribe", "--application-server-key", pair.public_key)
    assert (
        run("send", made["id"], "a", "--vapid-key", "key.pem", env=other.environ()).exit_code == 0
    )
    made = printed("subscribe", "--application-server-key", other.public_key)
    assert run("send", made["id"], "b", env=other.environ()).exit_code == 0
    assert control.messages[-1].vapid["sub"] == "mailto:me@example.com"


@pytest.mark.parametrize(
    ("subscription", "words"),
    [
        ("{", "the subscription cannot be read"),
        ("{}", "must be a JSON object with an endpoint"),
        ("list.json", "must be a JSON object with an endpoint"),
        ('{"endpoint": "nowhere"}', "'nowhere' is not the URL of an endpoint"),
        ('{"endpoint": "https://localhost"}', "keys.p256dh of the subscription must be base64url"),
        (
            '{"endpoint": "https://localhost", "keys": {"p256dh": "BA", "auth": 3}}',
            "keys.auth of the subscription must be base64url, not 3",
        ),
        ('{"endpoint": "https://localhost", "keys": {"p256dh": "BA", "auth": "BA"}}', "p256dh"),
    ],
)
def test_a_subscription_that_is_none_is_refused(control, subscription, words, tmp_path):
    (tmp_path / "list.json").write_text("[]")
    result = run("send", subscription, "hello")
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_id_that_the_service_does_not_know_is_not_there(control):
    assert run("send", "no-such-id", "hello").exit_code == 1


def test_an_unreachable_service_is_said_to_be(control):
    url = f"http://127.0.0.1:{free_port()}"
    result = run("send", "an-id", "hello", "--url", url)
    assert result.exit_code == 2
    assert f"cannot reach the service at {url}" in result.stderr


def test_a_subscription_of_another_service_needs_none_of_ours(control):
    keys = dict(control.subscribe()["keys"])
    with other_service(403, b"no\x1b[2J") as (origin, got):
        subscription = json.dumps({"endpoint": f"{origin}/p?token=1", "keys": keys})
        url = f"http://127.0.0.1:{free_port()}"
        result = run("send", subscription, "hello", "--url", url)
        assert printed("send", subscription, "hello", "--url", url)["body"] == "no\x1b[2J"
    assert (result.exit_code, result.output) == (1, "403 refused\nno\\x1b[2J\n")
    assert got[0]["Content-Encoding"] == "aes128gcm"
    explained = run("vapid", "inspect", got[0]["Authorization"], "--endpoint", f"{origin}/p")
    assert "0 findings" in explained.output


def test_an_answer_without_words_is_shown_without_words(control):
    with other_service(500, b"") as (origin, _):
        result = run("send", json.dumps({"endpoint": origin}), "", input="")
    assert (result.exit_code, result.output) == (1, "500 refused\n")


# messages


def send(control: Control, data: str | bytes = "hello", *flags: str) -> str:
    """Sends to a new subscription, whose id it returns."""
    made = control.subscribe(application_server_key=None)
    assert run("send", json.dumps(made), *flags, input=data).exit_code == 0
    return made.id


def test_no_messages_is_an_empty_list(control):
    result = run("messages")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no messages\n")
    assert printed("messages") == []


def test_each_message_is_a_line_oldest_first(control):
    send(control, "first\x1b\n", "--topic", "one", "--ttl", "5")
    send(control, b"\xff\xfe", "--urgency", "low")
    send(control, "")
    first, second, third = run("messages").output.splitlines()
    assert 'acknowledged  ttl=5  topic=one  urgency=normal  "first\\x1b\\n"' in first
    assert second.endswith("urgency=low  2 octets  1 finding")
    assert third.endswith("payload: none")
    assert [each["id"] for each in printed("messages")] == [each.id for each in control.messages]


REFUSED_BY_APPLE = (
    "rfc 201 · fcm 201 · mozilla 201 · apple 400 BadWebPushTopic (topic.length_mod_4) · wns 201"
)


def test_a_line_has_the_answers_of_all_push_services_if_one_of_them_objects(control):
    send(control, "right", "--topic", "four")
    send(control, "wrong", "--topic", "fiver")
    right, wrong = run("messages").output.splitlines()
    assert "apple" not in right
    assert wrong.endswith(f'"wrong"  {REFUSED_BY_APPLE}  1 finding')


def test_a_message_has_the_answers_of_all_in_any_case(control):
    send(control, "right")
    assert (
        "rfc 201 · fcm 201 · mozilla 201 · apple 201 · wns 201" in run("messages", "latest").output
    )


def test_refusals_are_red_on_a_terminal_only(control, monkeypatch):
    send(control, "wrong", "--topic", "fiver")
    red = click.style("apple 400 BadWebPushTopic (topic.length_mod_4)", fg="red")
    assert red not in run("messages").output
    monkeypatch.setattr("mockpush.cli._colour", lambda: True)
    assert f"mozilla 201 · {red} · wns 201" in run("messages").output


def test_a_long_payload_is_cut_in_the_list_and_whole_in_the_message(control):
    send(control, "x" * 100)
    assert '"' + "x" * 60 + '…"' in run("messages").output
    assert '"' + "x" * 100 + '"' in run("messages", "latest").output


@pytest.mark.parametrize("which", ["latest", "id"])
def test_a_message_is_shown_with_all_that_is_known_of_it(control, which):
    send(control, "hello", "--topic", "t")
    message = the_message(control)
    result = run("messages", "--", message.id if which == "id" else which)
    for words in (
        "topic             t\n",
        'payload           "hello"\n',
        "answers           rfc 201",
    ):
        assert words in result.output
    assert "Z  delivered\n" in result.output
    assert "finding" in result.output
    assert printed("messages", "latest") == message.raw


def test_findings_of_a_message_come_with_a_hint(control):
    send(control, "hello", "--ttl", "0")
    output = run("messages", "latest").output
    assert "1 finding\n" in output
    assert " ttl.zero: " in output
    assert "1 finding\n" in run("messages").output


def test_a_message_that_cannot_be_decrypted_says_so(control):
    made, other = control.subscribe(), control.subscribe()
    wrong = {"endpoint": made.endpoint, "keys": other["keys"]}
    assert run("send", json.dumps(wrong), "hello").exit_code == 0
    opaque = control.subscribe(
        keys={"p256dh": VapidKeys.generate().public_key, "auth": base64url_encode(bytes(16))}
    )
    assert run("send", json.dumps(opaque), "hello").exit_code == 0
    first, second = run("messages").output.splitlines()
    assert "payload: cannot be decrypted" in first
    assert "payload: cannot be decrypted here: the service does not hold the keys" in second


def test_messages_of_one_subscription(control):
    first, second = send(control, "1"), send(control, "2")
    assert '"1"' in run("messages", "--subscription", first).output
    assert '"2"' not in run("messages", "--subscription", first).output
    assert '"1"' in run("messages", "latest", "--subscription", first).output
    assert '"2"' in run("messages", "latest", "--subscription", second, "--wait", "1").output


@pytest.mark.parametrize("flags", [(), ("--subscription", "none")])
def test_no_latest_message_is_not_there(control, flags):
    result = run("messages", "latest", *flags)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no message has come to ")


def test_a_message_that_is_not_there_is_a_failure(control):
    result = run("messages", "no-such-id")
    assert (result.exit_code, result.stdout) == (1, "")


def test_a_wait_ends_when_enough_have_come(control):
    send(control, "1")
    send(control, "2")
    assert len(printed("messages", "--wait", "2")) == 2


def test_a_wait_that_is_too_long_says_what_came_instead(control):
    send(control, "1")
    run("send", subscription(), "x", "--ttl=-1")
    result = run("messages", "--wait", "2", "--timeout", "0.01")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "expected 2 push messages within 0.01 s, got 1" in result.stderr
    assert "ttl.negative" in result.stderr


def test_a_wait_for_an_id_makes_no_sense(control):
    result = run("messages", "an-id", "--wait", "1")
    assert result.exit_code == 2
    assert "--wait goes with the list or with latest" in result.stderr


def test_a_tenant_sees_its_own(control):
    send(control, "mine")
    assert printed("messages", "--tenant", uuid.uuid4().hex) == []


# tail


@contextmanager
def tailing(control: Control, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """`mockpush tail` from the moment at which it listens."""
    command = [sys.executable, "-m", "mockpush.cli", "tail", *flags]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            while not select.select([process.stdout], [], [], 0.05)[0]:
                control.subscribe()
            control.clock.freeze()
            while "clock.frozen" not in line(process):
                pass
            yield process
        finally:
            process.terminate()


def line(process: subprocess.Popen[bytes]) -> str:
    """The next line of the tail, which is on its way."""
    assert select.select([process.stdout], [], [], 10)[0]
    return process.stdout.readline().decode()


def test_what_happens_is_told_a_line_each(control):
    with tailing(control) as process:
        made = control.subscribe()
        assert f"subscription.created  subscription {made.id}" in line(process)
        run("send", json.dumps(made), "hello", "--topic", "t")
        accepted = line(process)
        assert accepted.startswith("201  ")
        assert 'acknowledged  ttl=60  topic=t  urgency=normal  "hello"' in accepted
        run("send", json.dumps(made), "hello", "--ttl=-1")
        refused = line(process)
        assert refused.startswith("400  ")
        assert "  rfc 400 (ttl.negative) · fcm 400 bad request. (ttl.negative) · " in refused
        assert "must ttl.negative: " in line(process)


def test_the_cause_that_other_subscriptions_show_is_told_below(control):
    old, new = VapidKeys.generate(), VapidKeys.generate()
    with tailing(control) as process:
        for pair in (new, old):
            made = control.subscribe(application_server_key=pair.public_key)
            assert "subscription.created" in line(process)
        run("send", json.dumps(made), "hello", env=new.environ())
        assert line(process).startswith("403  ")
        told = [line(process) for _ in range(8)]
    assert "must vapid.key.mismatch: " in told[0]
    assert "information vapid.key.other_subscription: " in told[4]


def test_what_becomes_of_a_message_later_is_told(control):
    with tailing(control) as process:
        made = control.subscribe(online=False)
        run("send", json.dumps(made), "hello")
        assert "subscription.created" in line(process)
        assert "pending  ttl=60" in line(process)
        control.clock.advance(61)
        assert "message.expired  " in line(process)


def test_events_are_data_too(control):
    with tailing(control, "--json") as process:
        made = control.subscribe()
        event = json.loads(line(process))
    assert (event["kind"], event["subscription"]) == ("subscription.created", made.id)
    assert {"id", "at", "message", "request", "detail"} <= event.keys()


def test_an_interrupt_ends_the_tail_quietly(control):
    with tailing(control) as process:
        process.send_signal(signal.SIGINT)
        control.subscribe()  # wakes it up if it was just about to wait
        assert process.wait() == 130
        assert process.stderr.read() == b""


def test_the_end_of_the_service_ends_the_tail(control, monkeypatch):
    with Server(PushService()).running() as server, HttpTransport(server.url) as transport:
        monkeypatch.setenv("MOCKPUSH_URL", server.url)
        monkeypatch.setenv("MOCKPUSH_TENANT", "default")
        with tailing(Control(transport)) as process:
            server.stop_thread()
            assert process.wait() == 0


# env


@pytest.fixture
def with_proxy(monkeypatch) -> Iterator[Server]:
    """A service that answers for the hosts of the vendors."""
    service = PushService(ServiceOptions(vendor_hosts=True))
    with Server(service, proxy_port=0).running() as server:
        monkeypatch.setenv("MOCKPUSH_URL", server.url)
        yield server


def test_a_push_to_a_vendor_reaches_the_service_whose_subscription_it_is(
    control, with_proxy, kept_in
):
    made = printed("subscribe", "--profile", "apple")
    assert made["endpoint"].startswith("https://web.push.apple.com/")
    subscription = json.dumps(made)
    refused = printed("send", subscription, "--ttl=-1")
    assert refused["status"] == 400
    made["endpoint"] += "x"  # is none of the service
    with pytest.raises(kept_in):
        run("send", json.dumps(made), "hello", catch_exceptions=False)


def test_a_shell_is_told_of_the_proxy(control, with_proxy, cache):
    found = printed("env")
    assert found["HTTPS_PROXY"] == found["https_proxy"] == with_proxy.proxy_url


@pytest.fixture
def cache(control, monkeypatch, tmp_path) -> Path:
    """An empty cache of the user."""
    monkeypatch.delenv("MOCKPUSH_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mockpush"


def test_a_shell_that_evaluates_the_lines_finds_and_trusts_the_service(server, cache):
    script = (
        'eval "$("$PYTHON" -m mockpush.cli env --shell sh)"\n'
        '"$PYTHON" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    )
    environ = {**os.environ, "PYTHON": sys.executable}
    completed = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, text=True)
    found = json.loads(completed.stdout)
    assert found["MOCKPUSH_HTTPS_URL"] == server.https_url
    assert found["MOCKPUSH_CONTROL_URL"] == f"{server.url}/_mockpush/v1"
    ca_pem = Path(server.ca_file).read_text().strip()
    for name in ("MOCKPUSH_CA_FILE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
        assert ca_pem in Path(found[name]).read_text()
    assert "::1" in found["NO_PROXY"].split(",")
    (directory,) = cache.iterdir()
    assert completed.stderr == f"The certificates are in {directory}\n"


def test_a_shell_that_has_the_variables_is_not_given_them_twice(cache):
    first = printed("env")
    second = printed("env", env=first)
    assert {"SSL_CERT_FILE", "PHP_INI_SCAN_DIR"} <= first.keys()
    assert second == {name: first[name] for name in first if name.startswith("MOCKPUSH")}


@pytest.mark.parametrize("flags", [("--json",), ("--shell", "json")])
def test_the_variables_are_data_too(server, cache, flags):
    assert json.loads(run("env", *flags).stdout)["MOCKPUSH_URL"] == server.url


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("sh", "export A='it'\\''s \\ $B'"),
        ("fish", "set -gx A 'it\\'s \\\\ $B'"),
        ("powershell", "$Env:A = 'it''s \\ $B'"),
    ],
)
def test_a_value_is_quoted_as_its_shell_wants_it(shell, line):
    assert running.SHELLS[shell]("A", "it's \\ $B") == line


@pytest.mark.parametrize(
    ("shell", "begin"), [("/usr/bin/fish", "set -gx "), ("/bin/zsh", "export "), ("", "export ")]
)
def test_the_lines_are_for_the_shell_of_the_user(cache, shell, begin):
    assert run("env", env={"SHELL": shell}).stdout.startswith(f"{begin}MOCKPUSH_URL")


def test_on_windows_without_a_shell_variable_it_is_powershell(cache, monkeypatch):
    monkeypatch.delenv("SHELL", raising=False)
    monkeypatch.setattr(running.sys, "platform", "win32")
    assert run("env").stdout.startswith("$Env:MOCKPUSH_URL = ")


def test_a_cache_that_cannot_be_made_is_said_to_be(cache):
    cache.parent.write_text("a file")
    result = run("env")
    assert result.exit_code == 2
    assert "set MOCKPUSH_CACHE_DIR to a directory" in result.stderr


def test_the_cache_is_below_the_home_directory_by_default(cache, monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = printed("env")
    assert Path(found["MOCKPUSH_CA_FILE"]).is_relative_to(tmp_path / "home" / ".cache" / "mockpush")


# ready, reset


def test_a_service_that_is_ready_is_said_to_be(server, control):
    result = run("ready")
    assert (result.exit_code, result.stdout) == (0, f"{server.url} is ready\n")
    assert printed("ready") == {"ready": True, "url": server.url}


def test_a_service_that_is_not_there_is_not_ready(control):
    url = f"http://127.0.0.1:{free_port()}"
    result = run("ready", "--url", url)
    assert (result.exit_code, result.stdout) == (1, f"{url} is not ready\n")
    assert printed("ready", "--url", url, "--wait", "0.01") == {"ready": False, "url": url}


def test_a_service_that_starts_late_is_waited_for(control, monkeypatch):
    late = Server(PushService(), port=free_port())
    url = f"http://127.0.0.1:{late._port}"
    monkeypatch.setattr(running.time, "sleep", lambda _: late.start_in_thread())
    try:
        assert run("ready", "--wait", "10", "--url", url).exit_code == 0
    finally:
        late.stop_thread()


def test_a_reset_forgets_everything(control):
    send(control)
    assert run("reset").output == f"tenant {control.tenant} is reset\n"
    assert (control.messages, control.subscriptions) == ([], [])


def test_a_reset_keeps_what_it_is_told_to(control):
    send(control)
    assert printed("reset", "--keep", "subscriptions") == {
        "reset": control.tenant,
        "kept": ["subscriptions"],
    }
    assert control.messages == []
    assert len(control.subscriptions) == 1


def test_what_cannot_be_kept_is_refused_with_the_words_of_the_service(control):
    result = run("reset", "--keep", "messages")
    assert result.exit_code == 2
    assert "only together with subscriptions" in result.stderr
