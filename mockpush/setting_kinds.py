"""What values settings have, and how they are read from flags, variables and TOML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Kind:
    """What values a setting has.

    `expected` completes "must be …"; `read` takes the text of a flag or a variable, or a value of
    TOML, and raises `ValueError` for what is none; `metavar` is how help calls the value.
    """

    expected: str
    read: Callable[[object], Any]
    metavar: str = ""
    choices: tuple[str, ...] = ()
    switch: bool = False
    repeated: bool = False


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if (word := _text(value).lower()) not in _TRUE + _FALSE:
        raise ValueError
    return word in _TRUE


def _number(value: object, *, low: int, high: int | None) -> int:
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError
    if number < low or (high is not None and number > high):
        raise ValueError
    return number


def _choice(value: object, *, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError
    return str(value)


def _origin(value: object) -> str:
    if value == "listener":
        return value
    parts = urlsplit(_text(value).lower())
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.hostname or "@" in parts.netloc:
        raise ValueError
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _url(value: object) -> str:
    parts = urlsplit(_text(value))
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError
    return parts.geturl()


def _seconds(value: object) -> float:
    from mockpush.protocol.clock import parse_duration

    number = parse_duration(str(value)) if not isinstance(value, bool) else 0.0
    if number <= 0:
        raise ValueError
    return number


def _path(value: object) -> Path:
    return Path(_text(value)).expanduser()


def _names(value: object) -> tuple[str, ...]:
    parts = (value,) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError
    return tuple(_text(name) for part in parts for name in _text(part).split(","))


HOST: Final = Kind("a host name or an IP address", _text, "HOST")
PROFILE: Final = Kind("the name of a profile", _text, "NAME")
SWITCH: Final = Kind("true or false", _switch, switch=True)
PORT: Final = Kind("a port from 0 to 65535", partial(_number, low=0, high=65535), "PORT")
COUNT: Final = Kind("a whole number of at least 1", partial(_number, low=1, high=None), "N")
ORIGIN: Final = Kind("an origin such as https://push.example.com:8443", _origin, "URL")
URL: Final = Kind("a URL such as https://megaphone.example/v1/broadcasts", _url, "URL")
SECONDS: Final = Kind("a duration such as 30s or 5m", _seconds, "DURATION")
DIRECTORY: Final = Kind("a directory", _path, "DIR")
FILE: Final = Kind("a file", _path, "FILE")
NAMES: Final = Kind("a name or a list of names", _names, "NAME", repeated=True)


def choice(*choices: str) -> Kind:
    """One of these words."""
    read = partial(_choice, choices=choices)
    return Kind(" or ".join(choices), read, "|".join(choices), choices)
