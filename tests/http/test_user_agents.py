"""User agents in the control API."""

from __future__ import annotations

import asyncio

import pytest

from mockpush.errors import NotFoundError
from mockpush.protocol.user_agents import MAX_CHANGES, UserAgentKind
from mockpush.storage.base import Limits
from mockpush.storage.memory import MemoryStorage


class Wire:
    """The link of a gateway, which keeps what it is told."""

    ready = True

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.told: list[str] = []

    def send(self, message, holder) -> None:
        self.sent.append(message.id)

    async def look(self) -> None:
        self.told.append("look")

    def taken_back(self) -> None:
        self.told.append("taken back")

    def close(self) -> None:
        self.told.append("close")

    def lose_identity(self) -> None:
        self.told.append("lose identity")


@pytest.fixture
def agents(service):
    return service.user_agents


async def connect(agents, device="d", *, name=None, link=None) -> Wire:
    link = link or Wire()
    await agents.connect(link, kind=UserAgentKind.FIREFOX, device=device, name=name)
    return link


async def test_there_are_none_at_first(api):
    assert (await api.json("/user-agents"))["items"] == []
    assert (await api.get("/user-agents/fox")).status_code == 404


async def test_one_that_connects_is_listed(api, agents):
    await connect(agents, name="fox")
    [listed] = (await api.json("/user-agents"))["items"]
    assert listed == {
        "id": "fox",
        "kind": "firefox",
        "device": "d",
        "tenant": "default",
        "online": True,
        "connected": True,
        "refuses": None,
        "badge": None,
        "subscription_changes": [],
        "since": listed["since"],
    }
    assert await api.json("/user-agents/fox") == listed


async def test_one_without_a_name_is_called_as_its_device(api, agents):
    await connect(agents)
    assert (await api.json("/user-agents/d"))["kind"] == "firefox"


async def test_a_tenant_can_be_said_before_it_comes(api, agents):
    expected = await api.patch("/user-agents/fox", json={"tenant": "mine"})
    assert expected.status_code == 200
    assert (expected.json()["connected"], expected.json()["kind"]) == (False, None)
    await connect(agents, name="fox")
    subscription = await agents.subscribe("d", "c", profile="mozilla")
    assert subscription.tenant == "mine"
    [listed] = (await api.json("/subscriptions?tenant=mine"))["items"]
    assert (listed["user_agent"], listed["managed"], listed["keys"]) == ("fox", False, None)


@pytest.mark.parametrize(
    ("name", "body"),
    [("fox", {}), ("fox", {"tenant": "a/b"}), ("fox", {"tenant": 1}), ("a%20b", {"tenant": "t"})],
)
async def test_an_assignment_that_cannot_be_is_explained(api, name, body):
    assert (await api.patch(f"/user-agents/{name}", json=body)).status_code == 400


async def test_too_many_are_refused(api, service):
    service.storage = MemoryStorage(Limits(user_agents=1))
    assert (await api.patch("/user-agents/a", json={"tenant": "t"})).status_code == 200
    refused = await api.patch("/user-agents/b", json={"tenant": "t"})
    assert refused.status_code == 503
    assert refused.json()["setting"] == "max_user_agents"


async def test_a_wait_ends_when_it_is_online(api, agents):
    waiting = asyncio.ensure_future(
        api.json("/user-agents?id=fox&online=true&kind=firefox&wait=1&timeout=60")
    )
    await api.patch("/user-agents/fox", json={"tenant": "t"})
    assert not waiting.done()
    await connect(agents, name="fox")
    assert [each["id"] for each in (await waiting)["items"]] == ["fox"]
    missed = await api.json("/user-agents?connected=false&wait=1&timeout=0")
    assert missed["complete"] is False
    assert missed["closest"] == [
        {
            "id": "fox",
            "differences": [{"field": "connected", "expected": False, "actual": True}],
        }
    ]


async def test_they_belong_to_no_tenant(api):
    assert (await api.get("/user-agents?tenant=t")).status_code == 400
    assert (await api.get("/user-agents?online=maybe")).status_code == 400


