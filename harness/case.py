"""Cases: one requirement each, and how a sender is judged by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from mockpush.protocol.findings import Level

if TYPE_CHECKING:
    from mockpush.protocol.model import Urgency

    from .trial import Trial
    from .verdict import Problem

Judge: TypeAlias = "Callable[[Trial], Iterable[Problem]]"

_ID: Final = re.compile(r"(?P<document>rfc\d+)/(?P<section>[\d.]+)/(?P<slug>[a-z0-9-]+)")
SEND: Final = frozenset({"send"})
MESSAGE: Final = b'{"title":"Shipped","order":7}'
"""What is sent where the payload does not matter: JSON, as some libraries take nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A push message to ask the sender for. `ttl` is in seconds."""

    payload: bytes | None = MESSAGE
    ttl: int = 60
    urgency: Urgency | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One requirement. `id` is `<document>/<section>/<slug>` and stable: it is API.

    What is asked of applications is `app/<slug>`, since no document has it all.
    `judge` drives the sender through its trial and yields what is not as it should be; `ops` are
    the operations that the sender must know. `level` weighs what the judge itself finds; a finding
    of the service, of which `codes` are globs, brings its own. `silent`: the push service does not
    answer, so that the case lasts as long as the sender waits. A `thorough` case takes minutes: it
    runs only where that is asked for.
    """

    id: str
    requirement: str
    level: Level
    section: str
    judge: Judge
    codes: tuple[str, ...] = ()
    ops: frozenset[str] = SEND
    silent: bool = False
    thorough: bool = False

    @property
    def takes_turns(self) -> bool:
        """Whether it is about what an application keeps, which only one case at a time can say."""
        return "subscribe" in self.ops


class CaseTable:
    """The cases of one theme, in the order in which they run."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def judged(
        self,
        case_id: str,
        requirement: str,
        *,
        level: Level = Level.MUST,
        section: str | None = None,
        codes: tuple[str, ...] = (),
        ops: frozenset[str] = SEND,
        silent: bool = False,
        thorough: bool = False,
    ) -> Callable[[Judge], Judge]:
        """Declares a case that the decorated function judges; `section` overrides the id's.

        `ValueError` for an id without a section that is given none.
        """

        def declare(judge: Judge) -> Judge:
            case = Case(
                id=case_id,
                requirement=requirement,
                level=level,
                section=section_of(case_id) if section is None else section,
                judge=judge,
                codes=codes,
                ops=ops,
                silent=silent,
                thorough=thorough,
            )
            self.cases.append(case)
            return judge

        return declare

    def free_of(
        self,
        case_id: str,
        requirement: str,
        *codes: str,
        asks: Sequence[Ask] = (Ask(),),
        level: Level = Level.MUST,
    ) -> None:
        """Declares a case that no finding of these codes (globs) speaks against, after `asks`.

        A glob with `!` in front takes codes out again.
        """

        @self.judged(case_id, requirement, level=level, codes=codes)
        def judge(trial: Trial) -> Iterable[Problem]:
            for ask in asks:
                trial.send(ask)
            return trial.findings(*codes)


def place(case_id: str) -> tuple[bool, str, tuple[int, ...]]:
    """Where a case stands: the RFCs come first, by number and section, then all else."""
    document, *section, _ = case_id.split("/")
    numbers = (part for each in section for part in each.split("."))
    return (
        not document.startswith("rfc"),
        document,
        tuple(int(part) for part in numbers if part.isdecimal()),
    )


def section_of(case_id: str) -> str:
    """`RFC 8030, Section 5.2` for `rfc8030/5.2/…`; `ValueError` for an id that has no section."""
    match = _ID.fullmatch(case_id)
    if match is None:
        raise ValueError(f"{case_id!r} is not <document>/<section>/<slug>")
    return f"RFC {match['document'].removeprefix('rfc')}, Section {match['section']}"
