"""The options of curl that a captured command line may have (curl 8)."""

from __future__ import annotations

from typing import Final

SHORT: Final = {
    "X": "request",
    "H": "header",
    "d": "data",
    "A": "user-agent",
    "b": "cookie",
    "e": "referer",
    "u": "user",
    "m": "max-time",
    "o": "output",
    "w": "write-out",
    "x": "proxy",
    "c": "cookie-jar",
    "D": "dump-header",
    "E": "cert",
    "T": "upload-file",
    "F": "form",
    "K": "config",
    "r": "range",
    "k": "insecure",
    "s": "silent",
    "S": "show-error",
    "v": "verbose",
    "i": "include",
    "L": "location",
    "f": "fail",
    "g": "globoff",
    "q": "disable",
    "N": "no-buffer",
    "4": "ipv4",
    "6": "ipv6",
    "0": "http1.0",
    "G": "get",
    "I": "head",
    "#": "progress-bar",
}
BODIES: Final = ("data", "data-ascii", "data-binary", "data-raw", "json")
FILES: Final = ("upload-file",)
_WITH_VALUES: Final = (
    "request header url user-agent cookie referer user max-time output write-out proxy cookie-jar "
    "dump-header cert range cacert capath cert-type ciphers connect-timeout connect-to interface "
    "key key-type limit-rate max-redirs noproxy oauth2-bearer pass proxy-header proxy-user resolve "
    "retry retry-delay retry-max-time stderr tls-max tls13-ciphers trace trace-ascii unix-socket "
    "dns-servers"
)
_WITHOUT: Final = (
    "insecure silent show-error verbose include location fail fail-with-body globoff disable "
    "no-buffer ipv4 ipv6 compressed http1.0 http1.1 http2 http2-prior-knowledge http3 path-as-is "
    "progress-bar no-progress-meter tlsv1 tlsv1.2 tlsv1.3 ssl-reqd no-keepalive tcp-nodelay "
    "trace-time parallel raw tr-encoding retry-all-errors retry-connrefused location-trusted "
    "proxy-insecure no-alpn no-sessionid styled-output no-styled-output head"
)
VALUED: Final = frozenset((*BODIES, *FILES, *_WITH_VALUES.split()))
"""Options that take a value."""
SWITCHES: Final = frozenset(_WITHOUT.split())
"""Options that take none and leave the request as it is, but for `head`."""
