"""Audiences: the subscriptions of a case that an application keeps, and what is sent to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from mockpush.errors import WaitError
from mockpush.protocol.findings import Level

from .case import Ask, CaseTable
from .errors import SenderError
from .evidence import Answered, FanOut
from .jobs import Job, SendResult
from .keeping import NotifyJob, ResetJob, SubscribeJob, SubscriptionsJob
from .trial import ARRIVAL, EndedError, NotApplicableError, Trial

if TYPE_CHECKING:
    from mockpush.client.push_subscription import PushSubscription
    from mockpush.client.records import Request
    from mockpush.vapid_keys import VapidKeys

    from .keeping import NotifyResult
    from .verdict import Problem

AudienceJudge: TypeAlias = "Callable[[Audience], Iterable[Problem]]"

OPS: Final = frozenset({"subscribe", "notify", "subscriptions"})
"""What an application must be able to be asked for."""
ASK: Final = Ask()
RESET: Final = "reset"
"""What it may be able to be asked for, besides."""


class Audience:
    """The subscriptions that the application is given to keep in this case.

    `others` are the endpoints that it keeps besides, of earlier runs or of real people.
    """

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.subscriptions: list[PushSubscription] = []
        self.others = self.kept()
        self._seen: set[str] = set()

    def subscribe(
        self, *, origin: str | None = None, vapid: VapidKeys | None = None, online: bool = True
    ) -> PushSubscription:
        """A new subscription, handed to the application; `vapid` is the pair that it is for."""
        pair = vapid or self.trial.vapid
        subscription = self.trial.control.subscribe(
            application_server_key=pair.public_key, origin=origin, online=online
        )
        self.subscriptions.append(subscription)
        self.hand_over(subscription, vapid=pair)
        return subscription

    def hand_over(self, subscription: PushSubscription, *, vapid: VapidKeys | None = None) -> None:
        """Give the application a subscription to keep; `EndedError` if it does not take it."""
        pair = vapid or self.trial.vapid
        _settle(self.trial, SubscribeJob(subscription=dict(subscription), vapid=pair))

    def kept(self) -> frozenset[str]:
        """The endpoints that the application keeps, whosever they are."""
        job = SubscriptionsJob()
        result = self.trial.ask(job)
        self.trial.saw(Answered(job=job, result=result))
        return frozenset(result.endpoints)

    def notify(self, ask: Ask = ASK) -> FanOut:
        """Have the application notify everybody; `EndedError` if nothing at all arrives."""
        push = self.attempt(ask)
        if not push.requests:
            raise EndedError(self._nothing_arrived(push.result))
        return push

    def attempt(self, ask: Ask = ASK) -> FanOut:
        """As `notify`, where it is as well if nothing arrives."""
        job = _message(ask)
        result = self.trial.ask(job)
        requests = self._arrived(min(result.sent, len(self.subscriptions)))
        accepted = {each.message for each in requests}
        messages = (each for each in self.trial.control.messages if each.id in accepted)
        push = FanOut(job=job, result=result, requests=requests, messages=tuple(messages))
        self.trial.saw(push)
        return push

    def later(self, push: FanOut, *, within: float) -> tuple[Request, ...]:
        """The requests of a fan-out, and those that come in the background, the first in time.

        `within` is in seconds.
        """
        with suppress(WaitError):
            self.trial.control.wait_requests(1, timeout=within)
        new = (each for each in self.trial.control.requests if each.id not in self._seen)
        return (*push.requests, *new)

    def untrue(self, push: FanOut) -> Iterator[Problem]:
        """A problem for each number of the result that is not that of the push service.

        A message counts once, also if it takes several requests.
        """
        sent = sum(accepted(push, each) for each in self.subscriptions)
        told = {"sent": push.result.sent, "failed": push.result.failed}
        true = {"sent": sent, "failed": len(self.subscriptions) - sent}
        for name, number in true.items():
            if not number <= told[name] <= number + len(self.others):
                yield self.trial.problem(
                    f"the number of messages that the application calls {name} is not true",
                    expected=str(number),
                    actual=str(told[name]),
                    level=Level.MUST,
                    request=push.requests[-1],
                )

    def _arrived(self, count: int) -> tuple[Request, ...]:
        """The requests since the last job; so many should be there, or come in the background."""
        control = self.trial.control
        taken = 0
        with suppress(WaitError):
            taken = len(control.wait_requests(count, timeout=ARRIVAL)) if count else 0
        new = tuple(each for each in control.requests if each.id not in self._seen)
        control.wait_requests(len(new) - taken, timeout=0)
        self._seen.update(each.id for each in new)
        return new

    def _nothing_arrived(self, result: NotifyResult) -> Problem:
        reported = result.error or f"{result.sent} sent, {result.failed} failed"
        return self.trial.problem(
            "no request arrived at any push resource",
            expected="a POST to the endpoint of each subscription",
            actual=f"nothing; the application reported {reported}",
            hint="Does it trust the service's CA, and keep endpoints as they are given?",
        )


class AudienceTable(CaseTable):
    """Cases about an application and its subscriptions."""

    def of_audience(
        self, slug: str, requirement: str, *, level: Level, section: str, silent: bool = False
    ) -> Callable[[AudienceJudge], AudienceJudge]:
        """Declares `app/<slug>`, which the decorated function judges."""

        def declare(judge: AudienceJudge) -> AudienceJudge:
            @self.judged(
                f"app/{slug}", requirement, level=level, section=section, ops=OPS, silent=silent
            )
            def of_trial(trial: Trial) -> Iterator[Problem]:
                with _audience(trial) as audience:
                    yield from judge(audience)

            return judge

        return declare


def to(requests: Iterable[Request], subscription: PushSubscription) -> list[Request]:
    """Those requests that went to this subscription, oldest first."""
    return [each for each in requests if each.subscription == subscription.id]


def accepted(push: FanOut, subscription: PushSubscription) -> bool:
    """Whether the push service told the application that it took a message."""
    own = to(push.requests, subscription)
    return any(each.status is not None and not each.refused for each in own)


@contextmanager
def _audience(trial: Trial) -> Iterator[Audience]:
    """An application that keeps nothing of earlier cases, and afterwards nothing of this one."""
    if RESET in trial.ops:
        _settle(trial, ResetJob())
    try:
        yield Audience(trial)
    finally:
        if RESET not in trial.ops:
            _answer_gone(trial)


def _answer_gone(trial: Trial) -> None:
    """What makes an application forget subscriptions that cannot be told to."""
    trial.control.faults.clear()
    trial.control.faults.add(status=410)
    with suppress(SenderError, NotApplicableError):
        trial.ask(_message(Ask()))


def _settle(trial: Trial, job: Job[SendResult]) -> None:
    result = trial.ask(job)
    trial.saw(Answered(job=job, result=result))
    if not result.ok:
        op = job.shown()["op"]
        raise EndedError(
            trial.problem(
                f"the application reports that {op} failed",
                expected='{"ok": true}',
                actual=result.error or "no reason given",
                level=Level.MUST,
            )
        )


def _message(ask: Ask) -> NotifyJob:
    return NotifyJob(payload=ask.payload, ttl=ask.ttl, urgency=ask.urgency, topic=ask.topic)
