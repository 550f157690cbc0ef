"""Whatever comes in, the control API answers: below 500, and every error is a problem document."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from mockpush.http.answers import ProblemAnswer
from mockpush.http.app import App

ROOT = "/_mockpush/v1"
POSTS = [
    "/subscriptions",
    "/faults",
    "/clock",
    "/reset",
    "/subscriptions/x/expire",
    "/messages/x/acknowledge",
]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "not JSON"),
        (b"nonsense", "not JSON"),
        (b'{"id": "a"} {}', "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        ('{"id": "a"}'.encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[]", "an array"),
        (b"null", "null"),
        (b'"text"', '"text"'),
        (b"7", "7"),
        (b"NaN", "NaN is no JSON value"),
        (b'{"expirationTime": Infinity}', "Infinity is no JSON value"),
        (b'{"expirationTime": -Infinity}', "-Infinity"),
        (b'{"expirationTime": NaN}', "NaN"),
        (b'{"expirationTime": 1e999}', "expirationTime"),
        (b'{"expirationTime": 1.5}', "expirationTime"),
        (b'{"expirationTime": true}', "expirationTime"),
        (b'{"expirationTime": "soon"}', "expirationTime"),
        (b'{"expirationTime": ' + b"9" * 400 + b"}", "expirationTime"),
        (b'{"expirationTime": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"id": "a", "id": "b"}', "'id' is there twice"),
        (b'{"keys": {"auth": "a", "auth": "a"}}', "'auth' is there twice"),
        (b'{"color": "red"}', '"color"'),
        (b'{"\\ud800": 1}', "unknown member"),
        (b'{"id": "\\ud800"}', "id must be"),
        (b'{"id": "a\\u0000b"}', "id must be"),
        (b'{"keys": ["a"]}', "keys must be an object"),
        (b'{"online": 1}', "true or false"),
        (b'{"online": "true"}', "true or false"),
        (b"[" * 100_000, "deep"),
        (b'{"id":' * 100_000, "deep"),
        (b'{"id":' + b"[" * 99 + b"]" * 99 + b"}", "id must be"),
        (b'{"id":' + b"[" * 100 + b"]" * 100 + b"}", "deep"),
        (b'{"id":[' + b'{"]":"["},' * 100 + b"0]}", "id must be"),
        (b'{"id":"' + b'\\"[' * 200 + b'"}', "id must be"),
    ],
)
async def test_bodies_of_the_wrong_shape(api, body, told):
    refused = await api.post("/subscriptions", content=body)
    assert refused.status_code == 400
    assert told in refused.json()["detail"]
    assert len(refused.content) < 3000


async def test_unknown_members_are_named_with_those_there_are(api):
    problem = (await api.post("/subscriptions", json={"colour": 1, "keys": None, "x": 2})).json()
    assert problem["unknown"] == ["colour", "x"]
    assert "applicationServerKey" in problem["valid"]


async def test_unknown_members_of_members_are_named_too(api):
    problem = (await api.post("/subscriptions", json={"keys": {"p256DH": ""}})).json()
    assert problem["detail"].startswith('keys: unknown member: "p256DH"')
    assert (problem["unknown"], problem["valid"]) == (["p256DH"], ["p256dh", "auth", "private_key"])


def test_a_problem_has_its_own_members_whatever_is_added():
    answer = ProblemAnswer(400, "too bad", {"detail": "mine", "status": 200, "more": 1})
    assert json.loads(answer.body) == {
        "title": "Bad Request",
        "status": 400,
        "detail": "too bad",
        "more": 1,
    }


async def test_unknown_parameters_are_named_with_those_there_are(api):
    problem = (await api.get("/messages?limti=3")).json()
    assert problem["unknown"] == ["limti"]
    assert problem["valid"] == [
        "subscription",
        "state",
        "topic",
        "since",
        "wait",
        "timeout",
        "limit",
        "tenant",
    ]


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_is_too_large_is_read_to_its_end_and_refused(api, path):
    async def parts():
        for _ in range(40):
            yield b" " * 65_536

    refused = await api.post(path, content=parts())
    assert refused.status_code == 413


async def test_the_largest_body_is_taken(api):
    members = json.dumps({"id": "a"})
    taken = await api.post("/subscriptions", content=members + " " * (1024 * 1024 - len(members)))
    assert taken.status_code == 201


@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "x"])
async def test_a_missing_body_is_an_empty_object_whatever_its_type(api, body, kind):
    taken = await api.post("/subscriptions", content=body, headers={"Content-Type": kind})
    assert taken.status_code == 201


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=",
        "limit=%D9%A1",
        "limit=" + "9" * 5000,
        "limit=1&limit=1",
        "wait=-1",
        "wait=1e999",
        "wait=100001",
        "wait=1&timeout=601",
        "timeout=nan",
        "timeout=inf",
        "timeout=-1",
        "timeout=1..5",
        "timeout=1e400",
        "state=lost",
        "state=",
        "since=",
        "since=r1",
        "since=m-1",
        "since=m",
        "since=yesterday",
        "since=2026-13-01",
        "since=%00",
        "since=m" + "9" * 100,
        "topic=%FF",
        "topic=%ED%A0%80",
        "%FF=1",
        "tenant=%FF",
    ],
)
async def test_parameters_of_the_wrong_shape(api, query):
    refused = await api.get(f"/messages?{query}")
    assert refused.status_code == 400
    assert refused.json()["detail"]


@pytest.mark.parametrize(
    "query",
    ["limit=10.0", "wait=0", "timeout=0.5", "timeout=1e-05", "wait=1e0&timeout=0", "topic=%zz"],
)
async def test_parameters_of_an_odd_shape(api, query):
    await api.json(f"/messages?{query}")


@pytest.mark.parametrize(
    "time", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"]
)
async def test_times_at_the_ends_of_the_calendar(api, push, time):
    await push(await api.create())
    await api.json("/messages", params={"since": time})


@pytest.mark.parametrize(
    "path", ["/nothing", "/messages/", "/subscriptions/", "/messages/a/b", "/m"]
)
async def test_there_is_nothing_else(api, path):
    missing = await api.get(path)
    assert missing.status_code == 404
    assert "openapi.json" in missing.json()["detail"]


@pytest.mark.parametrize("path", ["//", "//favicon.ico", "//_mockpush", "//pus"])
async def test_there_is_nothing_outside_the_api(api, path):
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/subscriptions", {"GET", "HEAD", "POST"}),
        ("/messages", {"GET", "HEAD", "DELETE"}),
        ("/messages/latest", {"GET", "HEAD"}),
        ("/messages/x/acknowledge", {"POST"}),
        ("/clock", {"GET", "HEAD", "POST"}),
        ("/tenants/x", {"DELETE"}),
    ],
)
async def test_other_methods_are_refused_with_those_there_are(api, path, allowed):
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} - allowed:
        refused = await api.request(method, path)
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == allowed


async def test_a_client_that_breaks_off_its_body_is_forgotten(app):
    incoming = [
        {"type": "http.request", "body": b'{"id": "a"', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return incoming.pop(0)

    async def send(message):
        assert message["type"].startswith("http.response")

    path = ROOT + "/subscriptions"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await asyncio.wait_for(app(scope, receive, send), 10)
    assert await app.service.storage.subscriptions("default") == []


async def test_a_bug_is_an_answer_too(service, monkeypatch):
    async def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(service, "now", fail)
    transport = httpx.ASGITransport(App(service), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as plain:
        answer = await plain.get(f"http://localhost{ROOT}/clock")
    assert answer.status_code == 500
    assert "bug in mockpush" in answer.json()["detail"]
