"""What `push_case` stands on: the judge of a session, and one case in the hands of a test."""

from __future__ import annotations

import shlex
import sqlite3
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Self, TypeAlias

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness.case import Case
from mockpush.harness.errors import CheckWarning
from mockpush.harness.naming import AnySender, sender_of
from mockpush.harness.report.text import explained
from mockpush.harness.report.words import IN_DETAIL
from mockpush.harness.run import PROFILE, Options, Run
from mockpush.harness.runner import (
    START_TIMEOUT,
    begin,
    conversations,
    known_ids,
    limit_of,
    select_cases,
    service_for,
    trusting,
)
from mockpush.harness.sender import ApplicationSender, Sender
from mockpush.harness.service import Service
from mockpush.harness.verdict import CaseResult, Verdict
from mockpush.pytest_session import plain_errors

_Key: TypeAlias = tuple[Sender, str, float]

_KEPT: Final = 8
"""So many senders are kept running at once; the one that was used longest ago is ended first."""
_PATIENCE: Final = 600.0
"""Seconds that a case waits for its turn with an application."""


def selected(marked: object, flags: Sequence[str] | None) -> list[Case]:
    """The cases of a test: those that its marker selects, and of these only those of the flags.

    Those that take minutes are among them if one names them in full. `CollectError` if one selects
    none at all. What no marker may say selects all; the test does not run then.
    """
    given = [marked] if isinstance(marked, str) else marked
    globs = [str(each) for each in given] if isinstance(given, list | tuple) else []
    flags = flags or ()
    try:
        cases = select_cases(globs, thorough=True)
        wanted = select_cases(flags, thorough=True)
    except ConfigurationError as error:
        raise pytest.Collector.CollectError(f"mockpush: {error}") from None
    in_full = {*globs, *flags}
    return [case for case in cases if case in wanted and (not case.thorough or case.id in in_full)]


def named(value: AnySender) -> Sender:
    """The sender that a fixture names; the test ends if there is none."""
    with plain_errors():
        return sender_of(value)


def options_of(
    sender: Sender,
    config: pytest.Config,
    *,
    strict: bool | None,
    baseline: str | Path | None,
    profile: str | None,
    timeout: float | None,
) -> Options:
    """How cases are judged, by what the marker says; a baseline is looked for in pytest's root."""
    with plain_errors():
        known = None if baseline is None else known_ids(config.rootpath / baseline)
    return Options(
        strict=bool(strict),
        fail_fast=False,
        timeout=timeout or limit_of(sender),
        start_timeout=START_TIMEOUT,
        jobs=1,
        profile=profile or PROFILE,
        known=known,
    )


class Judge:
    """Judges senders case by case: services and senders are started once, and end with it.

    `directory` is one that all workers of pytest-xdist share.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._services: dict[str, Service] = {}
        self._runs: OrderedDict[_Key, Run | ConfigurationError] = OrderedDict()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._open:
            while self._runs:
                self._end_oldest()

    def judge(self, case: Case, sender: Sender, options: Options) -> CaseResult:
        """What becomes of a case; `ConfigurationError` if the sender cannot be judged at all."""
        service = self._service(options)
        with self._turn(sender), trusting(sender, service):
            run = self._run(sender, service, options)
            if isinstance(sender, ApplicationSender):
                run.conversations.start()  # another worker may have told it of its own service
            return replace(run, options=options).judge(case)

    def _service(self, options: Options) -> Service:
        if options.profile not in self._services:
            service = self._open.enter_context(service_for(options))
            self._services[options.profile] = service
        return self._services[options.profile]

    def _run(self, sender: Sender, service: Service, options: Options) -> Run:
        key = (sender, options.profile, options.timeout)
        if key not in self._runs:
            self._runs[key] = _begun(sender, service, options)
            if len(self._runs) > _KEPT:
                self._end_oldest()
        self._runs.move_to_end(key)
        run = self._runs[key]
        if isinstance(run, ConfigurationError):
            raise run
        return run

    def _end_oldest(self) -> None:
        _, run = self._runs.popitem(last=False)
        if isinstance(run, Run):
            run.conversations.close()

    @contextmanager
    def _turn(self, sender: Sender) -> Iterator[None]:
        """A running application is one for all workers; it can keep one's subscriptions only."""
        if not isinstance(sender, ApplicationSender):
            yield
            return
        file = self._directory / "mockpush-turns"
        with closing(sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)) as turns:
            turns.execute("BEGIN EXCLUSIVE")
            yield


def _begun(sender: Sender, service: Service, options: Options) -> Run | ConfigurationError:
    """The run; why there is none is kept, since the next case would only find the same."""
    opened = conversations(sender, service, options)
    try:
        return begin(sender, service, opened, options)
    except ConfigurationError as error:
        opened.close()
        return error


class PushCase:
    """One case of the judge, and the sender that it is for."""

    def __init__(
        self, case: Case, judge: Judge, sender: Sender, options: Options, *, item: pytest.Item
    ) -> None:
        self._case = case
        self._judge = judge
        self._sender = sender
        self._options = options
        self._item = item
        self._result: CaseResult | None = None

    @property
    def id(self) -> str:
        """As in `rfc8292/2/aud-is-origin`."""
        return self._case.id

    @property
    def requirement(self) -> str:
        """What the case asks of a sender, in a sentence."""
        return self._case.requirement

    @property
    def judged(self) -> bool:
        """Whether the test has asked for the result."""
        return self._result is not None

    @property
    def result(self) -> CaseResult:
        """What became of it: the sender is driven through the case when this is asked for first."""
        if self._result is None:
            with plain_errors():
                result = self._judge.judge(self._case, self._sender, self._options)
            command = shlex.join(("pytest", self._item.nodeid))
            self._result = replace(result, reproduce=command)
        return self._result

    def check(self) -> CaseResult:
        """Fail, skip or warn as the verdict is; the result if the test goes on.

        A failure that the baseline lists is an expected one.
        """
        __tracebackhide__ = True
        result, verdict = self.result, self.result.verdict
        known = self.id in (self._options.known or ())
        if verdict is Verdict.SKIPPED:
            pytest.skip(result.reason or "")
        if verdict is Verdict.FAILED and not known:
            pytest.fail(explained(result), pytrace=False)
        if verdict in IN_DETAIL:
            self._item.add_report_section("call", "mockpush", explained(result))
        if verdict is Verdict.FAILED:
            pytest.xfail(f"the baseline lists it: {result.reason}")
        if known:
            _warn(f"{self.id} does not fail any more: take it out of the baseline")
        if verdict is Verdict.WARNING:
            _warn(f"{self.id}: {result.reason} [{result.section}]")
        return result

    def __repr__(self) -> str:
        return f"<PushCase {self.id}>"


def _warn(text: str) -> None:
    warnings.warn(text, CheckWarning, stacklevel=3)
