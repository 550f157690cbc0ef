"""Other people's libraries push as they are: they get 201, and what they sent is read back.

They reach the service over HTTPS and know nothing of it but a subscription.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import aiohttp  # noqa: F401 - makes its TLS context here, before there is a service
import httpx
import pytest
import pywebpush
import requests
from webpush import WebPush, WebPushSubscription

from mockpush.harness.senders.registry import READY

PAYLOAD = {"order": 7, "text": "grüße 👋"}
EXEC = (sys.executable, "-m", "mockpush.cli", "exec")

MADE_BEFORE = requests.Session()
HTTPX_MADE_BEFORE = httpx.Client()
"""Made while this module is imported, long before there is a service to trust."""


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    MADE_BEFORE.close()
    HTTPX_MADE_BEFORE.close()


def options(vapid, **more):
    return {
        "data": json.dumps(PAYLOAD),
        "vapid_private_key": vapid.private_key,
        "vapid_claims": vapid.claims(),
        "ttl": 3600,
        **more,
    }


def assert_arrived(push_service, status):
    message = push_service.wait(state="acknowledged")
    [request] = push_service.requests
    assert (status, request.status) == (201, 201)
    assert message.json() == PAYLOAD
    assert push_service.refused == []


def test_pywebpush(push_service, push_subscription, push_vapid):
    answer = pywebpush.webpush(dict(push_subscription), **options(push_vapid))
    assert_arrived(push_service, answer.status_code)


def test_pywebpush_with_the_draft_coding(push_service, push_subscription, push_vapid):
    answer = pywebpush.webpush(
        dict(push_subscription), **options(push_vapid, content_encoding="aesgcm")
    )
    assert_arrived(push_service, answer.status_code)


def test_pywebpush_with_a_session_made_before(push_service, push_subscription, push_vapid):
    answer = pywebpush.webpush(
        dict(push_subscription), **options(push_vapid, requests_session=MADE_BEFORE)
    )
    assert_arrived(push_service, answer.status_code)


async def test_pywebpush_async(push_service, push_subscription, push_vapid):
    answer = await pywebpush.webpush_async(dict(push_subscription), **options(push_vapid))
    assert answer.status == 201
    assert (await push_service.wait_async()).json() == PAYLOAD


@pytest.fixture
def webpush_message(push_subscription, push_vapid, tmp_path):
    """What PyPI's webpush makes of the payload: it encrypts and signs, and leaves the sending."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_text(push_vapid.private_key_pem)
    public.write_text(push_vapid.formats()["public_key_pem"])
    library = WebPush(private, public, subscriber="test@example.com", ttl=3600)
    return library.get(
        message=json.dumps(PAYLOAD), subscription=WebPushSubscription(**push_subscription)
    )


def test_webpush_with_httpx(push_service, push_subscription, webpush_message):
    with httpx.Client() as client:
        answer = client.post(
            push_subscription.endpoint,
            content=webpush_message.encrypted,
            headers=webpush_message.headers,
        )
    assert_arrived(push_service, answer.status_code)


def test_webpush_with_a_client_made_before(push_service, push_subscription, webpush_message):
    answer = HTTPX_MADE_BEFORE.post(
        push_subscription.endpoint,
        content=webpush_message.encrypted,
        headers=webpush_message.headers,
    )
    assert_arrived(push_service, answer.status_code)


async def test_webpush_with_httpx_async(push_service, push_subscription, webpush_message):
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            push_subscription.endpoint,
            content=webpush_message.encrypted,
            headers=webpush_message.headers,
        )
    assert answer.status_code == 201
    assert (await push_service.wait_async()).json() == PAYLOAD


# With the variables of `mockpush exec` alone

READ_BACK = """
import json
import os
from urllib.request import urlopen

def read_back():
    with urlopen(os.environ["MOCKPUSH_CONTROL_URL"] + "/messages/latest?wait=1") as answer:
        return json.load(answer)
"""

