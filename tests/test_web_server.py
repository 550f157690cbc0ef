"""The server: how it starts, what it tells about itself, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
import time_machine
from freezegun import freeze_time

from mockpush.errors import ConfigurationError
from mockpush.event_loop import SteadyEventLoop, new_event_loop
from mockpush.tls import CA_FILE, KEY_FILE
from mockpush.web_server import WebServer

FOREVER = 30
"""Seconds after which a wait has failed."""

LOOPS = [new_event_loop, SteadyEventLoop]


async def app(scope, receive, send):
    if scope["type"] == "http":
        host = dict(scope["headers"])[b"host"]
        headers = [(b"content-length", b"%d" % len(host))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": host})


@pytest.fixture
def server():
    with WebServer(app).running() as running:
        yield running


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """Where temporary files go during the test."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def test_it_listens_on_as_many_more_tls_ports_as_it_is_told_to():
    with WebServer(app, further_https=2).running() as running:
        ports = running.further_https_ports
        assert len({port_of(running.https_url), *ports}) == 3
        for port in ports:
            url = f"https://localhost:{port}/"
            with urllib.request.urlopen(url, context=running.ssl_context) as answer:
                assert answer.read() == f"localhost:{port}".encode()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def get(url: str, *, context: ssl.SSLContext | None = None) -> bytes:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    with opener.open(url, timeout=FOREVER) as answer:
        return answer.read()


def subject_alternatives(server: WebServer, *, name: str) -> set[str]:
    port = port_of(server.https_url)
    with (
        socket.create_connection(("127.0.0.1", port)) as sock,
        server.ssl_context.wrap_socket(sock, server_hostname=name) as tls,
    ):
        return {value for _, value in tls.getpeercert()["subjectAltName"]}


# What it tells about itself


def test_every_origin_answers_over_tls_and_plain(server):
    assert server.origins[0] == server.https_url
    assert server.url in server.origins
    answered = 0
    for origin in server.origins:
        if "::1" in origin and not socket.has_dualstack_ipv6():
            continue
        host = origin.partition("://")[2]
        assert get(origin, context=server.ssl_context) == host.encode()
        answered += 1
    assert answered >= 4


def test_the_urls_are_those_of_the_contract(server):
    port, https_port = port_of(server.url), port_of(server.https_url)
    assert server.url == f"http://127.0.0.1:{port}"
    assert server.https_url == f"https://localhost:{https_port}"
    assert port != https_port


def test_hostnames_are_in_the_certificate_and_the_origins():
    with WebServer(app, hostnames=["push.test", "fd00::1"]).running() as server:
        names = subject_alternatives(server, name="push.test")
        assert {"push.test", "localhost", "127.0.0.1"} <= names
        assert len(names) == 5
        assert f"https://push.test:{port_of(server.https_url)}" in server.origins


def test_a_hostname_that_is_none_is_refused_and_no_port_stays_bound(temporary):
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(ConfigurationError, match="--hostname a b"):
        WebServer(app, hostnames=["a b"]).start_in_thread()
    assert set(os.listdir("/dev/fd")) == before
    assert list(temporary.iterdir()) == []


def test_the_variables_are_all_that_a_program_needs(server):
    environ = server.environ
    assert environ["MOCKPUSH_URL"] == server.url
    assert environ["MOCKPUSH_HTTPS_URL"] == server.https_url
    assert environ["MOCKPUSH_CONTROL_URL"] == server.url + "/_mockpush/v1"
    assert environ["MOCKPUSH_CA_FILE"] == server.ca_file
    assert Path(server.ca_file).read_bytes() == server.ca_pem
    assert {"REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"} <= environ.keys()
    environ.clear()
    assert server.environ  # a copy was cleared


def test_a_program_in_another_process_trusts_the_server_by_its_variables(server):
    program = "import os, urllib.request; urllib.request.urlopen(os.environ['MOCKPUSH_HTTPS_URL'])"
    environ = {**os.environ, **server.environ}
    subprocess.run([sys.executable, "-c", program], env=environ, check=True)


def test_trust_does_not_send_nested_programs_to_this_server(server, monkeypatch):
    monkeypatch.delenv("MOCKPUSH_URL", raising=False)
    with server.trusted():
        assert "MOCKPUSH_URL" not in os.environ
        assert get(server.https_url)
    with pytest.raises(urllib.error.URLError):
        get(server.https_url)


