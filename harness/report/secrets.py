"""Private keys are not told: where one stands in a report, it says so instead."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

if TYPE_CHECKING:
    from mockpush.vapid_keys import VapidKeys

HIDDEN: Final = "(private key)"
SHORTEST: Final = 16
"""Characters below which a line of a PEM document gives nothing away."""

T = TypeVar("T")


def secrets(vapid: VapidKeys) -> Iterator[str]:
    """The private key in each form in which a sender is given it."""
    yield vapid.private_key
    for line in vapid.private_key_pem.splitlines():
        if len(line) >= SHORTEST and not line.startswith("-----"):
            yield line


def without(value: T, secrets: Iterable[str]) -> T:
    """The same dataclass, with none of the secrets in any text in it."""
    return cast("T", _stripped(value, tuple(secrets)))


def has(octets: str, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets is in octets, which are given in base64."""
    decoded = base64.b64decode(octets)
    return any(secret.encode() in decoded for secret in secrets)


def _stripped(value: Any, secrets: tuple[str, ...]) -> Any:
    if type(value) is str:  # no member of an enumeration
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, tuple):
        return tuple(_stripped(each, secrets) for each in value)
    if isinstance(value, Mapping):
        return {name: _stripped(each, secrets) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        members = {each.name: getattr(value, each.name) for each in fields(value)}
        return replace(value, **_stripped(members, secrets))
    return value
