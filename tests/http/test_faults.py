"""Fault plans in the control API."""

from __future__ import annotations

import asyncio
import json

import pytest

ANY = {
    "subscription": None,
    "profile": None,
    "topic": None,
    "nth": None,
    "probability": None,
    "seed": None,
    "from": None,
    "until": None,
}


@pytest.fixture
def add(api):
    async def add(match=None, *, times=None, **action):
        body = {"match": match, "times": times, "action": action}
        answer = await api.post("/faults", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return add


async def test_a_plan_is_shown_as_it_was_given(api, add):
    made = await api.post(
        "/faults",
        json={
            "match": {"topic": "inbox", "nth": 3, "probability": 0.5, "seed": 7},
            "times": 2,
            "action": {"status": 429, "headers": {"X-A": "b"}, "body": "no", "retry_after": "2m"},
        },
    )
    fault = made.json()
    assert made.headers["location"] == "/_mockpush/v1/faults/f1"
    assert fault == await api.json("/faults/f1")
    assert fault["match"] == {**ANY, "topic": "inbox", "nth": 3, "probability": 0.5, "seed": 7}
    assert fault["action"] == {
        "kind": "answer",
        "status": 429,
        "answer": None,
        "headers": {"X-A": "b"},
        "body": "no",
        "retry_after": 120.0,
        "location": None,
        "limit": None,
        "delay": None,
    }
    counted = {name: fault[name] for name in ("times", "seen", "hits", "state")}
    assert counted == {"times": 2, "seen": 0, "hits": 0, "state": "active"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (120, 120.0),
        ("2m", 120.0),
        ({"date": "2m"}, {"date": 120.0}),
        ("2027-01-15T08:00:00Z", "Fri, 15 Jan 2027 08:00:00 GMT"),
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Fri, 15 Jan 2027 08:00:00 GMT"),
    ],
)
async def test_the_forms_of_retry_after(add, given, shown):
    assert (await add(status=429, retry_after=given))["action"]["retry_after"] == shown


async def test_the_rest_of_an_action_is_shown_too(add):
    limit = (await add(limit={"requests": 3, "window": "1m"}))["action"]["limit"]
    assert limit == {"requests": 3, "window": 60.0}
    redirect = (await add(location="https://push.example/x"))["action"]
    assert (redirect["kind"], redirect["location"]) == ("redirect", "https://push.example/x")
    assert (await add({"nth": "4-"}, status=410))["match"]["nth"] == "4-"
    assert (await add({"nth": "2"}, delay="90s"))["action"]["delay"] == 90.0


async def test_a_window_is_given_in_times_or_from_now_on(api, add):
    await api.post("/clock", json={"freeze": True})
    now = (await api.json("/clock"))["now"]
    match = (await add({"from": 0, "until": "1h"}, status=503))["match"]
    assert match["from"] == now
    absolute = {"from": match["until"], "until": "2100-01-01T00:00:00+01:00"}
    later = await add(absolute, status=503)
    assert later["match"]["until"] == "2099-12-31T23:00:00.000Z"
    assert later["state"] == "waiting"
    await api.post("/clock", json={"advance": "1h"})
    states = [each["state"] for each in (await api.json("/faults"))["items"]]
    assert states == ["over", "active"]


async def test_plans_are_listed_page_by_page_counted_and_ended(api, add, push):
    subscription = await api.create()
    for _ in range(3):
        await add(status=503, times=1)
    assert [(await push(subscription)).status_code for _ in range(4)] == [503, 503, 503, 201]
    first = await api.json("/faults?limit=2")
    assert [each["hits"] for each in first["items"]] == [1, 1]
    assert first["more"]
    (last,) = (await api.json(f"/faults?since={first['next']}"))["items"]
    assert (last["id"], last["seen"], last["hits"], last["state"]) == ("f3", 4, 1, "spent")
    assert (await api.delete("/faults/f3")).status_code == 204
    assert (await api.delete("/faults/f3")).status_code == 404
    assert (await api.get("/faults/f3")).status_code == 404
    assert (await api.delete("/faults")).status_code == 204
    assert (await api.json("/faults"))["items"] == []


async def test_the_journal_marks_what_was_struck(api, add, push):
    subscription = await api.create()
    await add(status=429, times=1)
    await add(delay=0.001)
    assert [(await push(subscription)).status_code for _ in range(2)] == [429, 201]
    struck, delayed = (await api.json("/requests"))["items"]
    assert struck["fault"] == {"id": "f1", "kind": "answer", "replaces": True}
    assert struck["answer"]["status"] == 429
    assert struck["answers"]["rfc"]["status"] == 201
    assert delayed["fault"] == {"id": "f2", "kind": "delay", "replaces": False}
    (message,) = (await api.json("/messages"))["items"]
    assert message["fault"] == delayed["fault"]
    assert message["id"] == delayed["message"]