def test_a_server_that_does_not_run_says_so():
    stopped = WebServer(app)
    for name in ("url", "https_url", "origins", "ca_file", "ca_pem", "environ", "ssl_context"):
        with pytest.raises(RuntimeError, match="not running"):
            getattr(stopped, name)
    with pytest.raises(RuntimeError, match="thread"):
        stopped.submit(asyncio.sleep(0))


# Starting


async def test_it_runs_in_the_event_loop_of_its_user():
    async with WebServer(app) as server:
        assert await asyncio.to_thread(get, server.url)
        with pytest.raises(RuntimeError, match="already"):
            await server.start()
    with pytest.raises(RuntimeError, match="not running"):
        server.url  # noqa: B018


async def test_a_server_can_be_started_again():
    server = WebServer(app)
    for _ in range(2):
        async with server:
            assert await asyncio.to_thread(get, server.url)
    await server.stop()  # no harm


def test_the_service_learns_its_origins_before_the_first_request():
    told = []

    async def asking(scope, receive, send):
        if scope["type"] == "http":
            assert told
        await app(scope, receive, send)

    async def on_bound(origins):
        told.append(origins)
        port = port_of(origins[-1])
        sock = socket.create_connection(("127.0.0.1", port))  # bound already: waits to be accepted
        sock.close()

    with WebServer(asking, on_bound=on_bound).running() as server:
        assert told == [server.origins]
        assert get(server.url)


def test_what_is_raised_before_the_first_request_undoes_everything(temporary):
    def on_bound(origins):
        raise ZeroDivisionError

    before = set(os.listdir("/dev/fd"))
    with pytest.raises(ZeroDivisionError):
        WebServer(app, on_bound=on_bound).start_in_thread()
    assert set(os.listdir("/dev/fd")) == before
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(("setting", "flag"), [("port", "--port"), ("https_port", "--https-port")])
def test_a_port_in_use_is_named_with_its_flag(server, setting, flag):
    port = port_of(server.url)
    with pytest.raises(ConfigurationError, match=rf"port {port} .*in use.* {flag} 0"):
        WebServer(app, **{setting: port}).start_in_thread()


def test_fixed_ports_can_be_used_again_at_once():
    with WebServer(app).running() as first:
        ports = {"port": port_of(first.url), "https_port": port_of(first.https_url)}
        get(first.url)
    with WebServer(app, **ports).running() as second:
        assert {"port": port_of(second.url), "https_port": port_of(second.https_url)} == ports
        get(second.url)


def test_two_servers_at_once_are_strangers(server):
    with WebServer(app).running() as other:
        assert set(server.origins).isdisjoint(other.origins)
        assert get(other.https_url, context=other.ssl_context)
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            get(other.https_url, context=server.ssl_context)


@pytest.mark.parametrize(
    "frozen",
    [freeze_time("2001-01-01"), time_machine.travel("2001-01-01", tick=False)],
    ids=["freezegun", "time-machine"],
)
@pytest.mark.parametrize("loop_factory", LOOPS)
def test_a_server_started_while_the_clock_is_frozen_is_trusted_and_alive(frozen, loop_factory):
    server = WebServer(app)
    with frozen:
        server.start_in_thread(loop_factory=loop_factory)
        assert get(server.https_url, context=server.ssl_context)
        server.submit(asyncio.sleep(0.01)).result(FOREVER)
        server.stop_thread()


# The certificate authority


def test_with_a_data_directory_the_authority_outlives_the_server(tmp_path):
    seen = set()
    for _ in range(2):
        with WebServer(app, data_dir=tmp_path / "data").running() as server:
            assert get(server.https_url, context=server.ssl_context)
            assert server.ca_file == str(tmp_path / "data" / CA_FILE)
            seen.add(Path(server.ca_file).read_bytes())
    assert len(seen) == 1
    assert {path.name for path in (tmp_path / "data").iterdir()} == {CA_FILE, KEY_FILE}


def test_without_one_every_server_has_its_own_and_no_key_touches_the_disk(temporary):
    seen = set()
    for _ in range(2):
        with WebServer(app).running() as server:
            assert server.environ
            seen.add(server.ca_pem)
            files = [path for path in temporary.rglob("*") if path.is_file()]
            assert Path(server.ca_file) in files
            assert not [path for path in files if b"PRIVATE KEY" in path.read_bytes()]
        assert list(temporary.iterdir()) == []
    assert len(seen) == 2


