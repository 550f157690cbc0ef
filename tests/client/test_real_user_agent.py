"""A browser that somebody else drives: one that speaks as Firefox does, and one with a desktop."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest
from jeepney import DBusAddress, new_method_call
from jeepney.low_level import Parser
from websockets.sync.client import ClientConnection, connect

from mockpush import errors
from mockpush.client import Control, RealUserAgent
from mockpush.client.deadlines import in_event_loop
from mockpush.protocol.user_agents import Refusal

DESKTOP = DBusAddress("/n", "org.freedesktop.Notifications", "org.freedesktop.Notifications")


class Fox:
    """What speaks as Firefox does to its push service."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.say(messageType="hello", use_webpush=True)

    def say(self, **members: object) -> dict:
        self._connection.send(json.dumps(members))
        return self.hear()

    def hear(self) -> dict:
        return json.loads(self._connection.recv(timeout=10))

    def subscribe(self) -> str:
        """The endpoint."""
        answer = self.say(messageType="register", channelID=str(uuid4()))
        assert answer["status"] == 200, answer
        return answer["pushEndpoint"]


@contextmanager
def started(user_agent: RealUserAgent) -> Iterator[Fox]:
    url = user_agent.launch("firefox").preferences["dom.push.serverURL"]
    with connect(url, compression=None) as connection:
        yield Fox(connection)


class Screen:
    """What shows notifications as Chromium does on Linux."""

    def __init__(self, user_agent: RealUserAgent) -> None:
        address = user_agent.launch("chromium").env["DBUS_SESSION_BUS_ADDRESS"]
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect("\0" + address.removeprefix("unix:abstract="))
        self._socket.sendall(b"\0AUTH EXTERNAL 30\r\n")
        assert self._socket.recv(100).startswith(b"OK ")
        self._socket.sendall(b"BEGIN\r\n")
        self._parser = Parser()

    def show(self, title: str) -> None:
        body = ("app", 0, "", title, "", ["0", "Track it", "default", "Activate"], {}, -1)
        call = new_method_call(DESKTOP, "Notify", "susssasa{sv}i", body)
        self._socket.sendall(call.serialise(1))
        self.hear()

    def hear(self) -> tuple:
        while (message := self._parser.get_next_message()) is None:
            self._parser.add_data(self._socket.recv(4096))
        return message.body

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def user_agent(push_service):
    return push_service.user_agent()


@pytest.fixture
def screen(user_agent):
    screen = Screen(user_agent)
    yield screen
    screen.close()


@pytest.fixture
def tell(push_server, user_agent):
    """Tells the service something, as a page or a worker of the browser does."""

    def tell(what: str, **body: object) -> None:
        control = push_server.environ["MOCKPUSH_CONTROL_URL"]
        answer = httpx.post(f"{control}/user-agents/{user_agent.id}/{what}", json=body)
        assert answer.is_success, answer.text

    return tell


def push(endpoint: str, context) -> int:
    return httpx.post(endpoint, headers={"TTL": "60"}, verify=context).status_code


# Who it is


def test_without_an_id_it_is_another_one_each_time(push_service):
    assert push_service.user_agent().id != push_service.user_agent().id


def test_with_the_same_id_it_is_the_same(push_service, user_agent):
    assert push_service.user_agent(user_agent.id) is user_agent
    assert repr(user_agent) == f"<RealUserAgent {user_agent.id} of tenant {push_service.tenant}>"


def test_it_belongs_to_its_tenant_from_the_beginning(push_service, user_agent):
    other = push_service.for_tenant(f"{push_service.tenant}-2")
    assert (push_service.user_agents, other.user_agents) == ([user_agent], [])
    with other.user_agent(user_agent.id):
        assert push_service.user_agents == []
        assert [each.id for each in other.user_agents] == [user_agent.id]


# How it is started


def test_it_is_started_as_the_service_says(push_server, user_agent):
    launch = user_agent.launch("chromium")
    assert f"--gcm-checkin-url={push_server.url}/ua/{user_agent.id}/gcm/checkin" in launch.args
    assert f'/user-agents/{user_agent.id}"' in launch.init_script
    assert (launch.kind, launch.user_agent) == ("chromium", user_agent.id)
    assert repr(launch) == f"<Launch of chromium as {user_agent.id}>"


