"""Checkin and registration: who a browser is, and what it gets."""

from __future__ import annotations

import httpx
import pytest

from mockpush.gateways import gcm_devices
from mockpush.protocol.model import SubscriptionState
from mockpush.storage.base import Limits

SUBTYPE = "wp:http://localhost:1/#A-V2"


async def test_a_new_browser_gets_an_identity_and_keeps_it(browser):
    before = (browser.android_id, browser.security_token)
    assert all(before)
    answer = await browser.checkin()
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert (browser.android_id, browser.security_token) == before


async def test_browsers_are_told_apart(browser, new_browser):
    other = new_browser()
    await other.checkin()
    assert other.android_id != browser.android_id


async def test_an_identity_that_is_not_known_is_taken_as_it_is(new_browser):
    """The service has been started anew since the browser got it."""
    browser = new_browser()
    browser.android_id, browser.security_token = 7, 8
    await browser.checkin()
    assert (browser.android_id, browser.security_token) == (7, 8)
    other = new_browser()
    other.android_id, other.security_token = 9, 10
    assert await other.register()
    assert await (await other.connect()).settle() is None


async def test_a_wrong_security_token_is_refused_everywhere(browser):
    browser.security_token += 1
    assert (await browser.checkin()).status_code == 401
    assert await browser.ask(**browser.form(SUBTYPE)) == "Error=AUTHENTICATION_FAILED"
    wire = await browser.open()
    wire.writer.write(b"\x29")
    wire.send(browser.login())
    [answer] = await wire.end()
    assert (answer.error.code, answer.id) == (401, "chrome-156.0.8078.79")


@pytest.mark.parametrize(("android_id", "security_token"), [("0", "0"), ("x", "1"), ("-1", "1")])
async def test_what_is_no_identity_is_refused(browser, android_id, security_token):
    browser.android_id, browser.security_token = android_id, security_token
    assert await browser.ask(**browser.form(SUBTYPE)) == "Error=AUTHENTICATION_FAILED"
    wire = await browser.open()
    wire.writer.write(b"\x29")
    wire.send(
        browser.google.LoginRequest(
            id="c", domain="", user=android_id, resource="", auth_token=security_token
        )
    )
    [answer] = await wire.end()
    assert answer.error.code == 401


async def test_what_is_no_checkin_is_refused(http):
    answer = await http.post("/gcm/checkin", content=b"\xff\xff")
    assert (answer.status_code, answer.text) == (
        400,
        "this is no checkin: it ends in the middle of a number\n",
    )
    assert (await http.get("/gcm/checkin")).status_code == 405


async def test_what_the_browser_registers_for_itself_gets_a_token_and_no_subscription(
    browser, service
):
    answer = await browser.ask(app="com.google.android.gms", sender="745476177629")
    assert answer.startswith("token=")
    assert await service.storage.subscriptions("default") == []
    answer = await browser.ask(app="com.google.android.gms", sender="1", delete="true")
    assert answer == "token=com.google.android.gms"


async def test_a_web_push_registration_is_a_subscription(browser, service, server):
    token = await browser.register()
    [subscription] = await service.storage.subscriptions("default")
    assert subscription.token == token
    assert subscription.endpoint == f"{server.https_url}/fcm/send/{token}"
    assert subscription.profile == "fcm"
    assert subscription.application_server_key == browser.point
    assert subscription.keys is None
    assert subscription.online
    assert subscription.holder.device == str(browser.android_id)


async def test_the_endpoint_is_that_of_the_listener_if_that_is_wanted(browser, service, server):
    service.user_agents.by_listener = True
    token = await browser.register()
    browser.http = httpx.AsyncClient(base_url=server.url, trust_env=False)
    async with browser.http:
        other = await browser.register("wp:http://localhost:1/#B-V2")
    secure, plain = await service.storage.subscriptions("default")
    assert secure.endpoint == f"{server.https_url}/fcm/send/{token}"
    assert plain.endpoint == f"{server.url}/fcm/send/{other}"


async def test_the_same_registration_again_is_the_same_subscription(browser, service):
    token = await browser.register()
    assert await browser.register() == token
    assert await browser.register("wp:http://localhost:1/#B-V2") != token
    assert len(await service.storage.subscriptions("default")) == 2


async def test_after_it_has_ended_it_is_a_new_one(browser, service):
    token = await browser.register()
    [subscription] = await service.storage.subscriptions("default")
    await service.end_subscription(subscription, state=SubscriptionState.EXPIRED)
    assert (await browser.push(token)).status_code == 410
    again = await browser.register()
    assert again != token
    assert (await browser.push(again)).status_code == 201


async def test_unsubscribing_ends_all_of_the_subtype_and_nothing_else(browser):
    token = await browser.register()
    other = await browser.register("wp:http://localhost:1/#B-V2")
    assert await browser.unregister() == f"token={SUBTYPE}"
    assert (await browser.push(token)).status_code == 410
    assert (await browser.push(other)).status_code == 201
    assert await browser.unregister() == f"token={SUBTYPE}"


