"""What is particular to HTTP over sockets: kept connections, TLS, and words for every failure."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import struct
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mockpush import errors
from mockpush.client.transports.http import HttpTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Scripted:
    """A server that treats each connection as its script says; it does not answer otherwise."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.scripts = []
        self.connections = []
        self.done = threading.Semaphore(0)
        """released when a script has ended"""
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            if not self.scripts:
                connection.close()
                return
            self.connections.append(connection)
            self.scripts.pop(0)(connection)
            self.done.release()

    def close(self) -> None:
        self.scripts.clear()
        socket.create_connection(self.listener.getsockname()).close()
        self.thread.join()
        for each in (self.listener, *self.connections):
            each.close()


@pytest.fixture
def server():
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def transport(server):
    with HttpTransport(server.url) as transport:
        yield transport


def request_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    return data


def answer(connection: socket.socket, times: int = 1) -> None:
    for _ in range(times):
        request_head(connection)
        connection.sendall(OK)


def answer_once_whole(connection: socket.socket) -> None:
    head, _, body = request_head(connection).partition(b"\r\n\r\n")
    length = int(head.partition(b"Content-Length: ")[2].split()[0])
    while len(body) < length:
        body += connection.recv(1 << 20)
    connection.sendall(OK)


def answer_then_close(connection: socket.socket) -> None:
    answer(connection)
    connection.close()


def answer_then_fail_the_next(connection: socket.socket) -> None:
    answer(connection)
    request_head(connection)
    connection.close()


def answer_then_reset_in_the_middle_of_the_next(connection: socket.socket) -> None:
    answer(connection)
    connection.recv(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_connection_is_kept_for_the_next_request(server, transport):
    server.scripts.append(lambda connection: answer(connection, 3))
    for _ in range(3):
        assert transport.request("POST", "/", body=b"x").body == b"ok"
    assert len(server.connections) == 1


def test_a_connection_that_the_service_has_closed_is_not_used_again(server, transport):
    server.scripts += [answer_then_close, answer]
    transport.request("POST", "/")
    assert server.done.acquire(timeout=10)
    assert transport.request("POST", "/").body == b"ok"


def test_an_idempotent_request_is_repeated_when_a_kept_connection_dies(server, transport):
    server.scripts += [answer_then_fail_the_next, answer]
    transport.request("GET", "/")
    assert transport.request("GET", "/").body == b"ok"


def test_a_request_that_may_have_been_acted_on_is_not_repeated(server, transport):
    server.scripts += [answer_then_fail_the_next, answer]
    transport.request("GET", "/")
    with pytest.raises(errors.ConnectError, match="closed the connection without an answer"):
        transport.request("POST", "/")
    assert len(server.connections) == 1


def test_a_request_that_did_not_go_out_whole_is_repeated(server, transport):
    server.scripts += [answer_then_reset_in_the_middle_of_the_next, answer_once_whole]
    transport.request("GET", "/")
    assert transport.request("POST", "/", body=bytes(10_000_000)).body == b"ok"


def test_a_new_connection_is_not_tried_twice(server, transport):
    def hang_up(connection):
        request_head(connection)
        connection.close()

    server.scripts += [hang_up, answer]
    with pytest.raises(errors.ConnectError, match="without an answer"):
        transport.request("GET", "/")
    assert len(server.connections) == 1


def test_a_connection_that_the_service_wants_closed_is_not_kept(server, transport):
    def last_answer(connection):
        request_head(connection)
        connection.sendall(OK.replace(b"Content", b"Connection: close\r\nContent"))

    server.scripts += [last_answer, answer]
    assert transport.request("GET", "/").body == b"ok"
    assert transport.request("GET", "/").body == b"ok"
    assert len(server.connections) == 2


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ],
)
def test_a_truncated_answer_is_never_taken_for_a_whole_one(server, transport, beginning):
    def truncated(connection):
        request_head(connection)
        connection.sendall(beginning)
        connection.close()

    server.scripts.append(truncated)
    with pytest.raises(errors.ConnectError, match="in the middle of its answer"):
        transport.request("GET", "/")