def test_its_environment_is_that_of_this_process_and_more(user_agent, monkeypatch):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/mine")
    monkeypatch.setenv("SHOP", "open")
    launch = user_agent.launch("chromium")
    assert list(launch.env) == ["DBUS_SESSION_BUS_ADDRESS"]
    assert launch.environ == {**os.environ, **launch.env}
    assert launch.environ["DBUS_SESSION_BUS_ADDRESS"].startswith("unix:abstract=")


@pytest.mark.parametrize("hosts", ["a.test,b.test", ["a.test", "b.test"]])
def test_other_hosts_can_be_resolved(user_agent, hosts):
    [rules] = [each for each in user_agent.launch("chromium", hosts=hosts).args if "rules" in each]
    assert rules.endswith("EXCLUDE a.test, EXCLUDE b.test")


def test_endpoints_can_be_left_alone(user_agent):
    assert user_agent.launch("chromium", endpoints="native").init_script == ""


def test_another_browser_is_refused_with_those_there_are(user_agent):
    with pytest.raises(errors.NotFoundError, match="there is: chromium and firefox"):
        user_agent.launch("safari")


def test_preferences_of_chromium_are_written_once(user_agent, tmp_path):
    launch = user_agent.launch("chromium")
    launch.write_preferences(tmp_path)
    file = tmp_path / "Default" / "Preferences"
    settings = {"default_content_setting_values": {"notifications": 1}}
    assert json.loads(file.read_text()) == {"profile": settings}
    file.write_text("what Chromium has kept")
    launch.write_preferences(tmp_path)
    assert file.read_text() == "what Chromium has kept"


def test_preferences_of_firefox_are_written_each_time(user_agent, tmp_path):
    launch = user_agent.launch("firefox")
    launch.write_preferences(tmp_path / "new")
    launch.write_preferences(tmp_path / "new", {"own": 'a"b'})
    lines = (tmp_path / "new" / "user.js").read_text().splitlines()
    assert 'user_pref("dom.push.connection.enabled", true);' in lines
    assert lines[-1] == r'user_pref("own", "a\"b");'
    assert len(lines) == len(launch.preferences) + 1


# What it holds


def test_its_subscriptions_belong_to_the_tenant(push_service, user_agent):
    with started(user_agent) as fox:
        endpoint = fox.subscribe()
        assert [each.endpoint for each in user_agent.subscriptions] == [endpoint]
        push_service.subscribe()  # is not its own
        assert len(user_agent.subscriptions) == 1


def test_it_comes_and_goes(user_agent):
    assert (user_agent.connected, user_agent.online) == (False, False)
    with started(user_agent):
        user_agent.wait_connected()
        assert (user_agent.connected, user_agent.online) == (True, True)


def test_offline_messages_wait(push_service, push_server, user_agent):
    with started(user_agent) as fox:
        endpoint = fox.subscribe()
        user_agent.go_offline()
        assert (user_agent.connected, user_agent.online) == (True, False)
        assert push(endpoint, push_server.ssl_context) == 201
        assert push_service.wait().state == "pending"
        user_agent.go_online()
        assert fox.hear()["messageType"] == "notification"


def test_it_can_lose_its_subscriptions(push_server, user_agent):
    with started(user_agent) as fox:
        endpoint = fox.subscribe()
        user_agent.lose_subscriptions()
        assert user_agent.subscriptions == []
    assert push(endpoint, push_server.ssl_context) == 410


def test_its_next_subscriptions_can_be_refused(user_agent):
    with started(user_agent) as fox:
        user_agent.refuse(times=1)
        answer = fox.say(messageType="register", channelID=str(uuid4()))
        assert answer["status"] != 200
        assert fox.subscribe()
    with pytest.raises(ValueError, match="MOOD"):
        user_agent.refuse("MOOD")
    user_agent.refuse(Refusal.INVALID_SENDER, times=0)


