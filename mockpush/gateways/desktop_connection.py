"""The desktops of user agents: where browsers on Linux show their notifications.

Each is a D-Bus of its own, reached by an abstract Unix socket: nothing of it is left when the
service ends, however it ends.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final, cast

from mockpush.errors import LimitError
from mockpush.gateways.dbus import DBusError
from mockpush.gateways.desktop import DEFAULT_ACTION, Closed, Desktop, Shown
from mockpush.gateways.working import Work
from mockpush.protocol.notifications import Action, Appearance, NotificationState
from mockpush.service import PushService

MAX_DESKTOPS: Final = 1000


class Desktops:
    """One desktop for each user agent that is to have one."""

    def __init__(self, service: PushService) -> None:
        self._service = service
        self._servers: dict[str, tuple[str, asyncio.AbstractServer]] = {}
        self.connections: set[DesktopConnection] = set()
        self._left: set[str] = set()
        service.user_agents.at_removal.append(self.leave)

    async def address(self, user_agent: str) -> str:
        """The D-Bus address of the user agent's desktop."""
        self._left.discard(user_agent)
        if user_agent not in self._servers:
            self._servers[user_agent] = await self._open(user_agent)
        return f"unix:abstract={self._servers[user_agent][0]}"

    async def _open(self, user_agent: str) -> tuple[str, asyncio.AbstractServer]:
        """A socket whose name nobody can guess."""
        if len(self._servers) >= MAX_DESKTOPS:
            raise LimitError(f"there are {MAX_DESKTOPS} desktops already", setting="user_agents")
        name = f"mockpush/{secrets.token_hex(16)}"
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(
            lambda: DesktopConnection(self._service, user_agent, self), f"\0{name}"
        )
        return name, server

    def leave(self, user_agent: str) -> None:
        """The user agent is forgotten: its desktop ends with the last connection to it.

        A browser that runs on, for the next test, still has it.
        """
        if user_agent in self._servers:
            self._left.add(user_agent)
            self._end_unused(user_agent)

    def end(self, connection: DesktopConnection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        self._end_unused(connection.user_agent)

    def _end_unused(self, user_agent: str) -> None:
        used = any(each.user_agent == user_agent for each in self.connections)
        if user_agent in self._left and not used:
            self._left.discard(user_agent)
            _, server = self._servers.pop(user_agent)
            server.close()

    async def close(self) -> None:
        """Ends all of them."""
        servers, self._servers = self._servers, {}
        self._left.clear()
        for _, server in servers.values():
            server.close()
        for connection in list(self.connections):
            connection.transport.abort()


class _OnScreen:
    """One notification on a desktop (`notifications.Screen`)."""

    def __init__(self, connection: DesktopConnection, shown: Shown) -> None:
        self._connection = connection
        self._shown = shown

    def click(self, button: int | None) -> None:
        key = DEFAULT_ACTION if button is None else self._shown.buttons[button].key
        self._connection.desktop.click(self._shown.number, key)
        self._connection.flush()

    def dismiss(self) -> None:
        self._connection.desktop.dismiss(self._shown.number)
        self._connection.flush()


class DesktopConnection(asyncio.Protocol):
    """A browser's connection to its desktop."""

    transport: asyncio.Transport

    def __init__(self, service: PushService, user_agent: str, desktops: Desktops) -> None:
        self.desktop = Desktop()
        self.user_agent = user_agent
        self._notifications = service.notifications
        self._desktops = desktops
        self._shown: dict[int, str] = {}
        self._telling = Work(self._tell)

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its bases
        self._desktops.connections.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            self.desktop.receive(data)
        except DBusError:
            self.transport.abort()
        else:
            self._telling.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._desktops.end(self)
        self._telling.begin()

    # What is seen on it

    def flush(self) -> None:
        """Writes what is to be sent."""
        if not self.transport.is_closing():
            self.transport.write(self.desktop.take())

    async def _tell(self) -> None:
        """A notification is known before the browser learns that it is shown."""
        while (event := self.desktop.next_event()) is not None:
            if isinstance(event, Shown):
                await self._show(event)
            else:
                await self._close(event)
        self.flush()
        if self not in self._desktops.connections:
            for number in list(self._shown):
                await self._close(Closed(number))

    async def _show(self, shown: Shown) -> None:
        await self._close(Closed(shown.replaces), NotificationState.REPLACED)
        appearance = Appearance(
            shown.title,
            shown.body,
            shown.origin,
            actions=tuple(Action(each.title) for each in shown.buttons),
        )
        screen = _OnScreen(self, shown)
        kept = await self._notifications.show(self.user_agent, appearance, screen)
        self._shown[shown.number] = kept.id

    async def _close(
        self, closed: Closed, state: NotificationState = NotificationState.CLOSED
    ) -> None:
        known = self._shown.pop(closed.number, None)
        if known is not None and await self._notifications.exists(known):
            await self._notifications.closed(known, state)
