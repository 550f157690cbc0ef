"""Series: thousands of push messages, of which only some that fail become evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Final

from mockpush.errors import WaitError

from .evidence import Push
from .trial import ARRIVAL, Trial, findings, payload_of

if TYPE_CHECKING:
    from mockpush.client.records import Message

    from .jobs import SendJob, SendResult
    from .verdict import Problem

BATCH: Final = 100
"""Messages between two looks at the service, which then forgets them."""
EXAMPLES: Final = 10
"""Failures that are kept in full."""


@dataclass(slots=True)
class Lost:
    """The `jobs` whose messages did not arrive as they were sent, and what the first looked like.

    `tried` is how many messages there were; `sent` counts what speaks against the lost ones having
    been refused by the sender itself: that it reported success, and requests.
    """

    jobs: list[SendJob] = field(default_factory=list)
    examples: list[Push] = field(default_factory=list)
    tried: int = 0
    sent: int = 0

    @property
    def refused(self) -> bool:
        """Whether the sender said of each that it does not send it, and sent others."""
        return not self.sent and len(self.jobs) < self.tried

    def told(self, trial: Trial, problem: Problem) -> Iterator[Problem]:
        """The problem and the findings that explain it; the examples become evidence."""
        for each in self.examples:
            trial.saw(each)
        yield problem
        requests = [request for each in self.examples for request in each.requests]
        messages = [message for each in self.examples for message in each.messages]
        yield from findings(trial.case.codes, requests, messages)


class Series:
    """Drives a trial's sender through `total` messages, and tells how far it has come."""

    def __init__(self, trial: Trial, *, total: int) -> None:
        self._trial = trial
        self._total = total
        self._done = 0

    def lost(self, jobs: Iterable[SendJob]) -> Lost:
        """What becomes of these jobs, each with a payload that no other near it has.

        If the first `BATCH` messages are all lost, the others are not tried.
        """
        lost = Lost()
        rest = iter(jobs)
        while batch := list(islice(rest, BATCH)):
            lost.tried += len(batch)
            self._send(batch, lost)
            if len(lost.jobs) == lost.tried:
                break
        return lost

    def _send(self, batch: Sequence[SendJob], lost: Lost) -> None:
        results = [self._ask(job) for job in batch]
        messages = self._arrived(sum(result.ok for result in results))
        there = {payload for each in messages if (payload := payload_of(each)) is not None}
        failed = [
            (job, result)
            for job, result in zip(batch, results, strict=True)
            if not result.ok or job.payload not in there
        ]
        if failed:
            self._note(failed, lost)
        self._trial.control.delete_messages()
        self._trial.control.delete_requests()

    def _ask(self, job: SendJob) -> SendResult:
        result = self._trial.ask(job)
        self._done += 1
        self._trial.step(self._done, max(self._total, self._done))
        return result

    def _arrived(self, count: int) -> list[Message]:
        """The messages of a batch; so many should be there, or come in the background."""
        with suppress(WaitError):
            return self._trial.control.wait_all(count, timeout=ARRIVAL) if count else []
        return self._trial.control.messages

    def _note(self, failed: Sequence[tuple[SendJob, SendResult]], lost: Lost) -> None:
        """Each failure with the request that is its own, if as many came as are missing."""
        control = self._trial.control
        wanted = {job.payload for job, _ in failed}
        messages = {each.id: each for each in control.messages}
        good = {key for key, each in messages.items() if payload_of(each) not in {None, *wanted}}
        requests = [each for each in control.requests if each.message not in good]
        lost.jobs += [job for job, _ in failed]
        lost.sent += len(requests) + sum(result.ok for _, result in failed)
        for (job, result), own in zip_longest(failed, requests[: len(failed)]):
            if len(lost.examples) < EXAMPLES:
                found = messages.get(own.message or "") if own else None
                lost.examples.append(
                    Push(
                        job=job,
                        result=result,
                        requests=(own,) if own else (),
                        messages=(found,) if found else (),
                    )
                )