async def test_one_browser_cannot_end_what_is_another_ones(browser, new_browser):
    token = await browser.register()
    other = new_browser()
    await other.checkin()
    await other.unregister()
    assert (await browser.push(token)).status_code == 201


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sender": ""}, "INVALID_PARAMETERS"),
        ({"app": ""}, "INVALID_PARAMETERS"),
        ({"app": "a b"}, "INVALID_PARAMETERS"),
        ({"sender": "745476177629"}, "INVALID_SENDER"),
        ({"sender": "B" * 87}, "INVALID_SENDER"),
    ],
)
async def test_a_registration_that_cannot_be_is_refused(browser, changes, error):
    assert await browser.ask(**browser.form(SUBTYPE) | changes) == f"Error={error}"


async def test_a_subscription_belongs_to_the_tenant_of_its_user_agent(new_browser, service):
    await service.user_agents.assign("mine", "t")
    browser = new_browser("mine")
    await browser.checkin()
    token = await browser.register()
    [subscription] = await service.storage.subscriptions("t")
    assert subscription.token == token
    assert subscription.holder.user_agent == "mine"
    await service.user_agents.assign("mine", "u")
    await browser.register("wp:http://localhost:1/#B-V2")
    assert len(await service.storage.subscriptions("u")) == 1


async def test_a_name_that_cannot_be_one_is_no_resource(http):
    assert (await http.post("/ua/a%20b/gcm/checkin")).status_code == 404
    assert (await http.post(f"/ua/{'x' * 129}/gcm/checkin")).status_code == 404
    assert (await http.post("/ua/x/gcm/checkin")).status_code == 200


async def test_subscriptions_are_refused_on_demand_as_often_as_is_said(browser, http):
    await browser.register()
    root = f"/_mockpush/v1/user-agents/{browser.android_id}"
    asked = await http.post(f"{root}/refuse", json={"error": "QUOTA_EXCEEDED", "times": 2})
    assert asked.json()["refuses"] == {"error": "QUOTA_EXCEEDED", "times": 2}
    form = browser.form("wp:http://localhost:1/#B-V2")
    assert await browser.ask(**form) == "Error=QUOTA_EXCEEDED"
    assert (await http.get(root)).json()["refuses"]["times"] == 1
    assert await browser.ask(**form) == "Error=QUOTA_EXCEEDED"
    assert (await http.get(root)).json()["refuses"] is None
    assert (await browser.ask(**form)).startswith("token=")


async def test_a_refusal_can_be_asked_for_before_the_browser_comes_and_taken_back(
    new_browser, http
):
    for name, times in (("mine", 1), ("yours", 0)):
        path = f"/_mockpush/v1/user-agents/{name}/refuse"
        await http.post(path)
        answer = await http.post(path, json={"error": "INVALID_SENDER", "times": times})
        assert answer.status_code == 200
        browser = new_browser(name)
        await browser.checkin()
        refused = await browser.ask(**browser.form(SUBTYPE)) == "Error=INVALID_SENDER"
        assert refused is (name == "mine")


async def test_at_the_limits_a_registration_is_refused(http, new_browser, service):
    browsers = [new_browser() for _ in range(3)]
    for browser in browsers:
        await browser.checkin()
    service.storage._limits = Limits(subscriptions=1, user_agents=2)
    await browsers[0].register()
    form = browsers[1].form(SUBTYPE)
    assert await browsers[1].ask(**form) == "Error=TOO_MANY_REGISTRATIONS"
    assert await browsers[2].ask(**form) == "Error=TOO_MANY_REGISTRATIONS"
    wire = await browsers[2].open()
    wire.writer.write(b"\x29")
    wire.send(browsers[2].login())
    [answer] = await wire.end()
    assert answer.error.code == 503
    assert "MOCKPUSH_MAX_USER_AGENTS" in answer.error.message


async def test_of_too_many_absent_browsers_the_first_is_forgotten(monkeypatch, new_browser):
    monkeypatch.setattr(gcm_devices, "MAX_DEVICES", 3)
    browsers = [new_browser() for _ in range(4)]
    await browsers[0].checkin()
    await browsers[0].register()  # it is there, and stays
    for browser in browsers[1:]:
        await browser.checkin()
    for browser in (browsers[0], browsers[2], browsers[3]):
        browser.security_token += 1
        assert (await browser.checkin()).status_code == 401
    browsers[1].security_token += 1  # taken for a browser from before
    assert (await browsers[1].checkin()).status_code == 200


def test_nothing_of_it_is_loaded_before_a_browser_comes(modules_loaded_by):
    loaded = modules_loaded_by("import mockpush.http.app")
    assert "mockpush.gateways.gcm" in loaded
    assert not {"mockpush.protocol.mcs", "mockpush.protocol.gcm"} & loaded
