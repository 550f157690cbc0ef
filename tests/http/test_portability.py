"""Objections to a push, and what is required of pushes, in the control API."""

from __future__ import annotations

import pytest

from mockpush.http.app import App
from mockpush.options import ServiceOptions
from mockpush.service import PushService


async def only(api, path):
    [item] = (await api.json(path))["items"]
    return item


async def test_messages_and_requests_show_the_objections(api, push):
    await push(await api.create(), headers={"TTL": "0"})
    message, request = await only(api, "/messages"), await only(api, "/requests")
    assert message["objections"] == request["objections"]
    [objection] = message["objections"]["wns"]
    assert objection["status"] == 400
    assert objection["reason"] == "Ttl value conflicts with X-WNS-Cache-Policy."
    assert objection["finding"] in message["findings"]
    assert objection["finding"]["code"] == "ttl.zero"
    assert "rfc" not in message["objections"]


async def test_the_end_of_a_subscription_is_no_objection(api, push):
    made = await api.create()
    await api.post(f"/subscriptions/{made['id']}/expire")
    await push(made)
    request = await only(api, "/requests")
    assert request["answers"]["apple"]["status"] == 410
    assert "apple" not in request["objections"]
    codes = {each["finding"]["code"] for of in request["objections"].values() for each in of}
    assert not any(code.startswith("subscription.") for code in codes)


async def test_nothing_is_required_at_first(api):
    assert await api.json("/requirement") == {"profiles": []}
    nothing = {"requests": 0, "refused": 0, "mistakes": []}
    assert await api.json("/server/portability") == nothing


async def test_a_tenant_requires_what_it_likes(api, push):
    answer = await api.post("/requirement", json={"profiles": ["wns", "apple", "wns"]})
    assert answer.json() == await api.json("/requirement") == {"profiles": ["wns", "apple"]}
    assert await api.json("/requirement?tenant=other") == {"profiles": []}
    await push(await api.create(), headers={"TTL": "0"})
    found = await api.json("/server/portability")
    assert (found["requests"], found["refused"]) == (1, 1)
    by_code = {each["finding"]["code"]: each for each in found["mistakes"]}
    assert by_code["ttl.zero"]["answers"].keys() == {"wns"}
    assert by_code["ttl.zero"]["count"] == 1
    assert (await api.post("/requirement")).json() == {"profiles": []}


async def test_only_profiles_that_there_are(api):
    answer = await api.post("/requirement", json={"profiles": ["aple"]})
    assert answer.status_code == 400
    assert "there is: rfc, fcm, mozilla, apple, wns" in answer.json()["detail"]


class TestRequiredOfAll:
    @pytest.fixture
    def app(self):
        return App(PushService(ServiceOptions(require=("apple",))))

    async def test_a_tenant_that_is_deleted_requires_what_others_do(self, api):
        await api.post("/requirement", json={"profiles": []})
        await api.create()
        assert (await api.delete("/tenants/default")).status_code == 204
        assert await api.json("/requirement") == {"profiles": ["apple"]}
        await api.post("/requirement", json={"profiles": []})
        assert (await api.delete("/tenants/default")).status_code == 404
        assert await api.json("/requirement") == {"profiles": ["apple"]}