PROGRAMS = {
    "pywebpush": """
import pywebpush

answer = pywebpush.webpush(
    json.loads(os.environ["MOCKPUSH_SUBSCRIPTION"]),
    json.dumps({"order": 7}),
    vapid_private_key=os.environ["VAPID_PRIVATE_KEY"],
    vapid_claims={"sub": os.environ["VAPID_SUBJECT"]},
)
status = answer.status_code
""",
    "pywebpush async": """
import asyncio

import pywebpush

async def push():
    answer = await pywebpush.webpush_async(
        json.loads(os.environ["MOCKPUSH_SUBSCRIPTION"]),
        json.dumps({"order": 7}),
        vapid_private_key=os.environ["VAPID_PRIVATE_KEY"],
        vapid_claims={"sub": os.environ["VAPID_SUBJECT"]},
    )
    return answer.status

status = asyncio.run(push())
""",
    "webpush": """
import httpx
from mockpush.vapid_keys import VapidKeys
from pathlib import Path
from webpush import WebPush, WebPushSubscription

from mockpush.harness.senders.registry import READY

vapid = VapidKeys.from_environment()
Path("private.pem").write_text(vapid.private_key_pem)
Path("public.pem").write_text(vapid.formats()["public_key_pem"])
library = WebPush(Path("private.pem"), Path("public.pem"), subscriber="test@example.com")
subscription = json.loads(os.environ["MOCKPUSH_SUBSCRIPTION"])
message = library.get(
    message=json.dumps({"order": 7}), subscription=WebPushSubscription(**subscription)
)
status = httpx.post(
    subscription["endpoint"], content=message.encrypted, headers=message.headers
).status_code
""",
}


def run_under_exec(
    directory: Path, *command: str, flags: tuple[str, ...] = ()
) -> dict[str, object]:
    """The last line that the command prints, which is JSON."""
    own = ("PYTEST", "MOCKPUSH", "VAPID", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "NODE_EXTRA")
    completed = subprocess.run(
        [*EXEC, *flags, "--", *command],
        cwd=directory,
        env={name: value for name, value in os.environ.items() if not name.startswith(own)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout.splitlines()[-1])


@pytest.mark.parametrize("library", PROGRAMS)
def test_with_the_variables_of_exec_only(tmp_path, library):
    (tmp_path / "program.py").write_text(
        READ_BACK
        + PROGRAMS[library]
        + 'print(json.dumps({"status": status, "message": read_back()}))\n'
    )
    told = run_under_exec(tmp_path, sys.executable, "program.py")
    assert told["status"] == 201
    assert told["message"]["payload"]["json"] == {"order": 7}
    assert told["message"]["state"] == "acknowledged"


NODE_PROGRAM = """
const webPush = require("web-push");
const { VAPID_SUBJECT, VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY } = process.env;
const subscription = JSON.parse(process.env.MOCKPUSH_SUBSCRIPTION);

(async () => {
  webPush.setVapidDetails(VAPID_SUBJECT, VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY);
  const answer = await webPush.sendNotification(
    subscription,
    JSON.stringify({ order: 7 }),
    {
      TTL: 60,
      topic: "news",
      urgency: "high",
      contentEncoding: process.argv[2],
      proxy: process.env.HTTPS_PROXY,
    },
  );
  const messages = process.env.MOCKPUSH_CONTROL_URL + "/messages/latest?wait=1";
  const message = await (await fetch(messages)).json();
  console.log(JSON.stringify({ status: answer.statusCode, message }));
})();
"""


@pytest.fixture(scope="session")
def node_directory() -> Path:
    """The directory of the ready sender web-push; it is installed if it is not there."""
    sender = READY["web-push"]
    sender.install()
    return sender.directory


@pytest.mark.needs_node
@pytest.mark.parametrize("coding", ["aes128gcm", "aesgcm"])
def test_web_push_of_node(node_directory, tmp_path, coding):
    assert_read_back(run_node(node_directory, tmp_path, coding), coding)


@pytest.mark.needs_node
@pytest.mark.parametrize("profile", ["fcm", "mozilla", "apple", "wns"])
def test_web_push_of_node_to_the_host_of_a_vendor(node_directory, tmp_path, profile):
    flags = ("--vendor-hosts", "--profile", profile)
    told = run_node(node_directory, tmp_path, "aes128gcm", flags=flags)
    assert_read_back(told, "aes128gcm")
    assert not told["message"]["vapid"]["aud"].startswith("https://localhost")


def run_node(node_directory, directory, coding, *, flags=()):
    """Pushes with npm's web-push, through the proxy if there is one."""
    (directory / "push.js").write_text(NODE_PROGRAM)
    (directory / "node_modules").symlink_to(node_directory / "node_modules")
    return run_under_exec(directory, shutil.which("node"), "push.js", coding, flags=flags)


def assert_read_back(told, coding):
    assert told["status"] == 201
    message = told["message"]
    assert message["payload"]["json"] == {"order": 7}
    assert (message["ttl"], message["topic"], message["urgency"]) == (60, "news", "high")
    assert message["content_encoding"] == coding
    assert message["state"] == "acknowledged"
