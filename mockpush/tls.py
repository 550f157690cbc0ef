"""Our own certificate authority, the server's certificate, and the TLS context that shows it.

`mockpush.server` imports this module when it starts: `cryptography.x509` takes its time.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import os
import re
import secrets
import ssl
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from mockpush.errors import ConfigurationError
from mockpush.real_clock import real_time

CA_LIFETIME: Final = timedelta(days=3650)
LEAF_LIFETIME: Final = timedelta(days=397)
"""Apple's clients refuse server certificates that are valid for more than 398 days."""
BACKDATED: Final = timedelta(days=1)
"""Certificates are valid since yesterday: clocks of containers and virtual machines go wrong."""

CA_FILE: Final = "ca.pem"
KEY_FILE: Final = "ca-key.pem"

_LABEL: Final = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_DNS_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?{_LABEL}(\.{_LABEL})*")
_KEY_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True, eq=False)
class CertificateAuthority:
    """A P-256 key and its self-signed certificate (RFC 5280)."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls) -> CertificateAuthority:
        """A new one, with a name of its own, so that no client takes one for another."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"mockpush CA {secrets.token_hex(4)}")
        builder = (
            _builder(key, subject=name, issuer=name, issuer_key=key, lifetime=CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
        )
        return cls(key, builder.sign(key, hashes.SHA256()))

    @classmethod
    def load(cls, directory: Path) -> CertificateAuthority | None:
        """The one that `save` left in `directory`; `None` if there is none or its time is over.

        `ConfigurationError` if what is there cannot be used.
        """
        file = directory / KEY_FILE
        try:
            authority = cls.parse(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            text = f"{file} is not our key and certificate: delete it for a new one ({error})"
            raise ConfigurationError(text) from error
        return authority if authority._outlives_a_leaf() else None

    @classmethod
    def parse(cls, pem: bytes) -> CertificateAuthority:
        """The one in `pem` (key, certificate); `ValueError` if that is something else."""
        certificate = x509.load_pem_x509_certificate(pem)
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the key is not on an elliptic curve")
        if key.public_key() != certificate.public_key():
            raise ValueError("the certificate is not that of the key")
        return cls(key, certificate)

    @classmethod
    def kept_in(cls, directory: Path) -> CertificateAuthority:
        """The one of `directory`; the first process that asks makes it, all others get the same."""
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            while (authority := cls.load(directory)) is None:
                cls.create().save(directory)
        except OSError as error:
            text = f"the certificate authority cannot be kept in {directory}: {error}"
            raise ConfigurationError(text) from error
        return authority

    def save(self, directory: Path) -> None:
        """Put key and certificate into `directory`, unless a usable one got there first.

        Both are in one file, which appears whole: nobody ever sees the key of one certificate
        authority beside the certificate of another.
        """
        file = directory / KEY_FILE
        with _new_file(directory, _key_pem(self.key) + self.pem) as written:
            try:
                os.link(written, file)
            except OSError:  # it exists, or this file system has no hard links
                if self.load(directory) is None:
                    os.replace(written, file)

    def publish(self, directory: Path) -> Path:
        """The certificate alone, as a file in `directory` that everybody may read."""
        file = directory / CA_FILE
        try:
            if not file.exists() or file.read_bytes() != self.pem:
                with _new_file(directory, self.pem) as written:
                    written.chmod(0o644)
                    os.replace(written, file)
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be written: {error}") from error
        return file

    def issue(self, names: Iterable[str], *, begin: datetime | None = None) -> bytes:
        """A new key and a server certificate for `names` (host names and addresses), as PEM.

        It is valid for 397 days from `begin` on, else from yesterday. `ConfigurationError` for a
        name that is neither.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(
                key,
                subject=_name("mockpush"),
                issuer=self.certificate.subject,
                issuer_key=self.key,
                lifetime=LEAF_LIFETIME,
                begin=begin,
            )
            .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        certificate = builder.sign(self.key, hashes.SHA256())
        return _key_pem(key) + certificate.public_bytes(Encoding.PEM)

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def _outlives_a_leaf(self) -> bool:
        now = _now()
        begins, ends = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        return begins <= now and now + LEAF_LIFETIME <= ends


def server_context(chain: bytes, *, directory: Path) -> ssl.SSLContext:
    """A context that shows `chain` (PEM: key, certificate), which passes through `directory`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with _new_file(directory, chain) as written:  # the ssl module reads keys only from files
        context.load_cert_chain(written)
    return context


def pin_of(chain: bytes) -> str:
    """The SHA-256 of the public key in a chain (PEM: key, certificate), in base64 (RFC 7469)."""
    key = x509.load_pem_x509_certificate(chain).public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode()


@contextmanager
def _new_file(directory: Path, content: bytes) -> Iterator[Path]:
    """A file that only we can read; it is gone afterwards unless it was renamed."""
    descriptor, name = tempfile.mkstemp(dir=directory, prefix=".mockpush-")
    written = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        yield written
    finally:
        written.unlink(missing_ok=True)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        pass
    try:
        host = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        host = ""
    if not _DNS_NAME.fullmatch(host):
        raise ConfigurationError(f"--hostname {name} is neither a host name nor an IP address")
    return x509.DNSName(host)


def _builder(
    key: ec.EllipticCurvePrivateKey,
    *,
    subject: x509.Name,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    lifetime: timedelta,
    begin: datetime | None = None,
) -> x509.CertificateBuilder:
    """What all our certificates share, with the identifiers that strict verifiers insist on."""
    begin = begin or _now() - BACKDATED
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
    )


def _now() -> datetime:
    return datetime.fromtimestamp(real_time(), UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _key_usage(*granted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in granted for usage in _KEY_USAGES})


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
