"""One user agent that speaks Mozilla's push protocol, between its WebSocket and the service.

A connection that idles costs neither a task nor a timer: its frames are worked off one after
another by a task that ends when there are no more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

from mockpush.errors import KeyFormatError, LimitError
from mockpush.protocol.autopush import (
    BROKEN,
    MAX_FRAME,
    NO_HELLO,
    NO_PONG,
    NOT_TEXT,
    OUT_OF_TURN,
    SUBPROTOCOL,
    Closing,
    Conversation,
)
from mockpush.protocol.autopush_frames import (
    ACKNOWLEDGED,
    PONG,
    REJECTED,
    REPORTS,
    Acknowledge,
    Command,
    Follow,
    Hello,
    Nack,
    Ping,
    Register,
    Unregister,
    bad_key,
    broadcast,
    changes,
    hello,
    no_room,
    notification,
    registered,
    unregistered,
)
from mockpush.protocol.delivery import Report
from mockpush.protocol.keys import parse_application_server_key
from mockpush.protocol.model import Holder
from mockpush.protocol.records import PushMessage
from mockpush.protocol.user_agents import UserAgentKind

if TYPE_CHECKING:
    from mockpush.gateways.autopush import Autopush

PROFILE: Final = "mozilla"
"""The profile of the subscriptions that are made here."""
MAX_CHANNELS: Final = 10_000
"""Subscriptions of one user agent."""
MAX_UNREAD: Final = 128
"""Commands that wait to be worked off before no more are read."""
AT_A_TIME: Final = 32
"""Commands that are worked off before others have their turn."""


class Socket(Protocol):
    """A WebSocket, as it is needed here (`web_sockets.WebSocket`)."""

    origin: str
    paused: bool

    def send(self, text: str) -> None:
        """Sends a text."""

    def ping(self) -> None:
        """Sends a ping."""

    def hold(self) -> None:
        """Reads nothing until `read_on`."""

    def read_on(self) -> None:
        """Reads again."""

    def close(self, code: int, reason: str) -> None:
        """Ends the connection."""


class Connection:
    """One conversation: a `web_sockets.Talk` below, a `user_agents.Link` above.

    `_device` is the `uaid` once hello has been said. It is `_ready` when that has been answered.
    """

    __slots__ = (
        "_closed",
        "_conversation",
        "_device",
        "_followed",
        "_gateway",
        "_name",
        "_ready",
        "_socket",
        "_task",
        "_unread",
    )

    subprotocol = SUBPROTOCOL
    max_size = MAX_FRAME
    broken = BROKEN

    def __init__(self, gateway: Autopush, name: str | None) -> None:
        self._gateway = gateway
        self._name = name
        self._conversation = Conversation(gateway.delivery)
        self._device = ""
        self._ready = False
        self._closed = False
        self._followed: Mapping[str, str] | None = None
        self._unread: deque[Command] | None = None
        self._task: asyncio.Task[None] | None = None

    # What the WebSocket tells

    def opened(self, socket: Socket) -> None:
        """Now hello is due."""
        self._socket = socket
        self._gateway.hellos.start(self)

    def received(self, text: str | None) -> None:
        """A text has come, or something that is none."""
        if self._closed:
            return
        if text is None:
            self._end(NOT_TEXT)
            return
        now = asyncio.get_running_loop().time()
        command = self._conversation.receive(text, now=now)
        if isinstance(command, Closing):
            self._end(command)
        else:
            self._gateway.hellos.stop(self)
            self._take(command)

    def pinged(self) -> None:
        """Whoever has not said hello may say nothing else."""
        if not self._conversation.greeted:
            self._end(NOT_TEXT)

    def answered(self) -> None:
        """The user agent is alive."""
        self._gateway.pongs.stop(self)
        if self._ready:
            self._gateway.pings.start(self)

    def writable(self) -> None:
        """What was sent has gone: what came meanwhile may follow."""
        self._work_on()

    def lost(self) -> None:
        """The connection has ended."""
        self._stop()

    # What the user agents tell

    @property
    def ready(self) -> bool:
        return self._ready and not self._socket.paused

    def send(self, message: PushMessage, holder: Holder) -> None:
        self._conversation.direct(message)
        self._socket.send(notification(message, holder.channel))

    async def look(self) -> None:
        self._conversation.checking = True
        await self._send_waiting()

    def taken_back(self) -> None:
        self._conversation.take_back()

    def close(self) -> None:
        self._end(OUT_OF_TURN)

    def lose_identity(self) -> None:
        """It learns that when it connects again, at once."""
        self.close()

    # Deadlines

    def ping(self) -> None:
        """It has been silent for long; a good time to tell of broadcasts, too."""
        self._socket.ping()
        self._gateway.pongs.start(self)
        if self._followed:
            self._take(Follow(self._followed))

    def no_hello(self) -> None:
        """It has not said who it is."""
        self._end(NO_HELLO)

    def no_pong(self) -> None:
        """It is gone, though nobody has said so."""
        self._end(NO_PONG)

    # Commands, one after another

    def _take(self, command: Command) -> None:
        if self._unread is None:
            self._unread = deque()
        self._unread.append(command)
        if len(self._unread) == MAX_UNREAD:
            self._socket.hold()
        self._work_on()

    def _work_on(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())
            self._task.add_done_callback(self._rest)

    async def _work(self) -> None:
        """Works off some commands."""
        for _ in range(AT_A_TIME):
            if not self._unread:
                break
            command = self._unread.popleft()
            await _DO[type(command)](self, command)
        await self._send_waiting()
        if self._closed and self._device:
            device, self._device = self._device, ""
            await self._gateway.service.user_agents.disconnect(self, device)

    def _rest(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            self._end(OUT_OF_TURN)
            task.result()  # a mistake of ours, of which the event loop tells
        elif self._closed:
            self._stop()
        elif self._unread:
            self._work_on()
        else:
            self._unread = None
            self._socket.read_on()

    async def _hello(self, command: Hello) -> None:
        agents = self._gateway.service.user_agents
        uaid = command.uaid
        if uaid is None or not await agents.known(uaid):
            uaid = uuid4().hex
        news = await self._follow_on(command.broadcasts)
        if self._closed:
            return
        try:
            await agents.connect(self, kind=UserAgentKind.FIREFOX, device=uaid, name=self._name)
        except LimitError:
            self._end(OUT_OF_TURN)
            return
        self._device = uaid
        if self._closed:
            return
        self._socket.send(hello(uaid, news))
        self._gateway.pings.start(self)
        self._ready = True

    async def _register(self, command: Register) -> None:
        agents, channel = self._gateway.service.user_agents, command.channel
        try:
            key = None if command.key is None else read_key(command.key)
            full = len(await agents.held_by(self._device)) >= MAX_CHANNELS
            if full or await agents.refusal(self._device) is not None:
                self._socket.send(no_room(channel))
                return
            subscription = await agents.subscribe(
                self._device,
                channel,
                profile=PROFILE,
                application_server_key=key,
                reached=self._socket.origin,
            )
        except KeyFormatError:
            self._socket.send(bad_key(channel))
        except LimitError:
            self._socket.send(no_room(channel))
        else:
            self._socket.send(registered(channel, subscription.endpoint))

    async def _unregister(self, command: Unregister) -> None:
        await self._gateway.service.user_agents.unsubscribe(self._device, command.channel)
        self._socket.send(unregistered(command.channel))

    async def _acknowledge(self, command: Acknowledge) -> None:
        agents = self._gateway.service.user_agents
        for update in command.updates:
            message = self._conversation.sent(update.version)
            if message is None:
                continue
            for report in REPORTS.get(update.code, ()):
                if message.body or report is not Report.DECRYPTED:
                    await agents.report(message, report)
            for done, code in self._conversation.acknowledge(update):
                await agents.acknowledge(done, detail=ACKNOWLEDGED.get(code, str(code)))

    async def _reject(self, command: Nack) -> None:
        storage = self._gateway.service.storage
        message = await storage.message(command.version)
        if message is None:
            return
        subscription = await storage.subscription(message.tenant, message.subscription)
        holder = None if subscription is None else subscription.holder
        if holder is not None and holder.device == self._device:
            detail = REJECTED.get(command.code, str(command.code))
            agents = self._gateway.service.user_agents
            await agents.report(message, Report.REJECTED, detail=detail)

    async def _pong(self, _: Ping) -> None:
        self._socket.send(PONG)

    async def _follow(self, command: Follow) -> None:
        news = await self._follow_on({**(self._followed or {}), **command.broadcasts})
        if news:
            self._socket.send(broadcast(news))

    async def _follow_on(self, known: Mapping[str, str]) -> Mapping[str, object]:
        """What has changed of the broadcasts of which these versions are known."""
        if not known:
            return {}
        current = await self._gateway.broadcasts.current()
        self._followed = {name: current[name] for name in known if name in current}
        return changes(current, known)

    async def _send_waiting(self) -> None:
        """Sends the next batch of what waits, if it is time for one."""
        conversation = self._conversation
        if not (self.ready and conversation.checking and conversation.settled):
            return
        agents = self._gateway.service.user_agents
        claimed = await agents.claim(self._device, self._gateway.delivery)
        closing = conversation.batch([message for message, _ in claimed])
        if closing is not None:
            self._end(closing)
            await agents.give_up(self._device)
            return
        for message, holder in claimed:
            self._socket.send(notification(message, holder.channel))

    # The end

    def _end(self, closing: Closing) -> None:
        if not self._closed:
            self._socket.close(*closing)
            self._stop()

    def _stop(self) -> None:
        """Nothing more is done but to say goodbye."""
        self._closed = True
        self._ready = False
        self._unread = None
        for deadlines in (self._gateway.hellos, self._gateway.pings, self._gateway.pongs):
            deadlines.stop(self)
        if self._device:
            self._work_on()


_DO: Final[Mapping[type[Command], Callable[[Connection, Any], Awaitable[None]]]] = {
    Hello: Connection._hello,
    Register: Connection._register,
    Unregister: Connection._unregister,
    Acknowledge: Connection._acknowledge,
    Nack: Connection._reject,
    Ping: Connection._pong,
    Follow: Connection._follow,
}


def read_key(text: str) -> bytes:
    """The applicationServerKey, which Firefox pads; `KeyFormatError`."""
    return parse_application_server_key(text.rstrip("="))
