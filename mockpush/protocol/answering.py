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
    facts = _Facts(judgement, inspection, message, origin)
    compiled = _compile(judgement.template)
    body = _fill(compiled.body, facts)
    headers = [(name, _fill(parts, facts)) for name, parts in compiled.headers]
    headers.append((b"content-length", b"%d" % len(body)))
    return WireAnswer(compiled.status, tuple(headers), body)


_Part: TypeAlias = bytes | Callable[[_Facts], str]


class _Compiled(NamedTuple):
    """A template with its texts taken apart at the placeholders."""

    status: int
    headers: tuple[tuple[bytes, tuple[_Part, ...]], ...]
    body: tuple[_Part, ...]


@lru_cache(maxsize=1024)
def _compile(template: Template) -> _Compiled:
    headers = tuple((name.lower().encode(), _parts(text)) for name, text in template.headers)
    return _Compiled(template.status, headers, _parts(template.body))


def _parts(text: str) -> tuple[_Part, ...]:
    """Every other part of the split is the name of a placeholder."""
    split = _PLACEHOLDER.split(text)
    parts = [_VALUES[part] if at % 2 else part.encode() for at, part in enumerate(split)]
    return tuple(part for part in parts if part != b"")


def _fill(parts: tuple[_Part, ...], facts: _Facts) -> bytes:
    return b"".join([part if isinstance(part, bytes) else part(facts).encode() for part in parts])


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
