"""A VAPID token for people: what it claims, and whether its signature holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mockpush.commands.output import instant, printable, rows, span

if TYPE_CHECKING:
    from mockpush.protocol.vapid import Vapid

UNCHECKED: Final = "not checked: there is no public key to check it with"
_TIMES: Final = ("exp", "nbf", "iat")


def token_lines(
    vapid: Vapid, *, now: float, indent: int = 0, unchecked: str = UNCHECKED
) -> Iterator[str]:
    """Header, claims, key and signature; times are told from `now`, in seconds since the epoch.

    `unchecked` is what to say of a signature without a key.
    """
    from mockpush.protocol.model import base64url_encode

    if vapid.token is not None:
        yield from rows([("header", _shown(vapid.token.header))], indent=indent)
        yield f"{' ' * indent}claims"
        claims = ((name, _claim(name, value, now)) for name, value in vapid.claims.items())
        yield from rows(claims, indent=indent + 4)
    key = None if vapid.key is None else base64url_encode(vapid.key)
    yield from rows([("k", key)], indent=indent)
    checked = "valid" if vapid.verified else "not valid"
    yield from rows([("signature", checked if vapid.key else unchecked)], indent=indent)


def _claim(name: str, value: object, now: float) -> str:
    shown = _shown(value)
    if name not in _TIMES or isinstance(value, bool) or not isinstance(value, int | float):
        return shown
    date = instant(value)
    return f"{shown}  {date}  {span(value - now)}" if date else shown


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text, limit=400)
