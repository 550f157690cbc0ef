"""`mockpush exec`: what the command finds, how it ends, and what is said when it fails."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from mockpush.commands import execute as execute_module
from mockpush.commands.execute import forwarding
from mockpush.server_journal import Stray
from mockpush.vapid_keys import VapidKeys

MOCKPUSH = [sys.executable, "-m", "mockpush.cli"]


def execute(*command: str, flags: tuple[str, ...] = (), **environ: str):
    return subprocess.run(
        [*MOCKPUSH, "exec", *flags, "--", *command],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
    )


def python(program: str, *, flags: tuple[str, ...] = (), **environ: str):
    """Runs a Python program as the command."""
    return execute(sys.executable, "-c", textwrap.dedent(program), flags=flags, **environ)


def environment(**environ: str) -> dict[str, str]:
    """The variables that the command finds."""
    completed = python("import json, os; print(json.dumps(dict(os.environ)))", **environ)
    assert (completed.returncode, completed.stderr) == (0, "")
    return json.loads(completed.stdout)


def test_the_command_finds_the_service_and_a_subscription_of_it():
    found = environment()
    assert found["MOCKPUSH_CONTROL_URL"] == f"{found['MOCKPUSH_URL']}/_mockpush/v1"
    subscription = json.loads(found["MOCKPUSH_SUBSCRIPTION"])
    assert subscription.keys() == {"endpoint", "expirationTime", "keys"}
    assert subscription["endpoint"].startswith(f"{found['MOCKPUSH_HTTPS_URL']}/")
    assert {"MOCKPUSH_CA_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} <= found.keys()
    pair = VapidKeys.from_environment(found)
    assert pair.environ().items() <= found.items()


PUSH = """
    import json, os, sys
    import pywebpush

    subscription = json.loads(os.environ["MOCKPUSH_SUBSCRIPTION"])
    claims = {"sub": os.environ["VAPID_SUBJECT"], **json.loads(sys.argv[1])}
    answer = pywebpush.webpush(
        subscription, "hello", vapid_private_key=os.environ["VAPID_PRIVATE_KEY"],
        vapid_claims=claims, ttl=60,
    )
    print(subscription["endpoint"], answer.status_code)
"""


@pytest.mark.parametrize(
    ("profile", "origin"),
    [("fcm", "https://fcm.googleapis.com/fcm/send/"), ("apple", "https://web.push.apple.com/")],
)
def test_with_vendor_hosts_a_program_pushes_to_the_vendor_and_reaches_us(profile, origin):
    program = (sys.executable, "-c", textwrap.dedent(PUSH))
    flags = ("--vendor-hosts", "--profile", profile)
    completed = execute(*program, "{}", flags=flags)
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.startswith(origin)
    assert completed.stdout.endswith(" 201\n")

    completed = execute(*program, '{"aud": "https://example.com"}', flags=flags)
    assert completed.returncode == 1
    assert "the service refused 1 of 1 request" in completed.stderr
    assert "vapid.aud.mismatch" in completed.stderr


def test_with_vendor_hosts_what_is_refused_is_told():
    program = "import requests; requests.get('https://example.com/')"
    completed = python(program, flags=("--vendor-hosts",))
    assert completed.returncode == 1
    assert "403 Forbidden" in completed.stderr
    assert "target=example.com:443" in completed.stderr
    assert "--proxy-allow HOST" in completed.stderr


def test_with_vendor_hosts_this_machine_is_reached_directly_and_through_the_proxy():
    program = """
        import os, requests
        url = os.environ["MOCKPUSH_HTTPS_URL"] + "/livez"
        assert requests.get(url).ok
        assert requests.get(url, proxies={"https": os.environ["HTTPS_PROXY"], "no_proxy": "-"}).ok
    """
    completed = python(program, flags=("--vendor-hosts",))
    assert completed.returncode == 0, completed.stderr


def test_vendor_hosts_may_have_a_port_of_their_own():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    program = "import os; print(os.environ['HTTPS_PROXY'])"
    flags = ("--vendor-hosts", "--proxy-port", port)
    assert python(program, flags=flags).stdout == f"http://127.0.0.1:{port}\n"


def test_every_run_has_ports_of_its_own_even_inside_another():
    program = 'import os; print(os.environ["MOCKPUSH_URL"])'
    inner = [*MOCKPUSH, "exec", sys.executable, "-c", program]
    completed = python(
        f"""
        import os, subprocess
        print(os.environ["MOCKPUSH_URL"], flush=True)
        subprocess.run({inner!r}, check=True)
        """
    )
    outer, other = completed.stdout.split()
    assert outer != other


def test_a_pair_that_is_set_stays():
    pair = VapidKeys.generate(subject="mailto:me@example.com")
    found = environment(**pair.environ())
    assert pair.environ().items() <= found.items()


def test_a_private_key_that_is_set_brings_its_public_key():
    pair = VapidKeys.generate()
    found = environment(VAPID_PRIVATE_KEY=pair.private_key, VAPID_PUBLIC_KEY="")
    assert found["VAPID_PUBLIC_KEY"] == pair.public_key


def test_a_public_key_that_is_set_gets_no_strange_private_key():
    pair = VapidKeys.generate()
    found = environment(VAPID_PUBLIC_KEY=pair.public_key)
    assert found["VAPID_PUBLIC_KEY"] == pair.public_key
    assert found["VAPID_SUBJECT"] == "mailto:test@example.com"
    assert "VAPID_PRIVATE_KEY" not in found


def test_the_key_of_a_flag_is_that_of_the_command(tmp_path):
    pair = VapidKeys.generate()
    pair.save(tmp_path / "key.pem")
    assert environment(MOCKPUSH_VAPID_KEY="key.pem")["VAPID_PRIVATE_KEY"] == pair.private_key


def test_a_key_that_cannot_be_used_is_one_clear_sentence():
    completed = execute("true", VAPID_PUBLIC_KEY="rubbish")
    assert completed.returncode == 2
    assert completed.stderr.startswith("Error: ")
    assert completed.stderr.count("\n") == 1


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_it_exits_as_the_command_does(code):
    assert python(f"raise SystemExit({code})").returncode == code


def test_the_streams_are_those_of_the_command():
    completed = subprocess.run(
        [*MOCKPUSH, "exec", sys.executable, "-c", "print(input())"],
        input="hello\n",
        capture_output=True,
        text=True,
    )
    assert (completed.stdout, completed.stderr) == ("hello\n", "")


def test_what_follows_the_command_belongs_to_it():
    program = "import sys; print(sys.argv[1:])"
    completed = subprocess.run(
        [*MOCKPUSH, "exec", "--strict", sys.executable, "-c", program, "--port", "--", "-x"],
        capture_output=True,
        text=True,
    )
    assert completed.stdout == "['--port', '--', '-x']\n"


def test_a_flag_that_is_none_is_wrong_usage():
    completed = execute("true", flags=("--stirct",))
    assert completed.returncode == 2
    assert "No such option" in completed.stderr


def test_a_command_that_is_not_found_is_said_to():
    completed = execute("no-such-program")
    assert completed.returncode == 127
    assert completed.stderr == (
        "mockpush: no-such-program is not found: is it installed, and on PATH?\n"
    )


def test_a_command_that_cannot_be_executed_is_said_to(tmp_path):
    (tmp_path / "text").write_text("")
    completed = execute("./text")
    assert completed.returncode == 126
    assert completed.stderr == "mockpush: ./text cannot be executed: Permission denied\n"


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    """`mockpush exec` with a Python program that has said that it runs."""
    command = [*MOCKPUSH, "exec", sys.executable, "-c", textwrap.dedent(program)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


TRAPS = """
    import signal, sys
    both = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, both)
    print("ready", flush=True)
    print("got", int(signal.sigwait(both)))
    sys.exit(7)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_command_which_decides(number):
    with running(TRAPS) as process:
        process.send_signal(number)
        assert process.stdout.read() == f"got {number.value}\n"
        assert process.wait() == 7


