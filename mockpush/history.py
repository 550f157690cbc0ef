"""History: what a tenant still knows of earlier requests, read once and indexed on demand.

Each index is built at most once, in one pass over the journal, when a rule first asks for it; what
a rule asks for one request costs no pass. So a list of a thousand requests is explained in a few
passes, and one request without any fault in hardly more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias, TypeVar

from mockpush.errors import DecryptionError
from mockpush.protocol.encryption import read_envelope
from mockpush.protocol.headers import AES128GCM, AESGCM
from mockpush.protocol.inspection import draft_values
from mockpush.protocol.judging import Profile
from mockpush.protocol.model import Subscription
from mockpush.protocol.records import RequestRecord

_K = TypeVar("_K", bound=Hashable)
_R = TypeVar("_R")
_Bodies: TypeAlias = Mapping[bytes, RequestRecord]
"""The first request with each body."""

MAX_COMPARED: Final = 100
"""So many tokens that had expired are compared with one."""
MAX_REQUESTS: Final = 10_000
"""So many of the newest requests are looked at, however long the journal is."""


class Earlier(NamedTuple):
    """Those of some requests that came before one: the first, the last, and how many."""

    first: RequestRecord
    last: RequestRecord
    times: int


class Ingredients(NamedTuple):
    """What the sender chose for one message, visible without keys: `salt` and its public key."""

    salt: bytes
    key: bytes


class History:
    """What one tenant knows: `requests` and `subscriptions`, both oldest first.

    `profiles` tell whose host is whose.
    """

    def __init__(
        self,
        requests: Sequence[RequestRecord],
        subscriptions: Sequence[Subscription],
        profiles: Mapping[str, Profile],
    ) -> None:
        self.requests = requests[-MAX_REQUESTS:]
        self.subscriptions = subscriptions
        self.profiles = profiles

    @cached_property
    def by_number(self) -> Mapping[int, RequestRecord]:
        """The requests by their numbers."""
        return {record.id: record for record in self.requests}

    @cached_property
    def by_id(self) -> Mapping[str, Subscription]:
        """The subscriptions by their ids."""
        return {each.id: each for each in self.subscriptions}

    @cached_property
    def by_key(self) -> dict[bytes, list[Subscription]]:
        """The subscriptions by the key that they are restricted to (RFC 8292, Section 4)."""
        restricted = (each for each in self.subscriptions if each.application_server_key)
        return _grouped(restricted, lambda each: each.application_server_key or b"")

    @cached_property
    def by_origin(self) -> Mapping[str, Sequence[Subscription]]:
        """The subscriptions by the origin of their endpoint."""
        return _grouped(self.subscriptions, lambda each: each.origins[0])

    @cached_property
    def first_to_origin(self) -> Mapping[str, RequestRecord]:
        """The first request to each origin of which a subscription is still known."""
        return self._first(self._origin)

    @cached_property
    def first_to_audience(self) -> Mapping[tuple[bytes, bytes], RequestRecord]:
        """The first request with each token that went where the token says."""
        return self._first(signed_token, without="vapid.aud.mismatch")

    @cached_property
    def first_in_time(self) -> Mapping[bytes, RequestRecord]:
        """The first request with the same claims on which they had not expired."""
        return self._first(signed_claims, without="vapid.exp.past")

    @cached_property
    def never_in_time(self) -> Sequence[RequestRecord]:
        """The first requests with claims that had expired already, the newest of them."""
        firsts = self._first(signed_claims).items()
        never = (record for text, record in firsts if text not in self.first_in_time)
        return list(deque(never, maxlen=MAX_COMPARED))

    @cached_property
    def first_with_right_key(self) -> Mapping[str, RequestRecord]:
        """The first request to each subscription with the key that it was made with."""
        return self._first(_resource_signed_for, without="vapid.key.mismatch")

    def answered_gone(self, record: RequestRecord) -> Earlier | None:
        """The earlier requests to the same push resource that were answered 404 or 410."""
        return _before(record, self._gone.get(resource(record), ()))

    def asked_to_wait(self, record: RequestRecord) -> Earlier | None:
        """The earlier requests to the same push resource whose answers had a Retry-After."""
        return _before(record, self._asked_to_wait.get(resource(record), ()))

    def with_same_salt(self, record: RequestRecord) -> RequestRecord | None:
        """The first earlier request with another body of the same salt."""
        chosen = ingredients(record)
        return chosen and self._other_body(record, self._by_salt.get(chosen.salt))

    def with_same_sender_key(self, record: RequestRecord) -> RequestRecord | None:
        """The first earlier request with another body and the same public key of the sender."""
        chosen = ingredients(record)
        return chosen and self._other_body(record, self._by_sender_key.get(chosen.key))

    def with_same_nonce(self, record: RequestRecord) -> RequestRecord | None:
        """The first earlier one with another body from which the same key and nonce follow."""
        chosen = ingredients(record)
        found = self._by_nonce.get((resource(record), *chosen)) if chosen else None
        return self._other_body(record, found)

    @staticmethod
    def _other_body(record: RequestRecord, found: _Bodies | None) -> RequestRecord | None:
        """That the same body comes again is no new message: what got no answer is sent again."""
        others = (each for body, each in (found or {}).items() if body != record.request.body)
        first = next(others, None)
        return first if first is not None and first.id < record.id else None

    @cached_property
    def _by_salt(self) -> Mapping[bytes, _Bodies]:
        return self._bodies(lambda _, chosen: chosen.salt)

    @cached_property
    def _by_sender_key(self) -> Mapping[bytes, _Bodies]:
        return self._bodies(lambda _, chosen: chosen.key)

    @cached_property
    def _by_nonce(self) -> Mapping[tuple[str, bytes, bytes], _Bodies]:
        return self._bodies(lambda record, chosen: (resource(record), *chosen))

    def _bodies(self, key: Callable[[RequestRecord, Ingredients], _K]) -> Mapping[_K, _Bodies]:
        found: dict[_K, dict[bytes, RequestRecord]] = {}
        for record, chosen in self._chosen:
            found.setdefault(key(record, chosen), {}).setdefault(record.request.body, record)
        return found

    @cached_property
    def _chosen(self) -> Sequence[tuple[RequestRecord, Ingredients]]:
        pairs = ((record, ingredients(record)) for record in self.requests)
        return [(record, chosen) for record, chosen in pairs if chosen is not None]

    @cached_property
    def _gone(self) -> Mapping[str, Sequence[RequestRecord]]:
        gone = (record for record in self.requests if record.status in (404, 410))
        return _grouped(gone, resource)

    @cached_property
    def _asked_to_wait(self) -> Mapping[str, Sequence[RequestRecord]]:
        waits = (record for record in self.requests if retry_after(record) is not None)
        return _grouped(waits, resource)

    def _origin(self, record: RequestRecord) -> str | None:
        subscription = self.by_id.get(record.subscription or "")
        return None if subscription is None else subscription.origins[0]

    def _first(
        self, key: Callable[[RequestRecord], _K | None], *, without: str | None = None
    ) -> dict[_K, RequestRecord]:
        firsts: dict[_K, RequestRecord] = {}
        for record in self.requests:
            found = key(record)
            if found is None or found in firsts:
                continue
            if without is None or without not in record.inspection.codes:
                firsts[found] = record
        return firsts


def resource(record: RequestRecord) -> str:
    """What the push was sent to: the id of its subscription, or the target if there is none."""
    return record.subscription or record.request.target


def signed_token(record: RequestRecord) -> tuple[bytes, bytes] | None:
    """What tells tokens apart: what is signed, and the signature."""
    vapid = record.inspection.vapid
    found = None if vapid is None else vapid.token
    return None if found is None else (found.signing_input, found.signature)


def signed_claims(record: RequestRecord) -> bytes | None:
    """What tells claims apart: the octets that the token signs."""
    found = signed_token(record)
    return None if found is None else found[0]


def retry_after(record: RequestRecord) -> bytes | None:
    """The Retry-After of a refusal."""
    answer = record.answer
    fields = answer.headers if answer is not None and answer.status >= 400 else ()
    return next((value for name, value in fields if name == b"retry-after"), None)


def http_date(value: bytes) -> float | None:
    """Seconds since the epoch of a date in a header field; None for anything else."""
    try:
        date = parsedate_to_datetime(value.decode("latin-1"))
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def ingredients(record: RequestRecord) -> Ingredients | None:
    """The sender's choices for the message of a request, if both can be seen."""
    inspection, body = record.inspection, record.request.body
    salt: bytes | None = None
    key: bytes | None = None
    if body and inspection.content_encoding == AESGCM:
        salt, key, _ = draft_values(inspection.parameters)
    elif inspection.content_encoding == AES128GCM:
        try:
            salt, _, key, _ = read_envelope(body)
        except DecryptionError:
            return None
    return Ingredients(salt, key) if salt and key else None


def _grouped(items: Iterable[_R], key: Callable[[_R], _K]) -> dict[_K, list[_R]]:
    groups: dict[_K, list[_R]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _before(record: RequestRecord, found: Sequence[RequestRecord]) -> Earlier | None:
    count = bisect_left(found, record.id, key=lambda each: each.id)
    return Earlier(found[0], found[count - 1], count) if count else None


def _resource_signed_for(record: RequestRecord) -> str | None:
    """Its push resource, if that is restricted and the sender proved that it holds a key."""
    vapid, inspection = record.inspection.vapid, record.inspection
    return resource(record) if inspection.restricted and vapid and vapid.verified else None
