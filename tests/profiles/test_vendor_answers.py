"""Every answer that is known of a push service, provoked over HTTP or rendered by its name.

The rows are in tests/data/vendor_answers.json. Everything that a row pins is compared.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockpush.profiles import PROFILES
from mockpush.protocol.answering import render
from mockpush.protocol.judging import Judgement

from .pushes import KEY, OTHER_KEY, Bench, Push, base64url, point

DATA = Path(__file__).parents[1] / "data" / "vendor_answers.json"
ANSWERS = json.loads(DATA.read_text(encoding="utf-8"))["answers"]

PLACEHOLDERS = {
    "{origin}": r"https://localhost",
    "{token}": r"[\w-]+",
    "{fernet}": r"[\w-]+",  # an opaque text: nobody but the service can tell
    "{usec}": r"\d{16}",
    "{16hex}": r"[0-9a-f]{16}",
    "{16HEX}": r"[0-9A-F]{16}",
    "{UUID}": r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}",
    "{ttl}": r"60",
    "{seconds}": r"\d+",
    "{n}": r"\d+",
    "{opaque}": r".+",
}

AS_BASE64 = base64.b64encode(point(KEY)).decode().rstrip("=")
NO_VAPID = Push(headers=(("Authorization", None),))
OTHER_SIGNER = Push(signer=OTHER_KEY)
MISMATCH = Push(signer=OTHER_KEY, key=base64url(point(OTHER_KEY)))
GONE = Push(ended=None)
UNKNOWN = Push(at="nowhere")
DRAFT = Push(scheme="WebPush")


RECEIPT_LINK = '<https://localhost/r/nowhere>; rel="urn:ietf:params:push:receipt"'
SET_LINK = '<https://localhost/sets/nowhere>; rel="urn:ietf:params:push:set"'


def field(name: str, value: str | None) -> Push:
    return Push(headers=((name, value),))


PROVOKED: Mapping[str, Mapping[str, Push]] = {
    "rfc": {
        "ttl_missing": field("TTL", None),
        "topic_invalid": field("Topic", "up date"),
        "urgency_multiple": field("Urgency", "high, low"),
        "subscription_expired_or_unknown": UNKNOWN,
        "body_over_limit": Push(body=b"x" * 4097),
        "vapid_absent_on_restricted": NO_VAPID,
        "vapid_invalid": OTHER_SIGNER,
        "receipt_subscription_invalid": Push(
            headers=(("Prefer", "respond-async"), ("Link", RECEIPT_LINK))
        ),
        "receipt_success": field("Prefer", "respond-async"),
        "vapid_key_equals_keyid": Push(body=bytes(16) + b"\0\0\x10\0A" + point(KEY) + b"x" * 20),
    },
    "fcm": {
        "gone": GONE,
        "unknown_or_stale_270d": UNKNOWN,
        "vapid_key_mismatch": MISMATCH,
        "jwt_bad_signature_or_malformed": OTHER_SIGNER,
        "vapid_absent": NO_VAPID,
        "aud_wrong": Push(claims=(("aud", "https://example.net"),)),
        "aud_malformed": Push(claims=(("aud", 7),)),
        "exp_too_far": Push(exp_in=86_460),
        "exp_past": Push(exp_in=-5),
        "exp_missing": Push(claims=(("exp", None),)),
        "key_not_base64url": Push(key=AS_BASE64),
        "key_not_65": Push(key=base64url(point(KEY)[1:])),
        "key_not_uncompressed": Push(key=base64url(b"\x06" + point(KEY)[1:])),
        "key_not_p256": Push(key=base64url(b"\x04" * 65)),
        "k_missing": Push(authorization="vapid t=a.b.c"),
        "k_empty": Push(key=""),
        "k_not_base64url": Push(key="!"),
        "authorization_malformed": Push(authorization="vapid a.b.c"),
        "p256ecdsa_missing": replace(DRAFT, headers=(("Crypto-Key", None),)),
        "p256ecdsa_malformed_or_padded": replace(DRAFT, key=base64url(point(KEY)) + "="),
        "too_large": Push(body=b"x" * 4097),
    },
    "mozilla": {
        "unknown_token": UNKNOWN,
        "gone_user_or_channel": GONE,
        "vapid_absent_on_v2": NO_VAPID,
        "vapid_key_mismatch": MISMATCH,
        "jwt_bad_signature": OTHER_SIGNER,
        "exp_past": Push(exp_in=-65),
        "exp_too_far": Push(exp_in=86_405),
        "aud_wrong": Push(claims=(("aud", "https://example.net"),)),
        "exp_missing": Push(claims=(("exp", None),)),
        "scheme_unknown": Push(authorization="key AAAA"),
        "t_missing": Push(authorization=f"vapid k={base64url(point(KEY))}"),
        "crypto_key_missing_v1_scheme": replace(DRAFT, headers=(("Crypto-Key", None),)),
        "ttl_missing_or_nan": field("TTL", "soon"),
        "ttl_negative": field("TTL", "-1"),
        "topic_invalid": field("Topic", "up date"),
        "encoding_missing_with_body": field("Content-Encoding", None),
        "encoding_unknown": field("Content-Encoding", "AES128GCM"),
        "aes128gcm_with_dh": field("Crypto-Key", "dh=AAAA"),
        "too_large": Push(body=b"x" * 5631),
    },
    "apple": {
        "BadTtl": field("TTL", None),
        "BadUrgency": field("Urgency", "urgent"),
        "BadWebPushRequest": field("Content-Encoding", None),
        "BadWebPushTopic": field("Topic", "new_event"),
        "VapidPkHashMismatch": MISMATCH,
        "BadAuthorizationHeader": DRAFT,
        "BadJwtToken": Push(claims=(("sub", None),)),
        "BadVapidPublicKey": Push(authorization="vapid t=a.b.c"),
        "BadPath": UNKNOWN,
        "MethodNotAllowed": Push(method="GET", body=b""),
        "gone": GONE,
        "PayloadTooLarge": Push(body=b"x" * 4097),
    },
    "wns": {
        "ttl_zero_without_cache_policy": field("TTL", "0"),
        "jwt_bad_signature": OTHER_SIGNER,
        "vapid_key_mismatch": MISMATCH,
        "unknown_channel": UNKNOWN,
        "gone": GONE,
        "too_large": Push(body=b"x" * 5001),
    },
}
"""A request for each row that a request can provoke."""

NAMED: Mapping[str, Mapping[str, str]] = {
    "rfc": {"rate_limited": "throttled"},
    "fcm": {
        "endpoint_malformed": "invalid_endpoint",
        "bad_headers": "bad_request",
        "rate_limited": "throttled",
    },
    "mozilla": {
        "bridged_too_large": "bridge_too_large",
        "bridge_throttled": "throttled",
        "overload": "unavailable",
    },
    "apple": {
        "TooManyRequests": "throttled",
        "InternalServerError": "internal_error",
        "ServiceUnavailable": "unavailable",
        "Shutdown": "shutdown",
        "IdleTimeout": "idle_timeout",
    },
    "wns": {
        "not_authorised": "not_authorised",
        "throttled": "throttled",
        "domain_blocked": "domain_blocked",
        "overload": "unavailable",
    },
}
"""The rows that only trouble at the push service brings about, by the name of the answer."""

SUBSCRIBING = {("rfc", "subscription_set_invalid"): {"Link": SET_LINK}}
"""The rows that a user agent provokes when it subscribes."""

UNPROVOKED = {
    ("fcm", "legacy_unauthorized"): "seen from 2016 to 2018, of a service that is switched off",
}
"""The rows that mockpush never gives, and why."""

ROWS = {(name, row["when"]): row for name, answers in ANSWERS.items() for row in answers["errors"]}


def pattern(text: str) -> str:
    """A text of the data as a regular expression."""
    parts = re.split(r"(\{\w+\})", text)
    return "".join(PLACEHOLDERS.get(part, re.escape(part)) for part in parts)


def differences(
    row: Mapping[str, Any], status: int, headers: Mapping[str, str], body: str
) -> Iterator[str]:
    """What of the row the answer does not keep."""
    if status != row["status"]:
        yield f"status {status}"
    for name, text in row.get("headers", {}).items():
        if not re.fullmatch(pattern(text), headers.get(name.lower(), "")):
            yield f"{name}: {headers.get(name.lower())}"
    if "body" in row and not re.fullmatch(pattern(row["body"]), body):
        yield f"body {body!r}"
    if "json" in row:
        sent = json.loads(body)
        texts = {name: str(value) for name, value in row["json"].items()}
        if [*sent] != [*texts] or not all(
            re.fullmatch(pattern(text), str(sent[name])) for name, text in texts.items()
        ):
            yield f"json {sent}"
    if "errno" in row and json.loads(body)["errno"] != row["errno"]:
        yield f"errno {body}"


@pytest.mark.parametrize(
    ("name", "when"), [(name, when) for name, table in PROVOKED.items() for when in table]
)
async def test_a_request_gets_the_answer_of_the_real_service(bench: Bench, name, when):
    answer = await bench.push(name, PROVOKED[name][when])
    row = ROWS[name, when]
    common = ANSWERS[name].get("error_headers", {})
    pinned = {**row, "headers": {**common, **row.get("headers", {})}}
    assert [*differences(pinned, answer.status_code, answer.headers, answer.text)] == []
    assert len(await bench.service.storage.messages("default")) == (row["status"] < 300)


@pytest.mark.parametrize(
    ("name", "when"), [(name, when) for name, table in NAMED.items() for when in table]
)
async def test_trouble_at_the_service_has_the_answer_of_the_real_one(bench: Bench, name, when):
    await bench.push(name, GONE)
    (record,) = await bench.service.storage.requests("default")
    template = PROFILES[name].named_answers[NAMED[name][when]]
    answer = render(Judgement(PROFILES[name], template), record.inspection)
    headers = {field.decode(): value.decode() for field, value in answer.headers}
    row = ROWS[name, when]
    assert [*differences(row, answer.status, headers, answer.body.decode())] == []
    if "reason" in row:  # a phrase of HTTP that HTTP/2 and ASGI do not have
        assert template.word == row["reason"]


@pytest.mark.parametrize(("name", "when"), SUBSCRIBING)
async def test_a_user_agent_gets_the_answer_of_the_rfc(bench: Bench, name, when):
    headers = SUBSCRIBING[name, when]
    answer = await bench.send("POST", "https://localhost/subscribe", headers=headers)
    assert [*differences(ROWS[name, when], answer.status_code, answer.headers, answer.text)] == []


def test_every_row_is_provoked_or_named_or_says_why_not():
    tested = [
        *((name, when) for table in (PROVOKED, NAMED) for name in table for when in table[name]),
        *SUBSCRIBING,
        *UNPROVOKED,
    ]
    assert len(tested) == len(set(tested))
    assert set(tested) == ROWS.keys()


@pytest.mark.parametrize("name", PROFILES)
async def test_a_right_push_gets_the_success_of_the_real_service(bench: Bench, name):
    answer = await bench.push(name, Push())
    row = ANSWERS[name]["success"]
    assert [*differences(row, answer.status_code, answer.headers, answer.text)] == []
    assert answer.content == b""
    assert not {each.lower() for each in row.get("absent", ())} & answer.headers.keys()


def test_each_answer_of_fcm_has_the_fields_that_all_have():
    profile = PROFILES["fcm"]
    common = ANSWERS["fcm"]["error_headers"]
    templates = [row.answer for row in profile.rows] + [*profile.named_answers.values()]
    for template in (*templates, profile.full):
        assert common.items() <= dict(template.headers).items()


@pytest.mark.parametrize(
    ("name", "when", "variant"),
    [("fcm", "too_large", "too_large_400"), ("wns", "success", "success_200")],
)
async def test_a_doubtful_status_can_be_taken_the_other_way(make_bench, name, when, variant):
    bench = make_bench(variants=(f"{name}.{variant}",))
    row = ANSWERS[name]["success"] if when == "success" else ROWS[name, when]
    push = Push() if when == "success" else PROVOKED[name][when]
    answer = await bench.push(name, push)
    other = {**row, "status": row["alt_status"]}
    assert [*differences(other, answer.status_code, answer.headers, answer.text)] == []
    assert len(await bench.service.storage.messages("default")) == (when == "success")


@pytest.mark.parametrize(
    ("name", "when"), [key for key, row in ROWS.items() if "limit" in row], ids=str
)
async def test_a_body_at_the_limit_is_taken(bench: Bench, name, when):
    size = ROWS[name, when]["limit"]
    head = bytes(16) + size.to_bytes(4, "big") + b"A" + point(OTHER_KEY)
    answer = await bench.push(name, Push(body=head + b"x" * (size - len(head))))
    assert answer.status_code == 201


async def test_a_token_that_has_just_expired_is_taken_within_the_leeway(bench: Bench):
    leeway = ROWS["mozilla", "exp_past"]["leeway_s"]
    answer = await bench.push("mozilla", Push(exp_in=5 - leeway))
    assert answer.status_code == 201


@pytest.mark.parametrize("name", [name for name in PROFILES if name != "rfc"])
def test_endpoints_and_hosts_are_those_of_the_real_service(name):
    profile, known = PROFILES[name], ANSWERS[name]
    assert set(known["hosts"]) <= set(profile.hosts)
    assert not profile.hosts[0].startswith("*")
    prefixes = profile.host_prefixes or profile.prefixes
    shapes = {prefix + (f"?{profile.query}=" if profile.query else "") for prefix in prefixes}
    assert {path.replace("{token}", "") for path in known["paths"]} <= shapes
