"""Portability: what each push service objects to in a request, whatever was done to it here.

What a test arranges is left out: the state of the subscription, faults, limits of our own. What is
left is the sender's, and would have met the real push service as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, TypeAlias

from mockpush.protocol.findings import Finding
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Profile, judge, refusals_by

VENDORS: Final = ("fcm", "mozilla", "apple", "wns")
"""The profiles of real push services: those of Chrome, Firefox, Safari and Edge."""

_ARRANGED: Final = "subscription."
"""The codes that begin so are the doing of the test, or of the user agent."""

Json: TypeAlias = dict[str, Any]


class Objection(NamedTuple):
    """One thing that a push service would not take: its answer, and the finding that it is about.

    `word` is the vendor's own word for the reason.
    """

    status: int
    word: str | None
    finding: Finding

    def as_json(self) -> Json:
        """The members of an objection in the control API."""
        return {"status": self.status, "reason": self.word, "finding": self.finding.as_json()}


def objections(
    inspection: Inspection, profiles: Mapping[str, Profile]
) -> dict[str, list[Objection]]:
    """All that each profile objects to, in its order: the first would have decided its answer.

    Profiles that would take the request are left out.
    """
    findings = tuple(each for each in inspection.findings if not each.code.startswith(_ARRANGED))
    if len(findings) < len(inspection.findings):
        inspection = replace(inspection, findings=findings)
    found = {each.code: each for each in reversed(findings)}
    against = [each for each in profiles.values() if not judge(inspection, each).accepted]
    return {
        profile.name: [
            Objection(answer.status, answer.word, found.get(code, Finding(code)))
            for code, answer in refusals_by(profile, inspection).items()
        ]
        for profile in against
    }


def shown(found: Mapping[str, Sequence[Objection]]) -> dict[str, list[Json]]:
    """Objections as the control API has them."""
    return {name: [each.as_json() for each in objected] for name, objected in found.items()}


@dataclass(slots=True)
class _Mistake:
    finding: Json
    answers: dict[str, Json] = field(default_factory=dict)
    count: int = 0


class Tally:
    """Objections to many requests, put together by the mistake that they are about.

    `requests` have been counted, to `refused` of which one of the push services objects.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.refused = 0
        self._mistakes: dict[str, _Mistake] = {}

    def add(self, objections: Mapping[str, Sequence[Json]], vendors: Sequence[str]) -> None:
        """Counts one request, with its objections as JSON; only those of `vendors` matter."""
        named = {name: objections[name] for name in vendors if objections.get(name)}
        self.requests += 1
        self.refused += bool(named)
        by_code: dict[str, _Mistake] = {}
        for name, objected in named.items():
            for each in objected:
                by_code[each["finding"]["code"]] = self._note(name, each)
        for mistake in by_code.values():
            mistake.count += 1

    def _note(self, name: str, objection: Json) -> _Mistake:
        finding = objection["finding"]
        mistake = self._mistakes.setdefault(finding["code"], _Mistake(finding))
        answer = {"status": objection["status"], "reason": objection["reason"]}
        mistake.answers.setdefault(name, answer)
        return mistake

    def as_json(self) -> Json:
        """`{requests, refused, mistakes: [{finding, answers: {fcm: {status, reason}}, count}]}`."""
        return {
            "requests": self.requests,
            "refused": self.refused,
            "mistakes": [
                {"finding": each.finding, "answers": each.answers, "count": each.count}
                for each in self._mistakes.values()
            ],
        }
