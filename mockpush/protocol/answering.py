"""Rendering: a judgement becomes the answer that goes over the wire."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from mockpush.protocol.findings import REGISTRY, Finding
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Judgement, Template
from mockpush.protocol.records import PushMessage, WireAnswer

UNDECRYPTABLE: Final = Template(400, (("Content-Type", "application/problem+json"),), "{problem}")
"""The answer of `refuse_undecryptable`; no push service can give it, since none has the keys."""


class _Facts(NamedTuple):
    """What placeholders are filled from."""

    judgement: Judgement
    inspection: Inspection
    message: PushMessage | None
    origin: str


_VALUES: Final[dict[str, Callable[[_Facts], str]]] = {
    "location": lambda facts: f"{facts.origin}/m/{facts.message.id}" if facts.message else "",
    "ttl": lambda facts: str(facts.message.ttl) if facts.message else "",
    "uuid": lambda _: str(uuid.uuid4()).upper(),
    "problem": lambda facts: problem(facts.judgement, facts.inspection),
}
"""The closed set of placeholders."""

_PLACEHOLDER: Final = re.compile(rf"\{{({'|'.join(_VALUES)})\}}")


def render(
    judgement: Judgement,
    inspection: Inspection,
    *,
    message: PushMessage | None = None,
    origin: str = "",
) -> WireAnswer:
    """Fills in the template. `origin` is that of the message resource."""
    compiled = _compile(judgement.template)
    facts = _Facts(judgement, inspection, message, origin)
    fields = [field if isinstance(field, tuple) else field(facts) for field in compiled.fields]
    if compiled.write_body is None:
        return WireAnswer(compiled.status, (*fields, compiled.length), compiled.body)
    body = compiled.write_body(facts)
    return WireAnswer(compiled.status, (*fields, _length(body)), body)


_Field: TypeAlias = tuple[bytes, bytes]


class _Compiled(NamedTuple):
    """A template whose constant parts are ready; what has placeholders is a function."""

    status: int
    fields: tuple[_Field | Callable[[_Facts], _Field], ...]
    body: bytes
    length: _Field
    write_body: Callable[[_Facts], bytes] | None


def _length(body: bytes) -> _Field:
    return (b"content-length", b"%d" % len(body))


@lru_cache(maxsize=1024)
def _compile(template: Template) -> _Compiled:
    fields = tuple(_field(name.lower().encode(), value) for name, value in template.headers)
    body = template.body.encode()
    return _Compiled(template.status, fields, body, _length(body), _writer(template.body))


def _field(name: bytes, value: str) -> _Field | Callable[[_Facts], _Field]:
    write = _writer(value)
    return (name, value.encode()) if write is None else lambda facts: (name, write(facts))


def _writer(text: str) -> Callable[[_Facts], bytes] | None:
    """Fills in the placeholders of a text; None if it has none."""
    split = _PLACEHOLDER.split(text)
    if len(split) == 1:
        return None
    if split[0] == split[2] == "" and len(split) == 3:
        value = _VALUES[split[1]]
        return lambda facts: value(facts).encode()
    parts = [_VALUES[part] if at % 2 else part for at, part in enumerate(split)]
    return lambda facts: "".join(
        [part if isinstance(part, str) else part(facts) for part in parts]
    ).encode()


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
