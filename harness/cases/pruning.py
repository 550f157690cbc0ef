"""Which subscriptions an application forgets, and which it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mockpush.protocol.findings import Level

from ..audience import Audience, AudienceTable, to
from ..verdict import Problem
from .gone import GONE

TABLE: Final = AudienceTable()

_KEPT: Final = (
    (400, "the request was wrong, not the subscription"),
    (401, "the token was missing, not the subscription"),
    (403, "the token was wrong, not the subscription"),
    (413, "the message was too large for any subscription"),
    (429, "the application is to slow down"),
    (500, "the push service is out of order"),
    (502, "what stands before the push service cannot reach it"),
    (503, "the push service is busy"),
    (504, "what stands before the push service waits in vain"),
)
"""Status, and what it says instead of that the subscription is gone."""


def _declare_gone(status: int) -> None:
    @TABLE.of_audience(
        f"prunes-{status}",
        f"A subscription that no longer exists ({status}) is forgotten.",
        level=Level.SHOULD,
        section="RFC 8030, Section 7.3",
    )
    def prunes(audience: Audience) -> Iterator[Problem]:
        gone, _ = audience.subscribe(), audience.subscribe()
        gone.expire(status)
        audience.notify()
        again = to(audience.attempt().requests, gone)
        if again or gone.endpoint in audience.kept():
            yield audience.trial.problem(
                "the application keeps a subscription that no longer exists",
                expected=f"no push to it after a {status}, and none of it in its subscriptions",
                actual="a push to it" if again else "it is among its subscriptions",
                hint="It never comes back: the browser gets a new one when it subscribes again.",
                request=again[0] if again else None,
            )


def _declare_kept(
    slug: str, what: str, why: str, fault: dict[str, Any], *, silent: bool = False
) -> None:
    @TABLE.of_audience(
        f"keeps-{slug}",
        f"A subscription is kept when {what}.",
        level=Level.MUST,
        section="RFC 8030, Section 7.3",
        silent=silent,
    )
    def keeps(audience: Audience) -> Iterator[Problem]:
        subscription = audience.subscribe()
        audience.trial.control.faults.add(times=1, **fault)
        push = audience.notify()
        if subscription.endpoint not in audience.kept():
            yield audience.trial.problem(
                "the application forgets a subscription that still exists",
                expected="its endpoint among the subscriptions",
                actual="it is gone, and with it all later messages to this user agent",
                hint=f"Only 404 and 410 say that a subscription is gone; here {why}.",
                request=push.requests[0],
            )


for _status in GONE:
    _declare_gone(_status)
for _status, _why in _KEPT:
    _declare_kept(str(_status), f"a push is answered {_status}", _why, {"status": _status})
_declare_kept(
    "broken-connection",
    "the connection breaks before there is an answer",
    "nothing was said at all",
    {"kind": "reset"},
)
_declare_kept(
    "unanswered",
    "the push service does not answer",
    "nothing was said at all",
    {"kind": "no_answer"},
    silent=True,
)


@TABLE.of_audience(
    "prunes-no-other",
    "When subscriptions no longer exist, those beside them are kept.",
    level=Level.MUST,
    section="RFC 8030, Section 7.3",
)
def prunes_no_other(audience: Audience) -> Iterator[Problem]:
    everybody = [audience.subscribe() for _ in range(5)]
    for gone in everybody[::2]:
        gone.expire(410)
    push = audience.notify()
    kept = audience.kept()
    if any(each.endpoint not in kept for each in everybody[1::2]):
        yield audience.trial.problem(
            "the application forgets a subscription that still exists",
            expected="the endpoints of the 2 that exist among the subscriptions",
            actual=f"{sum(each.endpoint in kept for each in everybody[1::2])} of them",
            hint="Remove by endpoint, not by position or host, and not while you go through the "
            "list.",
            request=push.requests[-1],
        )