def test_a_command_that_a_signal_ends_has_the_exit_code_of_a_shell():
    with running("print('ready', flush=True)\nimport signal\nsignal.pause()") as process:
        process.terminate()
        assert process.wait() == 128 + signal.SIGTERM


AT_A_TERMINAL = """
    import os, pty, signal, sys
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    screen = open(terminal, "r+b", buffering=0)
    seen = b""
    def until(text):
        global seen
        while text not in seen:
            seen += screen.read(100)
    until(b"ready")
    screen.write(b"\\x03")
    until(b"interrupted")
    os.kill(child, signal.SIGTERM)
    until(b"interrupts: ")
    until(b".")
    os.waitpid(child, 0)
    print(seen.decode())
"""


def test_an_interrupt_from_the_terminal_reaches_the_command_once():
    """The terminal signals the whole foreground group: `exec` must not do it again.

    If it did, it would do so before it hands on the SIGTERM, at which the command counts.
    """
    counts = """
        import signal
        both = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, both)
        print("ready", flush=True)
        count = 0
        while signal.sigwait(both) == signal.SIGINT:
            count += 1
            print("interrupted", flush=True)
        print(f"interrupts: {count}.", flush=True)
    """
    command = [*MOCKPUSH, "exec", sys.executable, "-c", textwrap.dedent(counts)]
    driver = [sys.executable, "-c", textwrap.dedent(AT_A_TERMINAL), *command]
    completed = subprocess.run(driver, capture_output=True, text=True, check=True)
    assert "interrupts: 1." in completed.stdout


def test_a_signal_before_the_command_runs_keeps_it_from_running(tmp_path):
    with forwarding() as child:
        signal.raise_signal(signal.SIGTERM)
        assert child.run(["touch", "ran"], os.environ) == 128 + signal.SIGTERM
    assert not child.started
    assert not (tmp_path / "ran").exists()


def test_a_signal_while_the_command_starts_reaches_it(monkeypatch):
    def start(*arguments, **options):
        signal.raise_signal(signal.SIGTERM)
        return subprocess.Popen(*arguments, **options)

    monkeypatch.setattr(execute_module, "subprocess", SimpleNamespace(Popen=start))
    with forwarding() as child:
        program = "import signal; signal.pause()"
        assert child.run([sys.executable, "-c", program], os.environ) == 128 + signal.SIGTERM


