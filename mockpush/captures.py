"""Captured requests judged offline: one function behind the command line, the API and Python.

What a request is judged by comes from the capture: the profile and `aud` from the host that it went
to, the times of the token from the moment it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from mockpush.errors import CaptureError, DecryptionError
from mockpush.origins import is_one_of
from mockpush.profiles import PROFILES
from mockpush.protocol.captures import Captured, origin_of, read_captures
from mockpush.protocol.captures.subscription import (
    UNKNOWN,
    KnownSubscription,
    read_subscription,
)
from mockpush.protocol.clock import checked_time, parse_time
from mockpush.protocol.encryption import Envelope, read_envelope
from mockpush.protocol.findings import Finding
from mockpush.protocol.headers import AESGCM
from mockpush.protocol.inspection import (
    Context,
    Decryption,
    Inspection,
    Payload,
    draft_values,
    read_payload,
)
from mockpush.protocol.inspection import inspect as inspect_request
from mockpush.protocol.judging import Judgement, Profile, judge
from mockpush.protocol.model import PushRequest, Subscription
from mockpush.protocol.payload import linted
from mockpush.protocol.records import PushMessage
from mockpush.real_clock import process_time
from mockpush.unreadable import explain

_NAME: Final = "captured"
_LOCAL: Final = ("localhost", "*.localhost", "::1")
_ON_BODY: Final = "encryption."
_DEFAULT: Final = "rfc"


class ProfileSource(StrEnum):
    """Why a push is judged as by one push service."""

    GIVEN = "given"
    HOST = "host"
    """the host that it went to"""
    DEFAULT = "default"


class TimeSource(StrEnum):
    """Where the time comes from at which a push is taken to have been sent."""

    GIVEN = "given"
    CAPTURE = "capture"
    DATE = "date"
    """the Date header field"""
    NOW = "now"


@dataclass(frozen=True, slots=True)
class InspectedPush:
    """All that is to be said about one captured push.

    `judgements` are those of all profiles by name; `at` is when it was sent, in seconds since the
    epoch; `origin` is what `aud` was compared with.
    """

    captured: Captured
    inspection: Inspection
    payload: Payload
    judgements: Mapping[str, Judgement]
    profile: str
    profile_from: ProfileSource
    at: float
    at_from: TimeSource
    origin: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the request and its payload show."""
        return (*self.inspection.findings, *self.payload.findings)

    @property
    def codes(self) -> list[str]:
        """The codes of the findings."""
        return [finding.code for finding in self.findings]

    @property
    def envelope(self) -> Envelope | None:
        """Salt, record size and the sender's key, from the body or from the draft's fields."""
        body, coding = self.captured.body, self.inspection.content_encoding
        if not body or coding is None:
            return None
        if coding == AESGCM:
            salt, key, rs = draft_values(self.inspection.parameters)
            return Envelope(salt or b"", rs, key or b"", body)
        try:
            return read_envelope(body)
        except DecryptionError:
            return None

    @property
    def answer(self) -> Judgement:
        """What the push service that it was sent to would have said."""
        return self.judgements[self.profile]

    @property
    def answers(self) -> dict[str, int]:
        """The status with which each push service would have answered, by its name."""
        return {name: each.template.status for name, each in self.judgements.items()}

    @property
    def accepted(self) -> bool:
        """Whether that push service would have taken the message."""
        return self.answer.accepted


def inspect(
    capture: str | bytes | Mapping[str, Any],
    *,
    profile: str | None = None,
    endpoint: str | None = None,
    at: float | str | datetime | None = None,
    subscription: Mapping[str, Any] | None = None,
) -> InspectedPush:
    """Judges the one push in a capture; see `inspect_all`. `CaptureError` if there are several."""
    found = inspect_all(
        capture, profile=profile, endpoint=endpoint, at=at, subscription=subscription
    )
    if len(found) > 1:
        raise CaptureError(
            f"the capture has {len(found)} pushes: inspect_all() gives the list of all"
        )
    return found[0]


def inspect_all(
    capture: str | bytes | Mapping[str, Any],
    *,
    profile: str | None = None,
    endpoint: str | None = None,
    at: float | str | datetime | None = None,
    subscription: Mapping[str, Any] | None = None,
    profiles: Mapping[str, Profile] = PROFILES,
) -> list[InspectedPush]:
    """Judges every push in a capture, without any service: a HAR, raw HTTP, a curl command.

    Or an object `{url, method?, headers?, body?}`, the body in base64. `profile`, `endpoint` and
    `at` (seconds since the epoch, ISO 8601 or a datetime) stand in for what the capture says.
    `subscription`, in the shape of the W3C with `keys.private_key` added, has the payload read.
    `CaptureError` says what cannot be read, and what can.
    """
    known = UNKNOWN if subscription is None else read_subscription(subscription)
    if profile is not None and profile not in profiles:
        raise CaptureError(f"there is no profile {profile!r}; there is: {', '.join(profiles)}")
    moment = None if at is None else _seconds(at)
    return [
        _inspected(each, known, profile=profile, endpoint=endpoint, at=moment, profiles=profiles)
        for each in _pushes(read_captures(capture), profiles)
    ]


