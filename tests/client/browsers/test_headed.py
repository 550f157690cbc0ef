"""`mockpush browser`: real browsers, without their window here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from types import SimpleNamespace

import pytest

from mockpush.client.browsers.cdp import Cdp
from mockpush.client.browsers.chromium import PORT, devtools

pytestmark = pytest.mark.needs_browsers

WINDOWLESS = {"firefox": "--headless", "chromium": "--headless=new"}
SUBSCRIBING = b"""<!doctype html><title>shop</title><script>
(async () => {
  const registration = await navigator.serviceWorker.register('/worker.js');
  await navigator.serviceWorker.ready;
  const key = new URLSearchParams(location.search).get('key');
  const options = {userVisibleOnly: true, applicationServerKey: key};
  const subscription = await registration.pushManager.getSubscription() ??
    await registration.pushManager.subscribe(options);
  const {cookie} = document;
  document.cookie = 'seen=before; max-age=600';
  await fetch('/tell', {method: 'POST', body: JSON.stringify({subscription, cookie})});
})();
</script>"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        script = self.path == "/worker.js"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write(b"addEventListener('push', () => {});" if script else SUBSCRIBING)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.told.put(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not on standard error."""


@pytest.fixture
def subscribing_site():
    """A page that subscribes at once, and tells."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.told = Queue()
        server.url = f"http://localhost:{server.server_port}/"
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def running(push_server, name, page, directory, *, tenant):
    """The command, ended as by Ctrl-C."""
    command = [sys.executable, "-m", "mockpush.cli", "browser", name, page]
    environ = {**os.environ, **push_server.environ, "MOCKPUSH_TENANT": tenant}
    process = subprocess.Popen(
        [*command, "--data-dir", directory, "--", WINDOWLESS[name]],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
        assert "Traceback" not in told


@pytest.mark.parametrize("name", WINDOWLESS)
def test_its_subscriptions_outlive_its_window(
    name, push_service, push_server, push_vapid, push, subscribing_site, tmp_path
):
    page = f"{subscribing_site.url}?key={push_vapid.public_key}"
    tenant = push_service.tenant
    with running(push_server, name, page, tmp_path, tenant=tenant):
        first = subscribing_site.told.get(timeout=60)["subscription"]
        assert first["endpoint"] == push_service.subscriptions[0].endpoint
        assert push(first, "hello") == 201
        push_service.wait(timeout=10, state="acknowledged")
    assert (tmp_path / "browsers" / name).is_dir()
    with running(push_server, name, page, tmp_path, tenant=tenant):
        again = subscribing_site.told.get(timeout=60)
    assert again["subscription"] == first
    if name == "chromium":  # it is asked to close; Firefox may lose what is not written yet
        assert again["cookie"] == "seen=before"


def test_what_is_not_installed_is_told(push_server, tmp_path):
    environ = {**os.environ, **push_server.environ, "MOCKPUSH_CHROMIUM": "/nowhere"}
    command = [sys.executable, "-m", "mockpush.cli", "browser", "chromium"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "MOCKPUSH_CHROMIUM=/nowhere is no program" in done.stderr


def test_a_page_that_is_not_there_leaves_the_window_open(push_service, push_server, tmp_path):
    absent, told = "http://localhost:1/", Queue()
    tenant = push_service.tenant
    with running(push_server, "chromium", absent, tmp_path, tenant=tenant) as process:
        port = tmp_path / "browsers/chromium" / PORT
        cdp = Cdp(devtools(port, SimpleNamespace(running=True, log="")))
        with closing(cdp):
            changed = ("Target.targetCreated", "Target.targetInfoChanged")
            cdp.listen(
                {name: lambda event: told.put(event.params["targetInfo"]) for name in changed}
            )
            cdp.call("Target.setDiscoverTargets", discover=True)
            while told.get(timeout=60)["url"] != absent:
                pass
            cdp.call("Browser.close")
        assert process.wait(timeout=60) == 0  # as it was closed, not before
