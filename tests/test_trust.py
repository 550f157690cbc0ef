"""What makes clients trust the server, proved with the clients."""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path

import certifi
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from mockpush.tls import CertificateAuthority
from mockpush.trust import Trust, trusted
from mockpush.web_server import WebServer

HOSTS = ("localhost", "127.0.0.1", "::1")
VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


@pytest.fixture(scope="module")
def ours() -> bytes:
    return CertificateAuthority.create().pem


@pytest.fixture(scope="module")
def theirs() -> bytes:
    """A root that the user trusts already."""
    return CertificateAuthority.create().pem


@pytest.fixture
def trust(ours, tmp_path):
    def make(**before: str) -> Trust:
        return Trust(ours, tmp_path, HOSTS, before)

    return make


def roots(pem: str | Path) -> set[bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pem)
    return set(context.get_ca_certs(binary_form=True))


def der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode())


# Bundles


def test_the_bundle_is_certifi_and_ours(trust, ours):
    assert roots(trust().bundle()) == roots(certifi.where()) | {der(ours)}


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_bundle_of_a_user_with_own_roots_is_theirs_and_ours(
    trust, ours, theirs, tmp_path, variable
):
    (tmp_path / "own.pem").write_bytes(
        theirs.rstrip()
    )  # no line end: the next must not stick to it
    bundle = trust(**{variable: str(tmp_path / "own.pem")}).bundle()
    assert roots(bundle) == {der(theirs), der(ours)}


def test_roots_named_by_several_variables_are_all_kept(trust, ours, theirs, tmp_path):
    (tmp_path / "own.pem").write_bytes(theirs)
    bundle = trust(REQUESTS_CA_BUNDLE=str(tmp_path / "own.pem"), SSL_CERT_FILE=certifi.where())
    assert roots(bundle.bundle()) == {der(theirs), der(ours)} | roots(certifi.where())


def test_a_directory_of_roots_is_read_as_requests_reads_it(trust, ours, theirs, tmp_path):
    directory = tmp_path / "certs"
    (directory / "folder").mkdir(parents=True)
    (directory / "0a1b2c3d.0").write_bytes(theirs)
    (directory / "README").write_text("no certificate")
    assert roots(trust(REQUESTS_CA_BUNDLE=str(directory)).bundle()) == {der(theirs), der(ours)}


def test_a_variable_that_names_nothing_is_passed_over(trust, ours, tmp_path):
    bundle = trust(SSL_CERT_FILE=str(tmp_path / "gone.pem")).bundle()
    assert roots(bundle) == roots(certifi.where()) | {der(ours)}


# Variables


def test_variables_that_replace_roots_name_the_bundle(trust):
    made = trust()
    environ = made.environ()
    assert {environ[name] for name in VARIABLES} == {str(made.bundle())}


def test_variables_that_add_roots_name_ours_alone(trust, ours):
    environ = trust().environ()
    for name in ("NODE_EXTRA_CA_CERTS", "DENO_CERT"):
        assert roots(environ[name]) == {der(ours)}


def test_roots_that_the_user_added_stay(trust, ours, theirs, tmp_path):
    (tmp_path / "own.pem").write_bytes(theirs)
    environ = trust(NODE_EXTRA_CA_CERTS=str(tmp_path / "own.pem")).environ()
    assert roots(environ["NODE_EXTRA_CA_CERTS"]) == {der(theirs), der(ours)}
    assert roots(environ["DENO_CERT"]) == {der(ours)}


@pytest.mark.parametrize(("before", "kept"), [({}, ""), ({"PHP_INI_SCAN_DIR": "/own"}, "/own")])
def test_php_scans_our_ini_besides_its_own(trust, before, kept):
    environ = trust(**before).environ()
    own, _, directory = environ["PHP_INI_SCAN_DIR"].rpartition(os.pathsep)
    assert own == kept  # empty: the directory that PHP was built with
    (ini,) = Path(directory).iterdir()
    assert ini.suffix == ".ini"
    bundle = environ["SSL_CERT_FILE"]
    assert ini.read_text() == f'curl.cainfo="{bundle}"\nopenssl.cafile="{bundle}"\n'


def test_java_gets_a_trust_store_with_every_root_of_the_bundle(trust, ours, theirs, tmp_path):
    odd = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (tmp_path / "own.pem").write_bytes(odd + theirs)
    before = {"JAVA_TOOL_OPTIONS": "-Xmx1g", "SSL_CERT_FILE": str(tmp_path / "own.pem")}
    assert trust(**before).environ()["JAVA_TOOL_OPTIONS"].split() == [
        "-Xmx1g",
        f"-Djavax.net.ssl.trustStore={tmp_path}/trust.p12",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
        "-Djavax.net.ssl.trustStorePassword=changeit",
    ]
    store = pkcs12.load_pkcs12((tmp_path / "trust.p12").read_bytes(), b"changeit")
    stored = [each.certificate.public_bytes(Encoding.PEM) for each in store.additional_certs]
    assert stored == [theirs, ours]


def test_java_is_given_nothing_but_the_trust_store_when_there_was_nothing(trust):
    assert trust().environ()["JAVA_TOOL_OPTIONS"].startswith("-Djavax.net.ssl.trustStore=")


def test_a_path_with_a_space_is_quoted_for_java(ours, tmp_path):
    directory = tmp_path / "a b"
    directory.mkdir()
    options = Trust(ours, directory, HOSTS, {}).environ()["JAVA_TOOL_OPTIONS"]
    assert options.startswith(f'"-Djavax.net.ssl.trustStore={directory}/trust.p12" ')


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "corp.test, localhost"}, "corp.test,localhost,127.0.0.1,::1"),
        ({"no_proxy": "a.test", "NO_PROXY": "b.test"}, "b.test,a.test,localhost,127.0.0.1,::1"),
    ],
)
def test_the_server_is_never_reached_through_a_proxy(trust, before, expected):
    environ = trust(**before).environ()
    assert environ["NO_PROXY"] == environ["no_proxy"] == expected


