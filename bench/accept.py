"""What accepting a push message costs, against a bare application and against the cryptography.

    python bench/accept.py [--messages N] [--rounds N] [--connections N] [--json FILE]

Measures side by side in one run, in short rounds, and takes the best round of each, since machines
are shared and noise only slows: use the ratios.

(a) a bare ASGI application under stock uvicorn that reads the body and answers 201
(b) our push resource: lazy inspection, one token for all messages
(c) our push resource: eager inspection, a fresh token for each message
(d) the cryptography of (c) alone, on one core beside a busy one: verify, ECDH, HKDF, AES-GCM
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit
from urllib.request import urlopen

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mockpush.event_loop import run
from mockpush.protocol import encryption, vapid
from mockpush.protocol.jwt import read_token
from mockpush.protocol.keys import generate_key_pair, load_private_key
from mockpush.protocol.model import base64url_encode

AUTH = bytes(16)
PAYLOAD = b"x" * 127
"""Makes a body of 230 octets."""


BARE = [sys.executable, str(Path(__file__).with_name("bare.py"))]
SERVE = [sys.executable, "-c", "from mockpush.cli import main; main()", "serve", "--json"]


@contextmanager
def server(*command: str) -> Iterator[dict[str, str]]:
    """Runs a server in a process of its own; gives the line that it prints when it is ready."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.kill()


@contextmanager
def push_service(inspection: str) -> Iterator[Target]:
    """`mockpush serve` with one managed, restricted subscription."""
    options = ("--port", "0", "--https-port", "0", "--inspection", inspection)
    private_key, p256dh = generate_key_pair()
    vapid_key, application_server_key = generate_key_pair()
    with server(*SERVE, *options) as ready:
        keys = {"p256dh": p256dh, "auth": AUTH, "private_key": private_key}
        members = {
            "applicationServerKey": base64url_encode(application_server_key),
            "keys": {name: base64url_encode(key) for name, key in keys.items()},
        }
        body = json.dumps(members).encode()
        with urlopen(f"{ready['control']}/subscriptions", body) as answer:
            endpoint = json.load(answer)["endpoint"]
        yield Target(_port(ready), endpoint, p256dh, private_key, vapid_key)


def _port(ready: dict[str, str]) -> int:
    return int(ready["http"].rpartition(":")[2])


class Target(NamedTuple):
    """A subscription and all of its keys."""

    port: int
    endpoint: str
    p256dh: bytes
    private_key: bytes
    vapid_key: bytes


class Load(asyncio.Protocol):
    """One connection that sends prepared requests one after another."""

    def __init__(self, requests: list[bytes], done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._done = done
        self._seen = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if not self._seen.endswith(b"\r\n\r\n"):
            return
        if not self._seen.startswith(b"HTTP/1.1 201"):
            self._done.set_exception(RuntimeError(self._seen.decode()))
            self._transport.close()
            return
        self._seen = b""
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or RuntimeError("the server closed the connection"))

    def next(self) -> None:
        """Sends the next request, or ends when there is none."""
        if self._requests:
            self._transport.write(self._requests.pop())
        else:
            self._done.set_result(None)
            self._transport.close()


async def _stay_awake() -> None:
    """A load that sleeps while it waits makes the server pay for waking it with each answer.

    That would be the greater part of what the kernel does for the slower of two servers.
    """
    while True:  # noqa: ASYNC110 - to be busy is the purpose
        await asyncio.sleep(0)


async def throughput(port: int, requests: list[bytes], connections: int) -> float:
    """Requests a second over so many connections."""
    loop = asyncio.get_running_loop()
    futures: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    loads = [
        (await loop.create_connection(partial(Load, part, done), "127.0.0.1", port))[1]
        for done, part in zip(
            futures, (requests[number::connections] for number in range(connections)), strict=True
        )
    ]
    awake = asyncio.create_task(_stay_awake())
    started = time.perf_counter()
    for load in loads:
        load.next()
    async with asyncio.timeout(60):
        await asyncio.gather(*futures)
    awake.cancel()
    return len(requests) / (time.perf_counter() - started)


