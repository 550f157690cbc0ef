"""The profiles: how push services behave, as data. There are no code paths here."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from mockpush.profiles.rfc import RFC, RFC_STRICT

__all__ = ["PROFILES", "STRICT"]

PROFILES: Final = MappingProxyType({profile.name: profile for profile in (RFC,)})
"""By name, in the order of the answer matrix."""

STRICT: Final = MappingProxyType({profile.name: profile for profile in (RFC_STRICT,)})
"""The tables that `--strict` puts in the place of others of the same name."""
