"""The `fcm` profile: Firebase Cloud Messaging, the push service of Chrome."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.judging import Profile, Row, Template, on

_DAY: Final = 24 * 60 * 60

FCM: Final = Profile(
    name="fcm",
    title="Firebase Cloud Messaging (Chrome)",
    prefix="/fcm/send/",
    aliases=("/wp/",),
    hosts=("fcm.googleapis.com", "jmt17.google.com"),
    rows=(
        Row(on("subscription.unknown", "subscription.expired.404"), Template(404)),
        Row(on("subscription.expired", "subscription.expired.410"), Template(410)),
    ),
    success=Template(201, (("Location", "{location}"),)),
    full=Template(503),
    limits={"body": 4096, "ttl": 28 * _DAY},
)
