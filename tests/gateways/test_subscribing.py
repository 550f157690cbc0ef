"""Subscribing as a user agent does (RFC 8030, Section 4; RFC 8292, Section 4.1)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from mockpush.profiles.rfc import RFC
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_encode

KEY = base64url_encode(generate_key_pair()[1])
OPTIONS = "application/webpush-options+json"


async def test_subscribing_gives_two_urls_that_do_not_betray_each_other(http, service):
    created = await http.post("/subscribe")
    assert created.status_code == 201
    assert created.content == b""
    location, links = created.headers["location"], created.headers["link"]
    link, set_link = links.split(", ")
    assert location.startswith("http://localhost:8030/s/")
    assert link.startswith("<https://localhost:8031/push/")
    assert link.endswith('>; rel="urn:ietf:params:push"')
    assert set_link.startswith("<http://localhost:8030/set/")
    assert set_link.endswith('>; rel="urn:ietf:params:push:set"')
    own_id = location.rpartition("/")[2]
    assert own_id not in links
    assert len(base64.urlsafe_b64decode(own_id + "==")) >= 15
    [subscription] = await service.storage.subscriptions("default")
    assert (subscription.id, subscription.held, subscription.managed) == (own_id, True, False)
    assert subscription.online is True
    assert subscription.profile == "rfc"


@pytest.mark.parametrize("host", ["push.example", "localhost:9", "ä", ""])
async def test_the_location_is_at_one_of_the_services_own_origins(http, host):
    created = await http.post("/subscribe", headers={"Host": host.encode("latin-1")})
    assert created.headers["location"].startswith("https://localhost:8031/s/")


async def test_the_subscription_belongs_to_the_tenant_that_is_named(subscribe, service):
    await subscribe(headers={"Mockpush-Tenant": "a"})
    await subscribe(params={"tenant": "b"})
    assert [tenant.name for tenant in await service.storage.tenants()] == ["a", "b"]


async def test_it_can_be_restricted_to_a_key(subscribe, http):
    body = json.dumps({"vapid": KEY, "unknown": 1})
    kind = OPTIONS.upper() + "; charset=utf-8"
    agent = await subscribe(content=body, headers={"Content-Type": kind})
    path = agent.endpoint.removeprefix("https://localhost:8031")
    assert (await http.post(path, headers={"TTL": "1"})).status_code == 401


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps({"vapid": KEY})),
        ("text/plain", "{"),
        ("", json.dumps({"vapid": KEY})),
        (OPTIONS, "{}"),
        (OPTIONS, '{"vapid": null}'),
        (OPTIONS, '{"other": "member"}'),
    ],
)
async def test_bodies_of_other_types_and_other_members_are_ignored(subscribe, kind, body):
    agent = await subscribe(content=body, headers={"Content-Type": kind})
    assert (await agent.push(b"")).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "7",
        '{"vapid": 7}',
        '{"vapid": ""}',
        '{"vapid": "AAAA"}',
        '{"vapid": "ä"}',
        "[" * 100_000,
        "\ud800",
        f'{{"vapid": "{KEY}="}}',
        f'{{"vapid": "{KEY}", "vapid": "x"}}',
    ],
)
async def test_bad_options_are_refused(http, service, body):
    content = body.encode("utf-8", "surrogatepass")
    refused = await http.post("/subscribe", content=content, headers={"Content-Type": OPTIONS})
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert await service.storage.tenants() == []


async def test_it_has_the_profile_of_rfc_8030_whatever_the_default(http, service):
    other = replace(RFC, name="other", prefix="/other/")
    service.profiles = {**service.profiles, "other": other}
    service.options = replace(service.options, profile="other")
    await http.post("/subscribe")
    [subscription] = await service.storage.subscriptions("default")
    assert subscription.profile == "rfc"


async def test_a_bad_name_of_a_tenant_is_refused(http):
    assert (await http.post("/subscribe", headers={"Mockpush-Tenant": "a/b"})).status_code == 400
