"""Notifications in the control API."""

from __future__ import annotations

import asyncio
import weakref

import pytest

from mockpush.protocol.gcm import Registration
from mockpush.protocol.notifications import MAX_ACTIONS, MAX_CLICKS, MAX_TEXT, Action, Appearance
from mockpush.protocol.records import MAX_DETAIL, MAX_TIMELINE
from mockpush.protocol.user_agents import UserAgentKind
from mockpush.storage.base import Limits
from mockpush.storage.memory import MemoryStorage


class Seen:
    """Where one notification is seen; it keeps what the user did."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def click(self, button) -> None:
        self.done.append(button)

    def dismiss(self) -> None:
        self.done.append("dismissed")


@pytest.fixture
def notifications(service):
    return service.notifications


@pytest.fixture
async def browser(service, wire):
    await service.user_agents.connect(wire, kind=UserAgentKind.CHROMIUM, device="d", name="browser")
    return service.user_agents


async def subscribed(browser, site="http://localhost:8000/", *, worker="1"):
    channel = Registration("app", "key", f"wp:{site}#{worker}").channel
    return await browser.subscribe("d", channel, profile="fcm")


@pytest.fixture
def pushed(api, push):
    async def pushed(subscription) -> str:
        """The id of the message."""
        accepted = await push({"endpoint": subscription.endpoint}, b"")
        assert accepted.status_code == 201, accepted.text
        return (await api.json("/messages"))["items"][-1]["id"]

    return pushed


@pytest.fixture
def timeline(api):
    async def timeline(message: str) -> list[tuple[str, str | None]]:
        """What its user agent has told."""
        steps = (await api.json(f"/messages/{message}"))["timeline"]
        return [
            (each["event"], each["detail"])
            for each in steps
            if each["event"] not in ("accepted", "delivered", "acknowledged")
        ]

    return timeline


async def test_there_are_none_at_first(api):
    assert (await api.json("/notifications"))["items"] == []
    assert (await api.get("/notifications/x")).status_code == 404
    assert (await api.post("/notifications/x/click")).status_code == 404


async def test_a_driver_tells_of_one(api):
    told = {
        "user_agent": "fox",
        "title": "News",
        "body": "text",
        "origin": "http://localhost:8000",
        "tag": "n",
        "actions": [{"title": "Archive", "action": "archive"}, {"title": "Reply"}],
    }
    answer = await api.post("/notifications", json=told)
    shown = answer.json()
    assert answer.headers["location"].endswith(f"/notifications/{shown['id']}")
    assert shown == {
        **told,
        "id": shown["id"],
        "at": shown["at"],
        "actions": [*told["actions"][:1], {"title": "Reply", "action": None}],
        "message": None,
        "state": "shown",
        "clicks": [],
    }
    assert await api.json(f"/notifications/{shown['id']}") == shown


@pytest.mark.parametrize(
    "body", [{}, {"user_agent": "fox"}, {"title": "t"}, {"user_agent": "a b", "title": "t"}]
)
async def test_one_that_cannot_be_is_explained(api, body):
    assert (await api.post("/notifications", json=body)).status_code == 400


async def test_a_wait_ends_when_it_is_shown(api, notifications):
    waiting = asyncio.ensure_future(
        api.json("/notifications?user_agent=fox&title=b&state=shown&wait=1&timeout=60")
    )
    await notifications.show("fox", Appearance("a"))
    await notifications.show("other", Appearance("b"))
    assert not waiting.done()
    await notifications.show("fox", Appearance("b"))
    assert [each["title"] for each in (await waiting)["items"]] == ["b"]
    missed = await api.json("/notifications?title=c&wait=1&timeout=0")
    assert missed["closest"][0]["differences"] == [
        {"field": "title", "expected": "c", "actual": "b"}
    ]


async def test_a_click_is_carried_out_where_it_is_seen(api, notifications):
    screen = Seen()
    actions = (Action("Archive"), Action("Reply", "reply"))
    shown = await notifications.show("fox", Appearance("t", actions=actions), screen)
    for given in ({}, {"action": "Archive"}, {"action": "reply"}):
        clicked = await api.post(f"/notifications/{shown.id}/click", json=given)
    assert clicked.json()["clicks"] == [None, "Archive", "Reply"]
    assert screen.done == [None, 0, 1]
    unknown = await api.post(f"/notifications/{shown.id}/click", json={"action": "Delete"})
    assert unknown.status_code == 400
    assert unknown.json()["detail"].endswith("there is: Archive, Reply")
    closed = await api.post(f"/notifications/{shown.id}/close")
    assert closed.json()["state"] == "closed"
    assert screen.done == [None, 0, 1, "dismissed"]
    again = await api.post(f"/notifications/{shown.id}/click", json={"action": "Delete"})
    assert (again.status_code, "closed already" in again.json()["detail"]) == (409, True)


async def test_one_that_only_its_driver_can_click_says_so(api):
    told = await api.post("/notifications", json={"user_agent": "fox", "title": "t"})
    for what in ("click", "close"):
        refused = await api.post(f"/notifications/{told.json()['id']}/{what}")
        assert (refused.status_code, "driver" in refused.json()["detail"]) == (409, True)


async def test_what_a_driver_tells_is_in_the_timeline_of_the_message(
    api, browser, pushed, timeline
):
    message = await pushed(await subscribed(browser))
    told = {"user_agent": "browser", "title": "t", "actions": [{"title": "A", "action": "a"}]}
    shown = (await api.post("/notifications", json=told)).json()
    assert shown["message"] == message
    events = f"/notifications/{shown['id']}/events"
    clicked = await api.post(events, json={"event": "clicked", "action": "a"})
    assert clicked.json()["clicks"] == ["A"]
    for _ in range(2):
        closed = await api.post(events, json={"event": "closed"})
        assert closed.json()["state"] == "closed"
    assert await timeline(message) == [
        ("notification_shown", "t"),
        ("notification_clicked", "A"),
        ("notification_closed", None),
    ]
    assert (await api.post(events, json={"event": "burnt"})).status_code == 400


async def test_what_a_driver_tells_of_a_message_is_in_its_timeline(api, browser, pushed, timeline):
    message = await pushed(await subscribed(browser))
    reports = f"/messages/{message}/reports"
    await api.post(reports, json={"event": "decrypted"})
    answer = await api.post(reports, json={"event": "rejected", "detail": "Error: no"})
    assert answer.json()["timeline"][-1]["detail"] == "Error: no"
    assert await timeline(message) == [("decrypted", None), ("rejected", "Error: no")]
    assert (await api.post(reports, json={"event": "delivered"})).status_code == 400
    assert (await api.post("/messages/x/reports", json={"event": "decrypted"})).status_code == 404


async def test_a_burst_is_matched_in_order(browser, pushed, notifications):
    subscription = await subscribed(browser)
    messages = [await pushed(subscription) for _ in range(3)]
    shown = [await notifications.show("browser", Appearance(str(n))) for n in range(4)]
    assert [each.message for each in shown] == [*messages, None]


async def test_a_message_that_is_done_without_one_is_passed_over(
    api, browser, pushed, notifications
):
    subscription = await subscribed(browser)
    silent, loud = [await pushed(subscription) for _ in range(2)]
    await api.post(f"/messages/{silent}/reports", json={"event": "completed"})
    assert (await notifications.show("browser", Appearance("t"))).message == loud


async def test_a_page_shows_what_no_message_that_is_done_has_made(
    api, browser, pushed, notifications
):
    message = await pushed(await subscribed(browser))
    await api.post(f"/messages/{message}/reports", json={"event": "completed"})
    assert (await notifications.show("browser", Appearance("t"))).message is None


async def test_what_was_not_delivered_has_shown_nothing(api, browser, pushed, notifications):
    subscription = await subscribed(browser)
    await api.post("/user-agents/browser/offline")
    await pushed(subscription)
    assert (await notifications.show("browser", Appearance("t"))).message is None


async def test_sites_are_told_apart(browser, pushed, notifications):
    ours, theirs = await subscribed(browser), await subscribed(browser, "http://localhost:9000/")
    first, second = await pushed(ours), await pushed(theirs)
    for origin, message in (("http://localhost:9000", second), ("http://localhost:8000", first)):
        shown = await notifications.show("browser", Appearance("t", origin=origin))
        assert shown.message == message
    third, fourth = await pushed(ours), await pushed(theirs)
    for subscription, message in ((theirs, fourth), (ours, third)):
        seen = Appearance("t", subscription=subscription.id)
        assert (await notifications.show("browser", seen)).message == message


async def test_who_knows_the_message_says_so(browser, pushed, notifications):
    subscription = await subscribed(browser)
    _, second = [await pushed(subscription) for _ in range(2)]
    shown = await notifications.show("browser", Appearance("t", message=second))
    assert shown.message == second


async def test_they_are_forgotten_when_asked(api, notifications):
    kept = await notifications.show("a", Appearance("t"))
    gone = await notifications.show("b", Appearance("t"), Seen())
    assert (await api.delete("/notifications?user_agent=b")).status_code == 204
    assert [each["id"] for each in (await api.json("/notifications"))["items"]] == [kept.id]
    assert (await api.post(f"/notifications/{gone.id}/click")).status_code == 404
    await api.delete("/notifications")
    assert (await api.json("/notifications"))["items"] == []


async def test_the_oldest_give_way(service, notifications):
    service.storage = MemoryStorage(Limits(notifications=2))
    shown = [await notifications.show("a", Appearance(str(n))) for n in range(3)]
    assert await service.storage.notifications() == shown[1:]
    assert await service.storage.notifications(after=2) == shown[2:]


async def test_a_flood_of_one_takes_no_room_from_others(service, notifications):
    service.storage = MemoryStorage(Limits(notifications=4, notifications_each=2))
    names = ["quiet", *["loud"] * 5]
    shown = [await notifications.show(name, Appearance("t")) for name in names]
    assert await service.storage.notifications() == [shown[0], *shown[-2:]]


async def test_nothing_is_left_of_what_gave_way(service, notifications):
    service.storage = MemoryStorage(Limits(notifications=1))
    screens = [Seen(), Seen()]
    alive = [weakref.ref(each) for each in screens]
    for screen in screens:
        await notifications.show("a", Appearance("t"), screen)
    screens.clear()
    del screen
    assert [each() is None for each in alive] == [True, False]


async def test_what_is_too_long_is_cut(api):
    actions = [{"title": "x" * 5000, "action": "y" * 5000}] * 100
    texts = dict.fromkeys(("title", "body", "origin", "tag"), "x" * 5000)
    told = {"user_agent": "fox", **texts, "actions": actions}
    shown = (await api.post("/notifications", json=told)).json()
    assert {len(shown[name]) for name in texts} == {MAX_TEXT}
    assert len(shown["actions"]) == MAX_ACTIONS
    assert {len(text) for each in shown["actions"] for text in each.values()} == {MAX_TEXT}


async def test_clicks_are_kept_only_so_often(notifications):
    shown = await notifications.show("a", Appearance("t", actions=(Action("A"),)))
    await notifications.clicked(shown.id, "A")
    for _ in range(MAX_CLICKS):
        clicked = await notifications.clicked(shown.id)
    assert clicked.clicks == (None,) * MAX_CLICKS


async def test_a_timeline_is_not_endless(api, browser, pushed):
    message = await pushed(await subscribed(browser))
    for _ in range(MAX_TIMELINE + 1):
        report = {"event": "notification_clicked", "detail": "x" * 5000}
        told = await api.post(f"/messages/{message}/reports", json=report)
    timeline = told.json()["timeline"]
    assert len(timeline) == MAX_TIMELINE + 1  # and the acceptance
    assert len(timeline[-1]["detail"]) == MAX_DETAIL
    listed = await api.get(
        "/events?kind=message.notification_clicked&limit=1000",
        headers={"Accept": "application/json"},
    )
    assert len(listed.json()["items"]) == MAX_TIMELINE + 1


@pytest.mark.parametrize("named", [{"message": "x"}, {"subscription": "x"}])
async def test_what_is_named_must_be_there(api, browser, named):
    told = {"user_agent": "browser", "title": "t", **named}
    refused = await api.post("/notifications", json=told)
    assert (refused.status_code, "'x'" in refused.json()["detail"]) == (404, True)
    assert (await api.json("/notifications"))["items"] == []


async def test_they_go_with_the_messages_that_made_them(api, browser, pushed, notifications):
    async def left() -> list[str]:
        return [each["title"] for each in (await api.json("/notifications"))["items"]]

    await notifications.show("browser", Appearance("by the page"))
    for end in (
        lambda: api.post("/reset"),
        lambda: api.delete("/tenants/default"),
    ):
        await pushed(await subscribed(browser))
        await notifications.show("browser", Appearance("by a push"))
        await api.post("/reset", json={"keep": ["subscriptions", "messages"]})
        await api.post("/reset?tenant=other")
        assert await left() == ["by the page", "by a push"]
        assert (await end()).status_code == 204
        assert await left() == ["by the page"]
