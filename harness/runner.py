"""The runner: starts the service and the sender, and puts the sender through the cases."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import UTC, datetime
from difflib import get_close_matches
from time import monotonic
from typing import Final, TypeAlias

from mockpush.errors import ConfigurationError

from .case import Case
from .cases import CASES
from .conversation import Conversation, Conversations
from .globs import selects
from .jobs import HelloJob
from .run import PROFILE, Options, Run
from .sender import Sender, environment
from .service import Service, running_service
from .verdict import CaseResult, Report

TIMEOUT: Final = 10.0
START_TIMEOUT: Final = 30.0
TICK: Final = 0.2
"""Seconds after which an interruption is seen at the latest."""

Progress: TypeAlias = Callable[[CaseResult], object]


def run_checks(
    sender: Sender,
    *,
    select: Sequence[str] = (),
    strict: bool = False,
    fail_fast: bool = False,
    timeout: float = TIMEOUT,
    start_timeout: float = START_TIMEOUT,
    jobs: int = 1,
    profile: str = PROFILE,
    known: Collection[str] | None = None,
    require: Sequence[str] = (),
    progress: Progress = lambda result: None,
) -> Report:
    """Drives `sender` through the cases against a service of its own, and reports every one.

    `select` are globs of case ids, with `!` in front to exclude. `strict` turns warnings into
    failures, `fail_fast` skips what comes after a failure. `timeout` and `start_timeout` limit a
    job and `hello`, in seconds. So many `jobs` run at once, each with a sender process of its own.
    `known` are the ids of failures that a baseline lists: they do not fail the run. `require`
    names push services that must take every push: each is one more case.
    `progress` is called with each result as it comes. `SenderStartError` if the sender cannot be
    judged at all.
    """
    options = Options(
        strict=strict,
        fail_fast=fail_fast,
        timeout=timeout,
        start_timeout=start_timeout,
        jobs=jobs,
        profile=profile,
        known=None if known is None else frozenset(known),
        required=tuple(dict.fromkeys(require)),
    )
    return _run(sender, select_cases(select), options, progress)


def select_cases(patterns: Sequence[str]) -> list[Case]:
    """The cases whose ids the globs select; `rfc8030/5.4` stands for all of that section.

    `ConfigurationError` if there is none.
    """
    wanted = [each for pattern in patterns for each in (pattern, f"{pattern}/*")]
    cases = [case for case in CASES if selects(wanted, case.id)]
    if not cases:
        close = get_close_matches(patterns[0], [case.id for case in CASES], n=1)
        hint = f"do you mean {close[0]}?" if close else "`mockpush check --list` shows them all"
        raise ConfigurationError(f"no case matches {' '.join(patterns)}; {hint}")
    return cases


def _run(sender: Sender, cases: Sequence[Case], options: Options, progress: Progress) -> Report:
    started, began = datetime.now(UTC), monotonic()
    with (
        running_service(profile=options.profile, required=options.required) as service,
        closing(_conversations(sender, service, options)) as conversations,
    ):
        run = Run(
            sender=sender,
            hello=conversations.start(),
            service=service,
            conversations=conversations,
            options=options,
        )
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


def _conversations(sender: Sender, service: Service, options: Options) -> Conversations:
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
    with ThreadPoolExecutor(run.options.jobs) as executor:
        try:
            futures = [executor.submit(run.judge, case) for case in cases]
            for future in _as_completed(futures):
                progress(future.result())
        except BaseException:
            run.stop()
            executor.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]