def test_a_stream_left_early_takes_its_connection_with_it(server, transport):
    def endless(connection):
        request_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")

    server.scripts += [endless, answer]
    with transport.stream("GET", "/") as stream:
        assert next(iter(stream)) == b"ok"
    assert transport.request("GET", "/").body == b"ok"
    assert server.connections[0].recv(1) == b""


def test_something_that_is_not_http(server, transport):
    def ssh(connection):
        request_head(connection)
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.close()

    server.scripts.append(ssh)
    with pytest.raises(errors.ConnectError, match="does not answer as an HTTP server does"):
        transport.request("GET", "/")


def test_nobody_there_names_the_url_and_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        HttpTransport(f"http://127.0.0.1:{port}/ignored") as transport,
        pytest.raises(errors.ConnectError) as caught,
    ):
        transport.request("GET", "/")
    assert f"http://127.0.0.1:{port} (" in str(caught.value)
    assert "mockpush serve" in str(caught.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8030", "ftp://localhost", "http://", ""])
def test_what_is_not_the_url_of_a_service(url):
    with pytest.raises(errors.ConfigurationError, match="is not the URL of a service"):
        HttpTransport(url)


def test_proxies_are_ignored(server, transport, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.scripts.append(answer)
    assert transport.request("GET", "/").body == b"ok"


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(pem) + secret)
    return str(path)


@pytest.fixture
def secure_url(application, serve, certificate):
    @application.route("/")
    async def handler(call):
        return 200, [], call.body

    @application.route("/silence")
    async def silence(call):
        while (await call.receive())["type"] != "http.disconnect":
            pass

    return serve(application, ssl_certfile=certificate, ssl_keyfile=certificate)


@pytest.fixture
def trusting(certificate):
    return ssl.create_default_context(cafile=certificate)


def test_https_with_a_context_that_trusts_the_service(secure_url, trusting):
    with HttpTransport(secure_url, ssl_context=trusting) as transport:
        for _ in range(2):
            assert transport.request("POST", "/", body=b"x").body == b"x"
        with transport.fork() as fork:
            assert fork.request("POST", "/", body=b"y").body == b"y"


def test_close_ends_an_outstanding_request_over_tls(secure_url, trusting, application):
    raised = []

    def run() -> None:
        try:
            transport.request("GET", "/silence")
        except errors.ConnectError as error:
            raised.append(str(error))

    transport = HttpTransport(secure_url, ssl_context=trusting)
    thread = threading.Thread(target=run)
    thread.start()
    assert application.reached.acquire(timeout=10)
    transport.close()
    thread.join()
    assert raised == [f"the transport to {secure_url} is closed"]


def test_a_certificate_that_is_not_trusted_says_what_to_pass(secure_url):
    with (
        HttpTransport(secure_url) as transport,
        pytest.raises(errors.ConnectError, match="pass an `ssl_context`"),
    ):
        transport.request("GET", "/")


def test_https_spoken_to_the_plain_port(application, serve, trusting):
    url = serve(application).replace("http:", "https:")
    with (
        HttpTransport(url, ssl_context=trusting) as transport,
        pytest.raises(errors.ConnectError, match="is it the https port"),
    ):
        transport.request("GET", "/")


def test_http_spoken_to_the_tls_port(secure_url):
    with (
        HttpTransport(secure_url.replace("https:", "http:")) as transport,
        pytest.raises(errors.ConnectError, match="http://127"),
    ):
        transport.request("GET", "/")


def test_closing_while_it_connects(server):
    """The connection comes about after the transport was closed: it is not used."""
    transport = HttpTransport(server.url)
    new_connection = transport._new_connection

    def close_meanwhile():
        transport.close()
        return new_connection()

    transport._new_connection = close_meanwhile
    server.scripts.append(lambda connection: connection.sendall(OK))
    with pytest.raises(errors.ConnectError, match="is closed"):
        transport.request("GET", "/")


def test_an_answer_that_ends_after_the_transport_was_closed_keeps_no_connection(server, transport):
    server.scripts.append(answer)
    with transport.stream("GET", "/") as stream:
        transport.close()
        assert list(stream) == [b"ok"]
    assert transport._idle == []
    assert server.connections[0].recv(1) == b""
