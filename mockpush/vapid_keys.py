"""The key pair with which an application server identifies itself, in every form senders want.

RFC 8292, Section 2: a P-256 pair; its public key is the applicationServerKey of subscriptions.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from mockpush.errors import ConfigurationError, KeyFormatError
from mockpush.protocol.keys import (
    generate_key_pair,
    load_private_key,
    parse_private_key,
    public_point,
)
from mockpush.protocol.model import base64url_decode, base64url_encode

SUBJECT: Final = "mailto:test@example.com"
KEY_FILE: Final = "vapid.pem"

PRIVATE_KEY: Final = "VAPID_PRIVATE_KEY"
PUBLIC_KEY: Final = "VAPID_PUBLIC_KEY"
CONTACT: Final = "VAPID_SUBJECT"
"""The variables from which most applications take their pair."""

_JSON_MEMBERS: Final = ("privateKey", "private_key", "d")
"""Where a JSON document keeps the scalar: node's web-push, our own, and a JWK (RFC 7518)."""


@dataclass(frozen=True, slots=True)
class VapidKeys:
    """A P-256 pair and the contact for `sub`.

    `public_key` is the uncompressed point and `private_key` the scalar, both in base64url;
    `private_key_pem` is PKCS #8.
    """

    public_key: str
    private_key: str = field(repr=False)
    private_key_pem: str = field(repr=False)
    subject: str = SUBJECT

    @classmethod
    def from_scalar(cls, scalar: bytes, *, subject: str = SUBJECT) -> Self:
        """The pair of a private key (32 octets)."""
        key = load_private_key(scalar)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        point = public_point(key.public_key())
        return cls(base64url_encode(point), base64url_encode(scalar), pem.decode("ascii"), subject)

    @classmethod
    def generate(cls, *, subject: str = SUBJECT) -> Self:
        """A new pair."""
        return cls.from_scalar(generate_key_pair()[0], subject=subject)

    @classmethod
    def read(cls, file: Path, *, subject: str = SUBJECT) -> Self:
        """The pair of a file: PEM, DER, JSON (JWK, or what web-push prints) or base64url.

        `ConfigurationError` names the file and the way out.
        """
        try:
            scalar = parse_private_key(_key_text(file.read_bytes()))
        except (OSError, KeyFormatError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                f"{file} cannot be used as a VAPID key: {reason}; it must hold a P-256 private key "
                "as PEM, DER, JWK or base64url (`mockpush vapid keys -o FILE` makes one)"
            ) from error
        return cls.from_scalar(scalar, subject=subject)

    @classmethod
    def kept_in(cls, directory: Path) -> Self:
        """The pair of `directory`; whoever asks first makes it, all others get the same."""
        file = directory / KEY_FILE
        if not file.exists():
            cls.generate().save(file)
        return cls.read(file)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self | None:
        """The pair of `VAPID_PRIVATE_KEY` (a key or the name of its file) and `VAPID_SUBJECT`.

        None when there is none. `ConfigurationError` for a key that cannot be read.
        """
        environ = os.environ if environ is None else environ
        text = environ.get(PRIVATE_KEY, "").strip()
        subject = environ.get(CONTACT) or SUBJECT
        if not text:
            return None
        try:
            return cls.from_scalar(parse_private_key(text), subject=subject)
        except KeyFormatError as error:
            if (file := _existing(text)) is not None:
                return cls.read(file, subject=subject)
            raise ConfigurationError(
                f"{PRIVATE_KEY} must be a P-256 private key as PEM, DER or base64url: {error}"
            ) from error

    @property
    def application_server_key(self) -> bytes:
        """The public key as subscriptions have it: the uncompressed point, 65 octets."""
        return base64url_decode(self.public_key)

    @property
    def scalar(self) -> bytes:
        """The private key, 32 octets."""
        return base64url_decode(self.private_key)

    def claims(self, **more: object) -> dict[str, object]:
        """A new dict of claims with the contact, as libraries want it that add `aud` and `exp`."""
        return {"sub": self.subject, **more}

    def environ(self) -> dict[str, str]:
        """The variables from which most applications take their pair."""
        return {PUBLIC_KEY: self.public_key, PRIVATE_KEY: self.private_key, CONTACT: self.subject}

    def formats(self) -> dict[str, str | dict[str, str]]:
        """The pair in every form that a sender may want."""
        key = load_private_key(self.scalar)
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        sec1 = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            "public_key": self.public_key,
            "private_key": self.private_key,
            "private_key_pem": self.private_key_pem,
            "private_key_sec1_pem": sec1.decode("ascii"),
            "private_key_der": base64.b64encode(der).decode("ascii"),
            "public_key_pem": public.decode("ascii"),
            "jwk": self.jwk(),
        }

    def jwk(self) -> dict[str, str]:
        """The pair as a JSON Web Key (RFC 7518, Section 6.2)."""
        point = self.application_server_key
        x, y = base64url_encode(point[1:33]), base64url_encode(point[33:])
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "d": self.private_key}

    def save(self, file: Path) -> bool:
        """Writes the private key as PEM, for nobody else to read; the file appears whole.

        False if there is such a file already, which stays. `ConfigurationError` if it cannot be
        written.
        """
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _write_new(file, self.private_key_pem.encode("ascii"))
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error


def service_keys(*, vapid_key: Path | None, data_dir: Path | None) -> VapidKeys:
    """The pair of a service: that of its file, else the one kept with its data, else a new one."""
    if vapid_key is not None:
        return VapidKeys.read(vapid_key)
    return VapidKeys.generate() if data_dir is None else VapidKeys.kept_in(data_dir)


def _key_text(data: bytes) -> str:
    """What `parse_private_key` takes, from the content of a file."""
    if not data.isascii():  # DER, or the scalar itself
        return base64.b64encode(data).decode("ascii")
    text = data.decode("ascii").strip()
    return _json_member(text) if text.startswith("{") else text


def _json_member(text: str) -> str:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise KeyFormatError(f"it is not JSON: {error}") from None
    for member in _JSON_MEMBERS:
        if isinstance(value := document.get(member), str):
            return value
    raise KeyFormatError(f"its JSON has none of {', '.join(_JSON_MEMBERS)}")


def _existing(name: str) -> Path | None:
    """The file of this name; None for what is none, or could not be one."""
    file = Path(name).expanduser()
    with suppress(OSError, ValueError):
        return file if file.is_file() else None
    return None


def _write_new(file: Path, content: bytes) -> bool:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".mockpush-")
    written = Path(name)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
        try:
            os.link(written, file)
        except OSError:  # it is there, or this file system has no hard links
            if file.exists():
                return False
            written.replace(file)
        return True
    finally:
        written.unlink(missing_ok=True)
