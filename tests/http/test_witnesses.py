"""Notifications that a desktop sees and a driver tells of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mockpush.protocol.notifications import Action, Appearance

SITE = "http://localhost:8000"


class Seen:
    """Where a notification is seen."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, button: int | None) -> None:
        self.clicks += 1

    def dismiss(self) -> None: ...


@pytest.fixture
def notifications(service):
    service.notifications.expect("b", told=True)
    return service.notifications


@pytest.fixture
def see(notifications):
    """The desktop sees one."""

    async def see(title: str, **known: Any):
        screen = Seen()
        actions = (Action("Buy"),)
        await notifications.show("b", Appearance(title, actions=actions, **known), screen)
        return screen

    return see


@pytest.fixture
def tell(api):
    """The driver tells of one."""

    async def tell(title: str, **known: Any) -> dict[str, Any]:
        body = {"user_agent": "b", "title": title, "origin": SITE, **known}
        answer = await api.post("/notifications", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return tell


@pytest.fixture
def known(api):
    async def known() -> list[dict[str, Any]]:
        return (await api.json("/notifications"))["items"]

    return known


@pytest.fixture
async def message(service, api, push) -> str:
    """The id of a message."""
    subscription = await service.subscribe("default")
    assert (await push({"endpoint": subscription.endpoint}, b"")).status_code == 201
    return (await api.json("/messages"))["items"][0]["id"]


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits for the other."""
    for module in ("mockpush.notifications", "mockpush.witnesses"):
        monkeypatch.setattr(f"{module}.PATIENCE", 0)


async def test_what_is_seen_first_is_known_when_it_is_told(api, see, tell, known, message):
    screen = await see("t", body="text")
    assert await known() == []
    told = await tell("t", body="text", tag="n", message=message)
    assert await known() == [told]
    assert (told["tag"], told["message"], told["origin"]) == ("n", message, SITE)
    assert [each["title"] for each in told["actions"]] == ["Buy"]
    await api.post(f"/notifications/{told['id']}/click")
    assert screen.clicks == 1
    timeline = (await api.json(f"/messages/{message}"))["timeline"]
    shown = [each["event"] for each in timeline if each["event"].startswith("notification")]
    assert shown == ["notification_shown", "notification_clicked"]


async def test_what_is_told_first_is_known_when_it_is_seen(api, see, tell, known, message):
    telling = asyncio.ensure_future(tell("t", message=message))
    listed = await api.json("/notifications?wait=1&timeout=0")
    assert (listed["items"], telling.done()) == ([], False)
    screen = await see("t", origin=SITE)
    told = await telling
    assert await known() == [told]
    assert (told["message"], len(told["actions"])) == (message, 1)
    await api.post(f"/notifications/{told['id']}/click")
    assert screen.clicks == 1


async def test_each_word_is_for_the_oldest_of_its_kind(see, tell, known, message):
    for title, origin in (("a", SITE), ("b", SITE), ("b", "http://localhost:9"), ("b\0c", None)):
        await see(title.partition("\0")[0], origin=origin)
    told = [await tell("b", body=""), await tell("a", message=message), await tell("b\0c")]
    assert [each["title"] for each in told] == ["b", "a", "b"]
    assert [each["id"] for each in await known()] == [each["id"] for each in told]


async def test_a_notification_replaces_that_of_the_same_tag(see, tell, known):
    for tag in ("n", "m", "n", "", ""):
        await see("t")
        await tell("t", **({"tag": tag} if tag else {}))
    states = [each["state"] for each in await known()]
    assert states == ["replaced", "shown", "shown", "shown", "shown"]


async def test_one_that_is_closed_before_it_is_told_was_shown(
    api, notifications, see, tell, known, message
):
    await see("t")
    [hidden] = notifications._hidden
    assert await notifications.exists(hidden)
    await notifications.closed(hidden)
    assert await known() == []
    told = await tell("t", message=message)
    assert told["state"] == "closed"
    timeline = (await api.json(f"/messages/{message}"))["timeline"]
    assert [each["event"] for each in timeline[-2:]] == [
        "notification_shown",
        "notification_closed",
    ]


async def test_one_of_which_nobody_tells_is_that_of_a_page(
    impatient, api, see, tell, known, message
):
    await see("t")
    [shown] = (await api.json("/notifications?wait=1&timeout=10"))["items"]
    assert shown["message"] is None
    late = await tell("t", message=message)
    assert await known() == [late]
    assert (late["id"], late["message"]) == (shown["id"], message)


async def test_one_that_nobody_sees_is_known_all_the_same(
    impatient, monkeypatch, api, notifications, tell, known, message
):
    told = await tell("t", message=message)
    assert await known() == [told]
    monkeypatch.setattr("mockpush.witnesses.PATIENCE", 3600)
    again = await tell("t")  # nobody waits twice for what cannot be seen
    assert again["id"] != told["id"]
    assert (await api.post(f"/notifications/{told['id']}/click")).status_code == 409


async def test_what_is_forgotten_is_not_told_any_more(api, see, tell, known, impatient):
    await see("t", origin=SITE)
    await api.delete("/notifications?user_agent=b")
    told = await tell("t")
    assert told["actions"] == []
    assert await known() == [told]


async def test_not_endlessly_many_are_waited_for(monkeypatch, see, tell):
    monkeypatch.setattr("mockpush.witnesses._MOST_UNTOLD", 1)
    await see("old")
    await see("new")
    monkeypatch.setattr("mockpush.witnesses.PATIENCE", 0)
    assert (await tell("old"))["actions"] == []
    assert (await tell("new"))["actions"] != []


async def test_a_driver_that_tells_no_more_is_not_waited_for(notifications, known):
    notifications.expect("b", told=False)
    await notifications.show("b", Appearance("t"), Seen())
    assert [each["title"] for each in await known()] == ["t"]
