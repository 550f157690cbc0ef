"""The control API answers to names of this machine only, and pages of others change nothing."""

from __future__ import annotations

import httpx
import pytest

from mockpush.http.answers import ROOT
from mockpush.http.app import App
from mockpush.service import PushService

OWN = [
    "localhost",
    "localhost:8030",
    "LOCALHOST:8030",
    "localhost.",
    "127.0.0.1",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:8030",
    "app.localhost:3000",
    "push.test",
    "Push.Test:443",
]
FOREIGN = [
    "evil.example",
    "evil.example:8030",
    "localhost.evil.example",
    "evil-localhost",
    "localhost@evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.2",
    "0.0.0.0",
    "[::2]",
    "::1",
    "sub.push.test",
    "",
    " ",
    "localhost:x",
]


@pytest.mark.parametrize("host", OWN)
async def test_it_answers_to_its_own_names(api, host):
    assert (await api.get("/clock", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/clock", "/events", "/messages", "", "/openapi.json"])
async def test_it_does_not_answer_to_others_and_names_the_way_out(api, host, path):
    refused = await api.get(path, headers={"Host": host})
    assert refused.status_code == 403
    assert "--hostname" in refused.json()["detail"]


async def test_one_foreign_host_among_several_is_enough_to_refuse(api):
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    assert (await api.get("/clock", headers=headers)).status_code == 403


@pytest.mark.parametrize("origin", [f"http://{host}" for host in OWN] + ["https://localhost:3000"])
async def test_pages_of_this_machine_may_change_something(api, origin):
    assert (await api.post("/reset", headers={"Origin": origin})).status_code == 204


@pytest.mark.parametrize("origin", [f"https://{host}" for host in FOREIGN] + ["null", "file://"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/subscriptions"), ("DELETE", "/messages"), ("POST", "/reset")]
)
async def test_pages_of_others_may_not(api, service, origin, method, path):
    await api.create()
    refused = await api.request(method, path, headers={"Origin": origin})
    assert refused.status_code == 403
    assert "localhost" in refused.json()["detail"]
    assert len(await service.storage.subscriptions("default")) == 1


async def test_pages_of_others_tell_of_badges_and_changes_and_of_nothing_else(api):
    """As the script in pages does, wherever these come from: with mode no-cors."""
    document = await api.document()
    methods = [
        (method.upper(), path.removeprefix(ROOT))
        for path, item in document["paths"].items()
        for method in item
        if path.startswith(ROOT) and method in ("post", "patch", "put", "delete")
    ]
    allowed = {
        (method, path)
        for method, path in methods
        for origin in ("https://shop.test", "null")
        if (await api.request(method, path, headers={"Origin": origin})).status_code != 403
    }
    told = ("badge", "subscription-changes")
    assert len(methods) > 30
    assert allowed == {("POST", f"/user-agents/{{id}}/{each}") for each in told}
    rebound = {"Origin": "https://evil.example", "Host": "evil.example"}
    for each in told:
        assert (await api.post(f"/user-agents/a/{each}", headers=rebound)).status_code == 403


async def test_pages_cannot_read_anything(api):
    headers = {"Origin": "https://evil.example"}
    for answer in (
        await api.get("/clock", headers=headers),
        await api.options("/subscriptions", headers=headers),
        await api.get("/messages/none", headers=headers),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_names_can_be_added_as_they_are_written():
    app = App(PushService(), hosts=("Push.Example.", "::2"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as plain:
        for host in ("push.example:1", "[::2]:8030"):
            url = "http://x/_mockpush/v1/clock"
            assert (await plain.get(url, headers={"Host": host})).status_code == 200