# The thread


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_nothing_is_left_of_fifty_servers(temporary, loop_factory):
    WebServer(app).start_in_thread  # noqa: B018 - all that is imported lazily is imported now
    with WebServer(app).running() as first:
        get(first.https_url, context=first.ssl_context)
    gc.collect()
    threads, files = set(threading.enumerate()), set(os.listdir("/dev/fd"))
    for _ in range(50):
        server = WebServer(app)
        server.start_in_thread(loop_factory=loop_factory)
        with socket.create_connection(("127.0.0.1", port_of(server.url))) as idle:
            idle.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert idle.recv(1000)
            server.stop_thread()
    gc.collect()  # an unclosed socket or event loop is a warning, and so an error
    assert set(threading.enumerate()) == threads
    assert set(os.listdir("/dev/fd")) == files
    assert list(temporary.iterdir()) == []


def test_coroutines_run_on_the_loop_of_the_server_and_end_with_it():
    entered = threading.Event()

    async def thread():
        return threading.current_thread().name

    async def forever():
        entered.set()
        await asyncio.Event().wait()

    with WebServer(app).running() as server:
        assert server.submit(thread()).result(FOREVER) == "mockpush"
        endless = server.submit(forever())
        assert entered.wait(FOREVER)
    with pytest.raises(CancelledError):
        endless.result(0)
    server.stop_thread()  # no harm


def test_a_forked_child_leaves_the_server_of_its_parent_alone(run_python):
    printed = run_python(
        """
import asyncio, os, socket, warnings
from pathlib import Path
from mockpush.web_server import WebServer

async def app(scope, receive, send):
    pass

server = WebServer(app)
server.start_in_thread()
warnings.simplefilter("ignore")  # that forking a process with threads is delicate
if (child := os.fork()) == 0:
    try:
        server.submit(asyncio.sleep(0))
    except RuntimeError as error:
        print(error, flush=True)
    server.stop_thread()
    raise SystemExit(0)  # with all that runs at an exit
os.waitpid(child, 0)
port = int(server.url.rpartition(":")[2])
socket.create_connection(("127.0.0.1", port)).close()
print(Path(server.ca_file).exists(), server.submit(asyncio.sleep(0, "alive")).result(30))
server.stop_thread()
"""
    )
    assert printed.splitlines() == [
        "the server's event loop does not run in this process",
        "True alive",
    ]


def test_a_forked_child_that_lives_longer_does_not_hold_the_port(run_python):
    printed = run_python(
        """
import os, socket, warnings
from mockpush.web_server import WebServer

async def app(scope, receive, send):
    pass

server = WebServer(app)
server.start_in_thread()
port = int(server.url.rpartition(":")[2])
begun, begin = os.pipe()
ended, end = os.pipe()
warnings.simplefilter("ignore")
if (child := os.fork()) == 0:
    os.write(begin, b"x")
    os.read(ended, 1)
    os._exit(0)
os.read(begun, 1)
server.stop_thread()
try:
    socket.create_connection(("127.0.0.1", port))
except ConnectionRefusedError:
    print("refused")
os.write(end, b"x")
os.waitpid(child, 0)
"""
    )
    assert printed == "refused\n"


FORGETFUL = """
import asyncio, tempfile
from pathlib import Path
from mockpush.web_server import WebServer

async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("shut down")
    await send({"type": "lifespan.shutdown.complete"})

server = WebServer(app)
"""


def test_a_server_that_nobody_stops_stops_with_the_program(run_python):
    program = "server.start_in_thread()\nprint(Path(server.ca_file).parent)"
    directory, goodbye = run_python(FORGETFUL + program).splitlines()
    assert Path(directory).name.startswith("mockpush-")
    assert not Path(directory).exists()
    assert goodbye == "shut down"


def test_no_file_is_left_of_an_event_loop_that_ended_without_a_stop(run_python):
    program = "asyncio.run(server.start())\nprint(Path(server.ca_file).parent)"
    directory = run_python(FORGETFUL + program).strip()
    assert Path(directory).name.startswith("mockpush-")
    assert not Path(directory).exists()


# Stopping


