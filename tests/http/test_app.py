"""The application as a whole: who answers what."""

from __future__ import annotations

import asyncio

import httpx
import pytest


async def conversation(app, scope, *messages):
    """What the application says to messages from the server."""
    incoming = list(messages)
    said = []

    async def receive():
        return incoming.pop(0)

    async def send(message):
        said.append(message["type"])

    await asyncio.wait_for(app(scope, receive, send), 10)
    return said


async def test_the_lifespan_begins_and_ends(app):
    said = await conversation(
        app,
        {"type": "lifespan", "asgi": {"version": "3.0"}},
        {"type": "lifespan.startup"},
        {"type": "lifespan.shutdown"},
    )
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("path", ["/", "/push/token", "/_mockpush/v1/events"])
async def test_there_are_no_websockets(app, path):
    scope = {"type": "websocket", "path": path, "headers": [], "query_string": b""}
    assert await conversation(app, scope, {"type": "websocket.connect"}) == ["websocket.close"]


async def test_each_part_answers_for_itself(app, api):
    subscription = await api.create()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://elsewhere.example"
    ) as other:
        pushed = await other.post(httpx.URL(subscription["endpoint"]).path, headers={"TTL": "1"})
        assert pushed.status_code == 201
        assert (await other.post("/subscribe")).status_code == 201
        assert (await other.get("/_mockpush/v1/clock")).status_code == 403
        assert (await other.get("/livez")).status_code == 200
        assert (await other.get("/push")).status_code == 404


@pytest.mark.parametrize(
    ("profile", "host"),
    [
        ("apple", "web.push.apple.com"),
        ("apple", "WEB.push.apple.com:443"),
        ("wns", "db5p.notify.windows.com"),
    ],
)
async def test_a_path_that_only_the_vendor_has_is_known_by_the_host(app, api, profile, host):
    made = await api.create(profile=profile, origin="vendor")
    target = made["endpoint"].partition("://")[2].partition("/")[2].removeprefix("w/")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as other:
        for name, known in ((host, True), ("elsewhere.example", False), ("", False)):
            await other.post(f"http://localhost/{target}", headers={"Host": name, "TTL": "60"})
            requests = (await api.json("/requests"))["items"]
            assert bool(requests) is known
            await api.delete("/requests")


async def test_nothing_but_endpoints_is_at_the_host_of_a_vendor(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as other:
        for host in ("web.push.apple.com", "fcm.googleapis.com"):
            answer = await other.get(
                "http://localhost/_mockpush/v1/tenants", headers={"Host": host}
            )
            assert answer.status_code in (403, 404, 405)
            assert "items" not in answer.text
