"""A run: one sender, one service, and what becomes of each case."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Lock
from time import monotonic
from typing import Final, TypeAlias
from uuid import uuid4

from mockpush.client.control import Control
from mockpush.errors import NotFoundError
from mockpush.protocol.findings import Level
from mockpush.vapid_keys import VapidKeys

from .case import Case
from .conversation import Conversations
from .errors import SenderError
from .evidence import NOTHING, Evidence
from .jobs import Hello
from .patience import Patience
from .portability import judged_by
from .sender import Sender
from .service import Service
from .shared import Shared
from .trial import EndedError, NotApplicableError, Trial
from .verdict import CaseResult, Problem, Verdict, heaviest, worst

PROFILE: Final = "rfc"

Steps: TypeAlias = Callable[[str, int, int], object]
"""Is told how many of how many pushes of a long case are done, and of which case."""


def unheard(case_id: str, done: int, total: int) -> None:
    """The steps of a run that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`strict` turns warnings into failures, `fail_fast` skips what comes after a failure.

    `timeout` and `start_timeout` limit a job and `hello`, in seconds; so many `jobs` run at once.
    `profile`, `variants` and `profile_file` are settings of the service. `known` are the ids of
    failures that a baseline lists; None: there is no baseline. `required` are push services that
    must take every push; `steps` is told how far long cases have come.
    """

    strict: bool
    fail_fast: bool
    timeout: float
    start_timeout: float
    jobs: int
    profile: str
    variants: tuple[str, ...] = ()
    profile_file: Path | None = None
    known: frozenset[str] | None = None
    required: tuple[str, ...] = ()
    steps: Steps = unheard

    @property
    def flags(self) -> list[str]:
        """Those of `mockpush check` that have a say in the verdict of a case."""
        flags = ["--strict"] if self.strict else []
        if self.profile != PROFILE:
            flags += ["--profile", self.profile]
        for variant in self.variants:
            flags += ["--variant", variant]
        if self.profile_file is not None:
            flags += ["--profile-file", str(self.profile_file)]
        return flags

    def end_with(self, result: CaseResult) -> bool:
        """Whether no further case is to run after this result."""
        new = result.verdict is Verdict.FAILED and result.id not in (self.known or ())
        return self.fail_fast and new


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Judges one sender, in several threads if need be. `hello` is what it said of itself."""

    sender: Sender
    hello: Hello
    service: Service
    conversations: Conversations
    options: Options
    vapid: VapidKeys = field(default_factory=VapidKeys.generate)
    shared: Shared = field(default_factory=Shared)
    _stopped: Event = field(default_factory=Event)
    _turns: Lock = field(default_factory=Lock)
    _patience: Patience = field(default_factory=Patience)

    def stop(self) -> None:
        """Begin no further case, and end the jobs that are under way."""
        self._stopped.set()
        self.conversations.close()

    def judge(self, case: Case) -> CaseResult:
        """What becomes of one case; those about an application's subscriptions take turns."""
        with self._turns if case.takes_turns else nullcontext():
            return self._judge(case)

    def _judge(self, case: Case) -> CaseResult:
        if self._stopped.is_set():
            return self._skipped(case, "not run: a case before it failed (--fail-fast)")
        if missing := case.ops - set(self.hello.ops):
            return self._skipped(case, f"the sender does not know {', '.join(sorted(missing))}")
        if reason := self._patience.lost:
            return self._lost(case, reason)
        with self._tenant() as control, self.conversations.one() as conversation:
            trial = Trial(
                case,
                control=control,
                conversation=conversation,
                vapid=self.vapid,
                ops=frozenset(self.hello.ops),
                directory=self.service.directory,
                shared=self.shared,
                origins=self.service.origins,
                step=partial(self.options.steps, case.id),
            )
            result = self._try(trial)
        if not case.silent:
            self._patience.saw(hung=trial.hung)
        if self.options.end_with(result):
            self._stopped.set()
        return result

    @contextmanager
    def _tenant(self) -> Iterator[Control]:
        """A tenant that nobody else uses; it goes with the context."""
        control = self.service.tenant(f"check-{uuid4().hex}", vapid=self.vapid)
        try:
            yield control
        finally:
            with suppress(NotFoundError):  # nothing has happened in it
                control.delete_tenant()

    def _try(self, trial: Trial) -> CaseResult:
        started = monotonic()
        problems: list[Problem] = []
        try:
            problems.extend(trial.case.judge(trial))
        except NotApplicableError as error:
            return self._skipped(trial.case, str(error), evidence=trial.evidence)
        except EndedError as error:
            problems.append(error.problem)
        except SenderError as error:
            problems.append(trial.problem(str(error), level=Level.MUST))
        decisive = heaviest(problems)
        return self._result(
            trial.case,
            worst(problems, strict=self.options.strict),
            reason=None if decisive is None else str(decisive),
            problems=tuple(problems),
            evidence=trial.evidence,
            seconds=monotonic() - started,
        )

    def _lost(self, case: Case, reason: str) -> CaseResult:
        """A case that a sender does not get to fails: no baseline must make that a success."""
        problem = Problem(level=Level.MUST, section=case.section, text=reason)
        return self._result(
            case, Verdict.FAILED, reason=reason, problems=(problem,), evidence=NOTHING
        )

    def _skipped(self, case: Case, reason: str, *, evidence: Evidence = NOTHING) -> CaseResult:
        return self._result(case, Verdict.SKIPPED, reason=reason, evidence=evidence)

    def _result(
        self,
        case: Case,
        verdict: Verdict,
        *,
        reason: str | None,
        evidence: Evidence,
        problems: tuple[Problem, ...] = (),
        seconds: float = 0.0,
    ) -> CaseResult:
        return CaseResult(
            id=case.id,
            requirement=case.requirement,
            level=case.level,
            section=case.section,
            verdict=verdict,
            reason=reason,
            problems=problems,
            evidence=evidence,
            reproduce=self._command("-k", case.id),
            seconds=seconds,
        )

    def judged_by(self, name: str, results: Sequence[CaseResult]) -> CaseResult:
        """What a required push service makes of all the pushes."""
        return judged_by(name, results, reproduce=self._command("--require", name))

    def _command(self, *selection: str) -> str:
        flags = (*selection, *self.options.flags, *self.sender.arguments)
        return shlex.join(("mockpush", "check", *flags))