def request(endpoint: str, authorization: str, body: bytes) -> bytes:
    """One push as it goes over the wire."""
    parts = urlsplit(endpoint)
    return (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: bench\r\n"
        f"Authorization: {authorization}\r\nContent-Encoding: aes128gcm\r\nTTL: 3600\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def claims(endpoint: str, number: int) -> dict[str, object]:
    """The claims of one token; the number makes each token another one."""
    parts = urlsplit(endpoint)
    expires = int(time.time()) + 12 * 3600 - number
    return {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": expires,
        "sub": "mailto:a@example.com",
    }


def encrypted(target: Target) -> bytes:
    """The payload, encrypted for the subscription."""
    return encryption.encrypt(PAYLOAD, p256dh=target.p256dh, auth=AUTH)


def prepared(target: Target, count: int, *, fresh: bool) -> list[bytes]:
    """Requests made beforehand: one again and again, or each with its own token and body."""

    def make(number: int) -> bytes:
        token = vapid.authorization(claims(target.endpoint, number), target.vapid_key)
        return request(target.endpoint, token, encrypted(target))

    return [make(number) for number in range(count)] if fresh else [make(0)] * count


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """Keeps another core busy, as the load does while a server works: cores share more than power.

    It prints a line when it is at it.
    """
    command = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            child.stdout.readline()
            yield
        finally:
            child.kill()


def cryptography_alone(target: Target, count: int) -> float:
    """Messages a second with nothing but the primitives, called as their library offers them."""
    envelope = encryption.read_envelope(encrypted(target))
    text = vapid.authorization(claims(target.endpoint, 0), target.vapid_key)
    token = read_token(text.partition("t=")[2].partition(",")[0].encode(), [])
    assert token is not None
    r, s = (int.from_bytes(token.signature[at : at + 32], "big") for at in (0, 32))
    signature = encode_dss_signature(r, s)
    signer = load_private_key(target.vapid_key).public_key()
    private_key = load_private_key(target.private_key)
    info = encryption.KEY_INFO + target.p256dh + envelope.keyid
    started = time.perf_counter()
    for _ in range(count):
        signer.verify(signature, token.signing_input, ec.ECDSA(hashes.SHA256()))
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), envelope.keyid)
        secret = private_key.exchange(ec.ECDH(), sender)
        ikm = HKDF(hashes.SHA256(), 32, AUTH, info).derive(secret)
        key = HKDF(hashes.SHA256(), 16, envelope.salt, encryption.CEK_INFO).derive(ikm)
        nonce = HKDF(hashes.SHA256(), 12, envelope.salt, encryption.NONCE_INFO).derive(ikm)
        AESGCM(key).decrypt(nonce, envelope.ciphertext, None)
    return count / (time.perf_counter() - started)


def measure(messages: int, rounds: int, connections: int) -> dict[str, list[float]]:
    """Each rate once a round, so that what disturbs the machine disturbs all of them.

    All take about as long, since the shorter a measurement, the quieter is its quietest moment.
    """
    rates: dict[str, list[float]] = {name: [] for name in "abcd"}
    with server(*BARE) as bare, push_service("lazy") as lazy, push_service("eager") as eager:
        reused = prepared(lazy, messages * 5 // 2, fresh=False)
        for number in range(rounds + 1):
            fresh = prepared(eager, messages // 4, fresh=True)
            result = {
                "a": run(throughput(_port(bare), reused, connections)),
                "b": run(throughput(lazy.port, reused[: messages * 3 // 2], connections)),
                "c": run(throughput(eager.port, fresh, connections)),
            }
            with busy_neighbour():
                result["d"] = cryptography_alone(eager, messages * 3 // 8)
            print(f"round {number}{' (warm-up)' if not number else ''}", file=sys.stderr)
            if number:
                for name, rate in result.items():
                    rates[name].append(rate)
    return rates


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    rates = measure(options.messages, options.rounds, options.connections)
    best = {name: max(each) for name, each in rates.items()}
    ratio = {f"{over}/{under}": best[over] / best[under] for over, under in ("ba", "cd")}
    names = {
        "a": "bare application",
        "b": "push, lazy, re-used token",
        "c": "push, eager, fresh token",
        "d": "cryptography alone",
    }
    for name, title in names.items():
        print(f"({name}) {title:<28} {best[name]:>8.0f} per second")
    for name, value in ratio.items():
        print(f"ratio {name} {value:.2f}")
    if options.json:
        options.json.write_text(json.dumps({"rates": rates, "ratios": ratio}, indent=1) + "\n")


if __name__ == "__main__":
    main()
