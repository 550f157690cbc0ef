"""The registry of findings: complete, and weighed as the RFCs weigh their requirements."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from mockpush.protocol.findings import REGISTRY, Finding, Level
from mockpush.protocol.registry import TABLES, request, vapid

ROWS = [row for table in TABLES for row in table]

DUTIES = {
    "8030 5: a message is sent with POST": "request.method",
    "8030 5.2: TTL is 1*DIGIT, once": "ttl.missing ttl.not_a_number ttl.negative ttl.doubled",
    "8030 5.3: one of four urgencies": "urgency.several urgency.unknown",
    "8030 5.4: 1 to 32 characters of base64url": (
        "topic.empty topic.too_long topic.alphabet topic.padded topic.doubled"
    ),
    "8291 4: exactly one aes128gcm": (
        "content_encoding.missing content_encoding.unknown content_encoding.several"
        " content_encoding.aesgcm"
    ),
    "8291 4: one record; keyid is an uncompressed point": (
        "encryption.records.several encryption.keyid.length encryption.keyid.not_uncompressed"
        " encryption.keyid.not_on_curve encryption.rs.not_greater"
    ),
    "8188 2: header, rs, records": (
        "encryption.header.truncated encryption.rs.too_small encryption.record.missing"
        " encryption.record.too_short"
    ),
    "8292 2: ES256; aud is the origin; exp within 24 h": (
        "vapid.algorithm vapid.signature.invalid vapid.signature.der vapid.signature.length"
        " vapid.token.malformed vapid.token.padded vapid.token.standard_base64"
        " vapid.aud.missing vapid.aud.type vapid.aud.mismatch vapid.aud.path vapid.aud.port_missing"
        " vapid.exp.missing vapid.exp.type vapid.exp.past vapid.exp.too_far"
    ),
    "8292 3: vapid t=, k= with an uncompressed point in base64url": (
        "vapid.scheme.unknown vapid.scheme.webpush vapid.scheme.bearer vapid.separator.semicolon"
        " vapid.authorization.malformed vapid.authorization.doubled vapid.parameter.doubled"
        " vapid.token.missing vapid.key.missing vapid.key.empty vapid.p256ecdsa.missing"
        " vapid.key.padded vapid.key.standard_base64 vapid.key.not_base64url vapid.key.compressed"
        " vapid.key.without_prefix vapid.key.der vapid.key.length vapid.key.not_uncompressed"
        " vapid.key.not_on_curve"
    ),
    "8292 3.2: the signing key is not the encryption key": "vapid.key.equals_encryption_key",
    "8292 4.2: the key of the subscription": (
        "vapid.absent vapid.key.mismatch vapid.signature.other_key"
    ),
}
"""What an application server MUST do, and the codes of those that do not."""

ADVICE = {
    "8292 2.1: sub is a mailto: or https: URI": (
        "vapid.sub.type vapid.sub.bare_address vapid.sub.not_a_contact vapid.sub.doubled_mailto"
        " vapid.sub.malformed"
    ),
    "8292 2.2: claims are small": "vapid.claims.large",
}
"""What it SHOULD do."""

LEGAL = {
    Level.VENDOR: (
        "ttl.zero topic.length_mod_4 vapid.not_sent vapid.aud.array vapid.sub.missing"
        " vapid.sub.local_host"
        " vapid.exp.fraction crypto_key.dh_with_aes128gcm encryption_header.with_aes128gcm"
    ),
    Level.PRACTICE: (
        "body.too_large urgency.case content_encoding.case crypto_key.with_aes128gcm"
        " vapid.scheme.with_aesgcm vapid.exp.near_limit vapid.exp.soon"
    ),
    Level.INFORMATION: (
        "vapid.sub.https subscription.unknown subscription.expired subscription.expired.404"
        " subscription.expired.410 service.full fault.injected fault.needs_connection"
        " ttl.overflow vapid.typ vapid.nbf.future cache_policy.no_cache"
    ),
}
"""What no RFC forbids."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_row_is_complete(row):
    assert re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", row.code)
    assert re.match(
        r"RFC \d{4}, Section |draft-[\w-]+-\d\d, Section |W3C Push API, Section |"
        r"(WHATWG Notifications|Apple|Mozilla|Chromium|WNS), |mockpush",
        row.section,
    )
    assert row.text
    assert not row.text.endswith(".")
    assert row.hint != row.text
    assert row.hint.endswith((".", "?"))
    assert "  " not in row.text + row.hint


def test_no_code_stands_in_two_rows():
    counts = Counter(row.code for row in ROWS)
    assert [code for code, count in counts.items() if count > 1] == []
    assert {row.code: row for row in ROWS} == REGISTRY


@pytest.mark.parametrize(
    ("level", "table"), [(Level.MUST, DUTIES), (Level.SHOULD, ADVICE)], ids=["must", "should"]
)
def test_a_breach_weighs_as_its_requirement(level, table):
    codes = " ".join(table.values()).split()
    assert {code: REGISTRY[code].level for code in codes} == dict.fromkeys(codes, level)


@pytest.mark.parametrize("level", LEGAL)
def test_what_is_legal_weighs_less(level):
    codes = LEGAL[level].split()
    assert {code: REGISTRY[code].level for code in codes} == dict.fromkeys(codes, level)


def test_every_code_on_requests_and_tokens_stands_in_these_tables():
    tables = (*DUTIES.values(), *ADVICE.values(), *LEGAL.values(), "crypto_key.malformed")
    weighed = set(" ".join(tables).split())
    codes = {row.code for row in (*request.CODES, *vapid.CODES)}
    assert codes - weighed == set()


def test_only_decryption_needs_keys():
    assert not [row.code for row in (*request.CODES, *vapid.CODES) if row.needs_keys]
    assert REGISTRY["encryption.tag.invalid"].needs_keys
    assert not REGISTRY["encryption.keyid.length"].needs_keys


def test_levels_are_ordered_heaviest_first():
    assert [*Level] == ["must", "should", "practice", "vendor", "information"]


def test_a_detail_stands_in_for_the_hint():
    plain, better = Finding("ttl.missing"), Finding("ttl.missing", detail="Ask Jo.")
    assert plain.hint == REGISTRY["ttl.missing"].hint
    assert better.hint == better.as_json()["hint"] == "Ask Jo."
    assert plain.level is Level.MUST
