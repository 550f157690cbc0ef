"""Subscriptions in the control API."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mockpush.protocol.keys import generate_key_pair, parse_application_server_key
from mockpush.protocol.model import base64url_encode
from mockpush.storage.base import Limits
from mockpush.storage.memory import MemoryStorage


def own_keys(**changes):
    private_key, p256dh = generate_key_pair()
    keys = {"p256dh": p256dh, "auth": secrets.token_bytes(16), "private_key": private_key}
    given = {name: base64url_encode(value) for name, value in keys.items()}
    return {**given, **changes}


async def test_without_members_it_is_managed_and_of_the_default_profile(api):
    created = await api.post("/subscriptions")
    subscription = created.json()
    assert created.status_code == 201
    assert subscription["managed"] is True
    assert subscription["profile"] == "rfc"
    assert subscription["state"] == "active"
    assert subscription["online"] is True
    assert subscription["expirationTime"] is None
    assert subscription["endpoint"].startswith("https://localhost/push/")
    parse_application_server_key(subscription["keys"]["p256dh"])
    assert len(base64.urlsafe_b64decode(subscription["keys"]["auth"] + "==")) == 16


async def test_location_leads_to_it(api):
    created = await api.post("/subscriptions", json={"id": "a?b#c%2F;d"})
    location = created.headers["location"]
    assert (await api.get("/" + location)).json() == created.json()


async def test_every_one_has_keys_and_endpoint_of_its_own(api):
    first, second = await api.create(), await api.create()
    assert first["keys"]["p256dh"] != second["keys"]["p256dh"]
    assert first["keys"]["auth"] != second["keys"]["auth"]
    assert first["endpoint"] != second["endpoint"]


async def test_keys_with_the_private_one_make_it_managed(api, push):
    keys = own_keys()
    subscription = await api.create(keys=keys)
    assert subscription["managed"] is True
    assert subscription["keys"] == {"p256dh": keys["p256dh"], "auth": keys["auth"]}
    assert (await push(subscription)).status_code == 201
    assert (await api.json("/messages/latest"))["payload"]["text"] == "hello"


async def test_keys_without_the_private_one_make_it_opaque(api, push):
    keys = own_keys(private_key=None)
    subscription = await api.create(keys=keys)
    assert subscription["managed"] is False
    await push(subscription)
    message = await api.json("/messages/latest")
    assert message["decryption"] == "opaque"
    assert message["payload"] is None


async def test_the_private_key_may_be_pem(api):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    numbers = key.public_key().public_numbers()
    point = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    keys = own_keys(p256dh=base64url_encode(point), private_key=pem)
    assert (await api.create(keys=keys))["managed"] is True


OFF_CURVE = base64url_encode(b"\4" + bytes(63) + b"\1")
ED25519 = ed25519.Ed25519PrivateKey.generate().private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
# An EC key of a curve that nobody knows: 1.2.3.4.
UNKNOWN_CURVE = base64.b64encode(
    bytes.fromhex("301f020100301006072a8648ce3d020106052a03040506040830060201010401ff")
).decode()


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({}, "p256dh"),
        ({"auth": None}, "auth"),
        ({"p256dh": None}, "p256dh"),
        ({"p256dh": OFF_CURVE}, "p256dh"),
        ({"p256dh": "AAAA"}, "p256dh"),
        ({"p256dh": 7}, "p256dh"),
        ({"auth": "AAAA"}, "auth"),
        ({"auth": "+/+/+/+/+/+/+/+/+/+/+w"}, "auth"),
        ({"private_key": own_keys()["private_key"]}, "private_key"),
        ({"private_key": "x"}, "private_key"),
        ({"private_key": base64url_encode(bytes(32))}, "private_key"),
        ({"private_key": ED25519.decode()}, "private_key"),
        ({"private_key": UNKNOWN_CURVE}, "private_key"),
        ({"p256DH": "AAAA"}, "p256DH"),
    ],
)
async def test_keys_are_checked(api, keys, named):
    refused = await api.post("/subscriptions", json={"keys": own_keys(**keys) if keys else {}})
    assert refused.status_code == 400
    assert named in refused.json()["detail"]


async def test_it_can_be_restricted_to_a_key(api, push, vapid_key):
    subscription = await api.create(applicationServerKey=vapid_key)
    assert subscription["applicationServerKey"] == vapid_key
    assert (await push(subscription)).status_code == 201
    assert (await push(subscription, headers={"Authorization": None})).status_code == 401


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("https://push.example", "https://push.example/push/"),
        ("HTTPS://Push.Example:443", "https://push.example/push/"),
        ("http://127.0.0.1:8030", "http://127.0.0.1:8030/push/"),
    ],
)
async def test_its_origin_can_be_chosen(api, push, given, endpoint):
    subscription = await api.create(origin=given)
    assert subscription["endpoint"].startswith(endpoint)
    await push(subscription)
    codes = [finding["code"] for finding in (await api.json("/messages/latest"))["findings"]]
    assert not [code for code in codes if code.startswith("vapid.aud")]


async def test_its_origin_can_be_an_address_of_ipv6(api):
    subscription = await api.create(origin="http://[::1]:8030")
    assert subscription["endpoint"].startswith("http://[::1]:8030/push/")


@pytest.mark.parametrize(
    "given",
    [
        "https://push.example/",
        "https://push.example/path",
        "https://me@push.example",
        "https://push.example:0",
        "https://push.example:65536",
        "https://",
        "push.example",
        "ftp://push.example",
        "https://push.exämple",
    ],
)
async def test_what_is_no_origin_is_refused(api, given):
    refused = await api.post("/subscriptions", json={"origin": given})
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("origin must be")


async def test_offline_from_the_beginning(api, push):
    subscription = await api.create(online=False)
    assert subscription["online"] is False
    await push(subscription)
    assert (await api.json("/messages/latest"))["state"] == "pending"


async def test_it_expires_at_its_time_on_the_tenants_clock(api, push):
    at = int(time.time() * 1000) + 3600_000
    subscription = await api.create(expirationTime=at)
    assert subscription["expirationTime"] == at
    await api.post("/clock", json={"advance": "61m"})
    assert (await api.json(f"/subscriptions/{subscription['id']}"))["state"] == "expired"
    assert (await push(subscription)).status_code == 410


async def test_a_time_in_the_past_or_in_seconds_is_refused_with_what_was_understood(api):
    refused = await api.post("/subscriptions", json={"expirationTime": 1_800_000_000})
    assert refused.status_code == 400
    assert "milliseconds" in refused.json()["detail"]
    assert "1970-01-21" in refused.json()["detail"]


async def test_null_says_the_same_as_leaving_it_out(api):
    names = ("profile", "applicationServerKey", "keys", "id", "origin", "expirationTime", "online")
    subscription = await api.create(**dict.fromkeys(names))
    assert subscription["managed"] is True
    assert subscription["online"] is True


async def test_an_unknown_profile_is_refused_with_those_there_are(api):
    refused = await api.post("/subscriptions", json={"profile": "carrier-pigeon"})
    assert refused.status_code == 400
    assert "there is: rfc" in refused.json()["detail"]


async def test_an_id_is_taken_once(api):
    await api.create(id="mine")
    assert (await api.post("/subscriptions", json={"id": "mine"})).status_code == 409
    elsewhere = await api.post("/subscriptions?tenant=other", json={"id": "mine"})
    assert elsewhere.status_code == 201


@pytest.mark.parametrize("given", ["", ".", "..", "a/b", "a b", "a\0b", "ä", "\ud800", "x" * 129])
async def test_ids_that_no_path_can_carry_are_refused(api, given):
    refused = await api.post("/subscriptions", content=json.dumps({"id": given}))
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("id must be")


async def test_one_is_expired_with_the_profiles_own_answer(api, push):
    subscription = await api.create()
    expired = await api.post(f"/subscriptions/{subscription['id']}/expire")
    assert expired.json()["state"] == "expired"
    assert (await push(subscription)).status_code == 410


@pytest.mark.parametrize("status", [404, 410])
async def test_one_is_expired_with_the_status_that_was_asked_for(api, push, status):
    subscription = await api.create()
    await api.post(f"/subscriptions/{subscription['id']}/expire", json={"status": status})
    assert (await push(subscription)).status_code == status


async def test_no_other_status_can_be_asked_for(api):
    subscription = await api.create()
    refused = await api.post(f"/subscriptions/{subscription['id']}/expire", json={"status": 500})
    assert refused.status_code == 400
    assert "404, 410" in refused.json()["detail"]


async def test_a_removed_one_is_still_listed_as_such(api, push):
    subscription = await api.create()
    assert (await api.delete(f"/subscriptions/{subscription['id']}")).status_code == 204
    assert (await api.json(f"/subscriptions/{subscription['id']}"))["state"] == "removed"
    assert (await push(subscription)).status_code == 410


@pytest.mark.parametrize(
    ("profile", "shapes"),
    [
        ("rfc", ["/push/", "/push/"]),
        ("fcm", ["/fcm/send/", "/fcm/send/"]),
        ("mozilla", ["/wpush/v1/", "/wpush/v2/"]),
        ("apple", ["/apple/", "/apple/"]),
        ("wns", ["/w/?token=", "/w/?token="]),
    ],
)
async def test_endpoints_have_the_shape_of_their_profile(api, vapid_key, profile, shapes):
    for key, shape in zip((None, vapid_key), shapes, strict=True):
        made = await api.create(profile=profile, applicationServerKey=key)
        assert made["profile"] == profile
        assert re.fullmatch(re.escape(shape) + r"[\w-]{24}", made["endpoint"].split("localhost")[1])


async def test_online_answers_after_the_delivery(api, push):
    subscription = await api.create()
    away = await api.post(f"/subscriptions/{subscription['id']}/offline")
    assert away.json()["online"] is False
    await push(subscription)
    assert (await api.json("/messages/latest"))["state"] == "pending"
    back = await api.post(f"/subscriptions/{subscription['id']}/online")
    assert back.json()["online"] is True
    assert (await api.json("/messages/latest"))["state"] == "acknowledged"


async def test_those_of_other_tenants_are_not_there(api):
    subscription = await api.create()
    path = f"/subscriptions/{subscription['id']}"
    assert (await api.get(path, headers={"Mockpush-Tenant": "other"})).status_code == 404
    assert (await api.get(f"{path}?tenant=default")).status_code == 200


async def test_the_list_has_pages_oldest_first(api):
    ids = [(await api.create())["id"] for _ in range(5)]
    first = await api.json("/subscriptions?limit=2")
    second = await api.json(f"/subscriptions?limit=2&since={first['next']}")
    third = await api.json(f"/subscriptions?limit=2&since={second['next']}")
    pages = [first, second, third]
    assert [page["more"] for page in pages] == [True, True, False]
    assert [item["id"] for page in pages for item in page["items"]] == ids
    last = await api.json(f"/subscriptions?since={third['next']}")
    assert (last["items"], last["next"], last["more"]) == ([], third["next"], False)


async def test_the_list_goes_on_after_a_reset(api):
    for _ in range(3):
        await api.create()
    cursor = (await api.json("/subscriptions"))["next"]
    await api.post("/reset")
    after = await api.create()
    page = await api.json(f"/subscriptions?since={cursor}")
    assert [item["id"] for item in page["items"]] == [after["id"]]


async def test_the_list_can_be_narrowed_to_a_state(api):
    gone, there = await api.create(), await api.create()
    await api.post(f"/subscriptions/{gone['id']}/expire")
    page = await api.json("/subscriptions?state=active")
    assert [item["id"] for item in page["items"]] == [there["id"]]


@pytest.fixture
def few(service):
    """A service that keeps one subscription."""
    service.storage = MemoryStorage(Limits(subscriptions=1))


@pytest.mark.usefixtures("few")
async def test_at_the_limit_the_setting_is_named(api):
    await api.create()
    refused = await api.post("/subscriptions")
    assert refused.status_code == 503
    assert refused.json()["setting"] == "max_subscriptions"
