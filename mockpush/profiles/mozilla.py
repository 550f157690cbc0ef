"""The `mozilla` profile: autopush, the push service of Firefox."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.judging import Profile, Row, Template, on

_DAY: Final = 24 * 60 * 60

MOZILLA: Final = Profile(
    name="mozilla",
    title="Mozilla autopush (Firefox)",
    prefix="/wpush/v2/",
    open_prefix="/wpush/v1/",
    aliases=("/wpush/",),
    hosts=("updates.push.services.mozilla.com",),
    rows=(
        Row(on("subscription.unknown", "subscription.expired.404"), Template(404)),
        Row(on("subscription.expired", "subscription.expired.410"), Template(410)),
    ),
    success=Template(201, (("Location", "{location}"), ("TTL", "{ttl}"))),
    full=Template(503, (("Retry-After", "120"),)),
    limits={"body": 5630, "ttl": 30 * _DAY},
)
