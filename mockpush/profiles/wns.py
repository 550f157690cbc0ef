"""The `wns` profile: Windows Push Notification Services, the push service of Edge."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.judging import Profile, Row, Template, on

_DAY: Final = 24 * 60 * 60

WNS: Final = Profile(
    name="wns",
    title="Windows Push Notification Services (Edge)",
    prefix="/w/",
    query="token",
    hosts=("wns2-par02p.notify.windows.com", "*.notify.windows.com"),
    host_prefixes=("/w/", "/"),
    rows=(
        Row(on("subscription.unknown", "subscription.expired.404"), Template(404)),
        Row(on("subscription.expired", "subscription.expired.410"), Template(410)),
    ),
    success=Template(201),
    full=Template(503),
    limits={"body": 5000, "ttl": 30 * _DAY},
)
