"""Application servers that make one mistake each, written from the RFCs and the draft.

They derive their keys with the HKDF of the cryptography package, step by step and each step
replaceable; nothing here comes from the code under test but the readers whose failure is explained.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import partial

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mockpush.errors import DecryptionError
from mockpush.protocol import aesgcm, encryption
from mockpush.protocol.diagnosis import Cause, diagnose
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import SubscriptionKeys

TEXT = b"When I grow up, I want to be a watermelon"


def new_keys() -> SubscriptionKeys:
    private_key, p256dh = generate_key_pair()
    return SubscriptionKeys(p256dh, os.urandom(16), private_key)


def hkdf(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


@dataclass(frozen=True)
class Sent:
    """A message as it arrives, to be read with the keys of one subscription."""

    keys: SubscriptionKeys
    body: bytes
    coding: str
    salt: bytes | None = None
    dh: bytes | None = None
    rs: int = 4096

    def read(self):
        keys = self.keys
        secrets = {"private_key": keys.private_key, "p256dh": keys.p256dh, "auth": keys.auth}
        if self.coding == "aes128gcm":
            return encryption.decrypt(self.body, **secrets)
        return aesgcm.decrypt(self.body, salt=self.salt, dh=self.dh, rs=self.rs, **secrets)

    def cause(self, others=()) -> Cause:
        with pytest.raises(DecryptionError) as caught:
            self.read()
        return self.explained(caught.value, others)

    def explained(self, failure: DecryptionError, others=()) -> Cause:
        return diagnose(
            failure,
            self.body,
            coding=self.coding,
            keys=self.keys,
            salt=self.salt,
            dh=self.dh,
            rs=self.rs,
            others=others,
        )


@dataclass(frozen=True)
class Agreement:
    """What an application server knows when it derives keys; `reader` gets the message."""

    reader: SubscriptionKeys
    secret: bytes
    auth: bytes
    ua: bytes
    server: bytes
    salt: bytes

    def final_keys(
        self,
        *,
        ikm=None,
        key_info=None,
        cek_info=b"Content-Encoding: aes128gcm\0",
        nonce_info=b"Content-Encoding: nonce\0",
    ):
        """RFC 8291, Section 3.4."""
        if key_info is None:
            key_info = b"WebPush: info\0" + self.ua + self.server
        if ikm is None:
            ikm = hkdf(self.auth, self.secret, key_info, 32)
        return hkdf(self.salt, ikm, cek_info, 16), hkdf(self.salt, ikm, nonce_info, 12)

    def draft_keys(self, *, ikm=None, auth_info=b"Content-Encoding: auth\0", context=None):
        """draft-ietf-webpush-encryption-04, Section 3.5."""
        if context is None:
            context = self.draft_context()
        if ikm is None:
            ikm = hkdf(self.auth, self.secret, auth_info, 32)
        cek = hkdf(self.salt, ikm, b"Content-Encoding: aesgcm\0" + context, 16)
        return cek, hkdf(self.salt, ikm, b"Content-Encoding: nonce\0" + context, 12)

    def draft_context(self) -> bytes:
        lengths = [len(key).to_bytes(2, "big") + key for key in (self.ua, self.server)]
        return b"P-256\0" + b"".join(lengths)

    def final(self, keys, *records: bytes, rs: int = 4096, aad: bytes | None = None) -> Sent:
        """A message of `aes128gcm`; the records are padded already."""
        body = self.header(rs) + seal(keys, records or (TEXT + b"\2",), aad)
        return Sent(self.reader, body, "aes128gcm")

    def header(self, rs: int = 4096) -> bytes:
        return self.salt + struct.pack("!LB", rs, 65) + self.server

    def draft(self, keys, *records: bytes, rs: int = 4096) -> Sent:
        """A message of `aesgcm`; the records are padded already."""
        body = seal(keys, records or (b"\0\0" + TEXT,))
        return Sent(self.reader, body, "aesgcm", self.salt, self.server, rs)


def seal(keys, records, aad: bytes | None = None) -> bytes:
    cek, nonce = keys
    first = int.from_bytes(nonce, "big")
    nonces = [(first ^ number).to_bytes(12, "big") for number in range(len(records))]
    sealed = map(partial(AESGCM(cek).encrypt, associated_data=aad), nonces, records)
    return b"".join(sealed)


def agreement(
    keys: SubscriptionKeys, reader: SubscriptionKeys, wanted=lambda secret: True
) -> Agreement:
    """With a new key pair whose ECDH secret is as wanted."""
    while True:
        private = ec.generate_private_key(ec.SECP256R1())
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), keys.p256dh)
        secret = private.exchange(ec.ECDH(), peer)
        if wanted(secret):
            server = private.public_key().public_bytes(
                Encoding.X962, PublicFormat.UncompressedPoint
            )
            return Agreement(reader, secret, keys.auth, keys.p256dh, server, os.urandom(16))


@pytest.fixture(scope="session")
def ours() -> SubscriptionKeys:
    """The keys of the subscription that all messages are sent to."""
    return new_keys()


@pytest.fixture(scope="session")
def theirs() -> SubscriptionKeys:
    """The keys of another subscription."""
    return new_keys()


@pytest.fixture(scope="session")
def agree(ours):
    """Agrees on a message to our subscription, if need be with other keys than its own."""

    def agree(keys: SubscriptionKeys = ours, **options) -> Agreement:
        return agreement(keys, ours, **options)

    return agree


@pytest.fixture(scope="session")
def arrive(ours):
    """A message that arrives at our subscription; `keys` makes it another one."""

    def arrive(body: bytes, coding: str = "aes128gcm", **parts) -> Sent:
        return Sent(**{"keys": ours, "body": body, "coding": coding, **parts})

    return arrive
