"""What real push services would have said: in a line, as a condition of a test, and in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from .api import Json

_LONGEST_WORD: Final = 60
"""Characters of a vendor's word that a line shows."""
_LONGEST_CONDITION: Final = 240
"""Characters after which pytest cuts out the middle of what it quotes."""


class Answer(NamedTuple):
    """What one push service would have answered, in a few words."""

    text: str
    accepted: bool


def matrix(answers: Mapping[str, Json], texts: Iterable[str] = ()) -> list[Answer]:
    """The answers of all profiles: `fcm 201`, `apple 403 BadJwtToken (vapid.sub.local_host)`.

    A reason that is one of `texts`, those of the findings, is no word of the vendor's own.
    """
    ours = frozenset(texts)
    return [
        Answer(_written(name, each, ours), bool(each["accepted"])) for name, each in answers.items()
    ]


def _written(name: str, answer: Json, ours: frozenset[str]) -> str:
    word = answer.get("reason")
    parts = [name, str(answer["status"])]
    parts += [_cut(word, _LONGEST_WORD)] if word and word not in ours else []
    parts += [f"({answer['codes'][0]})"] if answer["codes"] else []
    return " ".join(parts)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


class Acceptance:
    """Whether a push service takes a push; true or false, and its `repr` says why.

    `status` and `reason`, the vendor's word, are those of its refusal, None if it takes it;
    `objections` are all, `{status, reason, finding}`, the first of which decides.
    """

    __slots__ = ("objections", "profile")

    def __init__(self, profile: str, objections: Sequence[Json]) -> None:
        self.profile = profile
        self.objections = tuple(objections)

    @property
    def status(self) -> int | None:
        """The status of the refusal."""
        return next((each["status"] for each in self.objections), None)

    @property
    def reason(self) -> str | None:
        """The vendor's word for the refusal, if it has one."""
        return next((each["reason"] for each in self.objections), None)

    def __bool__(self) -> bool:
        return not self.objections

    def __str__(self) -> str:
        if self:
            return f"{self.profile} takes it"
        finding = self.objections[0]["finding"]
        answer = f"{self.profile} answers {_answer(self.status, self.reason)}"
        return f"{answer}: {_stated(finding)} → {finding['hint']}"

    def __repr__(self) -> str:
        return f"<{_cut(str(self), _LONGEST_CONDITION - 2)}>"


def paragraphs(mistakes: Iterable[Json]) -> Iterator[str]:
    """Each mistake in lines of its own: what it is, who refuses it in which words, what to do."""
    for mistake in mistakes:
        finding = mistake["finding"]
        yield f"{_stated(finding)}, {_pushes(mistake['count'])}"
        if finding["actual"] is not None:
            yield f"    sent: {finding['actual']}"
        for name, answer in mistake["answers"].items():
            yield f"    {name} answers {_answer(answer['status'], answer['reason'])}"
        yield f"    → {finding['hint']}"


def summary(portability: Mapping[str, Any]) -> str:
    """`apple and wns would have refused 3 of 100 pushes`."""
    names = dict.fromkeys(name for each in portability["mistakes"] for name in each["answers"])
    pushes = _pushes(portability["requests"])
    return f"{_listed(list(names))} would have refused {portability['refused']} of {pushes}"


def report(portability: Mapping[str, Any]) -> str:
    """The summary and everything that is behind it."""
    lines = (f"  {line}" for line in paragraphs(portability["mistakes"]))
    return "\n".join([f"{summary(portability)}:", *lines])


def _pushes(count: int) -> str:
    return "1 push" if count == 1 else f"{count} pushes"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _answer(status: object, reason: str | None) -> str:
    return f"{status} {reason}" if reason else str(status)


def _stated(finding: Mapping[str, Any]) -> str:
    return f"{finding['code']}: {finding['text']} [{finding['section']}]"