async def test_a_push_is_kept_waiting_until_the_client_has_had_enough(api, add, app, service):
    subscription = await api.create()
    await add(delay="1h")
    token = subscription["endpoint"].rpartition("/")[2]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": f"/push/{token}",
        "raw_path": f"/push/{token}".encode(),
        "query_string": b"",
        "headers": [(b"ttl", b"0")],
    }
    gone, sent = asyncio.Event(), []

    async def receive():
        if not sent:
            sent.append("body")
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    pushing = asyncio.ensure_future(app(scope, receive, send))
    assert (await api.json("/messages?wait=1"))["complete"]
    assert not pushing.done()
    gone.set()
    await pushing
    assert sent == ["body"]


async def test_a_delay_ends_when_the_service_closes(api, add, push, service):
    subscription = await api.create()
    await add(delay="1h")
    pushing = asyncio.ensure_future(push(subscription))
    assert (await api.json("/messages?wait=1"))["complete"]
    await service.close()
    assert (await pushing).status_code == 201


async def test_a_page_can_read_what_was_injected(api, add, push):
    """Browsers push too, and need the field that allows them to look."""
    subscription = await api.create()
    await add(status=429, times=1)
    await add(delay=0.001)
    for _ in range(2):
        answer = await push(subscription, headers={"Origin": "https://shop.example"})
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "action is missing"),
        ({"action": {}}, "does not say what happens"),
        ({"action": {"stauts": 503}}, 'unknown member: "stauts"; there is: kind, status, answer'),
        ({"matches": {}, "action": {"status": 503}}, 'unknown member: "matches"'),
        ({"match": {"url": "x"}, "action": {"status": 503}}, 'match: unknown member: "url"'),
        ({"action": {"kind": "explode"}}, "kind must be one of answer, redirect"),
        ({"action": {"status": 99}}, "status must be an integer from 200 to 599"),
        ({"action": {"status": 503, "answer": "throttled"}}, "two answers"),
        ({"action": {"kind": "reset", "status": 503}}, "status does not go with reset"),
        ({"action": {"answer": "tired"}}, "there is no answer 'tired'"),
        ({"action": {"delay": -1}}, "delay must be a duration"),
        ({"action": {"delay": "2h"}}, "at most 3600 seconds"),
        ({"action": {"delay": "soon"}}, "is not a duration"),
        ({"action": {"status": 503, "retry_after": "soon"}}, "retry_after must be"),
        ({"action": {"status": 503, "retry_after": "a, b"}}, "retry_after must be"),
        ({"action": {"status": 503, "retry_after": {"data": 1}}}, 'unknown member: "data"'),
        ({"action": {"status": 503, "headers": {"A": 1}}}, "headers must be an object"),
        ({"action": {"status": 503, "headers": {"A": "b\nc"}}}, "no header field"),
        ({"action": {"status": 503, "headers": {"Date": "now"}}}, "by the connection itself"),
        ({"action": {"status": 503, "body": 1}}, "body must be a text"),
        ({"action": {"status": 503, "body": "x" * 1_000_001}}, "at most 1000000 characters"),
        ({"action": {"status": 503, "body": "\ud800"}}, "body must be a text"),
        ({"action": {"location": "a b"}}, "location must be a URL"),
        ({"action": {"limit": {"requests": 1}}}, "window is missing"),
        ({"match": {"nth": 0}, "action": {"status": 503}}, "nth must be the number"),
        ({"match": {"nth": "5-2"}, "action": {"status": 503}}, "ends before it begins"),
        ({"match": {"probability": 2}, "action": {"status": 503}}, "a number from 0 to 1"),
        ({"match": {"probability": True}, "action": {"status": 503}}, "a number from 0 to 1"),
        ({"match": {"seed": 1}, "action": {"status": 503}}, "seed is what probability"),
        ({"match": {"from": "2h", "until": "1h"}, "action": {"status": 503}}, "later than from"),
        ({"match": {"until": "2000-01-01"}, "action": {"status": 503}}, "until has passed"),
        ({"match": {"until": "2000-13-01"}, "action": {"status": 503}}, "until must be"),
        ({"match": {"profile": "acme"}, "action": {"status": 503}}, "no profile 'acme'"),
        ({"times": 0, "action": {"status": 503}}, "times must be an integer from 1"),
    ],
)
async def test_what_makes_no_sense_is_named(api, body, told):
    refused = await api.post("/faults", content=json.dumps(body))
    assert refused.status_code == 400
    assert told in refused.json()["detail"]
    assert (await api.json("/faults"))["items"] == []


async def test_a_tenant_has_its_own(api, add):
    await add(status=503)
    other = await api.get("/faults", headers={"Mockpush-Tenant": "other"})
    assert other.json()["items"] == []


async def test_a_reset_ends_them_unless_they_are_kept(api, add):
    await add(status=503)
    await api.post("/reset", json={"keep": ["faults"]})
    assert len((await api.json("/faults"))["items"]) == 1
    await api.post("/reset")
    assert (await api.json("/faults"))["items"] == []
