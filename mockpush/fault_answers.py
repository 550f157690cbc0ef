"""The answers of fault plans, which take the place of the service's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from mockpush.faults import DEFAULT_STATUS, WITHOUT_BODY, Fault, RetryAfter
from mockpush.protocol.answering import render
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Judgement, Profile, Template
from mockpush.protocol.records import WireAnswer

_PROBLEM: Final = (("Content-Type", "application/problem+json"),)
_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}


@lru_cache(maxsize=512)
def _template(status: int) -> Template:
    """An answer that says that it was injected, if it is an error."""
    return Template(status, _PROBLEM, "{problem}") if status >= 400 else Template(status)


def injected_answer(
    fault: Fault, inspection: Inspection, profile: Profile, *, origin: str, now: float, real: float
) -> WireAnswer:
    """The answer that takes the place of the service's own. `now` is the tenant's time."""
    action = fault.action
    if action.named is not None:
        template = profile.named_answers[action.named]
    else:
        template = _template(action.status or DEFAULT_STATUS[action.does])
    judgement = Judgement(profile, template, ("fault.injected",))
    answer = render(judgement, inspection, origin=origin)
    return _changed(answer, _changes(fault, now, real), action.body)


def impossible_answer(inspection: Inspection, profile: Profile) -> WireAnswer:
    """The answer where a fault that disturbs the connection meets a request without one."""
    judgement = Judgement(profile, _template(501), ("fault.needs_connection",))
    return render(judgement, inspection)


def _changes(fault: Fault, now: float, real: float) -> dict[str, str]:
    """The header fields that the plan sets, by their names in lower case."""
    action = fault.action
    changes = {name.lower(): value for name, value in action.headers or ()}
    if action.location is not None:
        changes["location"] = action.location
    if action.retry_after is not None:
        changes["retry-after"] = action.retry_after.field(real)
    elif action.limit is not None:
        changes.setdefault("retry-after", RetryAfter(max(1.0, fault.left(now))).field(real))
    return changes


def _changed(answer: WireAnswer, changes: Mapping[str, str], body: str | None) -> WireAnswer:
    content = answer.body if body is None else body.encode()
    if body is not None:
        changes = {**_TEXT, **changes}
    changed = {name.encode(): value.encode("latin-1") for name, value in changes.items()}
    if answer.status not in WITHOUT_BODY:
        changed[b"content-length"] = b"%d" % len(content)
    kept = [line for line in answer.headers if line[0] not in {*changed, b"content-length"}]
    return WireAnswer(answer.status, (*kept, *changed.items()), content)
