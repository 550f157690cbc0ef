"""One Chromium, and what is on its way to it, across its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

from mockpush.gateways.working import Work
from mockpush.protocol.delivery import GCM
from mockpush.protocol.gcm import Identity, Registration, stanza
from mockpush.protocol.mcs_frames import DataMessage
from mockpush.protocol.model import Holder, MessageState
from mockpush.protocol.records import PushMessage
from mockpush.protocol.user_agents import UserAgentKind
from mockpush.service import PushService

RECONNECT: Final = 2.0
"""Real seconds for which a browser counts as present after its connection has ended.

After its first login Chromium often drops the connection and is back within 20 ms, which must cost
no message of TTL 0.
"""
FIRST_LOGIN: Final = 10.0
"""The same after a registration: the first login follows at once."""


class Connection(Protocol):
    """An MCS connection on which somebody is logged in."""

    @property
    def writable(self) -> bool:
        """Whether the other side reads what is written."""

    def send(self, message: DataMessage) -> None:
        """Queues a message."""

    def flush(self) -> None:
        """Writes what is queued."""

    def leave(self) -> None:
        """Ends it."""


class Device:
    """A browser's profile: `user_agents.Link` to a user agent, which outlives its connections.

    `present`: the service takes the user agent for connected. `name` is the id that somebody gave
    to the user agent.
    """

    def __init__(self, service: PushService, identity: Identity, name: str | None) -> None:
        self.identity = identity
        self.name = name
        self.present = False
        self._service = service
        self._connection: Connection | None = None
        self._sent: dict[str, tuple[PushMessage, Holder]] = {}
        self._received: frozenset[str] = frozenset()
        self._behind = False
        self._catching_up = Work(self._catch_up)
        self._departing = Work(self._depart)
        self._departure: asyncio.TimerHandle | None = None

    @property
    def id(self) -> str:
        """How the user agents know it."""
        return self.identity.android_id

    # Coming and going

    async def arrive(self) -> None:
        """The browser is there; it goes again unless it connects soon. `LimitError`."""
        if not self.present:
            await self._service.user_agents.connect(
                self, kind=UserAgentKind.CHROMIUM, device=self.id, name=self.name
            )
            self.present = True
        if self._connection is None:
            self._depart_in(FIRST_LOGIN)

    async def attach(self, connection: Connection, received: Iterable[str]) -> None:
        """It has connected, and has the messages `received`; what else it may not have is sent."""
        if self._connection is not None:
            self._connection.leave()
        self._stay()
        self._connection = connection
        self._received = frozenset(received)
        sent, self._sent = self._sent, {}
        for message, holder in sent.values():
            if await self._is_wanted(message):
                await self._hand_over(message, holder)
        await self.look()

    def detach(self, connection: Connection) -> None:
        """Its connection has ended, unless it has another one."""
        if self._connection is connection:
            self._connection = None
            if self.present:
                self._depart_in(RECONNECT)

    def _depart_in(self, seconds: float) -> None:
        self._stay()
        loop = asyncio.get_running_loop()
        self._departure = loop.call_later(seconds, self._departing.begin)

    def _stay(self) -> None:
        if self._departure is not None:
            self._departure.cancel()
            self._departure = None

    async def _depart(self) -> None:
        if self._departure is not None:  # and has not been back since the timer fired
            await self._service.user_agents.disconnect(self, self.id)

    def _forget(self) -> None:
        self.present = self._behind = False
        self._sent.clear()
        self._stay()

    # The link

    @property
    def ready(self) -> bool:
        """Whether a message may be sent at once: the browser reads, and nothing waits before it."""
        return self._has_room and not self._behind

    @property
    def _has_room(self) -> bool:
        window = GCM.window or 0
        connection = self._connection
        return connection is not None and connection.writable and len(self._sent) < window

    def send(self, message: PushMessage, holder: Holder) -> None:
        """Sends a message."""
        assert self._connection is not None
        self._queue(message, holder, self._connection)
        self._connection.flush()

    async def look(self) -> None:
        """There may be something to claim: returns when it is on its way."""
        self._behind = True
        await self._catch_up()

    def resume(self) -> None:
        """The browser reads again."""
        if self._behind:
            self._catching_up.begin()

    def taken_back(self) -> None:
        """What was sent is pending again; what is acknowledged nevertheless, need not go again."""

    def lose_identity(self) -> None:
        """Nothing in its protocol says so; cut off it would stay away for half a minute or longer.

        On its connection it is there again with its next subscription.
        """
        self._forget()

    def close(self) -> None:
        """It is gone, or another one has taken over."""
        self._forget()
        if self._connection is not None:
            self._connection.leave()

    # Messages

    async def _catch_up(self) -> None:
        """Sends what waits, as much as may be on its way; an acknowledgement makes room again."""
        while self._behind and self._has_room:
            claimed = await self._service.user_agents.claim(self.id, GCM)
            self._behind = bool(claimed)
            for message, holder in claimed:
                await self._hand_over(message, holder)
        if self._connection is not None:
            self._connection.flush()

    async def _is_wanted(self, message: PushMessage) -> bool:
        """Whether it is still to be acknowledged."""
        delivered = message.state is MessageState.DELIVERED
        return delivered and await self._service.storage.message(message.id) is message

    async def _hand_over(self, message: PushMessage, holder: Holder) -> None:
        """Sends a message, unless the browser said that it has it."""
        if message.id in self._received:
            await self._service.user_agents.acknowledge(message)
        elif self._connection is not None:
            self._queue(message, holder, self._connection)

    def _queue(self, message: PushMessage, holder: Holder, connection: Connection) -> None:
        self._sent[message.id] = message, holder
        connection.send(stanza(message, Registration.of(holder.channel)))

    async def acknowledged(self, ids: Iterable[str]) -> None:
        """The browser has these messages."""
        for each in ids:
            message, _ = self._sent.pop(each, (None, None))
            if message is not None:
                await self._acknowledge(message)
        if self._behind:
            await self._catch_up()

    async def _acknowledge(self, message: PushMessage) -> None:
        if message.state is MessageState.PENDING:  # it was taken back meanwhile
            now = await self._service.now(message.tenant)
            await self._service.storage.deliver(message.tenant, message.id, now=now)
        await self._service.user_agents.acknowledge(message)
