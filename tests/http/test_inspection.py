"""`POST /inspect`: captured requests are judged as on the command line and in Python."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

import mockpush
from mockpush.profiles import STRICT
from mockpush.protocol.encryption import encrypt
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_encode
from mockpush.protocol.vapid import authorization

NOW = int(datetime(2025, 1, 31, 12, tzinfo=UTC).timestamp())
AT = "2025-01-31T12:00:00Z"
ENDPOINT = "https://push.example/p/1"
SERVER_KEY = generate_key_pair()[0]
PRIVATE_KEY, POINT = generate_key_pair()
KEYS = {"p256dh": base64url_encode(POINT), "auth": base64url_encode(bytes(16))}
SUBSCRIPTION = {
    "endpoint": ENDPOINT,
    "expirationTime": None,
    "keys": {**KEYS, "private_key": base64url_encode(PRIVATE_KEY)},
}
CLAIMS = {"aud": "https://push.example", "exp": NOW + 3600, "sub": "mailto:me@example.com"}


def push(**headers: str) -> dict:
    fields = {
        "TTL": "60",
        "Topic": "news",
        "Content-Encoding": "aes128gcm",
        "Authorization": authorization(CLAIMS, SERVER_KEY),
        **headers,
    }
    body = encrypt(b'{"order": 7}', p256dh=POINT, auth=bytes(16))
    return {"url": ENDPOINT, "headers": fields, "body": base64url_encode(body)}


async def inspected(api, request, **members):
    answer = await api.post("/inspect", json={"request": request, **members})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_all_that_is_known_of_a_push(api):
    found = await inspected(api, push(), at=AT, subscription=SUBSCRIPTION)
    [item] = found["items"]
    assert found["accepted"] is True
    assert item["payload"]["json"] == {"order": 7}
    assert item["vapid"]["claims"] == CLAIMS
    assert item["vapid"]["verified"] is True
    assert item["envelope"]["rs"] == 4096
    assert (item["at"], item["at_from"]) == ("2025-01-31T12:00:00.000Z", "given")
    assert (item["profile"], item["profile_from"]) == ("rfc", "default")
    assert (item["ttl"], item["topic"], item["urgency"]) == (60, "news", "normal")
    assert (item["origin"], item["decryption"]) == ("https://push.example", "ok")
    assert item["answer"] == item["answers"]["rfc"]
    assert item["answer"] == {"accepted": True, "status": 201, "reason": None, "codes": []}
    assert (item["findings"], item["remarks"]) == ([], [])


async def test_it_says_what_python_says(api):
    found = await inspected(api, push(TTL="x"), at=AT)
    there = mockpush.inspect(push(TTL="x"), at=AT)
    [item] = found["items"]
    assert found["accepted"] is there.accepted is False
    assert item["findings"] == [each.as_json() for each in there.findings]
    assert item["answer"]["codes"] == [*there.answer.codes] == ["ttl.not_a_number"]
    assert item["answer"]["status"] == 400


async def test_a_strict_service_judges_strictly(api, service):
    bare = authorization({**CLAIMS, "sub": "me@example.com"}, SERVER_KEY)
    assert (await inspected(api, push(Authorization=bare), at=AT))["accepted"] is True
    service.profiles = STRICT
    assert (await inspected(api, push(Authorization=bare), at=AT))["accepted"] is False


async def test_nothing_is_sent_kept_or_shown_of_secrets(api):
    answer = await api.post("/inspect", json={"request": push(), "subscription": SUBSCRIPTION})
    assert base64url_encode(PRIVATE_KEY) not in answer.text
    assert (await api.json("/requests"))["items"] == []
    assert (await api.json("/messages"))["items"] == []


async def test_every_format_of_text_is_read(api):
    lines = "".join(f"{name}: {value}\r\n" for name, value in push()["headers"].items())
    raw = f"POST /p/1 HTTP/1.1\r\nHost: push.example\r\n{lines}Content-Length: 9\r\n\r\n"
    found = await inspected(api, raw, at=NOW)
    assert found["items"][0]["format"] == "raw"
    assert found["items"][0]["body"] is None
    assert found["items"][0]["findings"] == []
    curl = f"curl {ENDPOINT} -H 'TTL: 60' -d ''"
    assert (await inspected(api, curl))["items"][0]["format"] == "curl"


def archive(count: int) -> dict:
    fields = [{"name": name, "value": value} for name, value in push()["headers"].items()]
    data = {"text": push()["body"], "encoding": "base64"}
    request = {"method": "POST", "url": ENDPOINT, "headers": fields, "postData": data}
    return {"log": {"entries": [{"startedDateTime": AT, "request": request}] * count}}


@pytest.mark.parametrize("write", [json.dumps, dict])
async def test_an_archive_with_many_pushes_is_read_as_text_and_as_json(api, write):
    found = await inspected(api, write(archive(50)))
    assert len(found["items"]) == 50
    assert found["accepted"] is True
    assert {item["at_from"] for item in found["items"]} == {"capture"}


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "request is missing: it must be a captured request: the text of a HAR"),
        ({"request": 5}, "request must be a captured request: the text of a HAR"),
        ({"request": "hello"}, "there is no request to be read: it begins with hello"),
        ({"request": {"verb": 1}}, "the JSON has neither log, as a HAR has, nor url"),
        ({"request": {"url": "/p"}}, "to which host the request went"),
        ({"request": push(), "profile": "x"}, "there is no profile 'x'; there is: rfc"),
        ({"request": push(), "endpoint": "x"}, "'x' is not the URL of an endpoint"),
        ({"request": push(), "at": "soon"}, "at must be a time such as 2025-01-31T12:00:00Z"),
        ({"request": push(), "at": True}, "at must be a time such as"),
        ({"request": push(), "at": 1e300}, "at must be a time such as"),
        ({"request": push(), "subscription": "x"}, "subscription must be the subscription in"),
        ({"request": push(), "subscription": {"keys": 5}}, "keys of the subscription must be"),
        ({"request": push(), "har": {}}, 'unknown member: "har"; there is: request, profile'),
    ],
)
async def test_what_cannot_be_read_is_named(api, members, told):
    refused = await api.post("/inspect", json=members)
    assert refused.status_code == 400
    assert told in refused.json()["detail"]
