"""How push messages, requests and what was found in them look in JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from mockpush.correlation import correlate
from mockpush.history import History
from mockpush.http.kinds import Json
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
)
from mockpush.protocol import portability
from mockpush.protocol.answering import stated
from mockpush.protocol.fault_kinds import FaultKind, InjectedFault
from mockpush.protocol.findings import REGISTRY, Finding, Level
from mockpush.protocol.inspection import Decryption, Inspection, Payload
from mockpush.protocol.judging import Judgement, Profile, judge
from mockpush.protocol.model import MessageState, Urgency
from mockpush.protocol.receipts import STATUS as RECEIPT_STATUS
from mockpush.protocol.records import PushMessage, RequestRecord, TimelineEntry, WireAnswer
from mockpush.receipts import PATH as RECEIPTS
from mockpush.service import PushService

MAX_NESTING: Final = 64
"""Levels of somebody else's JSON that are passed on as JSON."""


FINDING: Final = object_of(
    code=STRING,
    level=enum_of(Level),
    section=STRING,
    text=STRING,
    expected=OPTIONAL_STRING,
    actual=OPTIONAL_STRING,
    hint=STRING,
    explains=array_of(STRING),
)
ANSWER: Final = object_of(
    accepted=BOOLEAN, status=INTEGER, reason=OPTIONAL_STRING, codes=array_of(STRING)
)
OBJECTION: Final = object_of(status=INTEGER, reason=OPTIONAL_STRING, finding=reference("Finding"))
ANSWERS: Final[Json] = {"type": "object", "additionalProperties": reference("Answer")}
OBJECTIONS: Final[Json] = {
    "type": "object",
    "additionalProperties": array_of(reference("Objection")),
}
FINDINGS: Final = array_of(reference("Finding"))

Profiles: TypeAlias = Mapping[str, Profile]


def answers(
    inspection: Inspection, profiles: Profiles, *, given: Judgement | None = None
) -> dict[str, Json]:
    """What each profile says to a request; the one that answered says what it said then."""
    judgements = {name: judge(inspection, profile) for name, profile in profiles.items()}
    if given is not None:
        judgements[given.profile.name] = given
    return {name: answer_of(judgement) for name, judgement in judgements.items()}


def answer_of(judgement: Judgement) -> Json:
    """What a profile says, with the codes behind it; its own word for the reason, if it has one."""
    codes = list(judgement.codes)
    reason = judgement.template.word
    if reason is None and codes:
        reason = REGISTRY[codes[0]].text
    return {
        "accepted": judgement.accepted,
        "status": judgement.template.status,
        "reason": reason,
        "codes": codes,
    }


def _objections(service: PushService, inspection: Inspection) -> dict[str, list[Json]]:
    """What each push service would object to if its subscription were there, by its own limits."""
    return portability.shown(portability.objections(inspection, service.gate.profiles))


