"""The journal in the control API: every request to a push resource, refused or not."""

from __future__ import annotations

import asyncio
import base64

import pytest
from pywebpush import WebPusher

from mockpush.options import ServiceOptions
from mockpush.service import PushService
from mockpush.storage.base import Limits
from mockpush.storage.memory import MemoryStorage


async def test_a_refused_request_tells_what_decided(api, push):
    subscription = await api.create()
    refused = await push(subscription, headers={"TTL": None, "X-Own": "Value"})
    request = await api.json("/requests/1")
    assert (request["id"], request["tenant"], request["message"]) == ("1", "default", None)
    assert request["subscription"] == subscription["id"]
    assert request["method"] == "POST"
    assert "https://localhost" + request["target"] == subscription["endpoint"]
    assert request["http_version"] == "1.1"
    assert ["x-own", "Value"] in request["headers"]
    assert request["body"]["size"] == len(base64.b64decode(request["body"]["base64"])) > 100
    assert request["answer"]["status"] == refused.status_code == 400
    assert request["answer"]["body"] == refused.text
    assert ["content-type", "application/problem+json"] in request["answer"]["headers"]
    answer = request["answers"]["rfc"]
    assert (answer["accepted"], answer["status"], answer["codes"]) == (False, 400, ["ttl.missing"])
    [finding] = [each for each in request["findings"] if each["code"] == "ttl.missing"]
    assert answer["reason"] == finding["text"]
    assert request["fault"] is None


async def test_an_accepted_request_leads_to_its_message(api, push):
    await push(await api.create())
    request = await api.json("/requests/1")
    message = await api.json(f"/messages/{request['message']}")
    assert message["request"] == request["id"]
    assert message["findings"] == request["findings"]
    assert message["answers"] == request["answers"]


async def test_what_the_payload_showed_is_found_at_the_request_too(api, push):
    subscription, other = await api.create(), await api.create()
    await push({**other, "endpoint": subscription["endpoint"]})
    request, message = await api.json("/requests/1"), await api.json("/messages/latest")
    assert request["findings"] == message["findings"]
    await api.delete("/messages")
    assert len((await api.json("/requests/1"))["findings"]) == len(message["findings"]) - 1


async def test_a_body_that_is_too_long_is_shown_by_its_true_size(api, push):
    size = 200_000
    await push(await api.create(), content=bytes(size))
    request = await api.json("/requests/1")
    assert request["answer"]["status"] == 413
    assert request["body"]["size"] == size
    assert len(base64.b64decode(request["body"]["base64"])) < size


async def test_field_values_that_are_not_ascii_are_shown(api, push):
    await push(await api.create(), headers={"Topic": b"\xe4\xff"})
    assert ["topic", "äÿ"] in (await api.json("/requests/1"))["headers"]


async def test_the_list_can_be_narrowed(api, push):
    first, second = await api.create(), await api.create()
    await push(first)
    await push(second)
    await push(second, headers={"TTL": None})

    async def ids(query):
        return [item["id"] for item in (await api.json(f"/requests?{query}"))["items"]]

    assert await ids("") == ["1", "2", "3"]
    assert await ids(f"subscription={second['id']}") == ["2", "3"]
    assert await ids("status=400") == ["3"]
    assert await ids(f"subscription={first['id']}&status=400") == []
    assert await ids("limit=1&since=r1") == ["2"]


async def test_a_wait_for_a_status(api, push):
    subscription = await api.create()
    waiting = asyncio.ensure_future(api.json("/requests?status=400&wait=1&timeout=600"))
    await push(subscription)
    assert not waiting.done()
    await push(subscription, headers={"TTL": None})
    page = await asyncio.wait_for(waiting, 10)
    assert [item["id"] for item in page["items"]] == ["2"]


async def test_the_closest_request_is_named(api, push):
    await push(await api.create())
    page = await api.json("/requests?status=410&wait=1&timeout=0")
    difference = {"field": "status", "expected": 410, "actual": 201}
    assert page["closest"] == [{"id": "1", "differences": [difference]}]


@pytest.mark.parametrize("name", ["2", "01", "x", "-1", "1%00"])
async def test_there_is_no_other_request(api, push, name):
    await push(await api.create())
    assert (await api.get(f"/requests/{name}")).status_code == 404


