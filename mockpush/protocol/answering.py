"""Rendering: a judgement becomes the answer that goes over the wire."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from mockpush.protocol.findings import REGISTRY, Finding
from mockpush.protocol.inspection import Inspection, too_large
from mockpush.protocol.judging import Compare, Judgement, Measure, Template
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
    "receipt": lambda facts: f"{facts.origin}/r/{facts.message.receipt}" if facts.message else "",
    "origin": lambda facts: facts.origin,
    "ttl": lambda facts: str(facts.message.ttl) if facts.message else "",
    "uuid": lambda _: str(uuid.uuid4()).upper(),
    "usec": lambda facts: f"{facts.message.received_at * 1e6:.0f}" if facts.message else "",
    "hex16": lambda _: os.urandom(8).hex(),
    "HEX16": lambda _: os.urandom(8).hex().upper(),
    "excess": lambda facts: str(_excess(facts.inspection.body_size)),
    "problem": lambda facts: problem(facts.judgement, facts.inspection),
}
"""The closed set of placeholders."""

_BRIDGED: Final = 4096
"""Characters of base64 that Mozilla's service passes on to other services."""


def _excess(size: int) -> int:
    return max(1, -(-4 * size // 3) - _BRIDGED)


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
    fields = [
        (name, value if isinstance(value, bytes) else value(facts).encode())
        for name, value in compiled.fields
    ]
    body, length = compiled.body, compiled.length
    if not isinstance(body, bytes):
        body = body(facts).encode()
        length = _length(body)
    return WireAnswer(compiled.status, (*fields, length), body)


_Text: TypeAlias = bytes | Callable[[_Facts], str]
"""Text without placeholders, ready to be sent, or what fills them in."""


class _Compiled(NamedTuple):
    """A template whose constant parts are ready; `length` counts if the body is constant."""

    status: int
    fields: tuple[tuple[bytes, _Text], ...]
    body: _Text
    length: tuple[bytes, bytes]


def _length(body: bytes) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % len(body))


@lru_cache(maxsize=1024)
def _compile(template: Template) -> _Compiled:
    fields = tuple((name.lower().encode(), _text(value)) for name, value in template.headers)
    length = _length(template.body.encode())
    return _Compiled(template.status, fields, _text(template.body), length)


def _text(text: str) -> _Text:
    split = _PLACEHOLDER.split(text)
    if len(split) == 1:
        return text.encode()
    if split[0] == split[2] == "" and len(split) == 3:
        return _VALUES[split[1]]
    parts = [_VALUES[part] if at % 2 else part for at, part in enumerate(split)]
    return lambda facts: "".join([part if isinstance(part, str) else part(facts) for part in parts])


def problem(judgement: Judgement, inspection: Inspection) -> str:
    """An RFC 9457 problem document about the deciding finding, with all others that matter."""
    by_code = {finding.code: finding for finding in reversed(stated(judgement, inspection))}
    findings = [by_code[code] for code in judgement.codes]
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


def stated(judgement: Judgement, inspection: Inspection) -> list[Finding]:
    """The findings of a request with those that only its judgement adds, which come first.

    A profile with a limit of its own states a body that is too large in terms of that limit.
    """
    found = list(inspection.findings)
    limit = _exceeded(judgement, inspection)
    if limit is not None:
        found = [each for each in found if each.code != "body.too_large"]
        found.insert(0, too_large(inspection.body_size, limit))
    named = {finding.code for finding in found}
    return [*(Finding(code) for code in judgement.codes if code not in named), *found]


def _exceeded(judgement: Judgement, inspection: Inspection) -> float | None:
    """The least limit of the profile that the body exceeds, if the profile objected to it."""
    profile = judgement.profile
    if "body.too_large" not in judgement.codes:
        return None
    sizes = (row.when for row in profile.active if isinstance(row.when, Compare))
    limits = [profile.bound(when) for when in sizes if when.measure is Measure.BODY_SIZE]
    return min((each for each in limits if each < inspection.body_size), default=None)
