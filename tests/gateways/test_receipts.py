"""Delivery receipts as application servers ask for them and get them (RFC 8030, 5.1 and 6.3)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import httpx
import pytest

from mockpush.profiles.rfc import RFC

ROOT = "/_mockpush/v1"
LINK = re.compile(r'<(https://localhost:8031(/r/[\w-]{24}))>; rel="urn:ietf:params:push:receipt"')


class Sender:
    """An application server that asks for receipts at `agent`."""

    def __init__(self, agent) -> None:
        self.agent = agent
        self.url = self.path = ""

    async def push(self, *, reuse: bool = True, **headers) -> str:
        """The id of the message."""
        if reuse and self.url:
            headers["Link"] = f'<{self.url}>; rel="urn:ietf:params:push:receipt"'
        answer = await self.agent.push(Prefer="respond-async", **headers)
        assert answer.status_code == 202
        match = LINK.fullmatch(answer.headers["link"])
        assert match is not None
        self.url, self.path = match[1], match[2]
        return answer.headers["location"].rpartition("/")[2]


@pytest.fixture
def sender(agent):
    return Sender(agent)


async def acknowledge(agent, http) -> None:
    """The user agent takes the oldest message and acknowledges it."""
    answer = await agent.monitor().end()
    assert (await http.delete(answer.headers["content-location"])).status_code == 204


async def receipts(watch, sender) -> list[tuple[str, int]]:
    """Every receipt that is there now: message and status."""
    answer = await watch(sender.path, "wait=0").end()
    if "content-location" in answer.headers:
        return [(answer.headers["content-location"].removeprefix("/m/"), answer.status)]
    if answer.status == 204:
        return []
    return [(part.headers["content-location"][3:], part.status) for part in answer.parts]


# Asking


async def test_who_asks_is_told_where_the_receipt_will_be(sender, agent, service):
    message_id = await sender.push()
    [message] = await service.storage.messages("default")
    assert message.id == message_id
    assert message.receipt == sender.path.removeprefix("/r/")


async def test_who_does_not_ask_gets_none(agent, service):
    answer = await agent.push(Prefer="wait=5")
    assert answer.status_code == 201
    assert "link" not in answer.headers
    [message] = await service.storage.messages("default")
    assert message.receipt is None


async def test_the_receipt_subscription_that_is_sent_back_is_used_again(sender):
    await sender.push()
    first = sender.url
    await sender.push()
    assert sender.url == first
    await sender.push(reuse=False)
    assert sender.url != first


async def test_a_relative_url_is_one_too(sender, agent):
    await sender.push()
    link = f'<{sender.path}>; rel="urn:ietf:params:push:receipt"'
    answer = await agent.push(Prefer="respond-async", Link=link)
    assert answer.headers["link"].startswith(f"<{sender.url}>")


@pytest.mark.parametrize("prefer", ["respond-async", "wait=1"])
@pytest.mark.parametrize(
    "url", ["/r/unknown", "/r/", "", "https://push.example{path}", "/m{path}", "//[", "{path}x"]
)
async def test_an_invalid_receipt_subscription_is_refused(sender, agent, http, url, prefer):
    await sender.push()
    link = f'<{url.format(path=sender.path)}>; rel="urn:ietf:params:push:receipt"'
    headers = {"TTL": "60", "Prefer": prefer, "Link": link}
    refused = await http.post(httpx.URL(agent.endpoint).path, headers=headers)
    assert refused.status_code == 400
    assert refused.json()["code"] == "receipt.subscription.unknown"


async def test_a_receipt_subscription_of_another_tenant_is_invalid(sender, subscribe, http):
    await sender.push()
    other = await subscribe(headers={"Mockpush-Tenant": "other"})
    headers = {
        "TTL": "60",
        "Prefer": "respond-async",
        "Link": f'<{sender.url}>; rel="urn:ietf:params:push:receipt"',
    }
    refused = await http.post(httpx.URL(other.endpoint).path, headers=headers)
    assert refused.status_code == 400


async def test_a_push_service_that_gives_no_receipts_takes_no_notice(sender, agent, service):
    service.profiles = {"rfc": replace(RFC, receipt=None)}
    link = '</r/unknown>; rel="urn:ietf:params:push:receipt"'
    answer = await agent.push(Prefer="respond-async", Link=link)
    assert answer.status_code == 201
    assert "link" not in answer.headers
    [record] = await service.storage.requests("default")
    assert "receipt.requested" in record.inspection.codes


# What becomes of a message


async def test_an_acknowledged_message_is_204(sender, agent, http, watch):
    monitor = watch(sender.path or "/r/none", "wait=60")
    assert (await monitor.end()).status == 404
    message = await sender.push()
    monitor = watch(sender.path, "wait=60")
    await monitor.settle()
    assert not monitor.task.done()
    await acknowledge(agent, http)
    await monitor.end()
    assert monitor.status == 204
    assert monitor.headers["content-location"] == f"/m/{message}"
    assert await receipts(watch, sender) == []


@pytest.mark.parametrize(
    ("headers", "end"),
    [
        ({"TTL": "10"}, ("POST", ROOT + "/clock", {"advance": 10})),
        ({}, ("DELETE", "{agent}", None)),
        ({}, ("POST", ROOT + "/subscriptions/{id}/expire", {})),
        ({}, ("DELETE", "/m/{message}", None)),
        ({}, ("DELETE", ROOT + "/messages/{message}", None)),
    ],
    ids=["expired", "unsubscribed", "subscription expired", "cancelled", "forgotten"],
)
async def test_a_message_that_never_will_be_delivered_is_410(
    sender, agent, http, watch, headers, end
):
    message = await sender.push(**headers)
    monitor = watch(sender.path)
    await monitor.settle()
    method, path, body = end
    path = path.format(agent=agent.path, id=agent.id, message=message)
    assert (await http.request(method, path, json=body)).status_code < 300
    await monitor.end()
    assert (monitor.status, monitor.headers["content-location"]) == (410, f"/m/{message}")


async def test_ttl_0_with_nobody_there_is_410_at_once(sender, agent, watch):
    await agent.say("offline")
    message = await sender.push(TTL="0")
    assert await receipts(watch, sender) == [(message, 410)]


async def test_a_replaced_message_has_no_receipt_and_its_successor_has(sender, agent, http, watch):
    await sender.push(Topic="news")
    first = sender.path
    second = await sender.push(Topic="news", reuse=False)
    assert sender.path != first
    await acknowledge(agent, http)
    assert await receipts(watch, sender) == [(second, 204)]
    sender.path = first
    assert await receipts(watch, sender) == []


async def test_a_managed_subscription_acknowledges_at_once(sender, http, watch, app):
    created = (await http.post(f"{ROOT}/subscriptions", json={})).json()
    path = httpx.URL(created["endpoint"]).path
    answer = await http.post(path, headers={"TTL": "60", "Prefer": "respond-async"})
    assert answer.status_code == 202
    sender.path = LINK.fullmatch(answer.headers["link"])[2]
    message = answer.headers["location"].rpartition("/")[2]
    assert await receipts(watch, sender) == [(message, 204)]


async def test_the_control_api_shows_the_receipt_of_a_message(sender, agent, http):
    message = await sender.push()
    shown = (await http.get(f"{ROOT}/messages/{message}")).json()
    assert shown["receipt"] == {"url": sender.path, "status": None}
    assert shown["answers"]["rfc"]["status"] == 202
    await acknowledge(agent, http)
    shown = (await http.get(f"{ROOT}/messages/{message}")).json()
    assert shown["receipt"] == {"url": sender.path, "status": 204}


# Monitoring


async def test_receipts_come_once_and_in_order(sender, agent, http, watch):
    messages = [await sender.push() for _ in range(3)]
    for _ in range(3):
        await acknowledge(agent, http)
    first = await watch(sender.path).end()
    assert first.headers["content-location"] == f"/m/{messages[0]}"
    assert await receipts(watch, sender) == [(each, 204) for each in messages[1:]]
    assert await receipts(watch, sender) == []


async def test_a_stream_brings_receipts_as_they_come(sender, agent, http, watch):
    messages = [await sender.push() for _ in range(2)]
    stream = watch(sender.path, accept="text/event-stream")
    await stream.settle()
    await acknowledge(agent, http)
    await http.delete(f"/m/{messages[1]}")
    await stream.settle()
    expected = [(messages[0], 204), (messages[1], 410)]
    assert stream.events == [
        ("receipt", {"url": f"/m/{message}", "status": status, "headers": [], "body": ""})
        for message, status in expected
    ]
    stream.disconnect()
    await stream.end()


async def test_a_new_monitor_takes_over(sender, agent, http, watch):
    await sender.push()
    first = watch(sender.path)
    await first.settle()
    second = watch(sender.path)
    await first.end()
    assert (first.status, "content-location" in first.headers) == (204, False)
    await acknowledge(agent, http)
    assert "content-location" in (await second.end()).headers


@pytest.mark.parametrize("steps", range(8))
@pytest.mark.parametrize("accept", ["*/*", "text/event-stream"])
async def test_a_receipt_is_not_lost_when_its_reader_goes_as_it_comes(
    sender, http, watch, steps, accept
):
    message = await sender.push()
    monitor = watch(sender.path, accept=accept)
    await monitor.settle()
    cancelling = asyncio.ensure_future(http.delete(f"/m/{message}"))
    for _ in range(steps):
        await asyncio.sleep(0)
    monitor.disconnect()
    await cancelling
    await monitor.end()
    got = monitor.status == 410 or bool(monitor.events)
    assert await receipts(watch, sender) == ([] if got else [(message, 410)])


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "{}"), ("POST", ROOT + "/reset"), ("DELETE", ROOT + "/tenants/default")],
)
async def test_outstanding_monitors_of_a_removed_receipt_subscription_get_404(
    sender, http, watch, method, path
):
    await sender.push()
    monitor = watch(sender.path)
    await monitor.settle()
    assert (await http.request(method, path.format(sender.path))).status_code < 300
    assert (await monitor.end()).status == 404
    assert (await watch(sender.path, "wait=0").end()).status == 404
    assert (await http.delete(sender.path)).status_code == 404


async def test_a_message_outlives_the_receipt_subscription_that_it_names(sender, agent, http):
    await sender.push()
    await http.delete(sender.path)
    await acknowledge(agent, http)