# Messages


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message that somebody looks at."""

    message: PushMessage
    payload: Payload
    correlated: tuple[Finding, ...]
    answers: dict[str, Json]
    objections: dict[str, list[Json]]

    @property
    def findings(self) -> list[Json]:
        """What the request, other requests beside it, and the payload showed."""
        found = (*self.message.inspection.findings, *self.correlated, *self.payload.findings)
        return [finding.as_json() for finding in found]


async def see_message(
    service: PushService, message: PushMessage, *, history: History
) -> SeenMessage:
    """Looks at a message: its payload is decrypted if it was not before."""
    payload = await service.read(message)
    record = history.by_number.get(message.request)
    correlated = correlate(history, record=record, message=message)
    return SeenMessage(
        message,
        payload,
        correlated,
        answers(message.inspection, service.profiles),
        _objections(service, message.inspection),
    )


def _is_writable(value: object, levels: int = MAX_NESTING) -> bool:
    """Whether a value read from JSON can be written as JSON again: numbers finite, not too deep."""
    if isinstance(value, float):
        return math.isfinite(value)
    if not isinstance(value, dict | list):
        return True
    items = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_writable(item, levels - 1) for item in items)


def payload_of(data: bytes | None) -> Json | None:
    """The plaintext as base64, as text if it is UTF-8, and parsed if it is JSON."""
    if data is None:
        return None
    shown: Json = {"base64": base64_text(data), "size": len(data)}
    try:
        shown["text"] = data.decode()
        value = json.loads(shown["text"])
    except (ValueError, RecursionError):
        return shown
    return {**shown, "json": value} if _is_writable(value) else shown


def _vapid(inspection: Inspection) -> Json | None:
    vapid = inspection.vapid
    if vapid is None or vapid.token is None:
        return None
    claims = {name: vapid.claims.get(name) for name in ("sub", "aud", "exp")}
    return {**claims, "public_key": encoded(vapid.key)}


def _receipt(message: PushMessage) -> Json | None:
    if message.receipt is None:
        return None
    return {"url": f"{RECEIPTS}{message.receipt}", "status": RECEIPT_STATUS.get(message.state)}


def _timeline(steps: tuple[TimelineEntry, ...]) -> list[Json]:
    return [{"at": iso_time(each.at), "event": each.step, "detail": each.detail} for each in steps]


PAYLOAD: Final[Json] = {
    "type": "object",
    "properties": {"text": STRING, "json": {}, "base64": BASE64, "size": INTEGER},
    "required": ["base64", "size"],
}

FAULT: Final = nullable(object_of(id=STRING, kind=enum_of(FaultKind), replaces=BOOLEAN))


def _fault(fault: InjectedFault | None) -> Json | None:
    """The mark of the fault that came over an answer."""
    if fault is None:
        return None
    return {"id": fault.id, "kind": fault.kind, "replaces": fault.replaces}


MESSAGE: Final[View[SeenMessage]] = {
    "id": Shown(STRING, lambda seen: seen.message.id),
    "tenant": Shown(STRING, lambda seen: seen.message.tenant),
    "subscription": Shown(STRING, lambda seen: seen.message.subscription),
    "request": Shown(STRING, lambda seen: str(seen.message.request)),
    "received_at": Shown(TIME, lambda seen: iso_time(seen.message.received_at)),
    "expires_at": Shown(TIME, lambda seen: iso_time(seen.message.expires_at)),
    "ttl": Shown(INTEGER, lambda seen: seen.message.ttl),
    "topic": Shown(OPTIONAL_STRING, lambda seen: seen.message.topic),
    "urgency": Shown(nullable(enum_of(Urgency)), lambda seen: seen.message.inspection.urgency),
    "content_encoding": Shown(
        OPTIONAL_STRING, lambda seen: seen.message.inspection.content_encoding
    ),
    "size": Shown(INTEGER, lambda seen: len(seen.message.body)),
    "body": Shown(BASE64, lambda seen: base64_text(seen.message.body)),
    "state": Shown(enum_of(MessageState), lambda seen: seen.message.state),
    "decryption": Shown(enum_of(Decryption), lambda seen: seen.payload.decryption),
    "payload": Shown(nullable(PAYLOAD), lambda seen: payload_of(seen.payload.data)),
    "vapid": Shown(
        nullable(object_of(sub={}, aud={}, exp={}, public_key=OPTIONAL_STRING)),
        lambda seen: _vapid(seen.message.inspection),
    ),
    "findings": Shown(FINDINGS, lambda seen: seen.findings),
    "answers": Shown(ANSWERS, lambda seen: seen.answers),
    "objections": Shown(OBJECTIONS, lambda seen: seen.objections),
    "timeline": Shown(
        array_of(object_of(at=TIME, event=STRING, detail=OPTIONAL_STRING)),
        lambda seen: _timeline(seen.message.timeline),
    ),
    "receipt": Shown(
        nullable(object_of(url=STRING, status=nullable(INTEGER))),
        lambda seen: _receipt(seen.message),
    ),
    "fault": Shown(FAULT, lambda seen: _fault(seen.message.fault)),
}


# Requests


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that somebody looks at, with what the payload of its message showed."""

    record: RequestRecord
    correlated: tuple[Finding, ...]
    payload_findings: tuple[Finding, ...]
    answers: dict[str, Json]
    objections: dict[str, list[Json]]

    @property
    def findings(self) -> list[Json]:
        """Everything found, also what decided the answer and is no fact about the request."""
        found = stated(self.record.judgement, self.record.inspection)
        return [finding.as_json() for finding in (*found, *self.correlated, *self.payload_findings)]


async def see_request(
    service: PushService, record: RequestRecord, *, history: History
) -> SeenRequest:
    """Looks at a request and at the message that it made, as long as that is kept."""
    message = None if record.message is None else await service.storage.message(record.message)
    correlated = correlate(history, record=record, message=message)
    findings = () if message is None else (await service.read(message)).findings
    given = answers(record.inspection, service.profiles, given=record.judgement)
    objected = _objections(service, record.inspection)
    return SeenRequest(record, correlated, findings, given, objected)


def _wire(answer: WireAnswer | None) -> Json | None:
    if answer is None:
        return None
    body = answer.body.decode("utf-8", "replace")
    return {"status": answer.status, "headers": lines(answer.headers), "body": body}


def _body(record: RequestRecord) -> Json:
    return {"base64": base64_text(record.request.body), "size": record.inspection.body_size}


REQUEST: Final[View[SeenRequest]] = {
    "id": Shown(STRING, lambda seen: str(seen.record.id)),
    "tenant": Shown(OPTIONAL_STRING, lambda seen: seen.record.tenant or None),
    "subscription": Shown(OPTIONAL_STRING, lambda seen: seen.record.subscription),
    "message": Shown(OPTIONAL_STRING, lambda seen: seen.record.message),
    "profile": Shown(STRING, lambda seen: seen.record.judgement.profile.name),
    "received_at": Shown(TIME, lambda seen: iso_time(seen.record.request.received_at)),
    "method": Shown(STRING, lambda seen: seen.record.request.method),
    "target": Shown(STRING, lambda seen: seen.record.request.target),
    "http_version": Shown(STRING, lambda seen: seen.record.request.http_version),
    "headers": Shown(LINES, lambda seen: lines(seen.record.request.headers)),
    "body": Shown(object_of(base64=BASE64, size=INTEGER), lambda seen: _body(seen.record)),
    "findings": Shown(FINDINGS, lambda seen: seen.findings),
    "answers": Shown(ANSWERS, lambda seen: seen.answers),
    "objections": Shown(OBJECTIONS, lambda seen: seen.objections),
    "answer": Shown(
        nullable(object_of(status=INTEGER, headers=LINES, body=STRING)),
        lambda seen: _wire(seen.record.answer),
    ),
    "fault": Shown(FAULT, lambda seen: _fault(seen.record.fault)),
}