def test_hooks_are_called_before_the_first_connection_is_closed():
    events = []
    ending = asyncio.Event()

    async def stream(scope, receive, send):
        if scope["type"] == "http":
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            await ending.wait()
            await send({"type": "http.response.body", "body": b"data: goodbye\n\n"})

    async def waits():
        events.append("waits")

    server = WebServer(stream, on_stop=[waits, ending.set])
    with server.running():
        answer = urllib.request.urlopen(server.url, timeout=FOREVER)
        assert answer.readline() == b"data: 1\n"
    with answer:
        assert answer.read() == b"\ndata: goodbye\n\n"
    assert events == ["waits"]


def test_a_hook_that_never_ends_does_not_hold_up_the_stop(caplog):
    async def forever():
        await asyncio.Event().wait()

    called = threading.Event()
    with WebServer(app, on_stop=[forever, called.set]).running():
        pass
    assert called.is_set()
    assert "forever" in caplog.text


def test_a_hook_that_fails_is_told_and_nothing_is_left(temporary):
    def fail():
        raise ZeroDivisionError

    others = set(threading.enumerate())
    server = WebServer(app, on_stop=[fail])
    server.start_in_thread()
    port = port_of(server.url)
    with pytest.raises(ZeroDivisionError):
        server.stop_thread()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert list(temporary.iterdir()) == []
    assert "mockpush" not in {each.name for each in set(threading.enumerate()) - others}


PROGRAM = """
import asyncio, json, sys
from mockpush.event_loop import SteadyEventLoop, new_event_loop, run
from mockpush.web_server import WebServer

ending = asyncio.Event()

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        if scope["path"] == "/stream":
            await ending.wait()
            await send({"type": "http.response.body", "body": b"goodbye", "more_body": True})
        elif scope["path"] == "/poll":
            await asyncio.Event().wait()
        elif scope["path"] == "/body":
            while (await receive()).get("more_body"):
                pass
        await send({"type": "http.response.body"})

server = WebServer(app, http=sys.argv[1], on_stop=[ending.set])
ready = lambda: print(json.dumps([server.url, server.https_url, server.ca_file]), flush=True)
loop_factory = SteadyEventLoop if sys.argv[2] == "asyncio" else new_event_loop
run(server.serve(ready=ready), loop_factory=loop_factory)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("http", "loop"), [("auto", "auto"), ("h11", "asyncio")])
def test_a_signal_ends_it_in_the_middle_of_everything(number, http, loop):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, http, loop],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        url, https_url, ca_file = json.loads(process.stdout.readline())
        context = ssl.create_default_context(cafile=ca_file)

        def connect(sent: bytes, *, tls: bool) -> socket.socket:
            port = port_of(https_url if tls else url)
            sock = socket.create_connection(("127.0.0.1", port), timeout=FOREVER)
            if tls:
                sock = context.wrap_socket(sock, server_hostname="localhost")
            sock.sendall(sent)
            return sock

        def ask(target: bytes, *lines: bytes, tls: bool) -> socket.socket:
            sock = connect(
                b"\r\n".join([b"GET %b HTTP/1.1" % target, b"host: x", *lines, b"", b""]), tls=tls
            )
            assert sock.recv(1000)
            return sock

        upgrade = (b"upgrade: websocket", b"connection: upgrade", b"sec-websocket-version: 13")
        opened = []
        for tls in (False, True):
            opened += [
                ask(b"/stream", tls=tls),
                ask(b"/poll", tls=tls),
                ask(b"/idle", tls=tls),
                ask(b"/body", b"content-length: 9", tls=tls),
                ask(b"/ws", *upgrade, b"sec-websocket-key: " + b"A" * 22 + b"==", tls=tls),
                connect(b"GET / HTTP/1.1\r\nho", tls=tls),
                connect(b"", tls=tls),
            ]
        opened.append(socket.create_connection(("127.0.0.1", port_of(https_url))))
        process.send_signal(number)
        assert process.wait(FOREVER) == 0
        assert process.stderr.read() == ""
        received = b""
        while chunk := opened[0].recv(1000):
            received += chunk
        assert b"goodbye" in received
        for sock in opened:
            sock.close()
    assert not Path(ca_file).exists()


def test_importing_the_server_is_cheap(modules_loaded_by):
    loaded = modules_loaded_by("import mockpush.web_server")
    expensive = {"cryptography.x509", "requests", "httpx", "aiohttp", "websockets", "starlette"}
    assert not expensive & loaded
