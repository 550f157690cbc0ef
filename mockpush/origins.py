"""The origins of a server, and which hosts a pattern means."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

LISTENER: Final = "listener"
"""In place of the origin of endpoints: that of the port by which a user agent comes."""

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_REACHED_AS_LOCALHOST: Final = {"localhost", "127.0.0.1", "0.0.0.0", "::"}  # noqa: S104
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is reached: it binds `host`, and answers as each of `hostnames` too.

    `proxy_port`: 0 if it is no proxy.
    """

    host: str
    port: int
    https_port: int
    hostnames: tuple[str, ...] = ()
    proxy_port: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """All host names and IP addresses, localhost first."""
        return tuple(
            dict.fromkeys(
                name.strip("[]")
                for name in (*_LOOPBACK, self.host, *self.hostnames)
                if name not in _REACHED_AS_LOCALHOST or name in _LOOPBACK
            )
        )

    @property
    def url(self) -> str:
        """The plain origin, by number: no resolver can send it astray."""
        return _origin("http", self._preferred("127.0.0.1"), self.port)

    @property
    def https_url(self) -> str:
        """The TLS origin, by name: senders exist that refuse addresses."""
        return _origin("https", self._preferred("localhost"), self.https_port)

    @property
    def proxy_url(self) -> str | None:
        """The proxy's origin, if there is one."""
        if not self.proxy_port:
            return None
        return _origin("http", self._preferred("127.0.0.1"), self.proxy_port)

    @property
    def origins(self) -> tuple[str, ...]:
        """Every origin that requests can name, HTTPS before HTTP."""
        ports = {"https": self.https_port, "http": self.port}
        return tuple(
            _origin(scheme, name, port)
            for scheme, port in ports.items()
            for name in self.names
            if not name.startswith("*")
        )

    def _preferred(self, loopback: str) -> str:
        return loopback if self.host in _REACHED_AS_LOCALHOST else self.host


def reached_origin(origins: Sequence[str], reached: str) -> str:
    """The one of a server's origins by which it was reached, else the first of that scheme."""
    if reached in origins:
        return reached
    scheme = reached.partition(":")[0]
    return next((each for each in origins if each.startswith(f"{scheme}:")), origins[0])


def is_one_of(host: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern is this name, or is `*.` and the name but for its first labels."""
    name = host.lower().removesuffix(".")
    return any(name == each or _fits(name, each) for each in patterns)


def _fits(name: str, pattern: str) -> bool:
    """The `*` stands for one character at least."""
    return pattern[:2] == "*." and name.endswith(pattern[1:]) and len(name) >= len(pattern)


def _origin(scheme: str, host: str, port: int) -> str:
    """As RFC 6454, Section 6.2 serializes it: without the scheme's default port."""
    try:
        address = ipaddress.ip_address(host)
        name = f"[{address}]" if address.version == 6 else str(address)
    except ValueError:
        name = host.encode("idna").decode("ascii").lower()
    return f"{scheme}://{name}" + (f":{port}" if port != _DEFAULT_PORTS[scheme] else "")
