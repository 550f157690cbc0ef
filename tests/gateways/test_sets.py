"""Subscription sets: joining, monitoring together, ending together (RFC 8030, 4.1, 6.1, 7.3.1)."""

from __future__ import annotations

import asyncio

import pytest

ROOT = "/_mockpush/v1"


def offering(url: str, **more) -> dict:
    return {"headers": {"Link": f'<{url}>; rel="urn:ietf:params:push:set"', **more}}


@pytest.fixture
async def pair(subscribe):
    """Two subscriptions of one set."""
    one = await subscribe()
    return one, await subscribe(**offering(one.set_url))


async def online(service, *agents):
    return [(await service.storage.held_subscription(each.id)).online for each in agents]


# Subscribing


async def test_each_subscription_has_a_set_of_its_own_unless_one_is_offered(subscribe):
    agents = [await subscribe() for _ in range(3)]
    assert len({each.set_url for each in agents}) == 3
    assert all(each.set_url.startswith("http://localhost:8030/set/") for each in agents)
    assert all(each.id not in each.set_url for each in agents)
    again = await subscribe(**offering(agents[0].set_url))
    assert again.set_url == agents[0].set_url
    assert again.path != agents[0].path
    assert again.endpoint != agents[0].endpoint


@pytest.mark.parametrize(
    "written",
    [
        "{path}",
        "http://localhost:8030{path}",
        "https://localhost:8031{path}",
        "HTTPS://LOCALHOST:8031{path}",
    ],
)
async def test_a_set_is_found_by_every_form_of_its_url(agent, subscribe, written):
    path = agent.set_url.removeprefix("http://localhost:8030")
    again = await subscribe(**offering(written.format(path=path)))
    assert again.set_url == agent.set_url


@pytest.mark.parametrize(
    "url",
    ["/set/unknown", "/set/", "", "/s/{id}", "https://push.example{path}", "//[", "{path}/x"],
)
async def test_an_invalid_set_is_refused(agent, http, service, url):
    offered = url.format(id=agent.id, path=agent.set_path)
    refused = await http.post("/subscribe", **offering(offered))
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert len(await service.storage.subscriptions("default")) == 1


async def test_a_set_of_another_tenant_is_none(agent, http, service):
    answer = await http.post("/subscribe", **offering(agent.set_url, **{"Mockpush-Tenant": "b"}))
    assert answer.status_code == 400
    assert [tenant.name for tenant in await service.storage.tenants()] == ["default"]


async def test_other_links_offer_nothing(agent, subscribe):
    other = await subscribe(headers={"Link": f'<{agent.set_url}>; rel="urn:ietf:params:push"'})
    assert other.set_url != agent.set_url


# Monitoring


async def test_a_set_brings_the_messages_of_all_in_order_of_arrival(pair, http):
    one, other = pair
    for agent, body in ((other, b"1"), (one, b"2"), (other, b"3")):
        await agent.push(body)
    received = []
    for _ in range(3):
        answer = await one.monitor_set().end()
        received.append((answer.body, answer.headers["link"]))
        await http.delete(answer.headers["content-location"])
    links = {agent: f'<{agent.endpoint}>; rel="urn:ietf:params:push"' for agent in pair}
    assert received == [(b"1", links[other]), (b"2", links[one]), (b"3", links[other])]


async def test_everything_at_once_from_a_set_names_each_push_resource(pair):
    one, other = pair
    await other.push(b"1")
    await one.push(b"2")
    answer = await one.monitor_set("wait=0").end()
    assert [part.body for part in answer.parts] == [b"1", b"2"]
    links = [part.headers["link"] for part in answer.parts]
    assert links == [f'<{each.endpoint}>; rel="urn:ietf:params:push"' for each in (other, one)]


async def test_a_message_is_there_as_soon_as_it_comes(pair):
    monitor = pair[0].monitor_set()
    await monitor.settle()
    assert not monitor.task.done()
    await pair[1].push(b"now")
    assert (await monitor.end()).body == b"now"


async def test_who_joins_while_the_set_is_monitored_is_in_it(agent, subscribe):
    monitor = agent.monitor_set()
    await monitor.settle()
    other = await subscribe(**offering(agent.set_url))
    await other.push(b"mine too")
    assert (await monitor.end()).body == b"mine too"