async def test_offline_holds_messages_back_and_online_lets_them_go_on(api, agents, push):
    link = await connect(agents, name="fox")
    subscription = await agents.subscribe("d", "c", profile="mozilla")
    away = await api.post("/user-agents/fox/offline")
    assert (away.json()["online"], away.json()["connected"]) == (False, True)
    assert link.told == ["look", "taken back"]
    accepted = await push({"endpoint": subscription.endpoint}, b"")
    assert accepted.status_code == 201
    assert link.sent == []
    back = await api.post("/user-agents/fox/online")
    assert back.json()["online"] is True
    assert link.told == ["look", "taken back", "look"]
    assert (await api.post("/user-agents/fox/online")).json() == back.json()
    assert len(link.told) == 3


async def test_a_new_subscription_of_one_that_is_away_is_offline(api, agents):
    await connect(agents, name="fox")
    await api.post("/user-agents/fox/offline")
    subscription = await agents.subscribe("d", "c", profile="mozilla")
    assert (await api.json(f"/subscriptions/{subscription.id}"))["online"] is False


async def test_one_that_is_away_and_comes_again_is_still_away(api, agents):
    await connect(agents, name="fox")
    subscription = await agents.subscribe("d", "c", profile="mozilla")
    await api.post("/user-agents/fox/offline")
    await connect(agents, name="fox")
    assert (await api.json("/user-agents/fox"))["online"] is False
    assert (await api.json(f"/subscriptions/{subscription.id}"))["online"] is False


async def test_a_subscription_that_is_put_online_looks_at_once(api, agents):
    link = await connect(agents, name="fox")
    subscription = await agents.subscribe("d", "c", profile="mozilla")
    await api.post(f"/subscriptions/{subscription.id}/offline")
    assert link.told == ["look"]
    await api.post(f"/subscriptions/{subscription.id}/online")
    assert link.told == ["look", "look"]


async def test_a_subscription_is_not_online_without_its_user_agent(api, agents):
    link = await connect(agents, name="fox")
    subscription = await agents.subscribe("d", "c", profile="mozilla")
    await api.post("/user-agents/fox/offline")
    refused = await api.post(f"/subscriptions/{subscription.id}/online")
    assert refused.status_code == 409
    assert "'fox' is not there" in refused.json()["detail"]
    await agents.disconnect(link, "d")
    await api.post("/user-agents/fox/online")
    assert (await api.post(f"/subscriptions/{subscription.id}/online")).status_code == 409
    assert (await api.json(f"/subscriptions/{subscription.id}"))["online"] is False


async def test_a_device_that_nobody_has_cannot_subscribe(agents):
    with pytest.raises(NotFoundError, match="no user agent with the device 'd'"):
        await agents.subscribe("d", "c", profile="mozilla")
    await agents.look("d")
    await agents.give_up("d")


async def test_the_end_of_an_old_connection_changes_nothing(api, agents):
    older = await connect(agents, name="fox")
    await agents.subscribe("d", "c", profile="mozilla")
    newer = await connect(agents, name="fox")
    await agents.disconnect(older, "d")
    assert (await api.json("/user-agents/fox"))["online"] is True
    await agents.remove("fox")
    await agents.disconnect(newer, "d")
    assert (await api.json("/user-agents"))["items"] == []


@pytest.mark.parametrize("how", ["forget", "remove"])
async def test_forgetting_one_expires_its_subscriptions_and_its_device(api, agents, push, how):
    link = await connect(agents, name="fox")
    subscription = await agents.subscribe("d", "c", profile="mozilla")
    answer = await (
        api.post("/user-agents/fox/forget") if how == "forget" else api.delete("/user-agents/fox")
    )
    assert answer.status_code == 204
    assert link.told[-1] == "lose identity"
    assert (await push({"endpoint": subscription.endpoint}, b"")).status_code == 410
    assert not await agents.known("d")
    left = (await api.json("/user-agents"))["items"]
    assert [(each["id"], each["device"]) for each in left] == (
        [("fox", None)] if how == "forget" else []
    )


async def test_one_that_is_not_there_cannot_be_changed(api):
    for path in ("online", "offline", "forget"):
        assert (await api.post(f"/user-agents/nobody/{path}")).status_code == 404
    assert (await api.delete("/user-agents/nobody")).status_code == 404
    await api.patch("/user-agents/fox", json={"tenant": "t"})
    assert (await api.post("/user-agents/fox/forget")).status_code == 204


