"""The server that senders must not trust."""

import socket
import ssl
from urllib.parse import urlsplit

import pytest
import requests

from mockpush.harness.impostor import impostor
from mockpush.tls import CertificateAuthority


@pytest.fixture
def authority():
    return CertificateAuthority.create()


@pytest.fixture
def served(authority, tmp_path):
    with impostor(authority.issue(["localhost", "127.0.0.1"]), directory=tmp_path) as server:
        yield server


def test_it_takes_everything_for_success_and_keeps_the_head(served, authority, tmp_path):
    answer = requests.post(
        f"{served.origin}/push/x", b"body", verify=authority.publish(tmp_path), timeout=5
    )
    assert (answer.status_code, answer.content) == (201, b"")
    assert [head.partition("\r\n")[0] for head in served.heads] == ["POST /push/x HTTP/1.1"]


def test_who_looks_sends_nothing(served):
    with pytest.raises(requests.exceptions.SSLError):
        requests.post(f"{served.origin}/push/x", b"body", timeout=5)
    assert served.heads == []


def test_what_comes_in_clear_is_seen_as_well(served):
    answer = requests.post(f"http://localhost:{urlsplit(served.origin).port}/x", b"!", timeout=5)
    assert answer.status_code == 400
    assert served.heads == ["POST /x HTTP/1.1 (in clear)"]


def test_who_says_nothing_leaves_nothing(served, authority):
    port = urlsplit(served.origin).port
    context = ssl.create_default_context(cadata=authority.pem.decode())
    with socket.create_connection(("127.0.0.1", port)) as plain:
        context.wrap_socket(plain, server_hostname="localhost").close()
    assert served.heads == []


def test_it_is_there_only_for_a_while(authority, tmp_path):
    with impostor(authority.issue(["localhost"]), directory=tmp_path) as server:
        port = urlsplit(server.origin).port
    for host in ("127.0.0.1", "::1"):
        with pytest.raises(OSError, match=r"refused|unavailable|cannot assign"):
            socket.create_connection((host, port))
    assert list(tmp_path.iterdir()) == []