def _seconds(at: float | str | datetime) -> float:
    try:
        if isinstance(at, str):
            return parse_time(at)
        return checked_time(at.timestamp() if isinstance(at, datetime) else float(at))
    except ValueError as error:
        raise CaptureError(str(error)) from None


def _pushes(captured: Sequence[Captured], profiles: Mapping[str, Profile]) -> list[Captured]:
    """The pushes among several requests; a single request is one, whatever it looks like."""
    if len(captured) == 1:
        return [*captured]
    found = [
        each
        for each in captured
        if each.is_push or (each.method == "POST" and _profile_of(each.url, profiles))
    ]
    if not found:
        raise CaptureError(
            f"none of the {len(captured)} requests in the capture looks like a push: a POST with "
            "TTL, with the coding aes128gcm or aesgcm, or to a push service"
        )
    return found


def _profile_of(url: str, profiles: Mapping[str, Profile]) -> str | None:
    """The profile of the push service at this host."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    return next((name for name, each in profiles.items() if is_one_of(host, each.hosts)), None)


def _inspected(
    captured: Captured,
    known: KnownSubscription,
    *,
    profile: str | None,
    endpoint: str | None,
    at: float | None,
    profiles: Mapping[str, Profile],
) -> InspectedPush:
    url = captured.url if endpoint is None else endpoint
    origins = _origins(captured, url, endpoint)
    name, name_from = _chosen(profile, url, profiles)
    moment, moment_from = _moment(captured, at)
    subscription = _subscription(known, url, origins, name)
    request = PushRequest(
        captured.method, url, captured.headers, captured.body or b"", moment, moment
    )
    inspection = _inspection(captured, request, Context(subscription, origins, moment))
    return InspectedPush(
        captured,
        inspection,
        _payload(captured, inspection, subscription),
        {each: judge(inspection, profiles[each]) for each in profiles},
        name,
        name_from,
        moment,
        moment_from,
        origins[0],
    )


def _origins(captured: Captured, url: str, endpoint: str | None) -> tuple[str, ...]:
    """The origin of the endpoint; at local hosts both schemes, if the capture does not tell."""
    try:
        origin = origin_of(url)
    except CaptureError as error:
        if endpoint is not None or not url.startswith("/"):
            raise
        raise CaptureError(
            "the capture does not say to which host the request went: add its Host field, or "
            "say with `endpoint` to which URL it was sent"
        ) from error
    host = urlsplit(origin).hostname or ""
    if endpoint is None and captured.scheme_assumed and _is_local(host):
        return origin, origin.replace("https:", "http:", 1)
    return (origin,)


def _is_local(host: str) -> bool:
    return is_one_of(host, _LOCAL) or host.startswith("127.")


def _chosen(
    profile: str | None, url: str, profiles: Mapping[str, Profile]
) -> tuple[str, ProfileSource]:
    if profile is not None:
        return profile, ProfileSource.GIVEN
    named = _profile_of(url, profiles)
    return (_DEFAULT, ProfileSource.DEFAULT) if named is None else (named, ProfileSource.HOST)


def _moment(captured: Captured, at: float | None) -> tuple[float, TimeSource]:
    if at is not None:
        return at, TimeSource.GIVEN
    if captured.at is not None:
        return captured.at, TimeSource.CAPTURE
    date = captured.date
    return (process_time(), TimeSource.NOW) if date is None else (date, TimeSource.DATE)


def _subscription(
    known: KnownSubscription, url: str, origins: tuple[str, ...], profile: str
) -> Subscription:
    """The subscription as the push service knew it, as far as we do."""
    return Subscription(
        id=_NAME,
        token=_NAME,
        tenant=_NAME,
        profile=profile,
        endpoint=url,
        origins=origins,
        created_at=0.0,
        keys=known.keys,
        application_server_key=known.application_server_key,
    )


def _inspection(captured: Captured, request: PushRequest, context: Context) -> Inspection:
    """What the request shows. Who sends a token is taken to push to a restricted subscription."""
    inspection = inspect_request(request, context)
    findings = inspection.findings
    if captured.body is None:
        findings = tuple(each for each in findings if not each.code.startswith(_ON_BODY))
    restricted = inspection.restricted or inspection.vapid is not None
    return replace(inspection, findings=findings, restricted=restricted)


def _payload(captured: Captured, inspection: Inspection, subscription: Subscription) -> Payload:
    """The payload with what it shows, or with the cause why it cannot be read."""
    if captured.body is None:
        return Payload(Decryption.PENDING)
    payload = read_payload(inspection, captured.body, subscription.keys)
    if payload.decryption is Decryption.OK:
        return linted(payload)
    if payload.decryption is not Decryption.FAILED:
        return payload
    message = PushMessage(
        _NAME, _NAME, _NAME, 1, captured.body, inspection, 0, 0.0, 0.0, payload=payload
    )
    return explain(message, payload, [subscription])
