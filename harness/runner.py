"""The runner: starts the service and the sender, and puts the sender through the cases."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from time import monotonic
from typing import Final, TypeAlias

from mockpush.errors import ConfigurationError

from .baseline import read_baseline
from .case import Case
from .cases import CASES
from .conversation import Conversation, Conversations
from .globs import selects
from .in_process import CallableSender
from .jobs import HelloJob
from .lanes import lanes
from .naming import AnySender, sender_of
from .run import PROFILE, Options, Run, Steps, unheard
from .sender import ApplicationSender, Sender, environment
from .senders.registry import ReadySender
from .service import Service, running_service
from .verdict import CaseResult, Report

TIMEOUT: Final = 10.0
START_TIMEOUT: Final = 30.0
JOBS: Final = 4
"""Cases that run at once, where each has a sender process of its own."""
TICK: Final = 0.2
"""Seconds after which an interruption is seen at the latest."""

Progress: TypeAlias = Callable[[CaseResult], object]


def run_checks(
    sender: AnySender,
    *,
    cases: str | Sequence[str] = (),
    strict: bool = False,
    fail_fast: bool = False,
    timeout: float | None = None,
    start_timeout: float = START_TIMEOUT,
    jobs: int | None = None,
    profile: str = PROFILE,
    variants: Sequence[str] = (),
    profile_file: str | os.PathLike[str] | None = None,
    baseline: str | os.PathLike[str] | Collection[str] | None = None,
    require: Sequence[str] = (),
    thorough: bool = False,
    progress: Progress = lambda result: None,
    steps: Steps = unheard,
) -> Report:
    """Drives `sender` through the cases against a service of its own, and reports every one.

    `sender` is a callable, which is called in this process in a thread of its own, or what
    `naming.AnySender` has besides. `cases` are globs of case ids, with `!` in front to exclude.
    `strict` turns warnings into failures, `fail_fast` skips what comes after a failure. `timeout`
    and `start_timeout` limit a job and `hello`, in seconds; ready senders may have a limit of their
    own in place of `TIMEOUT`. So many `jobs` run at once: one for a
    callable of this process, which would be called by several threads, and for a running
    application; else `JOBS`, each with a sender process of its own. `profile`, `variants` and
    `profile_file` say which push service is imitated. `baseline` is a file of known failures, or
    their ids: they do not fail the run. `require` names push services that must take every push:
    each is one more case. `thorough` adds the cases that take minutes. `progress` is called with
    each result as it comes, `steps` in the thread of a long case with its id, how many of its
    pushes are done, and how many there are.

    `ConfigurationError` names what cannot be; `SenderStartError` is one for a sender that cannot be
    judged at all.
    """
    driven = sender_of(sender)
    options = Options(
        strict=strict,
        fail_fast=fail_fast,
        timeout=timeout or limit_of(driven),
        start_timeout=start_timeout,
        jobs=jobs or _at_once(driven),
        profile=profile,
        variants=tuple(variants),
        profile_file=None if profile_file is None else Path(profile_file),
        known=known_ids(baseline),
        required=tuple(dict.fromkeys(require)),
        steps=steps,
    )
    patterns = (cases,) if isinstance(cases, str) else cases
    return _run(driven, select_cases(patterns, thorough=thorough), options, progress)


def limit_of(sender: Sender) -> float:
    """The limit for a job unless told otherwise, in seconds."""
    return (sender.limit if isinstance(sender, ReadySender) else None) or TIMEOUT


def _at_once(sender: Sender) -> int:
    """How many cases run at once unless told otherwise; some senders may take one job at a time."""
    return 1 if isinstance(sender, ApplicationSender | CallableSender) else JOBS


def known_ids(
    baseline: str | os.PathLike[str] | Collection[str] | None,
) -> frozenset[str] | None:
    """The failures that a baseline lists, which is a file or these very ids."""
    if isinstance(baseline, str | os.PathLike):
        return frozenset(read_baseline(os.fspath(baseline)))
    return None if baseline is None else frozenset(baseline)


def select_cases(patterns: Sequence[str], *, thorough: bool = False) -> list[Case]:
    """The cases whose ids the globs select; `rfc8030/5.4` stands for all of that section.

    Those that take minutes are among them if they are `thorough`, or named in full.
    `ConfigurationError` if there is none.
    """
    wanted = [each for pattern in patterns for each in (pattern, f"{pattern}/*")]
    cases = [
        case
        for case in CASES
        if selects(wanted, case.id) and (thorough or not case.thorough or case.id in patterns)
    ]
    if not cases:
        close = get_close_matches(patterns[0], [case.id for case in CASES], n=1)
        hint = f"do you mean {close[0]}?" if close else "`mockpush check --list` shows them all"
        raise ConfigurationError(f"no case matches {' '.join(patterns)}; {hint}")
    return cases


def _run(sender: Sender, cases: Sequence[Case], options: Options, progress: Progress) -> Report:
    started, began = datetime.now(UTC), monotonic()
    with (
        service_for(options) as service,
        trusting(sender, service),
        closing(conversations(sender, service, options)) as opened,
    ):
        run = begin(sender, service, opened, options)
        results = _results(run, cases, progress)
    results += [run.judged_by(name, results) for name in options.required]
    return Report(
        sender=run.hello,
        profile=options.profile,
        strict=options.strict,
        results=tuple(results),
        seconds=monotonic() - began,
        started=started,
        known=options.known,
    )


def service_for(options: Options) -> AbstractContextManager[Service]:
    """The service of a run; it ends with the context."""
    return running_service(
        profile=options.profile,
        variants=options.variants,
        profile_file=options.profile_file,
        required=options.required,
    )


def trusting(sender: Sender, service: Service) -> AbstractContextManager[None]:
    """Inside the block a sender of this process trusts the service; others are told by `open`."""
    return service.trusted() if isinstance(sender, CallableSender) else nullcontext()


def begin(sender: Sender, service: Service, conversations: Conversations, options: Options) -> Run:
    """A run whose sender has been greeted; `SenderStartError` if it did not answer rightly."""
    return Run(
        sender=sender,
        hello=conversations.start(),
        service=service,
        conversations=conversations,
        options=options,
    )


def conversations(sender: Sender, service: Service, options: Options) -> Conversations:
    """As many as cases run at once; nothing is started yet."""
    environ = environment(service.environ)
    hello = HelloJob(ca_file=service.ca_file, control=service.control_url, timeout=options.timeout)

    def make() -> Conversation:
        adapter = sender.open(environ)
        return Conversation(adapter, hello=hello, start_timeout=options.start_timeout)

    return Conversations(make, count=options.jobs)


def _as_completed(futures: Sequence[Future[CaseResult]]) -> Iterator[Future[CaseResult]]:
    """As `concurrent.futures` has it, but for waits that end.

    A signal that comes just before a thread goes to sleep is only seen when it wakes up.
    """
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=TICK, return_when=FIRST_COMPLETED)
        yield from sorted(done, key=futures.index)


def _results(run: Run, cases: Sequence[Case], progress: Progress) -> list[CaseResult]:
    """The results in the order of the cases. Whatever interrupts them ends the senders first."""
    results: dict[str, Future[CaseResult]] = {case.id: Future() for case in cases}
    with ThreadPoolExecutor(run.options.jobs) as executor:
        try:
            for lane in lanes(cases, jobs=run.options.jobs):
                executor.submit(_judge, run, lane, results)
            for result in _as_completed([*results.values()]):
                progress(result.result())
        except BaseException:
            run.stop()
            executor.shutdown(cancel_futures=True)
            raise
    return [result.result() for result in results.values()]


def _judge(run: Run, lane: Sequence[Case], results: Mapping[str, Future[CaseResult]]) -> None:
    """Settle the results of one lane; what goes wrong with the judge itself goes to who waits."""
    for case in lane:
        try:
            results[case.id].set_result(run.judge(case))
        except BaseException as error:
            results[case.id].set_exception(error)
