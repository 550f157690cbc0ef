"""Inspection: each kind of finding is provoked by some request, and none by a right one."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace

import http_ece
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.findings import REGISTRY, Level
from mockpush.protocol.inspection import (
    Context,
    Decryption,
    Inspection,
    inspect,
    read_payload,
)
from mockpush.protocol.keys import load_private_key
from mockpush.protocol.model import (
    PushRequest,
    Subscription,
    SubscriptionKeys,
    SubscriptionState,
    Urgency,
    base64url_decode,
    base64url_encode,
)
from mockpush.protocol.registry import request as request_codes
from mockpush.protocol.registry import vapid as vapid_codes

NOW = 1_800_000_000
ORIGIN = "https://localhost:8031"

# RFC 8291, Appendix A
KEYS = SubscriptionKeys(
    base64url_decode(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    ),
    base64url_decode("BTBZMqHH6r4Tts7J_aSIgg"),
    base64url_decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
)
ENCRYPTION_SCALAR = base64url_decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
BODY = base64url_decode(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
    "lcy4a-fN"
)

# The application server's pair, and another one
SCALAR, OTHER = (number.to_bytes(32, "big") for number in (7, 11))


def point(scalar: bytes) -> bytes:
    public = load_private_key(scalar).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def k(scalar: bytes = SCALAR) -> str:
    return base64url_encode(point(scalar))


def der(scalar: bytes = SCALAR) -> str:
    public = load_private_key(scalar).public_key()
    data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64url_encode(data)


def compressed(scalar: bytes = SCALAR) -> str:
    public = load_private_key(scalar).public_key()
    return base64url_encode(public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def standard(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def t(
    scalar=SCALAR,
    *,
    head=(("typ", "JWT"), ("alg", "ES256")),
    raw=True,
    encode=base64url_encode,
    **claims,
) -> str:
    """A token; a claim of None is left out."""
    standard = {"aud": ORIGIN, "exp": NOW + 43_200, "sub": "mailto:push@example.com"}
    wanted = {name: value for name, value in {**standard, **claims}.items() if value is not None}
    text = ".".join(encode(json.dumps(each).encode()) for each in (dict(head), wanted))
    signature = load_private_key(scalar).sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    if raw:
        r, s = decode_dss_signature(signature)
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{text}.{encode(signature)}"


def vapid(token: str | None = None, key: str | None = None) -> str:
    return f"vapid t={t() if token is None else token}, k={k() if key is None else key}"


SUBSCRIPTION = Subscription(
    id="s",
    token="token",
    tenant="default",
    profile="rfc",
    endpoint=f"{ORIGIN}/push/token",
    origins=(ORIGIN,),
    created_at=NOW,
    keys=KEYS,
    application_server_key=point(SCALAR),
)
RIGHT = {"TTL": "60", "Content-Encoding": "aes128gcm", "Authorization": vapid()}


def push(*, method="POST", body=BODY, **fields) -> PushRequest:
    """The right request with some fields changed: None takes one out, a list doubles it."""
    names = {name.lower().replace("-", "_"): value for name, value in RIGHT.items()} | fields
    headers = [
        (name.replace("_", "-").encode(), each if isinstance(each, bytes) else each.encode())
        for name, value in names.items()
        if value is not None
        for each in (value if isinstance(value, list) else [value])
    ]
    return PushRequest(method, "/push/token", headers, body, NOW, NOW)


def look(*, subscription=SUBSCRIPTION, body_size=None, **request) -> Inspection:
    return inspect(push(**request), Context(subscription, (ORIGIN,), NOW, body_size))


def test_a_right_request_has_no_finding_and_all_measures():
    found = look(topic="upd8", urgency="high")
    assert found.codes == []
    assert (found.ttl, found.topic, found.urgency) == (60, "upd8", Urgency.HIGH)
    assert (found.body_size, found.topic_length, found.exp_in) == (144, 4, 43_200)
    assert (found.content_encoding, found.restricted, found.managed) == ("aes128gcm", True, True)
    assert found.vapid.verified


def aesgcm(data=b"hello", **options) -> dict:
    """The fields and body of a draft message, encrypted by http_ece."""
    salt = bytes(range(16))
    private = load_private_key(ENCRYPTION_SCALAR)
    body = http_ece.encrypt(
        data,
        private_key=private,
        dh=KEYS.p256dh,
        salt=salt,
        auth_secret=KEYS.auth,
        version="aesgcm",
        **options,
    )
    key = f"dh={k(ENCRYPTION_SCALAR)};p256ecdsa={k()}"
    fields = {"encryption": f"salt={base64url_encode(salt)}", "crypto_key": key}
    return {"content_encoding": "aesgcm", **fields, "body": body}


GONE = replace(SUBSCRIPTION, state=SubscriptionState.EXPIRED)
OPEN = replace(SUBSCRIPTION, application_server_key=None)
DRAFT = {**aesgcm(), "authorization": f"WebPush {t()}"}

CASES = {
    "request.method": {"method": "GET"},
    "subscription.unknown": {"subscription": None},
    "subscription.expired": {"subscription": GONE},
    "subscription.expired.404": {"subscription": replace(GONE, gone_status=404)},
    "subscription.expired.410": {"subscription": replace(GONE, gone_status=410)},
    "body.too_large": {"body_size": 4097},
    "ttl.missing": {"ttl": None},
    "ttl.not_a_number": {"ttl": "1h"},
    "ttl.negative": {"ttl": "-1"},
    "ttl.doubled": {"ttl": ["1", "1"]},
    "ttl.overflow": {"ttl": "2147483649"},
    "ttl.zero": {"ttl": "0"},
    "topic.empty": {"topic": ""},
    "topic.too_long": {"topic": "x" * 36},
    "topic.alphabet": {"topic": "up date"},
    "topic.padded": {"topic": "dXA="},
    "topic.doubled": {"topic": ["a", "b"]},
    "topic.length_mod_4": {"topic": "new_event"},
    "urgency.several": {"urgency": ["low", "high"]},
    "urgency.unknown": {"urgency": "urgent"},
    "urgency.case": {"urgency": "HIGH"},
    "content_encoding.missing": {"content_encoding": None},
    "content_encoding.unknown": {"content_encoding": "gzip"},
    "content_encoding.several": {"content_encoding": ["aes128gcm", "gzip"]},
    "content_encoding.case": {"content_encoding": "AES128GCM"},
    "cache_policy.no_cache": {"x_wns_cache_policy": "No-Cache"},
    "content_encoding.aesgcm": DRAFT,
    "crypto_key.malformed": {**DRAFT, "crypto_key": "junk", "content_encoding": None, "body": b""},
    "crypto_key.dh_with_aes128gcm": {"crypto_key": f"dh={k()}"},
    "crypto_key.with_aes128gcm": {"crypto_key": f"p256ecdsa={k()}"},
    "encryption_header.with_aes128gcm": {"encryption": "salt=AAAA"},
    "vapid.absent": {"authorization": None},
    "vapid.not_sent": {"authorization": None, "subscription": OPEN},
    "vapid.authorization.doubled": {"authorization": [vapid(), vapid()]},
    "vapid.authorization.malformed": {"authorization": f"vapid {t()}"},
    "vapid.scheme.unknown": {"authorization": "Basic AAAA"},
    "vapid.scheme.webpush": DRAFT,
    "vapid.scheme.bearer": {**DRAFT, "authorization": f"Bearer {t()}"},
    "vapid.scheme.with_aesgcm": aesgcm(),
    "vapid.separator.semicolon": {"authorization": f"vapid t={t()}; k={k()}"},
    "vapid.parameter.doubled": {"authorization": f"{vapid()}, k={k()}"},
    "vapid.token.missing": {"authorization": f"vapid k={k()}"},
    "vapid.token.malformed": {"authorization": vapid("a.b")},
    "vapid.token.padded": {"authorization": vapid(t() + "==")},
    "vapid.token.standard_base64": {"authorization": vapid(t(encode=standard, note="?????"))},
    "vapid.key.missing": {"authorization": f"vapid t={t()}"},
    "vapid.key.empty": {"authorization": f"vapid t={t()}, k="},
    "vapid.p256ecdsa.missing": {**DRAFT, "crypto_key": f"dh={k(ENCRYPTION_SCALAR)}"},
    "vapid.key.padded": {"authorization": vapid(key=k() + "=")},
    "vapid.key.standard_base64": {"authorization": vapid(key=standard(point(SCALAR)))},
    "vapid.key.not_base64url": {"authorization": vapid(key="!")},
    "vapid.key.compressed": {"authorization": vapid(key=compressed())},
    "vapid.key.without_prefix": {"authorization": vapid(key=base64url_encode(point(SCALAR)[1:]))},
    "vapid.key.der": {"authorization": vapid(key=der())},
    "vapid.key.length": {"authorization": vapid(key="AAAA")},
    "vapid.key.not_uncompressed": {
        "authorization": vapid(key=base64url_encode(b"\x06" + point(SCALAR)[1:]))
    },
    "vapid.key.not_on_curve": {"authorization": vapid(key=base64url_encode(b"\x04" * 65))},
    "vapid.key.mismatch": {"authorization": vapid(t(OTHER), k(OTHER))},
    "vapid.key.equals_encryption_key": {
        "subscription": replace(SUBSCRIPTION, application_server_key=point(ENCRYPTION_SCALAR)),
        "authorization": vapid(t(ENCRYPTION_SCALAR), k(ENCRYPTION_SCALAR)),
    },
    "vapid.algorithm": {"authorization": vapid(t(head={"alg": "none", "typ": "JWT"}))},
    "vapid.typ": {"authorization": vapid(t(head={"alg": "ES256"}))},
    "vapid.signature.invalid": {"authorization": vapid(t(OTHER))},
    "vapid.signature.other_key": {"authorization": vapid(key=k(OTHER))},
    "vapid.signature.der": {"authorization": vapid(t(raw=False))},
    "vapid.signature.length": {"authorization": vapid(t()[:-2])},
    "vapid.aud.missing": {"authorization": vapid(t(aud=None))},
    "vapid.aud.type": {"authorization": vapid(t(aud=1))},
    "vapid.aud.array": {"authorization": vapid(t(aud=[ORIGIN]))},
    "vapid.aud.mismatch": {"authorization": vapid(t(aud="https://example.net"))},
    "vapid.aud.path": {"authorization": vapid(t(aud=ORIGIN + "/"))},
    "vapid.aud.port_missing": {"authorization": vapid(t(aud="https://localhost"))},
    "vapid.exp.missing": {"authorization": vapid(t(exp=None))},
    "vapid.exp.type": {"authorization": vapid(t(exp=str(NOW + 3600)))},
    "vapid.exp.fraction": {"authorization": vapid(t(exp=NOW + 3600.0))},
    "vapid.exp.past": {"authorization": vapid(t(exp=NOW - 1))},
    "vapid.exp.too_far": {"authorization": vapid(t(exp=(NOW + 3600) * 1000))},
    "vapid.exp.near_limit": {"authorization": vapid(t(exp=NOW + 86_400))},
    "vapid.exp.soon": {"authorization": vapid(t(exp=NOW + 60))},
    "vapid.nbf.future": {"authorization": vapid(t(nbf=NOW + 60))},
    "vapid.sub.missing": {"authorization": vapid(t(sub=None))},
    "vapid.sub.type": {"authorization": vapid(t(sub=["mailto:a@example.com"]))},
    "vapid.sub.bare_address": {"authorization": vapid(t(sub="a@example.com"))},
    "vapid.sub.not_a_contact": {"authorization": vapid(t(sub="http://example.com"))},
    "vapid.sub.doubled_mailto": {"authorization": vapid(t(sub="mailto:mailto:a@example.com"))},
    "vapid.sub.malformed": {"authorization": vapid(t(sub="mailto: a@example.com"))},
    "vapid.sub.https": {"authorization": vapid(t(sub="https://example.com"))},
    "vapid.sub.local_host": {"authorization": vapid(t(sub="mailto:a@localhost"))},
    "vapid.claims.large": {"authorization": vapid(t(note="x" * 800))},
}
"""A request for each code."""

AS_WELL = {
    "content_encoding.aesgcm": {"vapid.scheme.webpush"},
    "crypto_key.malformed": {"vapid.scheme.webpush", "vapid.p256ecdsa.missing"},
    "vapid.authorization.malformed": {"vapid.token.missing", "vapid.key.missing"},
    "vapid.scheme.webpush": {"content_encoding.aesgcm"},
    "vapid.scheme.bearer": {"content_encoding.aesgcm"},
    "vapid.scheme.with_aesgcm": {"content_encoding.aesgcm"},
    "vapid.p256ecdsa.missing": {"content_encoding.aesgcm", "vapid.scheme.webpush"},
    "vapid.signature.other_key": {"vapid.signature.invalid", "vapid.key.mismatch"},
}
"""What else such a request has to show."""

BY_THE_SERVICE = {"service.full", "fault.injected", "fault.needs_connection"}
"""Codes that no inspection can know."""


@pytest.mark.parametrize("code", CASES)
def test_each_code_is_provoked_by_a_request_and_nothing_is_found_beside_it(code):
    found = look(**CASES[code])
    assert set(found.codes) == {code} | AS_WELL.get(code, set())
    assert len(found.codes) == len(set(found.codes))


@pytest.mark.parametrize("code", CASES)
def test_each_finding_says_what_it_expected_and_what_came(code):
    finding = next(each for each in look(**CASES[code]).findings if each.code == code)
    if code != "subscription.unknown":
        assert finding.expected
        assert finding.actual
        assert finding.actual != finding.expected
    shown = json.loads(json.dumps(finding.as_json()))
    rule = REGISTRY[code]
    assert (shown["code"], shown["level"], shown["hint"]) == (code, rule.level, finding.hint)
    assert finding.hint == rule.hint or code == "vapid.exp.too_far"
    assert str(finding) == f"{code}: {rule.text} [{rule.section}]"


@pytest.mark.parametrize(
    ("exp", "code", "hint"),
    [
        (1000 * (NOW + 3600), "vapid.exp.too_far", "exp counts milliseconds"),
        (43200, "vapid.exp.past", "exp is a duration"),
        (NOW + 27 * 3600, "vapid.exp.too_far", "Use 12 h"),
        (NOW - 3600, "vapid.exp.past", "Sign a new token"),
    ],
)
def test_a_time_in_the_wrong_unit_is_told_from_a_wrong_time(exp, code, hint):
    [finding] = look(authorization=vapid(t(exp=exp))).findings
    assert finding.code == code
    assert finding.hint.startswith(hint)


def test_how_much_too_far_exp_is_is_told():
    [finding] = look(authorization=vapid(t(exp=NOW + 27 * 3600))).findings
    assert finding.actual == f"{NOW + 27 * 3600} (27 h ahead, 3 h too far)"


def test_no_code_is_without_its_request():
    codes = {row.code for row in (*request_codes.CODES, *vapid_codes.CODES)}
    assert CASES.keys() | BY_THE_SERVICE == codes


def test_all_checks_run_whatever_has_been_found_before():
    found = look(
        method="PUT",
        subscription=GONE,
        body_size=5000,
        ttl="x",
        topic="",
        urgency="x",
        authorization=vapid(t(OTHER, aud=1, exp="x", sub="x")),
        content_encoding="gzip",
    )
    assert found.codes == [
        "request.method",
        "subscription.expired",
        "body.too_large",
        "ttl.not_a_number",
        "topic.empty",
        "urgency.unknown",
        "content_encoding.unknown",
        "vapid.signature.invalid",
        "vapid.sub.not_a_contact",
        "vapid.aud.type",
        "vapid.exp.type",
    ]


@pytest.mark.parametrize("subscription", [None, GONE, OPEN, replace(OPEN, keys=None)])
def test_the_token_is_read_for_every_kind_of_subscription(subscription):
    found = look(subscription=subscription, authorization=vapid(t(aud="https://example.net")))
    assert "vapid.aud.mismatch" in found.codes
    assert found.vapid.verified
    assert found.restricted == (subscription is GONE)
    assert found.managed == (subscription in (GONE, OPEN))


def test_the_size_is_that_of_the_body_or_the_announced_one():
    assert look(body=b"x" * 4096, content_encoding=None).body_size == 4096
    assert "body.too_large" not in look(body=b"x" * 4096, content_encoding=None).codes
    assert "body.too_large" in look(body=b"x" * 4097, content_encoding=None).codes
    assert look(body_size=10**9).body_size == 10**9


def test_what_the_envelope_shows_is_found():
    assert look(body=BODY[:50]).codes == ["encryption.header.truncated"]
    assert look(body=BODY[:86]).codes == ["encryption.record.missing"]
    assert look(body=b"").codes == ["encryption.header.truncated"]


def test_what_the_fields_of_the_draft_show_is_found():
    assert "aesgcm.salt.missing" in look(**{**DRAFT, "encryption": "rs=4096"}).codes
    assert "aesgcm.dh.length" in look(**{**DRAFT, "crypto_key": "dh=AAAA"}).codes


def test_the_key_of_the_draft_coding_must_differ_from_the_signing_key_too():
    fields = {**DRAFT, "crypto_key": f"dh={k()};p256ecdsa={k()}"}
    assert "vapid.key.equals_encryption_key" in look(**fields).codes


def test_a_push_without_payload_needs_no_coding():
    found = look(body=b"", content_encoding=None)
    assert (found.codes, found.content_encoding) == ([], None)


def test_inspecting_changes_nothing():
    request = push(topic="a", **DRAFT)
    context = Context(SUBSCRIPTION, (ORIGIN,), NOW)
    before = copy.deepcopy(request)
    first = inspect(request, context)
    assert request == before
    assert inspect(request, context).findings == first.findings


# Whatever comes

PLAUSIBLE = {
    b"ttl": [b"60", b"0"],
    b"topic": [b"upd"],
    b"urgency": [b"high"],
    b"content-encoding": [b"aes128gcm", b"aesgcm"],
    b"authorization": [vapid().encode(), f"WebPush {t()}".encode()],
    b"crypto-key": [f"dh={k()}".encode(), f"p256ecdsa={k()}".encode()],
    b"encryption": [b"salt=AAAAAAAAAAAAAAAAAAAAAA", b"salt=A;rs=1"],
    b"host": [b"localhost"],
}
lines = st.sampled_from(list(PLAUSIBLE)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(PLAUSIBLE[name]) | st.binary(max_size=30))
)
bodies = st.one_of(
    st.binary(max_size=200),
    st.integers(0, len(BODY)).map(lambda end: BODY[:end]),
    st.tuples(st.integers(0, len(BODY) - 1), st.binary(min_size=1, max_size=1)).map(
        lambda change: BODY[: change[0]] + change[1] + BODY[change[0] + 1 :]
    ),
)


@given(st.lists(lines, max_size=6), bodies, st.sampled_from([None, SUBSCRIPTION, OPEN]))
def test_no_request_makes_the_inspection_raise(headers, body, subscription):
    request = PushRequest("POST", "/push/token", headers, body, NOW, NOW)
    found = inspect(request, Context(subscription, (ORIGIN,), NOW))
    read = read_payload(found, body, KEYS)
    assert {finding.code for finding in (*found.findings, *read.findings)} <= REGISTRY.keys()
    assert all(finding.as_json() for finding in found.findings)
    if read.decryption is Decryption.OK:
        breaches = {each.code for each in found.findings if each.level is Level.MUST}
        assert not {code for code in breaches if code.startswith("encryption.")} - {
            "encryption.records.several",
            "encryption.rs.not_greater",
        }
