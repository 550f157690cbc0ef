"""Why a token was wrong: what earlier requests and other subscriptions tell about its sender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from mockpush.history import History, http_date, resource, signed_claims, signed_token
from mockpush.origins import is_one_of
from mockpush.protocol import jwt
from mockpush.protocol.clock import span
from mockpush.protocol.findings import Finding
from mockpush.protocol.judging import Profile
from mockpush.protocol.model import Subscription, base64url_encode
from mockpush.protocol.records import RequestRecord
from mockpush.protocol.vapid import is_number

_MAX_KEYS: Final = 100
"""So many other keys are tried on a signature, at about 0.1 ms each."""
_CLOCKS_AGREE: Final = 60.0
"""Seconds by which clocks may differ before that is worth a word."""
_YEAR: Final = 366 * 24 * 3600.0
"""Seconds; no clock is so wrong, but milliseconds taken for seconds look like it."""
_SHARED: Final = 1.5
"""Seconds by which two tokens may differ in how long they have been expired."""
_APART: Final = 3.0
"""Seconds between two tokens that were not made for the same push."""


_NO_TOKEN: Final = (b"", b"")

# The audience


def explain_audience(record: RequestRecord, history: History) -> Iterator[Finding]:
    """`aud` is wrong: is it right for another push service, and was the token sent there?"""
    audience = _claims(record).get("aud")
    own = history.by_id.get(record.subscription or "")
    if not isinstance(audience, str) or own is None:
        return
    first = history.first_to_audience.get(signed_token(record) or _NO_TOKEN)
    if first is not None and first.id < record.id:
        actual = f"the token of request {first.id}, for {audience}{_owner(audience, history)}"
        yield Finding("vapid.token.other_service", f"a token for {own.origins[0]}", actual)
    elif known := _owner(audience, history) + _pushed(audience, record, history):
        yield Finding("vapid.aud.other_service", own.origins[0], audience + known)


def _owner(origin: str, history: History) -> str:
    """Whose origin it is: a vendor's, or that of another subscription here."""
    vendor = _vendor(origin, history.profiles)
    if vendor is not None:
        return f", that of {vendor.title}, profile {vendor.name}"
    known = history.by_origin.get(origin)
    return f", that of {_subscriptions(known)}" if known else ""


def _pushed(origin: str, record: RequestRecord, history: History) -> str:
    first = history.first_to_origin.get(origin)
    before = first is not None and first.id < record.id
    return f", to which request {first.id} went" if first is not None and before else ""


def _vendor(origin: str, profiles: Mapping[str, Profile]) -> Profile | None:
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return None
    if origin != f"https://{host}":
        return None
    return next((each for each in profiles.values() if is_one_of(host, each.hosts)), None)


# The key


def explain_key(record: RequestRecord, history: History) -> Iterator[Finding]:
    """The key is not the subscription's: whose is it, and since when is it used?"""
    vapid = record.inspection.vapid
    own = history.by_id.get(record.subscription or "")
    if own is None or vapid is None or vapid.key is None:
        return
    expected = base64url_encode(own.application_server_key or b"")
    theirs = history.by_key.get(vapid.key)
    if theirs:
        code = "vapid.key.rotated" if _is_newer(theirs, own, history) else _MIXED
        yield Finding(code, expected, f"the key of {_subscriptions(theirs)}")
        return
    right = history.first_with_right_key.get(resource(record))
    if right is not None and right.id < record.id:
        actual = f"{base64url_encode(vapid.key)}, of no subscription here"
        yield Finding("vapid.key.changed", f"{expected}, as in request {right.id}", actual)


_MIXED: Final = "vapid.key.other_subscription"


def _is_newer(theirs: Sequence[Subscription], own: Subscription, history: History) -> bool:
    """Whether the other key came into use only after the last subscription with our key."""
    ours = history.by_key.get(own.application_server_key or b"", (own,))
    return theirs[0].sequence > ours[-1].sequence


def _subscriptions(found: Sequence[Subscription]) -> str:
    first = f"subscription {found[0].id} (profile {found[0].profile})"
    return first if len(found) == 1 else f"{first} and {len(found) - 1} more"


def explain_signature(record: RequestRecord, history: History) -> Iterator[Finding]:
    """The signature does not fit the key sent: does it fit that of another subscription?"""
    vapid = record.inspection.vapid
    if vapid is None or vapid.token is None:
        return
    own = history.by_id.get(record.subscription or "")
    not_tried = {vapid.key, None if own is None else own.application_server_key}
    keys = (key for key in reversed(history.by_key) if key not in not_tried)
    for key in islice(keys, _MAX_KEYS):
        if jwt.verifies(vapid.token, key):
            actual = f"signed with the key of {_subscriptions(history.by_key[key])}"
            sent = base64url_encode(vapid.key or b"")
            yield Finding("vapid.signature.other_subscription", f"signed with {sent}", actual)
            return


# The times


def explain_expiry(record: RequestRecord, history: History) -> Iterator[Finding]:
    """The token has expired: was it sent before that, or is the sender's clock behind?"""
    first = history.first_in_time.get(signed_claims(record) or b"")
    if first is not None and first.id < record.id:
        since = span(record.request.token_time - first.request.token_time)
        actual = f"the claims of request {first.id}, {since} later"
        yield Finding("vapid.token.outlived", "a token that is still valid", actual)
        return
    ahead = _ahead_by_date(record)
    if ahead is not None and ahead < -_CLOCKS_AGREE:
        yield _clock(record, "behind", ahead, "by its Date field")
    elif (late := _shared_delay(record, history)) is not None:
        yield _clock(record, "behind", late, "at least: so long ago each of its tokens expired")


def explain_lifetime(record: RequestRecord, _: History) -> Iterator[Finding]:
    """The token lies too far ahead: is the sender's clock?"""
    ahead = _ahead_by_date(record)
    if ahead is not None and ahead > _CLOCKS_AGREE:
        yield _clock(record, "ahead", ahead, "by its Date field")
        return
    issued = _claims(record).get("iat")
    ahead = float(issued) - record.request.token_time if is_number(issued) else 0.0
    if _CLOCKS_AGREE < ahead < _YEAR:
        yield _clock(record, "ahead", ahead, "by the claim iat of its token")


def _clock(record: RequestRecord, side: str, seconds: float, evidence: str) -> Finding:
    actual = f"{span(seconds)} {side}, {evidence}"
    return Finding(f"vapid.clock.{side}", f"{record.request.token_time:.0f}", actual)


def _ahead_by_date(record: RequestRecord) -> float | None:
    """Seconds by which the sender's clock is ahead, if the request has a Date."""
    dates = (value for name, value in record.request.headers if name == b"date")
    sent = http_date(next(dates, b""))
    return None if sent is None else sent - record.request.token_time


def _shared_delay(record: RequestRecord, history: History) -> float | None:
    """The negative seconds that are left to each of several tokens as it first comes.

    Tokens made at different times, all expired for the same time, were not kept too long: whoever
    made them reads another clock.
    """
    left, now = record.inspection.exp_in or 0.0, record.request.token_time
    for other in history.never_in_time:
        theirs, then = other.inspection.exp_in or 0.0, other.request.token_time
        if abs(theirs - left) < _SHARED and abs(then - now) > _APART:
            return left
    return None


def _claims(record: RequestRecord) -> Mapping[str, object]:
    vapid = record.inspection.vapid
    return {} if vapid is None else vapid.claims
