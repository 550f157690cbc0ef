"""MCS connections: the machine of `protocol/mcs.py` on a socket."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from mockpush.errors import LimitError
from mockpush.gateways.deadlines import Deadlines
from mockpush.gateways.gcm_device import Device
from mockpush.gateways.gcm_devices import Devices
from mockpush.gateways.working import Work
from mockpush.protocol import mcs
from mockpush.protocol.gcm import Identity
from mockpush.protocol.mcs_frames import DataMessage
from mockpush.real_clock import real_time

LOGIN_WITHIN: Final = 20.0
"""Real seconds for the first frame. Chromium sends it with the version."""
_WRONG_TOKEN: Final = 401
_NO_ROOM: Final = 503


class McsConnection(asyncio.Protocol):
    """One connection, which keeps itself in `connections` while it is open.

    A client that does not read is not read from either, so that what is written stays bounded.
    """

    __slots__ = (
        "_connections",
        "_device",
        "_devices",
        "_hearing",
        "_logins",
        "_machine",
        "_paused",
        "transport",
    )
    transport: asyncio.Transport

    def __init__(
        self, devices: Devices, connections: set[Any], logins: Deadlines[McsConnection]
    ) -> None:
        self._devices = devices
        self._connections = connections
        self._logins = logins
        self._machine = mcs.Connection()
        self._hearing = Work(self._hear)
        self._paused = False
        self._device: Device | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its bases
        self._connections.add(self)
        self._logins.start(self)

    def data_received(self, data: bytes) -> None:
        self._machine.receive(data)
        self._hearing.begin()

    def pause_writing(self) -> None:
        self._paused = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        self.transport.resume_reading()
        if self._device is not None:
            self._device.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._logins.stop(self)
        if self._device is not None:
            self._device.detach(self)

    # What the server calls (`connections.OtherProtocols`)

    def shutdown(self) -> None:
        """Ends it without a Close, after which Chromium would stay away for minutes."""
        self.transport.close()

    def give_up(self) -> None:
        """Nobody has logged in."""
        self._machine.close()
        self.flush()
        self.transport.close()

    # What the device calls (`gcm_device.Connection`)

    @property
    def writable(self) -> bool:
        """Whether the other side reads what is written."""
        return not self._paused and not self.transport.is_closing()

    def send(self, message: DataMessage) -> None:
        """Queues a message."""
        if self._machine.state is mcs.State.OPEN:
            self._machine.send(message)

    def flush(self) -> None:
        """Writes what is queued."""
        data = self._machine.take()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def leave(self) -> None:
        """Ends it, since the user agent has another one."""
        self.shutdown()

    # Below the surface

    async def _hear(self) -> None:
        while (event := self._machine.next_event()) is not None:
            if isinstance(event, mcs.Login):
                await self._log_in(event)
            elif isinstance(event, mcs.Acknowledged) and self._device is not None:
                await self._device.acknowledged(event.ids)
        self.flush()
        if self._machine.state is mcs.State.CLOSED:
            self.transport.close()

    async def _log_in(self, login: mcs.Login) -> None:
        identity = Identity(login.android_id, login.security_token)
        device = self._devices.find(identity) if identity.valid else None
        if device is None:
            self._machine.refuse(code=_WRONG_TOKEN, message="wrong android_id or security_token")
            return
        try:
            await device.arrive()
        except LimitError as error:
            self._machine.refuse(code=_NO_ROOM, message=str(error))
            return
        self._logins.stop(self)
        self._machine.accept(now=real_time())
        if not self.transport.is_closing():
            self._device = device
            await device.attach(self, login.received)
