"""Decision: what becomes of a request to a push resource once it has been inspected."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from mockpush.protocol.answering import UNDECRYPTABLE, render
from mockpush.protocol.inspection import (
    READABLE,
    Decryption,
    Inspection,
    Payload,
    add_reasons,
    read_payload,
)
from mockpush.protocol.judging import Judgement, Profile, judge
from mockpush.protocol.model import PushRequest, Subscription, new_token
from mockpush.protocol.records import PushMessage, RequestRecord


class Looks(Enum):
    """Whether payloads are decrypted as they come."""

    LATER = auto()
    AT_ONCE = auto()
    AND_REFUSES = auto()
    """at once, and what cannot be read is refused, though no push service could"""

    @classmethod
    def of(cls, *, eager: bool, refuses: bool) -> Looks:
        """That of the options."""
        if refuses:
            return cls.AND_REFUSES
        return cls.AT_ONCE if eager else cls.LATER


def decide(
    request: PushRequest,
    subscription: Subscription,
    number: int,
    inspection: Inspection,
    profile: Profile,
    looks: Looks,
    receipt: str | None,
) -> tuple[RequestRecord, PushMessage | None]:
    """The record of the request with its answer, and the message if it is to be kept.

    `number` is that of the request, `receipt` the id of the receipt subscription to be used.
    """
    judgement = judge(inspection, profile)
    message: PushMessage | None = None
    payload: Payload | None = None
    if looks is not Looks.LATER and judgement.accepted:
        payload = read_payload(inspection, request.body, subscription.keys)
        if payload.decryption is Decryption.OK:
            payload = READABLE
        elif looks is Looks.AND_REFUSES and payload.decryption is Decryption.FAILED:
            judgement = Judgement(profile, UNDECRYPTABLE, add_reasons(inspection, payload))
    if judgement.accepted:
        message = _message(request, subscription, number, inspection, profile)
        message.payload = payload
        if judgement.template is profile.receipt:
            message.receipt = receipt
    answer = render(judgement, inspection, message=message, origin=subscription.origins[0])
    record = RequestRecord(
        number,
        subscription.tenant,
        subscription.id,
        None if message is None else message.id,
        request,
        inspection,
        judgement,
        answer,
    )
    return record, message


def _message(
    request: PushRequest,
    subscription: Subscription,
    number: int,
    inspection: Inspection,
    profile: Profile,
) -> PushMessage:
    """The message of an accepted request; its TTL is at most what the profile grants."""
    ttl = min(inspection.head.ttl or 0, profile.longest_ttl)
    return PushMessage(
        new_token(),
        subscription.tenant,
        subscription.id,
        number,
        request.body,
        inspection,
        ttl,
        request.received_at,
        request.received_at + ttl,
    )


def refused_as_full(record: RequestRecord, subscription: Subscription) -> RequestRecord:
    """The record of a request whose message there was no room for."""
    profile = record.judgement.profile
    judgement = Judgement(profile, profile.full, ("service.full",))
    answer = render(judgement, record.inspection, origin=subscription.origins[0])
    return replace(record, message=None, judgement=judgement, answer=answer)
