"""Storage in memory: fault plans."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from mockpush.faults import Fault, Push
from mockpush.protocol.events import EventKind
from mockpush.protocol.model import Subscription
from mockpush.storage.tenant import Tenant


class Faults:
    """The part of `MemoryStorage` about fault plans.

    `_waiting_faults` are the tenants with plans whose answers take time, or the connection itself.
    """

    _tenants: dict[str, Tenant]
    _tokens: dict[str, Subscription]
    _waiting_faults: set[str]

    @abstractmethod
    def _tenant(self, name: str) -> Tenant: ...

    def answers_at_once(self, token: str) -> bool:
        if not self._waiting_faults:
            return True
        subscription = self._tokens.get(token)
        return subscription is None or subscription.tenant not in self._waiting_faults

    async def add_fault(self, tenant: str, fault: Fault) -> Fault:
        added = self._tenant(tenant).faults.add(fault)
        if added.waits:
            self._waiting_faults.add(tenant)
        return added

    async def faults(self, tenant: str) -> Sequence[Fault]:
        found = self._tenants.get(tenant)
        return [] if found is None else list(found.faults.plans.values())

    async def forget_faults(self, tenant: str, match: Callable[[Fault], bool]) -> int:
        found = self._tenants.get(tenant)
        if found is None:
            return 0
        forgotten = found.faults.forget(match)
        if not found.faults.waits:
            self._waiting_faults.discard(tenant)
        return forgotten

    async def strike(self, tenant: str, push: Push, *, request: int, now: float) -> Fault | None:
        found = self._tenant(tenant)
        fault = found.faults.strike(push, now)
        if fault is not None:
            kind, detail = EventKind.FAULT_INJECTED, str(fault.mark)
            found.emit(now, kind, push.subscription, detail=detail, request=request)
        return fault