def test_variables_extend_the_environment_of_the_moment_when_trust_was_made(
    ours, theirs, tmp_path, monkeypatch
):
    """Asking twice, or inside `trusted`, does not extend our own values."""
    (tmp_path / "own.pem").write_bytes(theirs)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1g")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PHP_INI_SCAN_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "trust").mkdir()
    made = Trust(ours, tmp_path / "trust", HOSTS)
    environ = made.environ()
    with trusted(environ, ca_pem=ours):
        assert made.environ() == environ
    assert roots(environ["SSL_CERT_FILE"]) == {der(theirs), der(ours)}


# This process


def test_variables_are_set_inside_the_block_and_restored_after_it(ours, monkeypatch):
    monkeypatch.setenv("MOCKPUSH_TEST_KEPT", "before")
    monkeypatch.delenv("MOCKPUSH_TEST_NEW", raising=False)
    environ = {"MOCKPUSH_TEST_KEPT": "during", "MOCKPUSH_TEST_NEW": "during"}
    with trusted(environ, ca_pem=ours):
        assert {name: os.environ[name] for name in environ} == environ
    assert os.environ["MOCKPUSH_TEST_KEPT"] == "before"
    assert "MOCKPUSH_TEST_NEW" not in os.environ


def test_contexts_that_exist_already_get_the_certificate_if_they_are_for_clients(ours):
    class Derived(ssl.SSLContext):
        pass

    client = ssl.create_default_context()
    derived = Derived(ssl.PROTOCOL_TLS_CLIENT)
    careless = ssl._create_unverified_context()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.verify_mode = ssl.CERT_REQUIRED
    with trusted({}, ca_pem=ours):
        held = {
            context: der(ours) in context.get_ca_certs(binary_form=True)
            for context in (client, derived, careless, server)
        }
    assert held == {client: True, derived: True, careless: False, server: False}


APP = """
from mockpush.web_server import WebServer

async def app(scope, receive, send):
    if scope["type"] == "http":
        status = {"type": "http.response.start", "status": 201, "headers": []}
        await send(status)
        await send({"type": "http.response.body"})

server = WebServer(app)
"""

SUBSCRIPTION = """
import base64
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")

def point():
    key = ec.generate_private_key(ec.SECP256R1())
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

def subscription():
    keys = {"p256dh": encode(point()), "auth": encode(bytes(16))}
    return {"endpoint": server.https_url + "/push/token", "keys": keys}
"""

CLIENTS = {
    "pywebpush": (
        "from pywebpush import webpush",
        "status = webpush(subscription(), 'hello').status_code",
    ),
    "pywebpush-async": (
        "import asyncio; from pywebpush import webpush_async",
        """
async def send():
    return (await webpush_async(subscription(), 'hello')).status
status = asyncio.run(send())
""",
    ),
    "webpush": (
        "import httpx; from webpush import WebPush, WebPushSubscription",
        """
from py_vapid import Vapid
vapid = Vapid()
vapid.generate_keys()
pusher = WebPush(vapid.private_pem(), vapid.public_pem(), subscriber="me@push.test")
message = pusher.get("hello", WebPushSubscription.model_validate(subscription()))
answer = httpx.post(server.https_url, content=message.encrypted, headers=message.headers)
status = answer.status_code
""",
    ),
    "requests": (
        "import requests",
        "status = requests.post(server.https_url).status_code",
    ),
    "urllib": (
        "import urllib.request",
        """
with urllib.request.urlopen(server.https_url) as answer:
    status = answer.status
""",
    ),
    "aiohttp": (
        "import aiohttp, asyncio",
        """
async def post():
    async with aiohttp.ClientSession() as session, session.post(server.https_url) as answer:
        return answer.status
status = asyncio.run(post())
""",
    ),
    "a kept httpx client": (
        "import httpx; client = httpx.Client()",
        "status = client.post(server.https_url).status_code",
    ),
    "a kept requests session": (
        "import requests; session = requests.Session()",
        "status = session.post(server.https_url).status_code",
    ),
    "a kept urllib opener": (
        "import urllib.request; opener = urllib.request.build_opener()",
        """
with opener.open(server.https_url) as answer:
    status = answer.status
""",
    ),
}
"""How each is set up, and how it sends."""


@pytest.mark.parametrize("order", ["set up before", "set up after"])
@pytest.mark.parametrize("client", CLIENTS)
def test_clients_in_this_process_trust_the_server(run_python, client, order):
    set_up, send = CLIENTS[client]
    before, after = (set_up, "") if order == "set up before" else ("", set_up)
    block = "\n".join(f"    {line}" for line in [*after.splitlines(), *send.strip().splitlines()])
    program = (
        f"{before}\n{APP}\n{SUBSCRIPTION}\nwith server.running(), server.trusted():\n{block}\n"
    )
    assert run_python(program + "print(status)") == "201\n"


async def answering(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body"})


NODE = """
const https = require("https");
https.request(process.env.MOCKPUSH_HTTPS_URL, {method: "POST"}, answer => {
  answer.resume();
  answer.on("end", () => console.log(answer.statusCode));
}).end();
"""


@pytest.mark.needs_node
def test_node_trusts_the_server_by_its_variables():
    with WebServer(answering).running() as server:
        environ = {**os.environ, **server.environ}
        command = ["node", "-e", NODE]
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("201\n", "")
