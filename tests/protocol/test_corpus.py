"""106 requests of 17 real sender set-ups, read by us and by an independent decoder."""

import base64
import json
import re
from pathlib import Path

import pytest

from mockpush.profiles import PROFILES
from mockpush.protocol.findings import REGISTRY
from mockpush.protocol.inspection import Context, Decryption, Inspection, inspect, read_payload
from mockpush.protocol.judging import judge
from mockpush.protocol.model import PushRequest, Subscription, SubscriptionKeys, base64url_decode
from mockpush.protocol.records import PushMessage
from mockpush.unreadable import explain

CORPUS = json.loads((Path(__file__).parent.parent / "data" / "senders.json").read_text())
KEYS = SubscriptionKeys(
    *(base64url_decode(CORPUS["user_agent"][name]) for name in ("p256dh", "auth", "private_key"))
)
APPLICATION_SERVER_KEY = base64url_decode(CORPUS["vapid_public_key"])

REQUESTS = [
    pytest.param(request, id=f"{name}-{request['case']}")
    for name, sender in CORPUS["senders"].items()
    for request in sender["requests"]
]

DEVIATIONS = {
    r"draft Content-Encoding: aesgcm": {"content_encoding.aesgcm"},
    r"draft VAPID scheme 'WebPush'": {"vapid.scheme.webpush"},
    r"aud '.*' != origin": {"vapid.aud.port_missing"},
    r"Topic longer than 32": {"topic.too_long", "topic.alphabet"},
    r"RFC 8292 'vapid' scheme mixed with draft aesgcm": {"vapid.scheme.with_aesgcm"},
    r"aes128gcm with legacy Crypto-Key": {"crypto_key.with_aes128gcm"},
    r"exp exactly 24h ahead": {"vapid.exp.near_limit"},
    r"exp only \d+s ahead": {"vapid.exp.soon"},
    r"2 records": {"encryption.records.several", "body.too_large"},
    r"rs smaller than ciphertext": {"encryption.records.several"},
    r"body \d+ bytes > 4096": {"body.too_large"},
    r"aesgcm 2 records": {"aesgcm.records.several"},
    r"aesgcm padding length 64363": {"aesgcm.padding.exceeds_record"},
    r"does NOT decrypt": {"encryption.record.exceeds_rs"},
}
"""What the independent decoder calls a deviation, and the codes that must say the same."""

INFORMATION = {
    "ttl.zero",
    "aesgcm.record.too_short",
    "aesgcm.records.several",
    "encryption.records.several",
}
"""Codes beyond the decoder's list of deviations, which are right all the same."""


def inspected(captured: dict) -> tuple[Inspection, PushRequest, Subscription]:
    at, origin = captured["received_at"], captured["origin"]
    subscription = Subscription(
        id="subscription",
        token="token",
        tenant="default",
        profile="rfc",
        endpoint=f"{origin}/push/token",
        origins=(origin,),
        created_at=at,
        keys=KEYS,
        application_server_key=APPLICATION_SERVER_KEY,
    )
    request = PushRequest(
        method=captured["method"],
        target="/push/token",
        headers=[(name.lower().encode(), value.encode()) for name, value in captured["headers"]],
        body=base64.b64decode(captured["body"] or ""),
        received_at=at,
        token_time=at,
    )
    return inspect(request, Context(subscription, (origin,), at)), request, subscription


def codes_of(captured: dict) -> set[str]:
    inspection, request, subscription = inspected(captured)
    payload = read_payload(inspection, request.body, KEYS)
    message = PushMessage(
        "m", "default", subscription.id, 1, request.body, inspection, 0, 0.0, 0.0, payload=payload
    )
    if payload.decryption is Decryption.FAILED:
        payload = explain(message, payload, [subscription])
    return set(inspection.codes) | {finding.code for finding in payload.findings}


def test_the_corpus_is_complete() -> None:
    assert len(CORPUS["senders"]) == 17
    assert len(REQUESTS) == 106


@pytest.mark.parametrize("captured", REQUESTS)
def test_the_payload_reads_as_the_independent_decoder_read_it(captured: dict) -> None:
    inspection, request, _ = inspected(captured)
    decoded = captured["independently_decoded"]
    payload = read_payload(inspection, request.body, KEYS)
    expected = {True: Decryption.OK, None: Decryption.NONE}
    assert payload.decryption is expected.get(decoded["decrypts"], Decryption.FAILED)
    if decoded["decrypts"] is True:
        assert payload.data is not None
        assert len(payload.data) == decoded["plain_len"]
        assert payload.data.startswith(decoded["plain"].encode())


@pytest.mark.parametrize("captured", REQUESTS)
def test_the_token_reads_as_the_independent_decoder_read_it(captured: dict) -> None:
    inspection, _, _ = inspected(captured)
    decoded = captured["independently_decoded"]
    vapid = inspection.vapid
    assert vapid is not None
    assert vapid.token is not None
    assert vapid.token.header == decoded["jwt_header"]
    assert vapid.claims == decoded["claims"]
    assert vapid.verified is decoded["sig_ok"]
    assert vapid.key == APPLICATION_SERVER_KEY
    assert inspection.exp_in == pytest.approx(decoded["exp_in"], abs=1)


@pytest.mark.parametrize("captured", REQUESTS)
def test_the_header_fields_read_as_the_independent_decoder_read_them(captured: dict) -> None:
    inspection, _, _ = inspected(captured)
    decoded = captured["independently_decoded"]
    assert str(inspection.ttl) == decoded["ttl"]
    assert inspection.urgency == (decoded["urgency"] or "normal")
    assert inspection.content_encoding == decoded["content_encoding"]
    assert inspection.topic == decoded["topic"]


@pytest.mark.parametrize("captured", REQUESTS)
def test_every_deviation_has_its_finding_and_nothing_else_is_blamed(captured: dict) -> None:
    expected: set[str] = set()
    for deviation in captured["independently_decoded"]["deviations"]:
        matching = [codes for pattern, codes in DEVIATIONS.items() if re.match(pattern, deviation)]
        assert matching, f"no code stands for: {deviation}"
        expected |= matching[0]
    found = codes_of(captured)
    assert expected - found == set()
    assert found - expected - INFORMATION == set()
    assert found <= REGISTRY.keys()


@pytest.mark.parametrize("captured", REQUESTS)
def test_the_rfc_profile_takes_what_is_legal_or_tolerated(captured: dict) -> None:
    inspection, _, _ = inspected(captured)
    decoded = captured["independently_decoded"]
    refused = {
        413: any("> 4096" in each for each in decoded["deviations"]),
        400: any("Topic" in each for each in decoded["deviations"]),
    }
    expected = next((status for status, wrong in refused.items() if wrong), 201)
    assert judge(inspection, PROFILES["rfc"]).template.status == expected
