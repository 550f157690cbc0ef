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
