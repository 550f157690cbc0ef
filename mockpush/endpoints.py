"""Where endpoints are: here, or under the vendor's own origin with the vendor's own path."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from mockpush.origins import is_one_of
from mockpush.protocol.judging import Profile

VENDOR: Final = "vendor"
"""In place of an origin: that of the vendor's own host, if the profile has one."""


def origin_of(profile: Profile, wanted: str | None, *, usual: str) -> str:
    """The origin of a new endpoint; `usual` if none is wanted, or a vendor's where none is."""
    if wanted == VENDOR:
        return f"https://{profile.hosts[0]}" if profile.hosts else usual
    return wanted or usual


def endpoint(profile: Profile, token: str, *, origin: str, restricted: bool) -> str:
    """The URL of the push resource; `restricted` to an applicationServerKey or not."""
    own_host = is_one_of(urlsplit(origin).hostname or "", profile.hosts)
    return origin + profile.endpoint(token, restricted=restricted, own_host=own_host)
