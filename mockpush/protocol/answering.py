"""Rendering: a judgement becomes the answer that goes over the wire."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Final

from mockpush.protocol.findings import REGISTRY, Finding
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Judgement, Template
from mockpush.protocol.records import PushMessage, WireAnswer

UNDECRYPTABLE: Final = Template(400, (("Content-Type", "application/problem+json"),), "{problem}")
"""The answer of `refuse_undecryptable`; no push service can give it, since none has the keys."""

_PLACEHOLDER: Final = re.compile(r"\{(location|ttl|uuid|problem)\}")


def render(
    judgement: Judgement,
    inspection: Inspection,
    *,
    message: PushMessage | None = None,
    origin: str = "",
) -> WireAnswer:
    """Fills in the template. `origin` is that of the message resource."""
    template = judgement.template
    values: dict[str, Callable[[], str]] = {
        "location": lambda: f"{origin}/m/{message.id}" if message else "",
        "ttl": lambda: str(message.ttl) if message else "",
        "uuid": lambda: str(uuid.uuid4()).upper(),
        "problem": lambda: problem(judgement, inspection),
    }

    def fill(text: str) -> bytes:
        if "{" in text:
            text = _PLACEHOLDER.sub(lambda match: values[match[1]](), text)
        return text.encode()

    body = fill(template.body)
    headers = [(name.lower().encode(), fill(value)) for name, value in template.headers]
    headers.append((b"content-length", str(len(body)).encode()))
    return WireAnswer(template.status, tuple(headers), body)


def problem(judgement: Judgement, inspection: Inspection) -> str:
    """An RFC 9457 problem document about the deciding finding, with all others that matter."""
    by_code = {finding.code: finding for finding in reversed(inspection.findings)}
    findings = [by_code.get(code, Finding(code)) for code in judgement.codes]
    first = findings[0]
    row = REGISTRY[first.code]
    return json.dumps(
        {
            "type": f"urn:mockpush:finding:{first.code}",
            "title": row.text,
            "status": judgement.template.status,
            "detail": first.hint,
            "code": first.code,
            "section": row.section,
            "expected": first.expected,
            "actual": first.actual,
            "findings": [finding.as_json() for finding in findings],
        },
        ensure_ascii=False,
    )