async def test_reports_are_in_the_timeline_of_the_message(api, service, agents, push):
    link = await connect(agents, name="fox")
    subscription = await agents.subscribe("d", "c", profile="mozilla")
    await push({"endpoint": subscription.endpoint}, b"")
    message = await service.storage.message(link.sent[0])
    await agents.acknowledge(message, detail="code 100")
    await agents.report(message, "decrypted")
    shown = await api.json(f"/messages/{message.id}")
    assert [(each["event"], each["detail"]) for each in shown["timeline"]] == [
        ("accepted", None),
        ("delivered", None),
        ("acknowledged", "code 100"),
        ("decrypted", None),
    ]


async def test_pages_tell_of_badges_and_workers_of_changes(api):
    await api.patch("/user-agents/fox", json={"tenant": "t"})
    for body, badge in (({"count": 3}, 3), ({"count": 0}, 0), ({}, None), ({"count": 2}, 2)):
        told = await api.post("/user-agents/fox/badge", json=body)
        assert told.json()["badge"] == badge
    change = {"old": "https://a/", "new": None}
    await api.post("/user-agents/fox/subscription-changes", json=change)
    [listed] = (await api.json("/user-agents?badge=2&subscription_changes=1"))["items"]
    assert listed["subscription_changes"] == [change]
    assert (await api.post("/user-agents/nobody/badge")).status_code == 404
    assert (await api.post("/user-agents/fox/badge", json={"count": -1})).status_code == 400


async def test_what_pages_have_told_belongs_to_the_tenant(api):
    await api.patch("/user-agents/fox", json={"tenant": "t"})
    await api.post("/user-agents/fox/badge", json={"count": 3})
    await api.post("/user-agents/fox/subscription-changes")
    same = (await api.patch("/user-agents/fox", json={"tenant": "t"})).json()
    assert (same["badge"], len(same["subscription_changes"])) == (3, 1)
    other = (await api.patch("/user-agents/fox", json={"tenant": "other"})).json()
    assert (other["badge"], other["subscription_changes"]) == (None, [])


async def test_what_pages_tell_is_limited(api):
    await api.patch("/user-agents/fox", json={"tenant": "t"})
    for n in range(MAX_CHANGES + 1):
        await api.post("/user-agents/fox/subscription-changes", json={"new": f"https://{n}/"})
    kept = (await api.json("/user-agents/fox"))["subscription_changes"]
    assert (len(kept), kept[0]["new"]) == (MAX_CHANGES, "https://1/")
    endless = {"old": "https://" + "x" * 2000}
    assert (
        await api.post("/user-agents/fox/subscription-changes", json=endless)
    ).status_code == 400


@pytest.mark.parametrize("name", [".", ".."])
async def test_what_urls_cannot_carry_is_no_name(api, name):
    """Browsers take such steps out of the URLs by which they come."""
    assert (await api.get(f"/browsers/firefox/launch?user_agent={name}")).status_code == 400
    told = {"user_agent": name, "title": "t"}
    assert (await api.post("/notifications", json=told)).status_code == 400


# What they show


@pytest.fixture
def titles(api):
    """The titles of all notifications that are known."""

    async def titles() -> list[str]:
        return [each["title"] for each in (await api.json("/notifications"))["items"]]

    return titles


async def test_what_one_shows_belongs_to_its_tenant(api, titles):
    for name in ("fox", "owl"):
        await api.patch(f"/user-agents/{name}", json={"tenant": "a"})
        await api.post("/notifications", json={"user_agent": name, "title": name})
    await api.patch("/user-agents/fox", json={"tenant": "a"})
    assert await titles() == ["fox", "owl"]
    await api.patch("/user-agents/fox", json={"tenant": "b"})
    assert await titles() == ["owl"]


async def test_what_one_has_shown_before_it_was_expected_is_forgotten(api, titles):
    await api.post("/notifications", json={"user_agent": "fox", "title": "of a run before"})
    await api.patch("/user-agents/fox", json={"tenant": "a"})
    assert await titles() == []


async def test_nothing_is_known_of_one_that_is_removed(api, titles):
    await api.patch("/user-agents/fox", json={"tenant": "a"})
    for name in ("fox", "owl"):
        await api.post("/notifications", json={"user_agent": name, "title": name})
    await api.delete("/user-agents/fox")
    assert await titles() == ["owl"]