def test_its_pages_and_workers_tell_of_badges_and_changes(user_agent, tell):
    assert (user_agent.badge, user_agent.subscription_changes) == (None, [])
    with started(user_agent) as fox:
        endpoint = fox.subscribe()
        tell("badge", count=3)
        tell("subscription-changes", new=endpoint)
        tell("subscription-changes", old="https://elsewhere/x")
        [held] = user_agent.subscriptions
        assert user_agent.badge == 3
        assert user_agent.subscription_changes == [(None, held), (None, None)]


# What it shows


def test_a_notification_is_clicked_and_closed(user_agent, screen):
    screen.show("one")
    screen.show("two")
    one, two = user_agent.wait_notifications(2)
    assert [one.title, two.title] == ["one", "two"]
    user_agent.click(one)
    user_agent.click(one, "Track it")
    assert [screen.hear()[1], screen.hear()[1]] == ["default", "0"]
    user_agent.close_notification(one)
    assert user_agent.notifications == [two]
    with pytest.raises(errors.ServiceError, match="closed already"):
        user_agent.click(one)


def test_others_do_not_see_it(push_service, user_agent, screen):
    screen.show("one")
    assert push_service.user_agent().notifications == []
    assert len(user_agent.notifications) == 1


def test_in_vain(user_agent):
    wanted = r"expected 2 notifications within 0 s, got \[\]; \S+ is not connected to http"
    with pytest.raises(errors.WaitError, match=wanted):
        user_agent.wait_notifications(2, timeout=0)
    with pytest.raises(errors.WaitError, match="to connect within 0 s"):
        user_agent.wait_connected(timeout=0)
    user_agent.forget()
    with pytest.raises(errors.WaitError, match="is not connected"):
        user_agent.wait_notifications(timeout=0)


async def test_in_an_event_loop_the_twins_are_awaited(user_agent, screen):
    with pytest.raises(errors.BlockingWaitError, match="await wait_notifications_async"):
        user_agent.wait_notifications()
    with pytest.raises(errors.BlockingWaitError, match="await wait_connected_async"):
        user_agent.wait_connected()
    with pytest.raises(errors.WaitError, match="expected 1 notifications within"):
        await user_agent.wait_notifications_async(timeout=0.01)
    with pytest.raises(errors.WaitError, match="to connect within"):
        await user_agent.wait_connected_async(timeout=0.01)
    screen.show("one")
    [shown] = await user_agent.wait_notifications_async()
    assert user_agent.wait_notifications() == [shown]
    with started(user_agent):
        await user_agent.wait_connected_async()


def test_a_loop_that_runs_around_its_caller_is_none():
    """As that of Playwright's blocking API."""
    import asyncio

    seen = []

    async def run() -> None:
        ended = asyncio.Event()
        asyncio.get_running_loop().call_soon(lambda: (seen.append(in_event_loop()), ended.set()))
        await ended.wait()
        seen.append(in_event_loop())

    asyncio.run(run())
    assert [*seen, in_event_loop()] == [False, True, False]


# Its end


def test_forgotten_it_leaves_nothing(push_service, push_server, user_agent, screen):
    with started(user_agent) as fox:
        endpoint = fox.subscribe()
        screen.show("one")
        user_agent.forget()
    assert push_service.user_agents == []
    assert user_agent.notifications == []
    assert push(endpoint, push_server.ssl_context) == 410
    user_agent.forget()


def test_with_a_block_it_is_forgotten(push_service):
    with push_service.user_agent("mine") as user_agent:
        assert push_service.user_agents == [user_agent]
    assert push_service.user_agents == []


def test_a_control_forgets_those_that_it_has_given(push_service):
    theirs = push_service.user_agent("theirs")
    control = Control(push_service.transport, tenant=push_service.tenant)
    for name in ("a", "b"):
        control.user_agent(name)
    control.forget_user_agents()
    assert push_service.user_agents == [theirs]


def test_what_it_has_shown_for_another_tenant_is_not_shown_here(push_service, user_agent, screen):
    screen.show("one")
    push_service.user_agent(user_agent.id)
    assert len(user_agent.notifications) == 1
    other = push_service.for_tenant(f"{push_service.tenant}-2")
    with other.user_agent(user_agent.id) as there:
        assert there.notifications == []
        screen.show("two")
        assert [each.title for each in there.notifications] == ["two"]