async def test_one_message_at_a_time_for_the_whole_set(pair, service):
    for agent in pair:
        await agent.push()
    await pair[0].monitor_set().end()
    states = [message.state for message in await service.storage.messages("default")]
    assert states == ["delivered", "pending"]


async def test_a_client_that_goes_away_is_offline_for_all(pair, service):
    monitor = pair[0].monitor_set()
    await monitor.settle()
    assert await online(service, *pair) == [True, True]
    monitor.disconnect()
    await monitor.end()
    assert await online(service, *pair) == [False, False]
    await pair[0].monitor_set("wait=0").end()
    assert await online(service, *pair) == [True, True]


@pytest.mark.parametrize("first", ["set", "subscription"])
async def test_of_a_set_and_a_subscription_in_it_the_later_monitor_takes_over(pair, first):
    begin = [pair[1].monitor_set, pair[0].monitor]
    earlier, later = begin if first == "set" else begin[::-1]
    old = earlier()
    await old.settle()
    new = later()
    assert (await old.end()).status == 204
    await pair[0].push(b"1")
    assert (await new.end()).body == b"1"


async def test_offline_and_online_of_a_set_are_those_of_all(pair, http, service):
    monitor = pair[0].monitor_set()
    await monitor.settle()
    assert (await http.post(f"{pair[0].set_path}/offline")).status_code == 204
    assert (await monitor.end()).status == 204
    assert await online(service, *pair) == [False, False]
    await pair[1].push(b"1")
    assert (await pair[1].monitor_set("wait=0").end()).status == 204
    assert (await http.post(f"{pair[0].set_path}/online")).status_code == 204
    assert await online(service, *pair) == [True, True]
    assert (await pair[1].monitor_set("wait=0").end()).body == b"1"


# The end


async def test_a_subscription_that_ends_leaves_its_set_and_a_poll_of_the_set_tells(pair):
    one, other = pair
    monitor = one.monitor_set()
    await monitor.settle()
    await other.unsubscribe()
    assert (await monitor.end()).status == 204
    await one.push(b"1")
    assert (await one.monitor_set("wait=0").end()).body == b"1"


async def test_the_next_poll_tells_of_who_left_while_there_was_none(pair):
    one, other = pair
    await other.unsubscribe()
    await one.push(b"1")
    assert (await one.monitor_set().end()).status == 204
    assert (await one.monitor_set().end()).body == b"1"


async def test_an_empty_set_can_be_offered_and_monitored(agent, subscribe):
    await agent.unsubscribe()
    assert (await agent.monitor_set().end()).status == 204
    monitor = agent.monitor_set()
    await monitor.settle()
    assert not monitor.task.done()
    again = await subscribe(**offering(agent.set_url))
    await again.push(b"1")
    assert (await monitor.end()).body == b"1"


async def test_removing_a_set_ends_all_its_members_and_all_monitors(pair, http, service):
    one, other = pair
    monitors = [one.monitor_set(), (await other.monitor().settle()) or other.monitor()]
    for monitor in monitors:
        await monitor.settle()
    assert (await http.delete(one.set_path)).status_code == 204
    statuses = [(await monitor.end()).status for monitor in monitors]
    assert statuses == [204, 404]
    for path in (one.set_path, one.path, other.path):
        assert (await http.get(path, headers={"Prefer": "wait=0"})).status_code == 404
        assert (await http.delete(path)).status_code == 404
    assert {each.state for each in await service.storage.subscriptions("default")} == {"removed"}
    for action in ("online", "offline"):
        assert (await http.post(f"{one.set_path}/{action}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "{}"), ("POST", ROOT + "/reset"), ("DELETE", ROOT + "/tenants/default")],
)
async def test_an_outstanding_monitor_of_a_set_that_ends_gets_404(pair, http, method, path):
    monitor = pair[0].monitor_set()
    await monitor.settle()
    answer = await http.request(method, path.format(pair[0].set_path))
    assert answer.status_code < 300
    assert (await monitor.end()).status == 404
    assert monitor.headers["content-type"] == "application/problem+json"


async def test_a_set_whose_client_goes_as_it_ends_is_no_trouble(pair, http):
    monitor = pair[0].monitor_set()
    await monitor.settle()
    monitor.disconnect()
    await http.delete(pair[0].set_path)
    await asyncio.gather(monitor.task, return_exceptions=True)
    assert (await pair[0].monitor_set("wait=0").end()).status == 404
