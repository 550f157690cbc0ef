"""The profiles: how push services behave, as data. There are no code paths here."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from mockpush.profiles.apple import APPLE
from mockpush.profiles.fcm import FCM
from mockpush.profiles.mozilla import MOZILLA
from mockpush.profiles.rfc import RFC, RFC_STRICT
from mockpush.profiles.wns import WNS

__all__ = ["PROFILES", "STRICT"]

PROFILES: Final = MappingProxyType(
    {profile.name: profile for profile in (RFC, FCM, MOZILLA, APPLE, WNS)}
)
"""By name, in the order of the answer matrix."""

STRICT: Final = MappingProxyType({profile.name: profile for profile in (RFC_STRICT,)})
"""The tables that `--strict` puts in the place of others of the same name."""
