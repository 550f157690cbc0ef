"""Storage in memory: user agents, their devices, and what goes to them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mockpush.errors import LimitError, NotFoundError
from mockpush.protocol.delivery import Delivery, Report, Step
from mockpush.protocol.model import (
    NO_TENANT,
    Holder,
    MessageState,
    Subscription,
    SubscriptionState,
    Urgency,
)
from mockpush.protocol.records import PushMessage
from mockpush.protocol.user_agents import UserAgent
from mockpush.storage.base import Events, Limits
from mockpush.storage.memory_resources import claim
from mockpush.storage.tenant import Tenant


@dataclass(slots=True)
class Device:
    """The id of its user agent, if that is there, and its subscriptions by token."""

    user_agent: str | None = None
    subscriptions: dict[str, Subscription] = field(default_factory=dict)


class UserAgents:
    """The part of `MemoryStorage` about user agents that are connected through a gateway."""

    _limits: Limits
    _tenants: dict[str, Tenant]
    _user_agents: dict[str, UserAgent]
    _devices: dict[str, Device]
    _last_user_agent = 0

    @abstractmethod
    async def expire(self, tenant: str, *, until: float) -> Events: ...

    @abstractmethod
    def _message(self, message_id: str) -> PushMessage | None: ...

    @abstractmethod
    def _keep(self, tenant: Tenant, subscription: Subscription) -> None: ...

    @abstractmethod
    def _wake(self, tenant: str) -> None: ...

    # User agents

    async def keep_user_agent(self, user_agent: UserAgent) -> UserAgent:
        known = self._user_agents.get(user_agent.id)
        if known is None:
            required(len(self._user_agents), self._limits.user_agents, "user_agents")
            self._last_user_agent += 1
            user_agent = replace(user_agent, sequence=self._last_user_agent)
        if known is not None and known.device != user_agent.device:
            self._leave(known)
        self._user_agents[user_agent.id] = user_agent
        if user_agent.device is not None:
            self._take(user_agent, user_agent.device)
        self._wake(NO_TENANT)
        return user_agent

    async def user_agent(self, user_agent_id: str) -> UserAgent | None:
        return self._user_agents.get(user_agent_id)

    async def user_agent_with(self, device: str) -> UserAgent | None:
        found = self._devices.get(device)
        return None if found is None else self._user_agents.get(found.user_agent or "")

    async def user_agents(self) -> Sequence[UserAgent]:
        return list(self._user_agents.values())

    async def forget_user_agent(self, user_agent_id: str) -> None:
        found = self._user_agents.pop(user_agent_id, None)
        if found is not None:
            self._leave(found)
            self._wake(NO_TENANT)

    def _take(self, user_agent: UserAgent, device: str) -> None:
        """The device is this user agent's from now on, with all its subscriptions."""
        found = self._devices.setdefault(device, Device())
        if found.user_agent == user_agent.id:
            return
        before = self._user_agents.get(found.user_agent or "")
        if before is not None and before.named:
            self._user_agents[before.id] = replace(before, device=None, known=False)
        elif before is not None:
            del self._user_agents[before.id]
        found.user_agent = user_agent.id
        for each in list(found.subscriptions.values()):
            assert each.holder is not None
            holder = each.holder._replace(user_agent=user_agent.id)
            self._keep(self._tenants[each.tenant], replace(each, holder=holder))

    def _leave(self, user_agent: UserAgent) -> None:
        """The user agent's device is nobody's."""
        if user_agent.device is not None:
            self._devices[user_agent.device].user_agent = None
            self._forget_unused(user_agent.device)

    def _forget_unused(self, device: str) -> None:
        found = self._devices[device]
        if found.user_agent is None and not found.subscriptions:
            del self._devices[device]

    # What they hold

    async def held_by(self, device: str) -> Sequence[Subscription]:
        found = self._devices.get(device)
        return [] if found is None else list(found.subscriptions.values())

    def _hold(self, subscription: Subscription, holder: Holder) -> None:
        device = self._devices.setdefault(holder.device, Device())
        device.subscriptions[subscription.token] = subscription

    def _let_go(self, subscription: Subscription, holder: Holder) -> None:
        del self._devices[holder.device].subscriptions[subscription.token]
        self._forget_unused(holder.device)

    # Messages

    async def deliver(self, tenant: str, message_id: str, *, now: float) -> Events:
        found = self._tenants.get(tenant)
        message = found.messages.get(message_id) if found else None
        if found is None or message is None or message.state is not MessageState.PENDING:
            return []
        return found.step(message, Step.DELIVER, now)

    async def claim_held(
        self,
        tenant: str,
        device: str,
        *,
        delivery: Delivery,
        now: float,
        lowest: Urgency | None = None,
    ) -> Sequence[PushMessage]:
        await self.expire(tenant, until=now)
        found = self._tenants.get(tenant)
        if found is None:
            raise NotFoundError(f"there is no tenant {tenant!r}")
        held = [
            each
            for each in await self.held_by(device)
            if each.tenant == tenant and each.state is SubscriptionState.ACTIVE
        ]
        return claim(found, held, delivery, now, lowest)

    async def report(
        self, message_id: str, report: Report, *, now: float, detail: str | None = None
    ) -> Events:
        message = self._message(message_id)
        if message is None:
            return []
        return self._tenants[message.tenant].report(message, report, now, detail)


def required(count: int, limit: int, setting: str) -> None:
    """`LimitError` if there is no room for one more."""
    if count >= limit:
        words = setting.replace("_", " ")
        raise LimitError(
            f"there are {limit} {words} already: delete some, or raise the limit "
            f"(--max-{setting.replace('_', '-')}, MOCKPUSH_MAX_{setting.upper()})",
            setting=f"max_{setting}",
        )
