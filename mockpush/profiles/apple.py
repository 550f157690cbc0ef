"""The `apple` profile: Apple's web push service, that of Safari."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.judging import Profile, Row, Template, on

_DAY: Final = 24 * 60 * 60

APPLE: Final = Profile(
    name="apple",
    title="Apple web push (Safari)",
    prefix="/apple/",
    hosts=("web.push.apple.com", "*.push.apple.com"),
    host_prefixes=("/",),
    rows=(
        Row(on("subscription.unknown", "subscription.expired.404"), Template(404)),
        Row(on("subscription.expired", "subscription.expired.410"), Template(410)),
    ),
    success=Template(201, (("apns-id", "{uuid}"),)),
    full=Template(503),
    limits={"body": 4096, "ttl": 30 * _DAY},
)
