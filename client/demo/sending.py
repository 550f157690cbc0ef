"""Pushes as an application sends them, with pywebpush, and what their answers mean.

RFC 8030, Sections 5, 7.3 and 8.4; RFC 9110, Section 10.2.3 (Retry-After).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final, Protocol

import requests  # type: ignore[import-untyped, unused-ignore]
from pywebpush import (  # type: ignore[import-untyped, unused-ignore]
    WebPushException,
    webpush,
)

from .subscriptions import Subscription

ATTEMPTS: Final = 3
PATIENCE: Final = 10.0
"""Seconds that somebody waits for the answer of the form; who is to wait longer is told so."""
PAUSE: Final = 1.0
"""Seconds before the second attempt if nobody says how many; twice as long before the third."""
TIME_LIMIT: Final = 10.0
"""Seconds for one request."""
AT_ONCE: Final = 4
"""Subscriptions that are pushed to at the same time: each takes a thread."""
PATIENCE_FOR_ALL: Final = 30.0
"""Seconds after which nobody is begun with any more."""
LONGEST_WAIT: Final = 366 * 86400.0
"""Seconds; what is longer than this in a Retry-After is this."""
_MAX_REASON: Final = 200
_GONE: Final = (404, 410)
_TRY_AGAIN: Final = (429, 500, 502, 503, 504)


class Fate(StrEnum):
    """What becomes of a push, and with `GONE` of its subscription."""

    ACCEPTED = "accepted"
    GONE = "gone"
    LATER = "later"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What is sent, and how; `ttl` in seconds."""

    data: str
    ttl: int
    urgency: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the last of so many `attempts` came to; `body` is the ciphertext that it sent.

    `retry_after`: seconds that the push service wants us to wait, if it said so.
    """

    fate: Fate
    status: int | None = None
    reason: str = ""
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None
    attempts: int = 1


class Identity(Protocol):
    """Who sends: `mockpush.vapid_keys.VapidKeys` is one."""

    @property
    def private_key(self) -> str:
        """The scalar in base64url."""

    def claims(self) -> dict[str, Any]:
        """A new dict with the contact."""


Route = Callable[[str], Mapping[str, str] | None]
"""The proxies by which an endpoint is reached, by scheme; None if no push may go there."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends with one VAPID key; trusts the certificates of `ca_file`, and goes by `route`."""

    identity: Identity
    ca_file: str
    route: Route
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def send_all(self, subscriptions: Sequence[Subscription], push: Push) -> list[Outcome]:
        """Sends it to each, to a few at the same time, and to nobody more when that takes long."""
        slots = asyncio.Semaphore(AT_ONCE)
        now = asyncio.get_running_loop().time
        end = now() + PATIENCE_FOR_ALL

        async def send(subscription: Subscription) -> Outcome:
            async with slots:
                if now() < end:
                    return await self.send(subscription, push)
            return Outcome(fate=Fate.LATER, reason="not tried: the others took too long")

        return await asyncio.gather(*map(send, subscriptions))

    async def send(self, subscription: Subscription, push: Push) -> Outcome:
        """Sends it, and again if the push service says that this may help, and when.

        4xx are not repeated, but for 429; nor is what was never answered, since it may have been
        accepted.
        """
        proxies = self.route(subscription["endpoint"])
        if proxies is None:
            return Outcome(fate=Fate.GONE, reason="it leads to another push service")
        waited = 0.0
        for attempt in range(1, ATTEMPTS + 1):
            rest = replace(push, ttl=max(0, push.ttl - round(waited)))
            outcome = replace(await self._attempt(subscription, rest, proxies), attempts=attempt)
            pause = _pause(outcome)
            if outcome.fate is not Fate.LATER or waited + pause > PATIENCE:
                break
            if attempt < ATTEMPTS:
                await self.sleep(pause)
                waited += pause
        return outcome

    async def _attempt(
        self, subscription: Subscription, push: Push, proxies: Mapping[str, str]
    ) -> Outcome:
        """The time limit of requests is for each part of an answer, and parts may be many."""
        try:
            async with asyncio.timeout(TIME_LIMIT):
                return await asyncio.to_thread(self._post, subscription, push, proxies)
        except TimeoutError:
            return Outcome(fate=Fate.UNKNOWN, reason=f"no answer within {TIME_LIMIT:g} s")

    def _post(self, subscription: Subscription, push: Push, proxies: Mapping[str, str]) -> Outcome:
        asked = {"Urgency": push.urgency, "Topic": push.topic}
        with requests.Session() as session:
            session.verify = self.ca_file
            session.trust_env = False  # no other proxy, and no other bundle of certificates
            session.proxies = dict(proxies)
            session.max_redirects = 0  # a push goes where the subscription says, or nowhere
            send = partial(
                webpush,
                subscription,
                push.data,
                vapid_private_key=self.identity.private_key,
                vapid_claims=self.identity.claims(),
                ttl=push.ttl,
                headers={name: value for name, value in asked.items() if value},
                timeout=TIME_LIMIT,
                requests_session=session,
            )
            return _outcome(send)


def _outcome(send: Callable[[], requests.Response]) -> Outcome:
    try:
        response: requests.Response | None = send()
    except (WebPushException, requests.TooManyRedirects) as error:
        response = error.response
    except requests.RequestException as error:
        return Outcome(fate=Fate.UNKNOWN, reason=f"no answer: {type(error).__name__}")
    assert response is not None  # only a subscription that cannot be used has none
    return Outcome(
        fate=_fate(response.status_code),
        status=response.status_code,
        reason=_reason(response),
        body=_octets(response.request.body),
        retry_after=_seconds(response.headers.get("Retry-After")),
    )


def _octets(body: object) -> bytes:
    return body if isinstance(body, bytes) else b""


def _fate(status: int) -> Fate:
    if status < 300:
        return Fate.ACCEPTED
    if status in _GONE:
        return Fate.GONE
    return Fate.LATER if status in _TRY_AGAIN else Fate.REFUSED


def _reason(response: requests.Response) -> str:
    """What a problem document says (RFC 9457), else the words of the status."""
    try:
        return str(response.json()["title"])[:_MAX_REASON]
    except (ValueError, TypeError, KeyError):
        return str(response.reason)[:_MAX_REASON]


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds from now, whether it is a number or a date; None if it is neither."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(retry_after)
        wait = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, wait), LONGEST_WAIT)


def _pause(outcome: Outcome) -> float:
    return PAUSE * outcome.attempts if outcome.retry_after is None else outcome.retry_after