async def test_the_journal_can_be_emptied_and_numbers_go_on(api, push):
    subscription = await api.create()
    await push(subscription)
    assert (await api.delete("/requests")).status_code == 204
    assert (await api.json("/requests"))["items"] == []
    await push(subscription)
    assert [item["id"] for item in (await api.json("/requests"))["items"]] == ["2"]


async def test_requests_for_nobody_go_to_the_servers_own_journal(api, push):
    subscription = await api.create()
    await push(subscription, b"")
    unknown = {**subscription, "endpoint": subscription["endpoint"][:-1]}
    assert (await push(unknown, b"")).status_code == 404
    page = await api.json("/server/requests")
    [entry] = page["items"]
    assert (entry["id"], entry["kind"], entry["detail"]) == ("1", "unknown_subscription", {})
    assert entry["request"]["answer"]["status"] == 404
    assert entry["request"]["answers"]["rfc"]["codes"] == ["subscription.unknown"]
    assert entry["request"]["tenant"] is None
    assert (await api.json(f"/server/requests?since={page['next']}"))["items"] == []


async def test_the_servers_own_journal_holds_what_was_no_request(api, service):
    service.journal.add("tls_on_plain_port", at=0.0, detail={"peer": "127.0.0.1:1"})
    [entry] = (await api.json("/server/requests?kind=tls_on_plain_port"))["items"]
    assert entry["detail"] == {"peer": "127.0.0.1:1"}
    assert entry["request"] is None
    assert (await api.json("/server/requests?kind=failed_handshake"))["items"] == []


@pytest.mark.parametrize("options", [ServiceOptions(refuse_undecryptable=True)])
async def test_the_answer_is_the_one_that_was_given_not_the_tables(api, push):
    subscription, other = await api.create(), await api.create()
    assert (await push({**other, "endpoint": subscription["endpoint"]})).status_code == 400
    request = await api.json("/requests/1")
    answer = request["answers"]["rfc"]
    assert (answer["accepted"], answer["status"]) == (False, 400)
    assert answer["codes"][0] in [finding["code"] for finding in request["findings"]]
    assert answer["reason"]


@pytest.fixture
def full(service: PushService):
    service.storage = MemoryStorage(Limits(messages=1))


@pytest.mark.usefixtures("full")
async def test_a_service_that_is_full_says_so(api, push):
    subscription = await api.create(online=False)
    await push(subscription)
    assert (await push(subscription)).status_code == 503
    request = await api.json("/requests/2")
    assert request["answers"]["rfc"]["codes"] == ["service.full"]
    assert "service.full" in [finding["code"] for finding in request["findings"]]


async def test_what_other_requests_tell_stands_at_the_request_and_its_message(api, push):
    subscription = await api.create()
    for data in (b"one", b"two"):
        body = bytes(16) + WebPusher(subscription).encode(data, "aes128gcm")["body"][16:]
        await push(subscription, content=body, headers={"Content-Encoding": "aes128gcm"})
    first, second = (await api.json("/requests"))["items"]
    message = await api.json(f"/messages/{second['message']}")
    assert "reuse.salt" not in [finding["code"] for finding in first["findings"]]
    for seen in (second, message, (await api.json("/messages"))["items"][-1]):
        [finding] = [each for each in seen["findings"] if each["code"] == "reuse.salt"]
        assert finding["actual"] == "the same as in request 1, with another body"
        assert finding["explains"] == []


async def test_a_cause_names_what_it_explains_and_decides_nothing(api, push):
    subscription = await api.create(origin="https://push.example")
    await api.create(origin="https://other.example")
    await push(subscription, claims={"aud": "https://other.example"})
    request = await api.json("/requests/1")
    found = {finding["code"]: finding for finding in request["findings"]}
    assert found["vapid.aud.mismatch"]["explains"] == []
    assert found["vapid.aud.other_service"]["explains"] == ["vapid.aud.mismatch"]
    assert "vapid.aud.other_service" not in request["answers"]["rfc"]["codes"]


async def test_requests_for_nobody_are_explained_too(api, push, service):
    subscription = await api.create()
    await service.storage.delete_tenant("default")
    for _ in range(2):
        await push(subscription)
    entries = (await api.json("/server/requests"))["items"]
    codes = [[each["code"] for each in entry["request"]["findings"]] for entry in entries]
    assert ["subscription.not_removed" in each for each in codes] == [False, True]
