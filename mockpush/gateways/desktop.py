"""The desktop on which a browser shows notifications: one connection of a D-Bus of its own.

It speaks both as the bus (D-Bus Specification, Message Bus Messages) and as the one service on it,
`org.freedesktop.Notifications` (Desktop Notifications Specification 1.2). Nobody else is there.
"""

from __future__ import annotations

import html
import re
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageFlag,
    MessageType,
    new_error,
    new_method_return,
    new_signal,
)

from mockpush.gateways.dbus import DBusError, Received, receive, size_of

BUS: Final = "org.freedesktop.DBus"
NOTIFICATIONS: Final = "org.freedesktop.Notifications"
CAPABILITIES: Final = ("actions", "body", "body-hyperlinks", "body-markup", "persistence")
DISMISSED: Final = 2
"""NotificationClosed: by the user."""
CLOSED: Final = 3
"""By a call of CloseNotification."""
DEFAULT_ACTION: Final = "default"
"""The key of a click on the notification itself."""
SETTINGS_ACTION: Final = "settings"
"""The key of a button that Chromium adds to all of them."""

_OWN_NAME: Final = ":1.0"
_THEIR_NAME: Final = ":1.1"
_SERVICE: Final = DBusAddress("/org/freedesktop/Notifications", interface=NOTIFICATIONS)
_ALREADY_RUNNING: Final = 2
_PRIMARY_OWNER: Final = 1
_MAX_LINE: Final = 4096
_ORIGIN: Final = re.compile(r'<a href="([^"]*)">[^<]*</a>(?:\n\n|$)')
"""How Chromium begins the body, when it may have links."""


class Button(NamedTuple):
    """One that the page has given to a notification; `key` is how D-Bus calls it."""

    key: str
    title: str


class Shown(NamedTuple):
    """A notification appears. `replaces`: the number of the one that it stands in for, or 0."""

    number: int
    replaces: int
    title: str
    body: str
    origin: str | None
    buttons: tuple[Button, ...]


class Closed(NamedTuple):
    """The page or the browser has closed a notification."""

    number: int


class Desktop:
    """One connection: it is given what came, and says what to send and what happened."""

    def __init__(self) -> None:
        self._guid = secrets.token_hex(16)
        self._buffer = bytearray()
        self._out = bytearray()
        self._events: deque[Shown | Closed] = deque()
        self._begun = False
        self._serial = 0
        self._next = 1
        self._open: set[int] = set()

    def receive(self, data: bytes) -> None:
        """What has come; `DBusError` if that is no D-Bus, and the connection is to be closed."""
        self._buffer += data
        while not self._begun and self._greet():
            pass
        while self._begun and self._hear():
            pass

    def take(self) -> bytes:
        """What is to be sent."""
        data, self._out = bytes(self._out), bytearray()
        return data

    def next_event(self) -> Shown | Closed | None:
        """What has happened, one after another."""
        return self._events.popleft() if self._events else None

    def click(self, number: int, key: str = DEFAULT_ACTION) -> None:
        """The user clicks on a notification, or on the button with this key."""
        self._signal("ActionInvoked", "us", number, key)

    def dismiss(self, number: int) -> None:
        """The user closes a notification."""
        self._open.discard(number)
        self._signal("NotificationClosed", "uu", number, DISMISSED)

    # Authentication (D-Bus Specification, Authentication Protocol)

    def _greet(self) -> bool:
        line, end, rest = bytes(self._buffer).partition(b"\r\n")
        if not end:
            if len(line) > _MAX_LINE:
                raise DBusError("an endless line")
            return False
        self._buffer = bytearray(rest)
        words = line.lstrip(b"\0").split()
        if words[:1] == [b"BEGIN"]:
            self._begun = True
        else:
            self._out += self._answer_to(words) + b"\r\n"
        return True

    def _answer_to(self, words: list[bytes]) -> bytes:
        """Everybody is let in: who can connect may use the control API as well."""
        if words[:2] == [b"AUTH", b"EXTERNAL"]:
            return b"OK " + self._guid.encode() if len(words) > 2 else b"DATA"
        if words[:1] == [b"DATA"]:
            return b"OK " + self._guid.encode()
        return b"REJECTED EXTERNAL" if words[:1] == [b"AUTH"] else b"ERROR"

    # Messages

    def _hear(self) -> bool:
        size = size_of(self._buffer)
        if size is None or len(self._buffer) < size:
            return False
        message = receive(bytes(self._buffer[:size]))
        del self._buffer[:size]
        if message.header.message_type is MessageType.method_call:
            self._call(message)
        return True

    def _call(self, call: Received) -> None:
        destination, member = call[HeaderFields.destination], call[HeaderFields.member]
        methods = _METHODS.get(destination)
        if methods is None:
            self._fail(call, "ServiceUnknown", f"{destination} is not on this bus")
            return
        method = methods.get(member)
        if method is None or (call[HeaderFields.signature] or "") != method.takes + method.leaves:
            self._fail(call, "UnknownMethod", f"{member} of {destination}")
            return
        try:
            answer = method.answer(self, *call.read(method.takes))
        except LookupError as error:
            self._fail(call, "NameHasNoOwner", str(error))
        else:
            body = answer if isinstance(answer, tuple) else (answer,)
            self._reply(call, new_method_return(call, method.gives or None, body))

    def _fail(self, call: Received, name: str, text: str) -> None:
        self._reply(call, new_error(call, f"{BUS}.Error.{name}", "s", (text,)))

    def _reply(self, call: Received, message: Message) -> None:
        if not call.header.flags & MessageFlag.no_reply_expected:
            self._write(message, BUS if call[HeaderFields.destination] == BUS else _OWN_NAME)

    def _signal(self, member: str, signature: str, *body: Any) -> None:
        self._write(new_signal(_SERVICE, member, signature, body), _OWN_NAME)

    def _write(self, message: Message, sender: str) -> None:
        self._serial += 1
        message.header.flags = MessageFlag.no_reply_expected
        message.header.fields[HeaderFields.sender] = sender
        message.header.fields[HeaderFields.destination] = _THEIR_NAME
        self._out += message.serialise(serial=self._serial)

    # What the bus answers

    def _owner(self, name: str) -> str:
        if name not in _OWNERS:
            raise LookupError(f"nobody has the name {name}")
        return _OWNERS[name]

    def _start(self, name: str, _: int) -> int:
        self._owner(name)
        return _ALREADY_RUNNING

    # What the notification service answers

    def _notify(
        self,
        _app: str,
        replaces: int,
        _icon: str,
        title: str,
        body: str,
        actions: list[str],
    ) -> int:
        number = replaces if replaces in self._open else self._next
        self._next += number == self._next
        self._open.add(number)
        origin, text = _read_body(body)
        pairs = zip(actions[::2], actions[1::2], strict=False)
        buttons = tuple(
            Button(*pair) for pair in pairs if pair[0] not in (DEFAULT_ACTION, SETTINGS_ACTION)
        )
        shown = Shown(number, replaces if number == replaces else 0, title, text, origin, buttons)
        self._events.append(shown)
        return number

    def _close(self, number: int) -> None:
        if number in self._open:
            self._open.discard(number)
            self._signal("NotificationClosed", "uu", number, CLOSED)
            self._events.append(Closed(number))