@pytest.mark.parametrize(("in_foreground", "count"), [(True, 1), (False, 2)])
def test_only_an_interrupt_that_the_terminal_has_given_to_both_is_kept(
    monkeypatch, in_foreground, count
):
    """The command signals `exec` and counts what comes back.

    Of two signals that are pending at once the kernel may deliver either first, so it waits for the
    one that is to come back before it sends the other.
    """
    program = f"""
        import os, signal, sys
        both = [signal.SIGINT, signal.SIGTERM]
        signal.pthread_sigmask(signal.SIG_BLOCK, both)
        os.kill(os.getppid(), signal.SIGINT)
        count = 1
        if {count} > 1:
            count += signal.sigwait(both) == signal.SIGINT
        os.kill(os.getppid(), signal.SIGTERM)
        while signal.sigwait(both) != signal.SIGTERM:
            count += 1
        sys.exit(count)
    """
    monkeypatch.setattr(execute_module, "_in_foreground", lambda: in_foreground)
    with forwarding() as child:
        command = [sys.executable, "-c", textwrap.dedent(program)]
        assert child.run(command, os.environ) == count


def test_on_windows_the_console_interrupts_the_command(monkeypatch):
    monkeypatch.setattr(execute_module.sys, "platform", "win32")
    assert execute_module._in_foreground()


def push(**headers: str) -> str:
    """A program that pushes without a payload and fails."""
    return f"""
        import json, os, sys, urllib.error, urllib.request
        from urllib.parse import urlsplit
        endpoint = json.loads(os.environ["MOCKPUSH_SUBSCRIPTION"])["endpoint"]
        request = urllib.request.Request(endpoint, b"", {headers!r}, method="POST")
        try:
            urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            sys.exit(3)
    """


def test_a_failure_comes_with_what_was_refused_and_why():
    completed = python(push())
    assert completed.returncode == 3
    assert "the command exited with 3; the service refused 1 of 1 request" in (completed.stderr)
    assert "  400 POST /push/" in completed.stderr
    assert "must ttl.missing: " in completed.stderr
    assert "[RFC 8030, Section 5.2]" in completed.stderr
    assert "          hint  " in completed.stderr


def test_many_refused_pushes_are_counted_rather_than_shown():
    completed = python(
        f"""
        import sys
        def once():
            {textwrap.indent(textwrap.dedent(push()), " " * 12).strip()}
        for _ in range(22):
            try:
                once()
            except SystemExit:
                pass
        sys.exit(3)
        """
    )
    assert "the service refused 22 of 22 requests" in completed.stderr
    assert completed.stderr.count("  400 POST /push/") == 20
    assert completed.stderr.endswith("  and 2 more\n")


def test_a_success_says_nothing_of_what_was_refused():
    completed = python(push().replace("sys.exit(3)", "sys.exit(0)"))
    assert (completed.returncode, completed.stderr) == (0, "")


def test_a_failure_names_requests_to_endpoints_that_do_not_exist():
    completed = python(push(TTL="1").replace("(endpoint,", "(endpoint + 'x',"))
    assert "unknown subscription: POST /push/" in completed.stderr
    assert "the endpoint is none of this service" in completed.stderr


def test_a_failure_names_tls_on_the_plain_port():
    program = """
        import os, ssl, socket
        from urllib.parse import urlsplit
        address = urlsplit(os.environ["MOCKPUSH_URL"])
        plain = socket.create_connection((address.hostname, address.port))
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    """
    completed = python(program)
    assert completed.returncode == 1
    assert "tls on plain port" in completed.stderr
    assert "for https take the origin in MOCKPUSH_HTTPS_URL" in completed.stderr


def test_there_is_advice_for_everything_that_belongs_to_no_subscription():
    assert set(execute_module.ADVICE) == set(Stray)


def test_pywebpush_sends_with_nothing_but_the_variables(tmp_path):
    (tmp_path / "sender.py").write_text(
        textwrap.dedent(
            """
            import json, os
            from urllib.request import urlopen
            from pywebpush import webpush

            answer = webpush(
                json.loads(os.environ["MOCKPUSH_SUBSCRIPTION"]),
                json.dumps({"order": 7}),
                vapid_private_key=os.environ["VAPID_PRIVATE_KEY"],
                vapid_claims={"sub": os.environ["VAPID_SUBJECT"]},
                ttl=60,
            )
            with urlopen(os.environ["MOCKPUSH_CONTROL_URL"] + "/messages/latest") as latest:
                message = json.load(latest)
            print(answer.status_code, message["payload"]["json"], message["findings"])
            """
        )
    )
    completed = execute(sys.executable, "sender.py")
    assert (completed.returncode, completed.stderr) == (0, "")
    status, payload = completed.stdout.split(" ", 1)
    assert status == "201"
    assert payload.startswith("{'order': 7}")


def test_the_service_is_gone_when_the_command_has_ended():
    ca_file = Path(environment()["MOCKPUSH_CA_FILE"])
    assert not ca_file.exists()
