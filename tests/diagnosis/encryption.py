"""Rows 22 to 25 and 36 to 38: the payload and its encryption."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from pathlib import Path

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mockpush import PushService, Server
from mockpush.client.control import Control
from mockpush.client.transports.asgi import AsgiTransport
from mockpush.options import ServiceOptions
from mockpush.protocol.model import base64url_decode

from .application import Application
from .table import assert_told, row


@row(22)
def keys_of_another_subscription(application):
    meant, hit = application.subscribe(), application.subscribe()
    assert application.push(hit, body=application.encrypt(meant)).status_code == 201
    assert_told(
        application.told(),
        "encryption.keys.other_subscription",
        f"of another ({meant.id})",
        "Keep endpoint, p256dh and auth of a subscription together",
    )


@row(23)
def payload_too_big(application):
    assert application.push(application.subscribe(), b"x" * 4000).status_code == 413
    assert_told(
        application.told(),
        "413 body.too_large",
        "expected at most 4096 octets, got 4103 octets: "
        "about 4000 of plaintext and 103 of encryption",
        "3993 octets of plaintext make 4096",
    )


@row(24)
def padded_for_a_constrained_device(application):
    options = ServiceOptions(profile="mozilla", variants=("mozilla.bridged",))
    server = Server(PushService(options), port=0, https_port=0)
    with (
        server.running(),
        server.trusted(),
        AsgiTransport(server.app, server.submit, url=server.url) as transport,
    ):
        bridged = Application(Control(transport))
        answer = bridged.push(bridged.subscribe("mozilla"), b"x" * 3993)
        assert answer.status_code == 413
        assert "constrained device" in answer.json()["message"]
        assert_told(
            bridged.told(),
            "413 body.too_large",
            "expected at most 3072 octets, got 4096 octets",
            "3072 octets: 2969 of plaintext",
            "see that your library does not pad it",
        )


@row(25)
def keys_of_both_codings_mixed(application):
    mixture = f"dh={application.keys.public};p256ecdsa={application.keys.public}"
    application.push(application.subscribe("wns"), headers={"Crypto-Key": mixture})
    assert_told(application.told(), "crypto_key.dh_with_aes128gcm", "Remove Crypto-Key")


@row(36)
def leading_zeros_dropped(application):
    subscription = application.subscribe()
    body = encrypted_as_by_c_sharp(subscription)
    assert application.push(subscription, body=body).status_code == 201
    assert_told(
        application.told(),
        "encryption.ecdh_secret.leading_zeros_dropped",
        "without the zero octets that it begins with",
        "so the body decrypts to 5 octets",
    )


def encrypted_as_by_c_sharp(subscription) -> bytes:
    point = base64url_decode(subscription.p256dh)
    user_agent = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    secret = b"1"
    while secret[0]:
        private_key = ec.generate_private_key(ec.SECP256R1())
        secret = private_key.exchange(ec.ECDH(), user_agent)
    key = private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    info = b"WebPush: info\0" + point + key
    secret = secret.lstrip(b"\0")
    material = HKDF(hashes.SHA256(), 32, base64url_decode(subscription.auth), info).derive(secret)
    salt = bytes(range(16))
    cek, nonce = (
        HKDF(hashes.SHA256(), length, salt, b"Content-Encoding: " + name + b"\0").derive(material)
        for length, name in ((16, b"aes128gcm"), (12, b"nonce"))
    )
    return salt + struct.pack("!LB", 4096, 65) + key + AESGCM(cek).encrypt(nonce, b"hello\2", None)


CAPTURED = json.loads((Path(__file__).parents[1] / "data" / "senders.json").read_text())


def send_captured(application, sender: str, case: str, **options) -> requests.Response:
    """A request that a real library has made, to a subscription with the same keys."""
    subscription = application.subscribe(keys=CAPTURED["user_agent"], **options)
    [captured] = (each for each in CAPTURED["senders"][sender]["requests"] if each["case"] == case)
    fields = {name.lower(): value for name, value in captured["headers"]}
    fields |= {"authorization": application.authorization(subscription), "ttl": "60"}
    return requests.post(
        subscription.endpoint,
        data=b64decode(captured["body"]),
        headers={name: fields[name] for name in fields.keys() - {"host", "content-length"}},
        timeout=10,
    )


@row(37)
def negative_pad_length(application):
    assert send_captured(application, "php_webpush", "max3993").status_code == 201
    assert_told(application.told(), "aesgcm.padding.exceeds_record", "64363")


@row(38)
def record_longer_than_declared(application):
    subscription = application.subscribe("rfc")
    body = application.encrypt(subscription, b"x" * 200)
    short = body[:16] + struct.pack("!L", 100) + body[20:]
    assert application.push(subscription, body=short).status_code == 400
    assert_told(application.told(), "400 encryption.records.several", "rs must exceed plaintext")
    assert send_captured(application, "webpush_pypi", "big4100", profile="wns").ok
    assert_told(
        application.told(), "encryption.record.exceeds_rs: a record is longer than rs, so a browser"
    )
