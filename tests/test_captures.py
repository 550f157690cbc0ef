"""Captured pushes are judged as the service would have judged them, by what the capture says."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mockpush
from mockpush.captures import ProfileSource, TimeSource, inspect_all
from mockpush.errors import CaptureError
from mockpush.profiles import PROFILES, STRICT
from mockpush.protocol.encryption import encrypt
from mockpush.protocol.inspection import Context, Decryption, inspect, read_payload
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import (
    PushRequest,
    Subscription,
    SubscriptionKeys,
    base64url_decode,
    base64url_encode,
)
from mockpush.protocol.payload import lint
from mockpush.protocol.records import PushMessage
from mockpush.protocol.vapid import authorization
from mockpush.unreadable import explain

CORPUS = json.loads((Path(__file__).parent / "data" / "senders.json").read_text())
SUBSCRIPTION = {
    "keys": CORPUS["user_agent"],
    "applicationServerKey": CORPUS["vapid_public_key"],
}
KEYS = SubscriptionKeys(
    *(base64url_decode(CORPUS["user_agent"][name]) for name in ("p256dh", "auth", "private_key"))
)
REQUESTS = [
    pytest.param(request, id=f"{name}-{request['case']}")
    for name, sender in CORPUS["senders"].items()
    for request in sender["requests"]
]
NOW = int(datetime(2025, 1, 31, 12, tzinfo=UTC).timestamp())
HOST = "https://push.example"
ENDPOINT = f"{HOST}/p/1"
SERVER_KEY = generate_key_pair()[0]


def expected_findings(captured: dict) -> list[str]:
    """What the core says about the request and its payload."""
    at, origin = captured["received_at"], captured["origin"]
    subscription = Subscription(
        id="s",
        token="t",
        tenant="default",
        profile="rfc",
        endpoint=f"{origin}/push/token",
        origins=(origin,),
        created_at=at,
        keys=KEYS,
        application_server_key=base64url_decode(CORPUS["vapid_public_key"]),
    )
    headers = tuple((name.lower().encode(), value.encode()) for name, value in captured["headers"])
    body = base64.b64decode(captured["body"] or "")
    request = PushRequest(captured["method"], "/push/token", headers, body, at, at)
    found = inspect(request, Context(subscription, (origin,), at))
    payload = read_payload(found, body, KEYS)
    if payload.decryption is Decryption.FAILED:
        message = PushMessage("m", "default", "s", 1, body, found, 0, 0.0, 0.0, payload=payload)
        payload = explain(message, payload, [subscription])
    beyond = lint(payload.data) if payload.data is not None else payload.findings
    return [*found.findings, *beyond]


def as_har(captured: dict, data: dict) -> dict:
    date = datetime.fromtimestamp(captured["received_at"], UTC).isoformat()
    request = {
        "method": captured["method"],
        "url": f"{captured['origin']}/push/token",
        "headers": [{"name": name, "value": value} for name, value in captured["headers"]],
        "postData": data,
    }
    return {"log": {"entries": [{"startedDateTime": date, "request": request}]}}


def har(captured: dict) -> dict:
    return as_har(captured, {"text": captured["body"] or "", "encoding": "base64"})


def har_of_characters(captured: dict) -> str:
    body = base64.b64decode(captured["body"] or "")
    return json.dumps(as_har(captured, {"text": body.decode("latin-1")}))


def raw(captured: dict, end: bytes = b"\r\n") -> bytes:
    lines = [f"{name}: {value}".encode() for name, value in captured["headers"]]
    start = f"{captured['method']} /push/token HTTP/1.1".encode()
    return end.join((start, *lines, b"", base64.b64decode(captured["body"] or "")))


def raw_with_bare_line_feeds(captured: dict) -> bytes:
    return raw(captured, b"\n")


def curl(captured: dict) -> str:
    method, url = captured["method"], f"{captured['origin']}/push/token"
    body = "".join(f"\\x{octet:02x}" for octet in base64.b64decode(captured["body"] or ""))
    fields = " ".join(f"-H '{name}: {value}'" for name, value in captured["headers"])
    return f"curl -X {method} {url} {fields} --data-raw $'{body}'"


def as_object(captured: dict) -> dict:
    return {
        "method": captured["method"],
        "url": f"{captured['origin']}/push/token",
        "headers": captured["headers"],
        "body": captured["body"],
    }


@pytest.mark.parametrize(
    "write", [har, har_of_characters, raw, raw_with_bare_line_feeds, curl, as_object]
)
@pytest.mark.parametrize("captured", REQUESTS)
def test_what_real_senders_sent_gives_the_same_findings_in_every_format(captured, write):
    found = mockpush.inspect(write(captured), at=captured["received_at"], subscription=SUBSCRIPTION)
    assert [*found.findings] == expected_findings(captured)
    assert found.captured.remarks == ()
    assert found.accepted == (found.answers["rfc"] == 201)


def token(**claims: object) -> str:
    own = {"aud": HOST, "exp": NOW + 3600, "sub": "mailto:me@example.com"}
    return authorization({**own, **claims}, SERVER_KEY)


def push(url: str = ENDPOINT, *, body: bytes | None = None, **headers: str | None) -> dict:
    """A request that nothing is wrong with, but for what is given."""
    keys = SubscriptionKeys(generate_key_pair()[1], bytes(16))
    fields = {"TTL": "60", "Content-Encoding": "aes128gcm", "Authorization": token()}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    content = encrypt(b"hello", p256dh=keys.p256dh, auth=keys.auth) if body is None else body
    return {
        "url": url,
        "headers": {name: value for name, value in fields.items() if value is not None},
        "body": base64.b64encode(content).decode(),
    }


def codes(capture, **options) -> list[str]:
    return mockpush.inspect(capture, **{"at": NOW, **options}).codes


def test_a_push_that_is_right_is_accepted_without_a_finding():
    found = mockpush.inspect(push(), at=NOW)
    assert (found.codes, found.accepted, found.answers["rfc"]) == ([], True, 201)
    assert found.payload.decryption is Decryption.OPAQUE


def test_aud_is_compared_with_the_host_of_the_capture():
    found = mockpush.inspect(push("https://other.example:8443/p"), at=NOW)
    assert found.codes == ["vapid.aud.mismatch"]
    assert found.origin == found.findings[0].expected == "https://other.example:8443"


def test_the_endpoint_that_is_given_stands_in_for_that_of_the_capture():
    assert codes(push("https://proxy.example/p"), endpoint=ENDPOINT) == []
    assert codes(b"POST /p/1 HTTP/1.1\nTTL: 1\n\n", endpoint=ENDPOINT) == ["vapid.not_sent"]


def test_at_a_local_host_both_schemes_are_right_if_the_capture_does_not_tell():
    sent = "POST /p HTTP/1.1\nHost: localhost:8030\nTTL: 60\nAuthorization: {}\n\n"
    for origin in ("http://localhost:8030", "https://localhost:8030"):
        assert codes(sent.format(token(aud=origin))) == []
    assert codes(sent.format(token(aud="http://localhost"))) != []
    elsewhere = sent.replace("localhost", "push.example")
    assert codes(elsewhere.format(token(aud="http://push.example:8030"))) == ["vapid.aud.mismatch"]


def recorded(capture: dict, **members: object) -> dict:
    data = {"text": capture["body"], "encoding": "base64"}
    fields = [{"name": name, "value": value} for name, value in capture["headers"].items()]
    request = {"method": "POST", "url": capture["url"], "headers": fields, "postData": data}
    return {"startedDateTime": "2025-01-31T12:00:00Z", "request": {**request, **members}}


def test_exp_is_judged_by_the_time_of_the_capture():
    archive = {"log": {"entries": [recorded(push())]}}
    found = mockpush.inspect(archive)
    assert (found.codes, found.at, found.at_from) == ([], NOW, TimeSource.CAPTURE)


def test_the_date_field_says_when_if_nothing_else_does():
    found = mockpush.inspect(push(Date="Fri, 31 Jan 2025 12:00:00 GMT"))
    assert (found.codes, found.at, found.at_from) == ([], NOW, TimeSource.DATE)


def test_without_any_time_it_is_judged_as_sent_now(monkeypatch):
    monkeypatch.setattr("mockpush.captures.process_time", lambda: NOW + 7200)
    found = mockpush.inspect(push())
    assert (found.codes, found.at_from) == (["vapid.exp.past"], TimeSource.NOW)


@pytest.mark.parametrize(
    "at", [NOW, int(NOW), "2025-01-31T12:00:00Z", str(int(NOW)), datetime.fromtimestamp(NOW, UTC)]
)
def test_the_time_that_is_given_wins(at):
    archive = {"log": {"entries": [{**recorded(push()), "startedDateTime": "2020-01-01"}]}}
    found = mockpush.inspect(archive, at=at)
    assert (found.codes, found.at, found.at_from) == ([], NOW, TimeSource.GIVEN)


@pytest.mark.parametrize("at", ["yesterday", "1e9", float("inf"), 1e15, -1e15, "9" * 13])
def test_what_is_no_time_is_an_error(at):
    with pytest.raises(CaptureError, match=r"is no (time|date)"):
        mockpush.inspect(push(), at=at)


def test_an_invalid_token_is_refused_as_at_a_subscription_that_is_restricted():
    found = mockpush.inspect(push(Authorization=token(exp=NOW - 1)), at=NOW)
    assert (found.answers["rfc"], found.accepted) == (403, False)
    assert found.answer.codes == ("vapid.exp.past",)


def test_the_key_of_the_subscription_is_compared_if_it_is_known():
    other = base64url_encode(generate_key_pair()[1])
    assert codes(push(), subscription={"applicationServerKey": other}) == ["vapid.key.mismatch"]
    assert codes(push(Authorization=None), subscription={"applicationServerKey": other}) == [
        "vapid.absent"
    ]
    assert codes(push(Authorization=None)) == ["vapid.not_sent"]


def test_the_payload_is_read_with_the_keys_of_the_subscription():
    private_key, p256dh = generate_key_pair()
    keys = {"p256dh": base64url_encode(p256dh), "auth": base64url_encode(bytes(16))}
    secret = {**keys, "private_key": base64url_encode(private_key)}
    body = encrypt(b'{"web_push": 1}', p256dh=p256dh, auth=bytes(16))
    found = mockpush.inspect(push(body=body), at=NOW, subscription={"keys": secret})
    assert found.payload.data == b'{"web_push": 1}'
    assert found.codes == ["payload.declarative.web_push", "payload.declarative.notification"]
    assert found.accepted
    opaque = mockpush.inspect(push(body=body), at=NOW, subscription={"keys": keys})
    assert (opaque.payload.decryption, opaque.codes) == (Decryption.OPAQUE, [])
    assert base64url_encode(private_key) not in repr(found.findings)


def test_a_payload_that_cannot_be_read_is_explained():
    private_key, p256dh = generate_key_pair()
    body = encrypt(b"The quick brown fox", p256dh=p256dh, auth=bytes(16))
    keys = {
        "p256dh": base64url_encode(p256dh),
        "auth": base64url_encode(bytes(16)),
        "private_key": base64url_encode(private_key),
    }
    found = mockpush.inspect(push(body=body[:-16]), at=NOW, subscription={"keys": keys})
    assert found.payload.decryption is Decryption.FAILED
    assert found.codes == ["encryption.tag.missing"]


def test_a_body_that_the_capture_does_not_hold_is_not_held_against_the_sender():
    lines = [f"{name}: {value}" for name, value in push()["headers"].items()]
    sent = ["POST /p/1 HTTP/1.1", "Host: push.example", *lines, "Content-Length: 128", ""]
    found = mockpush.inspect("\n".join(["* verbose", *(f"> {line}" for line in sent)]), at=NOW)
    assert (found.codes, found.payload.decryption) == ([], Decryption.PENDING)
    assert found.envelope is None


def test_the_envelope_is_that_of_the_coding():
    _, p256dh = generate_key_pair()
    found = mockpush.inspect(push(), at=NOW)
    assert found.envelope is not None
    assert (len(found.envelope.salt), found.envelope.rs, found.envelope.keyid[0]) == (16, 4096, 4)
    draft = {
        "Content_Encoding": "aesgcm",
        "Encryption": f"salt={base64url_encode(bytes(range(16)))};rs=100",
        "Crypto_Key": f"dh={base64url_encode(p256dh)}",
    }
    drafted = mockpush.inspect(push(**draft), at=NOW).envelope
    assert drafted is not None
    assert (drafted.salt, drafted.rs, drafted.keyid) == (bytes(range(16)), 100, p256dh)
    assert mockpush.inspect(push(body=b"short"), at=NOW).envelope is None
    assert mockpush.inspect(push(body=b""), at=NOW).envelope is None


def test_of_several_requests_those_that_look_like_pushes_are_judged():
    page = recorded(push(), method="GET", url="https://a.example/", headers=[])
    form = recorded(push(), url="https://a.example/login", headers=[])
    archive = {"log": {"entries": [page, recorded(push()), form, recorded(push(TTL="x"))]}}
    assert [each.codes for each in inspect_all(archive)] == [[], ["ttl.not_a_number"]]
    with pytest.raises(CaptureError, match=r"the capture has 2 pushes: inspect_all\(\)"):
        mockpush.inspect(archive)
    with pytest.raises(CaptureError, match="none of the 2 requests in the capture looks like a"):
        inspect_all({"log": {"entries": [page, form]}})


def test_a_single_request_is_judged_whatever_it_looks_like():
    assert "request.method" in codes({"url": ENDPOINT, "method": "GET"})


def test_a_request_that_went_nowhere_is_no_push():
    odd = recorded(push(), url="https://[a", headers=[])
    assert len(inspect_all({"log": {"entries": [odd, recorded(push())]}})) == 1


def test_an_empty_archive_says_so():
    with pytest.raises(CaptureError, match="none of the 0 requests"):
        inspect_all({"log": {"entries": []}})


def test_the_profile_can_be_given_and_is_rfc_at_a_host_of_nobody():
    found = mockpush.inspect(push(), at=NOW)
    assert (found.profile, found.profile_from) == ("rfc", ProfileSource.DEFAULT)
    given = mockpush.inspect(push(), at=NOW, profile="rfc")
    assert (given.profile, given.profile_from) == ("rfc", ProfileSource.GIVEN)
    with pytest.raises(CaptureError, match="there is no profile 'x'; there is: rfc"):
        mockpush.inspect(push(), profile="x")


VENDOR = replace(PROFILES["rfc"], name="vendor", hosts=("push.example", "*.push.example"))


@pytest.mark.parametrize(
    "host", ["push.example", "PUSH.example", "a.push.example", "a.b.push.example"]
)
def test_the_profile_is_that_of_the_host(host):
    profiles = {"rfc": PROFILES["rfc"], "vendor": VENDOR}
    [found] = inspect_all(push(f"https://{host}/p"), at=NOW, profiles=profiles)
    assert (found.profile, found.profile_from) == ("vendor", ProfileSource.HOST)
    [elsewhere] = inspect_all(
        push("https://proxy/p"), endpoint=f"https://{host}/p", profiles=profiles
    )
    assert elsewhere.profile == "vendor"
    [other] = inspect_all(push("https://notpush.example/p"), profiles=profiles)
    assert other.profile == "rfc"


def test_a_post_to_a_push_service_is_a_push_whatever_it_lacks():
    page = recorded(push(), url="https://a.example/", headers=[])
    bare = recorded(push(), headers=[])
    archive = {"log": {"entries": [page, bare]}}
    [found] = inspect_all(archive, profiles={"vendor": VENDOR, "rfc": PROFILES["rfc"]})
    assert "ttl.missing" in found.codes


def test_the_profiles_that_judge_are_those_that_are_given():
    [found] = inspect_all(push(Authorization=token(sub="me@example.com")), at=NOW, profiles=STRICT)
    assert found.answers == {"rfc": 403}
    assert inspect_all(push(), at=NOW, profiles=PROFILES)[0].accepted


@pytest.mark.parametrize("url", ["/p", "p", "ftp://a/p", "https://[a/p"])
def test_a_request_to_nowhere_says_what_is_missing(url):
    with pytest.raises(CaptureError, match=r"to which host|is not the URL of an endpoint"):
        mockpush.inspect(push(url))


def test_an_endpoint_that_is_none_is_named():
    with pytest.raises(CaptureError, match="'nowhere' is not the URL of an endpoint"):
        mockpush.inspect(push(), endpoint="nowhere")
