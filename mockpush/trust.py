"""Making programs trust our certificate authority: variables, trust stores, and live TLS contexts.

Every variable that replaces a trust store points to the user's own roots and ours together, so a
program loses nothing that it trusted before.
"""

from __future__ import annotations

import gc
import os
import re
import ssl
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import certifi

if TYPE_CHECKING:
    from cryptography import x509

T = TypeVar("T")

_REPLACING: Final = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
"""Replace the trust store: requests; OpenSSL, Go, Ruby, httpx, aiohttp; curl and PHP's curl."""
_ADDING: Final = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
"""Add to the trust store of Node (Bun) and Deno."""
_NO_PROXY: Final = ("NO_PROXY", "no_proxy")
_PROXY: Final = ("HTTPS_PROXY", "https_proxy")
_PROXY_OF_NODE: Final = {"NODE_USE_ENV_PROXY": "1"}
"""Node 24 and newer mind the others only with this one."""
_PHP: Final = "PHP_INI_SCAN_DIR"
_JAVA: Final = "JAVA_TOOL_OPTIONS"
_JAVA_PASSWORD: Final = "changeit"  # noqa: S105 - what every Java trust store has; it guards nothing

_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_PEM_BLOCK: Final = re.compile(_BEGIN + b".+?-----END CERTIFICATE-----", re.DOTALL)


def _environment() -> dict[str, str]:
    names = (*_REPLACING, *_ADDING, *_NO_PROXY, _PHP, _JAVA)
    return {name: os.environ[name] for name in names if os.environ.get(name)}


@dataclass(frozen=True, slots=True)
class Trust:
    """What makes clients trust the certificate authority `ca_pem`; its files go into `directory`.

    `hosts` are the names of the server, which must not be reached through a proxy. `before` is the
    environment that the variables extend, as it was when this value was made.
    """

    ca_pem: bytes
    directory: Path
    hosts: tuple[str, ...]
    before: Mapping[str, str] = field(default_factory=_environment)

    def bundle(self) -> Path:
        """The user's own roots (those of certifi if no variable names any) and ours, as PEM."""
        named = dict.fromkeys(filter(None, map(self.before.get, _REPLACING)))
        own = [Path(name) for name in named if Path(name).exists()] or [Path(certifi.where())]
        return self._write("bundle.pem", _joined(*map(_pem, own), self.ca_pem))

    def environ(self) -> dict[str, str]:
        """The variables for programs in any language; writes the files that they name."""
        bundle = self.bundle()
        return {
            **dict.fromkeys(_REPLACING, str(bundle)),
            **{name: str(self._extended(name)) for name in _ADDING},
            # An empty entry in front stands for the directory that PHP scans by default.
            _PHP: self.before.get(_PHP, "") + os.pathsep + str(self._php_directory(bundle)),
            _JAVA: f"{self.before.get(_JAVA, '')} {self._java_options(bundle)}".lstrip(),
            **dict.fromkeys(_NO_PROXY, self._no_proxy()),
        }

    def ssl_context(self) -> ssl.SSLContext:
        """A context for clients."""
        return ssl.create_default_context(cafile=self.bundle())

    def _extended(self, name: str) -> Path:
        own = Path(self.before.get(name, ""))
        parts = [_pem(own)] if own.is_file() else []
        return self._write(f"{name.lower()}.pem", _joined(*parts, self.ca_pem))

    def _php_directory(self, bundle: Path) -> Path:
        ini = f'curl.cainfo="{bundle}"\nopenssl.cafile="{bundle}"\n'
        return self._write("php/mockpush.ini", ini.encode()).parent

    def _java_options(self, bundle: Path) -> str:
        store = self._write("trust.p12", _java_trust_store(bundle.read_bytes()))
        options = {"": store, "Type": "PKCS12", "Password": _JAVA_PASSWORD}
        quote = '"' if " " in str(store) else ""
        return " ".join(
            f"{quote}-Djavax.net.ssl.trustStore{name}={value}{quote}"
            for name, value in options.items()
        )

    def _no_proxy(self) -> str:
        own = (self.before.get(name, "") for name in _NO_PROXY)
        hosts = [host.strip() for value in own for host in value.split(",")]
        return ",".join(dict.fromkeys(filter(None, [*hosts, *self.hosts])))

    def _write(self, name: str, content: bytes) -> Path:
        file = self.directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        return file


def proxied(url: str | None) -> dict[str, str]:
    """The variables that send what is HTTPS through the proxy at `url`, if there is one."""
    if url is None:
        return {}
    return {**dict.fromkeys(_PROXY, url), **_PROXY_OF_NODE}


def _pem(path: Path) -> bytes:
    """The certificates of a file, or of a directory of files, as OpenSSL and requests take both."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    contents = (file.read_bytes() for file in files if file.is_file())
    return _joined(*(content for content in contents if _BEGIN in content))


def _joined(*parts: bytes) -> bytes:
    return b"".join(part.strip() + b"\n" for part in parts)


def _java_trust_store(bundle: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    with warnings.catch_warnings():  # some old roots have serial numbers that are not positive
        warnings.simplefilter("ignore")
        entries = [
            pkcs12.PKCS12Certificate(certificate, f"root-{number}".encode())
            for number, certificate in enumerate(_certificates(bundle))
        ]
        encryption = BestAvailableEncryption(_JAVA_PASSWORD.encode())
        return pkcs12.serialize_java_truststore(entries, encryption)


def _certificates(bundle: bytes) -> Iterator[x509.Certificate]:
    """Those that can be read: a root too odd for cryptography is no reason to do without Java."""
    from cryptography import x509

    for block in _PEM_BLOCK.findall(bundle):
        with suppress(ValueError):
            yield x509.load_pem_x509_certificate(block)


@contextmanager
def trusted(environ: Mapping[str, str], *, ca_pem: bytes) -> Iterator[None]:
    """This process, and what it starts, trusts `ca_pem` inside the block.

    `environ` (of `Trust`) reaches whatever is set up inside; TLS contexts that exist already, such
    as aiohttp's, made when it was imported, or that of a client kept in a module, get the
    certificate itself. They keep it afterwards: OpenSSL cannot take it out again, and its key is
    gone with the server.
    """
    with variables_set(environ):
        for context in _live_client_contexts():
            context.load_verify_locations(cadata=ca_pem.decode("ascii"))
        yield


@contextmanager
def variables_set(environ: Mapping[str, str]) -> Iterator[None]:
    """Inside the block the process's environment has these variables."""
    before = {name: os.environ.get(name) for name in environ}
    os.environ.update(environ)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _live_client_contexts() -> list[ssl.SSLContext]:
    return [
        context
        for context in instances(ssl.SSLContext)
        if context.verify_mode != ssl.CERT_NONE and context.protocol != ssl.PROTOCOL_TLS_SERVER
    ]


def instances(kind: type[T]) -> list[T]:
    """All there are in this process, those of subclasses too."""
    kinds: list[type[T]] = [kind]
    for each in kinds:
        kinds.extend(each.__subclasses__())
    # An instance refers to its class: much faster than looking at every object. type(), because
    # isinstance() would wake up lazy proxies of other people.
    return [found for found in gc.get_referrers(*kinds) if type(found) in kinds]
