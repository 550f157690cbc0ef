"""Push messages in the control API."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from mockpush.options import InspectionMode, ServiceOptions
from mockpush.protocol.clock import Clock
from mockpush.protocol.encryption import encrypt
from mockpush.protocol.events import EventKind
from mockpush.protocol.model import base64url_decode
from mockpush.service import PushService


async def ids(api, path="/messages"):
    return [item["id"] for item in (await api.json(path))["items"]]


async def test_a_message_tells_all_about_itself(api, push, vapid_key):
    subscription = await api.create()
    answer = await push(
        subscription,
        b'{"order": 7}',
        headers={"TTL": "3600", "Topic": "order-7", "Urgency": "high"},
        claims={"sub": "mailto:a@example.com"},
    )
    message = await api.json("/messages/latest")
    assert answer.headers["location"].endswith("/m/" + message["id"])
    assert message["tenant"] == "default"
    assert message["subscription"] == subscription["id"]
    assert (message["ttl"], message["topic"], message["urgency"]) == (3600, "order-7", "high")
    assert message["content_encoding"] == "aes128gcm"
    assert message["size"] == len(base64.b64decode(message["body"])) == 12 + 103
    assert message["decryption"] == "ok"
    assert message["payload"] == {
        "base64": base64.b64encode(b'{"order": 7}').decode(),
        "size": 12,
        "text": '{"order": 7}',
        "json": {"order": 7},
    }
    assert message["vapid"]["sub"] == "mailto:a@example.com"
    assert message["vapid"]["aud"] == "https://localhost"
    assert isinstance(message["vapid"]["exp"], int)
    assert message["vapid"]["public_key"] == vapid_key
    assert message["answers"]["rfc"] == {
        "accepted": True,
        "status": 201,
        "reason": None,
        "codes": [],
    }
    events = [step["event"] for step in message["timeline"]]
    assert events == ["accepted", "delivered", "acknowledged"]
    assert message["state"] == "acknowledged"


async def test_times_are_on_the_tenants_clock(api, push):
    subscription = await api.create()
    await api.post("/clock", json={"freeze": True})
    now = (await api.json("/clock"))["now"]
    await push(subscription)
    message = await api.json("/messages/latest")
    assert message["received_at"] == message["timeline"][0]["at"] == now
    await api.post("/clock", json={"advance": 60})
    assert message["expires_at"] == (await api.json("/clock"))["now"]


async def test_a_push_without_a_body_has_no_payload(api, push):
    await push(await api.create(), b"")
    message = await api.json("/messages/latest")
    assert (message["decryption"], message["payload"], message["size"]) == ("none", None, 0)


async def test_an_empty_payload_is_one(api, push):
    subscription = await api.create()
    keys = {name: base64url_decode(text) for name, text in subscription["keys"].items()}
    body = encrypt(b"", p256dh=keys["p256dh"], auth=keys["auth"])
    await push(subscription, content=body, headers={"Content-Encoding": "aes128gcm"})
    message = await api.json("/messages/latest")
    assert message["payload"] == {"base64": "", "size": 0, "text": ""}


@pytest.mark.parametrize(
    ("data", "members"),
    [
        (b"\xff\xfe", set()),
        (b"plain", {"text"}),
        (b"NaN", {"text"}),
        (b"1e999", {"text"}),
        (b"[" * 1500, {"text"}),
        (b"[" * 100 + b"]" * 100, {"text"}),
        (b"9" * 3000, {"text", "json"}),
        (b'"\\ud800"', {"text", "json"}),
        (b"null", {"text", "json"}),
        ("ü€\U0001f600".encode(), {"text"}),
    ],
)
async def test_payloads_of_every_sort_can_be_read(api, push, data, members):
    await push(await api.create(), data)
    payload = (await api.json("/messages/latest"))["payload"]
    assert set(payload) == {"base64", "size"} | members
    assert base64.b64decode(payload["base64"]) == data
    if "text" in members:
        assert payload["text"].encode() == data
    if "json" in members:
        assert payload["json"] == json.loads(data)


async def test_what_cannot_be_decrypted_says_why(api, push):
    subscription, other = await api.create(), await api.create()
    await push({**other, "endpoint": subscription["endpoint"]})
    message = await api.json("/messages/latest")
    assert message["decryption"] == "failed"
    assert message["payload"] is None
    [finding] = [each for each in message["findings"] if each["code"].startswith("encryption.")]
    assert finding["level"] == "must"
    assert finding["hint"]
    assert message["answers"]["rfc"]["accepted"] is True


async def test_the_draft_coding_is_read_too(api, push):
    await push(await api.create(), b"old", coding="aesgcm")
    message = await api.json("/messages/latest")
    assert message["content_encoding"] == "aesgcm"
    assert message["payload"]["text"] == "old"


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ({"sub": "mailto:ü@example.com"}, "mailto:ü@example.com"),
        ({"sub": ["mailto:me@example.com"]}, ["mailto:me@example.com"]),
        ({"sub": 10**400}, 10**400),
    ],
)
async def test_claims_are_shown_as_sent(api, push, claim, shown):
    await push(await api.create(), headers=token({"aud": "https://localhost", "exp": 1, **claim}))
    assert (await api.json("/messages/latest"))["vapid"]["sub"] == shown


@pytest.mark.parametrize("value", [None, "Basic abc", "vapid t=x", "vapid k=AAAA"])
async def test_without_a_readable_token_there_is_no_vapid(api, push, value):
    await push(await api.create(), headers={"Authorization": value})
    assert (await api.json("/messages/latest"))["vapid"] is None


def token(claims):
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({}, claims))
    return {"Authorization": f"vapid t={'.'.join(parts)}.AAAA, k=AAAA"}


async def test_they_are_listed_in_the_order_of_their_arrival(api, push):
    subscription = await api.create()
    for number in range(3):
        await push(subscription, str(number).encode())
    page = await api.json("/messages")
    assert [item["payload"]["json"] for item in page["items"]] == [0, 1, 2]
    assert page["more"] is False


async def test_pages_go_on_where_the_last_one_ended(api, push):
    subscription = await api.create()
    for _ in range(3):
        await push(subscription)
    first = await api.json("/messages?limit=2")
    assert first["more"] is True
    second = await api.json(f"/messages?limit=2&since={first['next']}")
    assert second["more"] is False
    assert len(first["items"]) == 2
    assert len(second["items"]) == 1
    assert first["items"] + second["items"] == (await api.json("/messages"))["items"]


async def test_since_a_time_includes_what_came_at_that_time(api, push):
    subscription = await api.create()
    await api.post("/clock", json={"freeze": True})
    await push(subscription)
    await api.post("/clock", json={"advance": "1h"})
    await push(subscription)
    time = (await api.json("/messages/latest"))["received_at"]
    page = await api.json(f"/messages?since={time}")
    assert [item["received_at"] for item in page["items"]] == [time]
    assert await ids(api, f"/messages?since={page['next']}") == []
    assert len(await ids(api, "/messages?since=2000-01-01")) == 2
    later = await api.json("/messages?since=2999-01-01T00:00:00Z")
    assert later["items"] == []
    await push(subscription)
    assert len(await ids(api, f"/messages?since={later['next']}")) == 1


@pytest.mark.parametrize("form", ["{}Z", "{}+00:00", "{}%2B00:00", "{}"])
async def test_times_may_be_written_in_any_iso_form(api, push, form):
    subscription = await api.create()
    await api.post("/clock", json={"freeze": True})
    await push(subscription)
    time = (await api.json("/clock"))["now"]
    await api.post("/clock", json={"advance": 0.5})
    await push(subscription)
    # The plus sign that was not percent-encoded reaches us as a space.
    assert len(await ids(api, "/messages?since=" + form.format(time.rstrip("Z")))) == 2


async def set_clock(service, seconds):
    clock = Clock(frozen_at=seconds)
    await service.storage.set_clock("default", clock, kind=EventKind.CLOCK_FROZEN, now=seconds)


async def test_a_time_is_in_front_of_what_came_at_that_very_time(api, push, service):
    await set_clock(service, 1_900_000_000.0)
    await push(await api.create())
    assert len(await ids(api, "/messages?since=2030-03-17T17:46:40Z")) == 1
    assert await ids(api, "/messages?since=2030-03-17T17:46:40.001Z") == []


async def test_what_has_expired_meanwhile_is_listed_as_such(api, push, service):
    await set_clock(service, 1_900_000_000.0)
    await push(await api.create(online=False))
    await set_clock(service, 1_900_000_060.0)
    assert len(await ids(api, "/messages?state=expired")) == 1


async def test_there_is_no_more_when_a_page_is_just_full(api, push):
    await push(await api.create())
    page = await api.json("/messages?limit=1")
    assert (len(page["items"]), page["more"]) == (1, False)


async def test_the_list_can_be_narrowed(api, push):
    here, away = await api.create(), await api.create(online=False)
    await push(here, headers={"Topic": "a"})
    await push(away, headers={"Topic": "a"})
    await push(away, headers={"Topic": "b"})
    everything = await ids(api)
    assert await ids(api, f"/messages?subscription={here['id']}") == everything[:1]
    assert await ids(api, "/messages?state=pending") == everything[1:]
    assert await ids(api, "/messages?topic=a") == everything[:2]
    assert await ids(api, "/messages?topic=a&state=pending") == everything[1:2]


async def test_tenants_do_not_see_each_others(api, push):
    await push(await api.create())
    [message] = await ids(api)
    other = {"Mockpush-Tenant": "other"}
    assert (await api.get("/messages", headers=other)).json()["items"] == []
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/acknowledge")]:
        answer = await api.request(method, f"/messages/{message}{path}", headers=other)
        assert answer.status_code == 404
    assert await ids(api) == [message]


async def test_latest_is_the_newest_that_matches(api, push):
    subscription = await api.create()
    await push(subscription, b"1", headers={"Topic": "a"})
    await push(subscription, b"2")
    assert (await api.json("/messages/latest"))["payload"]["text"] == "2"
    assert (await api.json("/messages/latest?topic=a"))["payload"]["text"] == "1"


async def test_latest_says_what_came_closest(api, push):
    subscription = await api.create()
    await push(subscription, headers={"Topic": "a"})
    [message] = await ids(api)
    answer = await api.get("/messages/latest?topic=b")
    assert answer.status_code == 404
    difference = {"field": "topic", "expected": "b", "actual": "a"}
    assert answer.json()["closest"] == [{"id": message, "differences": [difference]}]


async def test_a_delivered_message_is_acknowledged(api, push, app):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as agent:
        created = await agent.post("/subscribe")
        endpoint = created.headers["link"].partition(">")[0].removeprefix("<")
        await push({"endpoint": endpoint}, b"")
        [message] = await ids(api)
        early = await api.post(f"/messages/{message}/acknowledge")
        assert early.status_code == 409
        assert "pending" in early.json()["detail"]
        await agent.get(httpx.URL(created.headers["location"]).path, headers={"Prefer": "wait=0"})
    for _ in range(2):
        acknowledged = await api.post(f"/messages/{message}/acknowledge")
        assert acknowledged.json()["state"] == "acknowledged"


async def test_one_is_forgotten(api, push):
    subscription = await api.create(online=False)
    await push(subscription)
    await push(subscription)
    first, second = await ids(api)
    assert (await api.delete(f"/messages/{first}")).status_code == 204
    assert (await api.get(f"/messages/{first}")).status_code == 404
    assert (await api.delete(f"/messages/{first}")).status_code == 404
    assert await ids(api) == [second]


async def test_all_that_match_are_forgotten(api, push):
    subscription = await api.create()
    await push(subscription, headers={"Topic": "a"})
    await push(subscription, headers={"Topic": "b"})
    assert (await api.delete("/messages?topic=a")).status_code == 204
    assert len(await ids(api)) == 1
    await api.delete("/messages")
    assert await ids(api) == []


async def test_cursors_outlive_a_reset(api, push):
    await push(await api.create())
    cursor = (await api.json("/messages"))["next"]
    await api.post("/reset")
    await push(await api.create(), b"after")
    page = await api.json(f"/messages?since={cursor}")
    assert [item["payload"]["text"] for item in page["items"]] == ["after"]


@pytest.mark.parametrize("options", [ServiceOptions(inspection=InspectionMode.LAZY)])
async def test_lazy_payloads_are_decrypted_when_somebody_looks(api, push, service: PushService):
    await push(await api.create())
    [kept] = await service.storage.messages("default")
    assert kept.decryption == "pending"
    assert (await api.json("/messages/latest"))["payload"]["text"] == "hello"
