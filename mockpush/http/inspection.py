"""Offline inspection in the control API: captured requests, judged without a subscription here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.responses import Response

from mockpush.captures import InspectedPush, ProfileSource, TimeSource, inspect_all
from mockpush.errors import CaptureError, InvalidRequestError
from mockpush.http.answers import JSONAnswer
from mockpush.http.kinds import Json, Kind, record, text
from mockpush.http.operations import Call, Operation, Returns
from mockpush.http.shapes import (
    BASE64,
    BOOLEAN,
    INTEGER,
    LINES,
    OPTIONAL_STRING,
    STRING,
    TIME,
    Shown,
    View,
    array_of,
    base64_text,
    encoded,
    enum_of,
    iso_time,
    lines,
    nullable,
    object_of,
    reference,
    schema_of,
    show,
)
from mockpush.http.traffic_views import ANSWERS, FINDINGS, PAYLOAD, answer_of, payload_of
from mockpush.protocol.captures import Format
from mockpush.protocol.clock import checked_time, parse_time
from mockpush.protocol.encryption import Envelope
from mockpush.protocol.inspection import Decryption
from mockpush.protocol.model import Urgency
from mockpush.protocol.vapid import Scheme, Vapid

# What comes


def _one_of(*types: type) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, types):
            raise ValueError
        return value

    return read


def _time(value: object) -> float:
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return checked_time(value)


_REQUEST_WORDS: Final = (
    "a captured request: the text of a HAR, of raw HTTP or of a curl command, a HAR, or an object "
    "with url, method, headers and body (base64)"
)
_REQUEST: Final[Kind[Any]] = Kind(
    _REQUEST_WORDS,
    {"anyOf": [{"type": "string"}, {"type": "object"}], "description": _REQUEST_WORDS},
    _one_of(str, dict),
)
_SUBSCRIPTION_WORDS: Final = (
    "the subscription in the shape of the W3C, with keys.private_key to have the payload read"
)
_SUBSCRIPTION: Final[Kind[Any]] = Kind(
    _SUBSCRIPTION_WORDS, {"type": "object", "description": _SUBSCRIPTION_WORDS}, _one_of(dict)
)
_TIME_WORDS: Final = "a time such as 2025-01-31T12:00:00Z, or seconds since the epoch"
_TIME: Final = Kind(
    _TIME_WORDS,
    {"anyOf": [{"type": "string"}, {"type": "number"}], "description": _TIME_WORDS},
    _time,
)
INSPECT: Final = record(
    {
        "request": _REQUEST,
        "profile": text("the name of a profile"),
        "endpoint": text("the URL that was pushed to"),
        "at": _TIME,
        "subscription": _SUBSCRIPTION,
    },
    required=("request",),
)


# What goes


VAPID: Final[View[Vapid]] = {
    "scheme": Shown(nullable(enum_of(Scheme)), lambda vapid: vapid.scheme),
    "header": Shown(nullable({"type": "object"}), lambda vapid: vapid.token and vapid.token.header),
    "claims": Shown(nullable({"type": "object"}), lambda vapid: vapid.token and vapid.token.claims),
    "public_key": Shown(OPTIONAL_STRING, lambda vapid: encoded(vapid.key)),
    "verified": Shown(BOOLEAN, lambda vapid: vapid.verified),
}

ENVELOPE: Final[View[Envelope]] = {
    "salt": Shown(OPTIONAL_STRING, lambda envelope: encoded(envelope.salt)),
    "rs": Shown(INTEGER, lambda envelope: envelope.rs),
    "public_key": Shown(OPTIONAL_STRING, lambda envelope: encoded(envelope.keyid)),
}


def _body(push: InspectedPush) -> Json | None:
    body = push.captured.body
    return None if body is None else {"base64": base64_text(body), "size": len(body)}


def _optional(view: View[Any], value: object) -> Json | None:
    return None if value is None else show(view, value)


PUSH: Final[View[InspectedPush]] = {
    "format": Shown(enum_of(Format), lambda push: push.captured.format),
    "method": Shown(STRING, lambda push: push.captured.method),
    "url": Shown(STRING, lambda push: push.captured.url),
    "headers": Shown(LINES, lambda push: lines(push.captured.headers)),
    "body": Shown(nullable(object_of(base64=BASE64, size=INTEGER)), _body),
    "remarks": Shown(array_of(STRING), lambda push: list(push.captured.remarks)),
    "profile": Shown(STRING, lambda push: push.profile),
    "profile_from": Shown(enum_of(ProfileSource), lambda push: push.profile_from),
    "at": Shown(TIME, lambda push: iso_time(push.at)),
    "at_from": Shown(enum_of(TimeSource), lambda push: push.at_from),
    "origin": Shown(STRING, lambda push: push.origin),
    "ttl": Shown(nullable(INTEGER), lambda push: push.inspection.ttl),
    "topic": Shown(OPTIONAL_STRING, lambda push: push.inspection.topic),
    "urgency": Shown(nullable(enum_of(Urgency)), lambda push: push.inspection.urgency),
    "content_encoding": Shown(OPTIONAL_STRING, lambda push: push.inspection.content_encoding),
    "envelope": Shown(
        nullable(schema_of(ENVELOPE)), lambda push: _optional(ENVELOPE, push.envelope)
    ),
    "vapid": Shown(
        nullable(schema_of(VAPID)), lambda push: _optional(VAPID, push.inspection.vapid)
    ),
    "decryption": Shown(enum_of(Decryption), lambda push: push.payload.decryption),
    "payload": Shown(nullable(PAYLOAD), lambda push: payload_of(push.payload.data)),
    "findings": Shown(FINDINGS, lambda push: [each.as_json() for each in push.findings]),
    "answer": Shown(reference("Answer"), lambda push: answer_of(push.answer)),
    "answers": Shown(
        ANSWERS, lambda push: {name: answer_of(each) for name, each in push.judgements.items()}
    ),
}


def inspection_json(pushes: Sequence[InspectedPush]) -> Json:
    """The document that every door answers with."""
    return {
        "accepted": all(push.accepted for push in pushes),
        "items": [show(PUSH, push) for push in pushes],
    }


INSPECTION: Final = object_of(accepted=BOOLEAN, items=array_of(reference("InspectedPush")))


async def inspect(call: Call) -> Response:
    """Judges the pushes of a capture, by what the capture itself says."""
    members = {**call.body}
    try:
        found = inspect_all(members.pop("request"), profiles=call.service.profiles, **members)
    except CaptureError as error:
        raise InvalidRequestError(str(error)) from None
    return JSONAnswer(inspection_json(found))


OPERATIONS: Final = (
    Operation(
        "POST",
        "/inspect",
        "Judge a captured request",
        inspect,
        Returns(schema="Inspection"),
        body=INSPECT,
        scoped=False,
    ),
)
