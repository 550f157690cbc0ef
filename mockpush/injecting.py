"""Fault plans in the service: added, listed, and put over answers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mockpush.errors import InvalidRequestError, NotFoundError
from mockpush.fault_answers import impossible_answer, injected_answer
from mockpush.faults import Action, Fault, Match, Push
from mockpush.protocol.fault_kinds import FaultKind, InjectedFault
from mockpush.protocol.judging import Profile
from mockpush.protocol.model import Subscription
from mockpush.protocol.records import PushMessage, RequestRecord, WireAnswer
from mockpush.storage.base import Storage

_SEEDS = 1_000_000


class Disturbed(NamedTuple):
    """An answer that is late or damaged on its way, or that never comes (None)."""

    answer: WireAnswer | None
    fault: InjectedFault
    tenant: str


class FaultPlans:
    """The fault plans of every tenant."""

    def __init__(self, storage: Storage, profiles: Mapping[str, Profile]) -> None:
        self._storage = storage
        self._profiles = profiles

    async def add(
        self, tenant: str, *, match: Match, action: Action, now: float, times: int | None = None
    ) -> Fault:
        """Keeps a plan; with a probability and no seed it gets one, which is told."""
        self._check(match, action, now)
        if match.probability is not None and match.seed is None:
            match = replace(match, seed=secrets.randbelow(_SEEDS))
        return await self._storage.add_fault(tenant, Fault(now, match, action, times))

    async def all(self, tenant: str, *, after: int = 0) -> Sequence[Fault]:
        """The plans behind a number, oldest first."""
        return [each for each in await self._storage.faults(tenant) if each.sequence > after]

    async def find(self, tenant: str, fault_id: str) -> Fault:
        """The plan of this id; `NotFoundError`."""
        for fault in await self._storage.faults(tenant):
            if fault.id == fault_id:
                return fault
        raise NotFoundError(f"there is no fault plan {fault_id!r} in this tenant")

    async def remove(self, tenant: str, fault_id: str) -> None:
        """Forgets one; `NotFoundError`."""
        if not await self._storage.forget_faults(tenant, lambda fault: fault.id == fault_id):
            await self.find(tenant, fault_id)

    async def clear(self, tenant: str) -> None:
        """Forgets all."""
        await self._storage.forget_faults(tenant, lambda _: True)

    async def inject(
        self,
        record: RequestRecord,
        message: PushMessage | None,
        subscription: Subscription,
        *,
        real: float,
        connected: bool,
    ) -> PushMessage | None:
        """Puts the fault that strikes, if one does, into the record; the message if it is kept.

        `connected`: the connection can be disturbed.
        """
        profile, inspection = record.judgement.profile, record.inspection
        now = record.request.received_at
        push = Push(subscription.id, profile, inspection.head.topic)
        fault = await self._storage.strike(record.tenant, push, request=record.id, now=now)
        if fault is None:
            return message
        mark = fault.mark
        if mark.disturbs and not connected:
            mark = InjectedFault(fault.id, FaultKind.ANSWER, replaces=True)
            record.answer = impossible_answer(inspection, profile)
        elif mark.silent:
            record.answer = None
        elif mark.replaces:
            origin = subscription.origins[0]
            record.answer = injected_answer(
                fault, inspection, profile, origin=origin, now=now, real=real
            )
        return _marked(record, message, mark)

    def _check(self, match: Match, action: Action, now: float) -> None:
        """`InvalidRequestError` for what can never match."""
        if match.profile is not None and match.profile not in self._profiles:
            raise InvalidRequestError(
                f"there is no profile {match.profile!r}; there is: {', '.join(self._profiles)}"
            )
        if match.ends_at is not None and match.ends_at <= now:
            raise InvalidRequestError("until has passed already: the fault would never strike")
        asked = [match.profile] if match.profile is not None else [*self._profiles]
        known = dict.fromkeys(each for name in asked for each in self._profiles[name].named_answers)
        if action.named is not None and action.named not in known:
            raise InvalidRequestError(
                f"there is no answer {action.named!r}; there is: {', '.join(known)}"
            )


def _marked(
    record: RequestRecord, message: PushMessage | None, mark: InjectedFault
) -> PushMessage | None:
    """The message, unless the answer that would have accepted it was replaced."""
    record.fault = mark
    if mark.replaces:
        record.message = message = None
    elif message is not None:
        message.fault = mark
    return message


def outcome(record: RequestRecord) -> WireAnswer | Disturbed:
    """What goes out for a request to a tenant that has fault plans."""
    fault, answer = record.fault, record.answer
    if fault is not None and fault.waits:
        return Disturbed(answer, fault, record.tenant)
    assert answer is not None
    return answer
