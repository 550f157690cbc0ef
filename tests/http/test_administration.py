"""The clock, tenants, health and the certificate."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from mockpush.http.app import App
from mockpush.service import PushService


def time(answer):
    return datetime.fromisoformat(answer["now"])


# The clock


async def test_the_clock_runs_with_real_time_at_first(api):
    clock = await api.json("/clock")
    assert (clock["frozen"], clock["offset"]) == (False, 0)
    assert time(await api.json("/clock")) >= time(clock)


@pytest.mark.parametrize(
    ("advance", "seconds"),
    [("8d", 691_200), (90, 90), (0.5, 0.5), ("1h30m", 5400), ("90", 90), (0, 0), ("2w", 1_209_600)],
)
async def test_it_is_put_forward(api, advance, seconds):
    frozen = await api.post("/clock", json={"freeze": True})
    advanced = await api.post("/clock", json={"advance": advance})
    assert time(advanced.json()) - time(frozen.json()) == timedelta(seconds=seconds)
    assert await api.json("/clock") == advanced.json()


async def test_what_becomes_due_on_the_way_has_happened_when_it_answers(api, push, service):
    await push(await api.create(online=False))
    await api.post("/clock", json={"advance": "61s"})
    [message] = await service.storage.messages("default")
    assert message.state == "expired"


async def test_it_is_frozen_and_resumed(api):
    frozen = (await api.post("/clock", json={"freeze": True})).json()
    assert frozen["frozen"] is True
    assert await api.json("/clock") == frozen
    resumed = (await api.post("/clock", json={"resume": True})).json()
    assert resumed["frozen"] is False
    assert time(resumed) >= time(frozen)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance": "8d", "freeze": True},
        {"advance": -1},
        {"advance": "-1d"},
        {"advance": "8 fortnights"},
        {"advance": ""},
        {"advance": 1e300},
        {"advance": 10**400},
        {"advance": "9" * 5000},
        {"advance": True},
        {"advance": [1]},
        {"freeze": False},
        {"resume": 1},
        {"advance": None},
        {"rewind": "1d"},
    ],
)
async def test_it_takes_one_sensible_order(api, body):
    before = await api.json("/clock")
    refused = await api.post("/clock", json=body)
    assert refused.status_code == 400
    assert refused.json()["detail"]
    assert (await api.json("/clock"))["offset"] == before["offset"]


async def test_the_refusal_of_a_clock_says_what_it_takes(api):
    assert '{"advance": "8d"}' in (await api.post("/clock")).json()["detail"]


async def test_each_tenant_has_its_own(api):
    await api.post("/clock?tenant=other", json={"advance": "8d"})
    assert (await api.json("/clock"))["offset"] == 0
    assert (await api.json("/clock?tenant=other"))["offset"] == 691_200


# Tenants


async def test_tenants_are_listed_with_what_they_hold(api, push):
    await push(await api.create())
    await api.post("/subscriptions", headers={"Mockpush-Tenant": "other one"})
    page = await api.json("/tenants")
    assert page["items"] == [
        {"name": "default", "subscriptions": 1, "messages": 1, "requests": 1},
        {"name": "other one", "subscriptions": 1, "messages": 0, "requests": 0},
    ]
    first = await api.json("/tenants?limit=1")
    assert (len(first["items"]), first["more"]) == (1, True)
    second = await api.json(f"/tenants?limit=1&since={first['next']}")
    assert [item["name"] for item in second["items"]] == ["other one"]


async def test_a_tenant_is_deleted_with_all_it_holds(api, push):
    subscription = await api.create()
    assert (await api.delete("/tenants/default")).status_code == 204
    assert (await api.json("/tenants"))["items"] == []
    assert (await api.json("/subscriptions"))["items"] == []
    assert (await push(subscription)).status_code == 404
    assert (await api.delete("/tenants/default")).status_code == 404


async def test_looking_at_a_tenant_does_not_make_one(api):
    for path in ("/messages", "/subscriptions", "/requests", "/clock", "/messages/latest"):
        await api.get(f"{path}?tenant=phantom")
    await api.get("/messages?wait=1&timeout=0&tenant=phantom")
    assert (await api.json("/tenants"))["items"] == []


@pytest.mark.parametrize(
    ("header", "query"), [("a", ""), ("", "?tenant=a"), ("a", "?tenant=a"), ("a", "?tenant=%61")]
)
async def test_the_tenant_is_named_by_the_header_or_the_query(api, header, query):
    headers = {"Mockpush-Tenant": header} if header else {}
    await api.post(f"/subscriptions{query}", headers=headers)
    assert [item["name"] for item in (await api.json("/tenants"))["items"]] == ["a"]


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([("Mockpush-Tenant", "a")], "?tenant=b"),
        ([("Mockpush-Tenant", "a"), ("Mockpush-Tenant", "b")], ""),
        ([("Mockpush-Tenant", "")], ""),
        ([("Mockpush-Tenant", b"\xe4")], ""),
        ([("Mockpush-Tenant", "x" * 129)], ""),
        ([], "?tenant="),
        ([], "?tenant=a/b"),
        ([], "?tenant=%00"),
        ([], "?tenant=%0A"),
        ([], "?tenant=a%0A"),
        ([], "?tenant=%20a"),
        ([], "?tenant=%FF"),
        ([], "?tenant=a&tenant=a"),
    ],
)
async def test_names_of_tenants_are_checked(api, headers, query):
    refused = await api.get(f"/messages{query}", headers=headers)
    assert refused.status_code == 400


async def test_every_legal_name_can_be_deleted(api):
    name = "".join(map(chr, range(0x21, 0x7F))).replace("/", "") + " ."
    await api.post("/subscriptions", headers={"Mockpush-Tenant": name})
    path = "/tenants/" + "".join(f"%{ord(each):02X}" for each in name)
    assert (await api.delete(path)).status_code == 204


# Reset


async def test_a_reset_empties_the_tenant_and_sets_its_clock_back(api, push):
    await push(await api.create())
    await api.post("/clock", json={"advance": "8d"})
    assert (await api.post("/reset")).status_code == 204
    for path in ("/subscriptions", "/messages", "/requests"):
        assert (await api.json(path))["items"] == []
    assert (await api.json("/clock"))["offset"] == 0


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (["subscriptions"], {"/subscriptions"}),
        (["subscriptions", "messages"], {"/subscriptions", "/messages"}),
        (["requests"], {"/requests"}),
        ([], set()),
    ],
)
async def test_what_is_to_be_kept_is_kept(api, push, keep, left):
    await push(await api.create())
    await api.post("/reset", json={"keep": keep})
    lists = ("/subscriptions", "/messages", "/requests")
    assert {path for path in lists if (await api.json(path))["items"]} == left


async def test_the_clock_can_be_kept(api):
    await api.post("/clock", json={"advance": "8d"})
    await api.post("/reset", json={"keep": ["clock"]})
    assert (await api.json("/clock"))["offset"] == 691_200


@pytest.mark.parametrize("keep", [["messages"], ["everything"], "clock", [["clock"]], [1], [None]])
async def test_nothing_else_can_be_kept(api, keep):
    await api.create()
    refused = await api.post("/reset", json={"keep": keep})
    assert refused.status_code == 400
    assert (await api.json("/subscriptions"))["items"]


async def test_other_tenants_are_not_reset(api):
    await api.create()
    await api.post("/reset?tenant=other")
    assert (await api.json("/subscriptions"))["items"]


# Health


@pytest.mark.parametrize("root", ["/", ""])
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/ca.pem"])
async def test_health_and_certificate_are_there_for_every_host(api, root, path):
    answer = await api.get(root + path, headers={"Host": "10.0.0.1:8030"})
    assert answer.status_code == 200
    assert (await api.head(root + path)).status_code == 200


async def test_it_is_not_ready_when_it_stops(api, service):
    await service.close()
    assert (await api.get("/livez")).json()["status"] == "live"
    assert (await api.get("/readyz")).status_code == 503


async def test_the_certificate_is_the_authoritys(api):
    answer = await api.get("/ca.pem")
    assert answer.content.startswith(b"-----BEGIN CERTIFICATE-----")


async def test_without_an_authority_there_is_no_certificate():
    app = App(PushService())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as plain:
        assert (await plain.get("http://localhost/ca.pem")).status_code == 404


async def test_it_says_what_it_is(api):
    about = await api.json("")
    assert about["https"] == "https://localhost"
    assert about["origins"] == ["https://localhost"]
    assert about["hosts"] == ["localhost", "127.0.0.1", "[::1]", "push.test"]
    assert about["profiles"] == ["rfc", "fcm", "mozilla", "apple", "wns"]
    assert about["vendor_hosts"].keys() == {"fcm", "mozilla", "apple", "wns"}
    assert "web.push.apple.com" in about["vendor_hosts"]["apple"]
    assert about["proxy"] is None
