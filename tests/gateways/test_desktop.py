"""The desktop of a browser, spoken to as a D-Bus client does; jeepney writes what that says."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney import (
    DBusAddress,
    MessageFlag,
    MessageType,
    message_bus,
    new_method_call,
    new_signal,
)
from jeepney.low_level import HeaderFields, Parser

from mockpush.gateways.dbus import DBusError
from mockpush.gateways.desktop import Button, Closed, Desktop, Shown

NOTIFICATIONS = DBusAddress(
    "/org/freedesktop/Notifications",
    bus_name="org.freedesktop.Notifications",
    interface="org.freedesktop.Notifications",
)
LINK = '<a href="http://localhost:8000/">localhost:8000</a>\n\n'


class Client:
    """One that has been let in."""

    def __init__(self) -> None:
        self.desktop = Desktop()
        self.desktop.receive(b"\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n")
        ok, refused, rest = self.desktop.take().split(b"\r\n")
        assert ok.startswith(b"OK ")
        assert len(ok) == 3 + 32
        assert (refused, rest) == (b"ERROR", b"")
        self._parser = Parser()
        self._serial = 0
        self._heard = 0

    def heard(self) -> list:
        self._parser.add_data(self.desktop.take())
        messages = list(iter(self._parser.get_next_message, None))
        for each in messages:
            assert each.header.fields[HeaderFields.destination] == ":1.1"
            assert each.header.flags is MessageFlag.no_reply_expected
            assert each.header.serial == self._heard + 1
            self._heard += 1
        return messages

    def ask(self, message) -> tuple:
        """What comes back, of an error its name."""
        self._serial += 1
        self.desktop.receive(message.serialise(serial=self._serial))
        answer = self.heard()[-1]
        assert answer.header.fields[HeaderFields.reply_serial] == self._serial
        asked = message.header.fields[HeaderFields.destination]
        sender = "org.freedesktop.DBus" if asked == "org.freedesktop.DBus" else ":1.0"
        assert answer.header.fields[HeaderFields.sender] == sender
        if answer.header.message_type is MessageType.error:
            return (answer.header.fields[HeaderFields.error_name].rpartition(".")[2],)
        return answer.body

    def call(self, member: str, signature: str = "", *body) -> tuple:
        return self.ask(new_method_call(NOTIFICATIONS, member, signature or None, body))

    def bus(self, member: str, signature: str = "", *body) -> tuple:
        return self.ask(new_method_call(message_bus, member, signature or None, body))

    def notify(self, title="t", *, body="", replaces=0, actions=()) -> int:
        (number,) = self.call(
            "Notify", "susssasa{sv}i", "Chromium", replaces, "", title, body, list(actions), {}, -1
        )
        return number

    def signals(self) -> list[tuple]:
        found = []
        for each in self.heard():
            assert each.header.message_type is MessageType.signal
            assert each.header.fields[HeaderFields.sender] == ":1.0"
            found.append((each.header.fields[HeaderFields.member], *each.body))
        return found


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (b"\0AUTH\r\n", b"REJECTED EXTERNAL\r\n"),
        (b"\0AUTH ANONYMOUS\r\n", b"REJECTED EXTERNAL\r\n"),
        (b"\0AUTH EXTERNAL\r\n", b"DATA\r\n"),
        (b"\0WHAT\r\n", b"ERROR\r\n"),
        (b"\0AUTH EXTER", b""),
    ],
)
def test_who_comes_in_says_who_it_is(said, answered):
    desktop = Desktop()
    desktop.receive(said)
    assert desktop.take() == answered


def test_it_may_say_so_when_asked():
    desktop = Desktop()
    desktop.receive(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")
    assert desktop.take().startswith(b"DATA\r\nOK ")


def test_a_line_ends_some_time():
    with pytest.raises(DBusError):
        Desktop().receive(b"\0" + b"A" * 5000)


def test_rubbish_after_the_greeting_is_refused(client):
    with pytest.raises(DBusError):
        client.desktop.receive(b"x" * 16)


def test_octets_may_come_one_by_one(client):
    data = new_method_call(NOTIFICATIONS, "GetCapabilities").serialise(serial=3)
    for octet in data:
        client.desktop.receive(bytes([octet]))
    [answer] = client.heard()
    assert "actions" in answer.body[0]


def test_the_bus_knows_who_is_there(client):
    assert client.bus("Hello") == (":1.1",)
    assert client.bus("GetNameOwner", "s", "org.freedesktop.Notifications") == (":1.0",)
    assert client.bus("GetNameOwner", "s", "org.a11y.Bus") == ("NameHasNoOwner",)
    assert client.bus("NameHasOwner", "s", "org.a11y.Bus") == (False,)
    assert client.bus("StartServiceByName", "su", "org.freedesktop.Notifications", 0) == (2,)
    assert client.bus("StartServiceByName", "su", "org.a11y.Bus", 0) == ("NameHasNoOwner",)
    assert client.bus("AddMatch", "s", "type='signal'") == ()
    assert client.bus("RemoveMatch", "s", "type='signal'") == ()
    assert client.bus("RequestName", "su", "a.b", 0) == (1,)
    assert client.bus("ReleaseName", "s", "a.b") == (1,)
    assert "org.freedesktop.Notifications" in client.bus("ListNames")[0]
    assert "org.freedesktop.Notifications" in client.bus("ListActivatableNames")[0]
    assert len(client.bus("GetId")[0]) == 32


def test_the_service_says_what_it_can(client):
    assert {"actions", "body"} <= set(client.call("GetCapabilities")[0])
    assert client.call("GetServerInformation")[3] == "1.2"


def test_what_it_does_not_know_is_an_error(client):
    assert client.call("Inhibit") == ("UnknownMethod",)
    assert client.call("CloseNotification", "s", "1") == ("UnknownMethod",)
    other = DBusAddress("/x", bus_name="org.freedesktop.portal.Desktop", interface="x.y")
    assert client.ask(new_method_call(other, "Get")) == ("ServiceUnknown",)


@pytest.mark.parametrize("signature", ["z", "a(((", "y" * 250, "h", "sv"])
def test_a_call_is_known_by_its_signature_before_it_is_read(client, signature):
    header = new_method_call(NOTIFICATIONS, "CloseNotification").header
    header.fields[HeaderFields.signature] = signature
    header.body_length = 0
    data = header.serialise(serial=1)
    client.desktop.receive(data + bytes(-len(data) % 8))
    [answer] = client.heard()
    assert answer.header.fields[HeaderFields.error_name].endswith(".UnknownMethod")


@given(st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4), st.binary(max_size=40))
def test_whatever_is_said_is_answered_or_refused(changes, more):
    client = Client()
    body = ("Chromium", 0, "", "t", LINK, ["0", "Go"], {"urgency": ("y", 1)}, -1)
    notify = new_method_call(NOTIFICATIONS, "Notify", "susssasa{sv}i", body).serialise(serial=1)
    owner = new_method_call(message_bus, "GetNameOwner", "s", ("a.b",)).serialise(serial=2)
    said = bytearray(owner + notify + owner)
    for at, octet in changes:
        said[at % len(said)] = octet
    with suppress(DBusError):
        client.desktop.receive(said + more)
    client.heard()


def test_nothing_is_answered_where_no_answer_is_wanted(client):
    message = new_method_call(NOTIFICATIONS, "GetCapabilities")
    message.header.flags = MessageFlag.no_reply_expected
    client.desktop.receive(message.serialise(serial=1))
    client.desktop.receive(new_signal(NOTIFICATIONS, "Any").serialise(serial=2))
    assert client.desktop.take() == b""


def test_a_notification_of_chromium_is_read(client):
    actions = ["0", "Archive", "1", "Reply", "default", "Activate", "settings", "Settings"]
    number = client.notify("News", body=LINK + "1 &lt; 2 &amp; 3", actions=actions)
    assert client.desktop.next_event() == Shown(
        number,
        0,
        "News",
        "1 < 2 & 3",
        "http://localhost:8000",
        (Button("0", "Archive"), Button("1", "Reply")),
    )
    assert client.desktop.next_event() is None


def test_one_without_a_text_is_read(client):
    client.notify(body=LINK.rstrip())
    shown = client.desktop.next_event()
    assert (shown.origin, shown.body) == ("http://localhost:8000", "")


def test_one_of_who_says_no_origin_is_read(client):
    client.notify(body="<a href=x>no link")
    shown = client.desktop.next_event()
    assert (shown.origin, shown.body) == (None, "<a href=x>no link")


def test_each_has_a_number_of_its_own(client):
    first, second = client.notify(), client.notify()
    assert first != second
    assert client.notify(replaces=first) == first
    events = [client.desktop.next_event() for _ in range(3)]
    assert [each.replaces for each in events] == [0, 0, first]


def test_one_that_is_not_there_is_not_replaced(client):
    first = client.notify()
    client.call("CloseNotification", "u", first)
    assert client.notify(replaces=first) != first


def test_a_click_is_told(client):
    number = client.notify()
    client.desktop.click(number)
    client.desktop.click(number, "1")
    assert client.signals() == [
        ("ActionInvoked", number, "default"),
        ("ActionInvoked", number, "1"),
    ]


def test_the_user_closes_it(client):
    number = client.notify()
    client.desktop.dismiss(number)
    assert client.signals() == [("NotificationClosed", number, 2)]
    client.desktop.next_event()
    assert client.call("CloseNotification", "u", number) == ()
    assert client.desktop.next_event() is None


def test_the_page_closes_it(client):
    number = client.notify()
    client.desktop.next_event()
    assert client.call("CloseNotification", "u", number) == ()
    assert client.desktop.next_event() == Closed(number)
