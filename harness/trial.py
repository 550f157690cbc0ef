"""A trial: one case, one sender, and a tenant of the service that is theirs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from mockpush.client.control import Control
from mockpush.client.push_subscription import PushSubscription
from mockpush.client.records import Finding, Message, Request
from mockpush.errors import DecryptionError, MockpushError, WaitError
from mockpush.protocol.findings import Level
from mockpush.vapid_keys import VapidKeys

from .errors import OverdueError, SenderError
from .evidence import Evidence, Push, Seen, Unanswered
from .globs import selects
from .jobs import Job, SendJob, SendResult, quoted
from .keeping import KeptResult, NotifyResult
from .verdict import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from .case import Ask, Case
    from .conversation import Conversation
    from .shared import Shared

R = TypeVar("R", SendResult, NotifyResult, KeptResult)

Step: TypeAlias = Callable[[int, int], object]
"""Is told how many of how many pushes of a long case are done."""

ARRIVAL: Final = 1.0
"""Seconds that a request may come after its sender has said that the push was sent."""


class NotApplicableError(MockpushError):
    """The case says nothing about this sender; the text says why."""


class EndedError(MockpushError):
    """The case cannot go on; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Trial:
    """What a case's judge works with. It keeps all that it sees as evidence.

    `control` is the control API of the trial's own tenant, `ops` what the sender can be asked for,
    `directory` is that of the certificate authority that the sender trusts, `shared` what cases of
    the run have in common. `origins` are those at which the service is reached, that of
    `subscription` first. `step(done, total)` tells how far a long case has come.
    `hung`: the sender gave no result in time.
    """

    def __init__(
        self,
        case: Case,
        *,
        control: Control,
        conversation: Conversation,
        vapid: VapidKeys,
        ops: frozenset[str],
        directory: Path,
        shared: Shared,
        origins: tuple[str, ...],
        step: Step = lambda done, total: None,
    ) -> None:
        self.case = case
        self.origins = origins
        self.step = step
        self.control = control
        self.vapid = vapid
        self.ops = ops
        self.directory = directory
        self.shared = shared
        self.hung = False
        self._conversation = conversation
        self._jobs: list[Seen] = []
        self._seen: set[str] = set()
        self._subscription: PushSubscription | None = None

    @property
    def subscription(self) -> PushSubscription:
        """The subscription that pushes go to unless the case names another; it is online."""
        if self._subscription is None:
            self._subscription = self.control.subscribe()
        return self._subscription

    @property
    def evidence(self) -> Evidence:
        """What the trial has seen until now."""
        return Evidence(jobs=tuple(self._jobs), log=self._conversation.log)

    @property
    def lasting(self) -> bool:
        """Whether one process of the sender answers all jobs; else each costs a new one."""
        return self._conversation.lasting

    def send(
        self,
        ask: Ask,
        *,
        to: PushSubscription | None = None,
        subscription: Mapping[str, object] | None = None,
        vapid: VapidKeys | None = None,
    ) -> Push:
        """Have the sender send one push message, and see what arrives.

        It is given `subscription` in place of the one it is to send to, and signs with the pair of
        the run unless it is given another, `vapid`. `NotApplicableError` if it has no such option,
        `EndedError` if nothing arrives at all, `SenderError` if it gives no result.
        """
        push = self.attempt(ask, to=to, subscription=subscription, vapid=vapid)
        if not push.requests:
            raise EndedError(self.nothing_arrived(push))
        return push

    def attempt(
        self,
        ask: Ask,
        *,
        to: PushSubscription | None = None,
        subscription: Mapping[str, object] | None = None,
        vapid: VapidKeys | None = None,
    ) -> Push:
        """As `send`, where it is as well if nothing arrives."""
        target = self.subscription if to is None else to
        job = self.job(ask, to=target if subscription is None else subscription, vapid=vapid)
        result = self.ask(job, to=target)
        requests = self._arrived(target, patience=ARRIVAL if result.ok else 0.0)
        messages = tuple(self.control.message(each.message) for each in requests if each.message)
        push = Push(job=job, result=result, requests=requests, messages=messages)
        self.saw(push)
        return push

    def job(self, ask: Ask, *, to: Mapping[str, object], vapid: VapidKeys | None = None) -> SendJob:
        """What the sender is asked with."""
        return SendJob(
            subscription=dict(to),
            payload=ask.payload,
            ttl=ask.ttl,
            urgency=ask.urgency,
            topic=ask.topic,
            vapid=vapid or self.vapid,
        )

    def saw(self, job: Seen) -> None:
        """Keeps a job and what came of it as evidence."""
        self._jobs.append(job)

    def ask(self, job: Job[R], *, to: PushSubscription | None = None) -> R:
        """The sender's result, which is no evidence yet.

        `NotApplicableError` if it has no such option, `SenderError` if it gives no result, which is
        evidence, with what went to the subscription.
        """
        try:
            result = self._conversation.send(job)
        except SenderError as error:
            self.hung = isinstance(error, OverdueError)
            requests = self._arrived(to, patience=0.0) if to else ()
            self.saw(Unanswered(job=job, error=str(error), requests=requests))
            raise
        if result.unsupported is not None:
            raise NotApplicableError(f"the sender has no option for {result.unsupported}")
        return result

    def _arrived(self, target: PushSubscription, *, patience: float) -> tuple[Request, ...]:
        """The requests since the last job; a sender may still be sending in the background."""
        try:
            requests = self.control.wait_requests(1, timeout=patience, subscription=target)
        except WaitError:
            return ()
        self._seen.add(requests[0].id)
        more = [each.id for each in self.control.requests if each.id not in self._seen]
        self._seen.update(more)
        return (*requests, *self.control.wait_requests(len(more), timeout=0))

    def nothing_arrived(self, push: Push) -> Problem:
        """What is wrong with a push that no request came of."""
        result = push.result
        reported = "success" if result.ok else result.error or "that the push failed"
        return self.problem(
            "no request arrived at the push resource",
            expected="a POST to the endpoint of the subscription",
            actual=f"nothing; the sender reported {reported}",
            hint="Does the sender trust the service's CA, and send to the endpoint as it is given?",
        )

    def message(self, push: Push) -> Message:
        """The accepted message as it is now; `EndedError` if the push service accepted none."""
        if not push.messages:
            raise EndedError(
                self.problem(
                    "the push service did not accept the message",
                    expected="201",
                    actual=str(push.requests[0]),
                    request=push.requests[0],
                )
            )
        return self.control.message(push.messages[0].id)

    def findings(self, *codes: str) -> Iterator[Problem]:
        """The findings of these codes (globs), each code once, with the request that shows it."""
        return findings(codes, self.control.requests, self.control.messages)

    def compare(
        self, what: str, expected: object, actual: object, *, push: Push | None = None
    ) -> Iterator[Problem]:
        """A problem if `actual` is not what is expected."""
        if actual != expected:
            yield self.problem(
                f"{what} is not as it should be",
                expected=quoted(expected),
                actual=quoted(actual),
                request=push.requests[0] if push else None,
            )

    def compare_field(self, push: Push, name: str, expected: str | None) -> Iterator[Problem]:
        """A problem if a header field of the request is not the one expected; None: absent."""
        actual = push.requests[0].headers.get(name)
        yield from self.compare(f"the {name} field", expected, actual, push=push)

    def compare_payload(self, push: Push, expected: bytes) -> Iterator[Problem]:
        """A problem if the user agent gets another payload, or cannot read it."""
        message = self.message(push)
        try:
            actual = message.bytes
        except DecryptionError as error:
            yield self.problem(
                "the user agent cannot read the payload",
                expected=quoted(expected),
                actual=str(error),
                request=push.requests[0],
            )
        else:
            yield from self.compare("the payload", expected, actual, push=push)

    def problem(
        self,
        text: str,
        *,
        expected: str | None = None,
        actual: str | None = None,
        hint: str | None = None,
        level: Level | None = None,
        request: Request | None = None,
    ) -> Problem:
        """What the case itself finds, at its own level and section unless told otherwise."""
        return Problem(
            level=level or self.case.level,
            section=self.case.section,
            text=text,
            expected=expected,
            actual=actual,
            hint=hint,
            request=None if request is None else request.id,
        )


def payload_of(message: Message) -> bytes | None:
    """What the user agent reads, None if it cannot."""
    with suppress(DecryptionError):
        return message.bytes
    return None


def findings(
    codes: Iterable[str], requests: Iterable[Request], messages: Iterable[Message]
) -> Iterator[Problem]:
    """The findings of these codes (globs) in requests and their messages, each code once."""
    globs, known = tuple(codes), {message.id: message for message in messages}
    told: set[str] = set()
    for request in requests:
        message = known.get(request.message or "")
        for finding in (*request.findings, *(message.findings if message else ())):
            if selects(globs, finding.code) and finding.code not in told:
                told.add(finding.code)
                yield _of_finding(finding, request)


def _of_finding(finding: Finding, request: Request) -> Problem:
    return Problem(
        level=Level(finding.level),
        section=finding.section,
        text=finding.text,
        expected=finding.expected,
        actual=finding.actual,
        hint=finding.hint,
        code=finding.code,
        request=request.id,
    )