def _read_body(body: str) -> tuple[str | None, str]:
    """The origin of the page, if the browser says it, and what the page has written."""
    link = _ORIGIN.match(body)
    if link is None:
        return None, html.unescape(body)
    return html.unescape(link[1]).rstrip("/"), html.unescape(body[link.end() :])


class _Method(NamedTuple):
    """What a method takes and gives, as signatures; of its arguments it `leaves` some unread."""

    takes: str
    gives: str
    answer: Callable[..., Any]
    leaves: str = ""


_OWNERS: Final = {
    BUS: BUS,
    NOTIFICATIONS: _OWN_NAME,
    _OWN_NAME: _OWN_NAME,
    _THEIR_NAME: _THEIR_NAME,
}
_BUS: Final[Mapping[str, _Method]] = {
    "Hello": _Method("", "s", lambda _: _THEIR_NAME),
    "AddMatch": _Method("s", "", lambda *_: None),
    "RemoveMatch": _Method("s", "", lambda *_: None),
    "GetNameOwner": _Method("s", "s", Desktop._owner),
    "NameHasOwner": _Method("s", "b", lambda _, name: name in _OWNERS),
    "StartServiceByName": _Method("su", "u", Desktop._start),
    "RequestName": _Method("su", "u", lambda *_: _PRIMARY_OWNER),
    "ReleaseName": _Method("s", "u", lambda *_: 1),
    "ListNames": _Method("", "as", lambda _: list(_OWNERS)),
    "ListActivatableNames": _Method("", "as", lambda _: [BUS, NOTIFICATIONS]),
    "GetId": _Method("", "s", lambda desktop: desktop._guid),
}
_NOTIFICATIONS: Final[Mapping[str, _Method]] = {
    "Notify": _Method("susssas", "u", Desktop._notify, leaves="a{sv}i"),
    "CloseNotification": _Method("u", "", Desktop._close),
    "GetCapabilities": _Method("", "as", lambda _: list(CAPABILITIES)),
    "GetServerInformation": _Method("", "ssss", lambda _: ("mockpush", "mockpush", "1", "1.2")),
}
_METHODS: Final = {BUS: _BUS, NOTIFICATIONS: _NOTIFICATIONS, _OWN_NAME: _NOTIFICATIONS}
