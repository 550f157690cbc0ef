"""The `rfc` profile and its strict table, row by row and in their order."""

from __future__ import annotations

import itertools

import pytest

from mockpush.profiles import PROFILES, STRICT
from mockpush.profiles.rfc import RFC, RFC_STRICT
from mockpush.protocol.findings import REGISTRY, Finding, Level
from mockpush.protocol.head import Head
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Profile, judge
from mockpush.protocol.registry import HISTORY

REFUSED = {
    405: "request.method",
    404: "subscription.unknown subscription.expired.404",
    410: "subscription.expired subscription.expired.410",
    401: "vapid.absent",
    403: (
        "vapid.authorization.malformed vapid.scheme.unknown vapid.token.missing"
        " vapid.token.malformed vapid.key.missing vapid.key.empty vapid.p256ecdsa.missing"
        " vapid.key.not_base64url vapid.key.length vapid.key.not_uncompressed"
        " vapid.key.not_on_curve vapid.algorithm vapid.signature.invalid vapid.signature.der"
        " vapid.signature.length vapid.key.mismatch vapid.exp.missing vapid.exp.type"
        " vapid.exp.past vapid.exp.too_far vapid.aud.missing vapid.aud.type vapid.aud.path"
        " vapid.aud.mismatch"
    ),
    400: (
        "ttl.missing ttl.not_a_number ttl.negative ttl.doubled topic.empty topic.too_long"
        " topic.alphabet topic.padded topic.doubled urgency.several urgency.unknown"
        " receipt.subscription.unknown"
        " vapid.key.equals_encryption_key content_encoding.missing content_encoding.unknown"
        " content_encoding.several encryption.header.truncated encryption.rs.too_small"
        " encryption.keyid.length encryption.keyid.not_uncompressed"
        " encryption.keyid.not_on_curve encryption.record.missing encryption.record.too_short"
        " encryption.records.several"
    ),
}
STATUS = {code: status for status, codes in REFUSED.items() for code in codes.split()}
"""The answer to each finding on a restricted, managed subscription; 201 to all others."""

IN_ORDER = [
    "request.method",
    "subscription.unknown",
    "subscription.expired.404",
    "subscription.expired",
    "body.too_large",
    "ttl.missing",
    "topic.padded",
    "urgency.several",
    "receipt.subscription.unknown",
    "vapid.absent",
    "vapid.signature.invalid",
    "vapid.key.equals_encryption_key",
    "encryption.rs.too_small",
]
"""One code of each check, first check first."""

PAIRS = [*itertools.combinations(IN_ORDER, 2)]

TOLERATED = [
    "content_encoding.aesgcm",
    "vapid.scheme.webpush",
    "vapid.scheme.bearer",
    "vapid.key.padded",
    "vapid.key.standard_base64",
    "vapid.key.compressed",
    "vapid.key.without_prefix",
    "vapid.key.der",
    "vapid.separator.semicolon",
    "vapid.aud.port_missing",
    "vapid.aud.array",
    "vapid.sub.missing",
    "ttl.zero",
    "ttl.overflow",
    "topic.length_mod_4",
]
"""What real senders do and a push service need not refuse."""


def inspection(*codes: str, size=100, restricted=True, managed=True) -> Inspection:
    return Inspection(
        tuple(Finding(code) for code in codes),
        Head(ttl=60),
        vapid=None,
        body_size=5000 if "body.too_large" in codes else size,
        exp_in=None,
        restricted=restricted,
        managed=managed,
    )


def status(profile: Profile, *codes: str, **options) -> int:
    return judge(inspection(*codes, **options), profile).template.status


def expected(code: str) -> int:
    return 413 if code == "body.too_large" else STATUS.get(code, 201)


@pytest.mark.parametrize("code", REGISTRY)
def test_each_finding_has_its_answer(code):
    judgement = judge(inspection(code), RFC)
    assert judgement.template.status == expected(code)
    assert judgement.codes == (() if expected(code) == 201 else (code,))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_of_two_findings_the_earlier_check_decides(first, second):
    for codes in ((first, second), (second, first)):
        judgement = judge(inspection(*codes), RFC)
        assert judgement.template.status == expected(first)
        assert judgement.codes == (first, second)


@pytest.mark.parametrize("code", TOLERATED)
def test_what_many_senders_do_is_accepted_with_its_finding(code):
    assert code in REGISTRY
    assert status(RFC, code) == 201


@pytest.mark.parametrize("code", [code for code in STATUS if code.startswith("vapid.")])
def test_only_a_restricted_subscription_asks_who_sends(code):
    on_any_subscription = code == "vapid.key.equals_encryption_key"
    assert status(RFC, code, restricted=False) == (400 if on_any_subscription else 201)


@pytest.mark.parametrize(
    "code",
    [code for code in STATUS if code.startswith(("encryption.", "content_encoding."))],
)
def test_an_opaque_body_is_never_looked_at(code):
    assert status(RFC, code, managed=False) == 201


@pytest.mark.parametrize("profile", [RFC, RFC_STRICT])
def test_a_body_of_4096_octets_is_taken_and_a_larger_one_is_not(profile):
    assert status(profile, size=4096) == 201
    assert status(profile, size=4097) == 413


@pytest.mark.parametrize(
    ("code", "headers"),
    [
        ("ttl.zero", {"Location": "{location}", "TTL": "{ttl}"}),
        ("request.method", {"Allow": "POST"}),
        ("vapid.absent", {"WWW-Authenticate": "vapid"}),
    ],
)
def test_answers_carry_the_fields_that_the_rfcs_ask_for(code, headers):
    assert headers.items() <= dict(judge(inspection(code), RFC).template.headers).items()


@pytest.mark.parametrize("profile", [RFC, RFC_STRICT])
def test_every_refusal_is_a_problem_document_and_says_where_it_comes_from(profile):
    for row in profile.rows:
        assert ("Content-Type", "application/problem+json") in row.answer.headers
        assert row.answer.body == "{problem}"
        assert row.evidence
    assert (profile.full.status, profile.full.body) == (503, "{problem}")
    assert dict(profile.full.headers)["Retry-After"].isdigit()
    assert (profile.success.status, profile.success.body) == (201, "")


def strict_status(row) -> int:
    if row.code == "subscription.expired":
        return 404
    if row.code in STATUS or row.code == "body.too_large":
        return expected(row.code)
    hidden = row.needs_keys or row.code in HISTORY
    if hidden or row.level not in (Level.MUST, Level.SHOULD):
        return 201
    return 403 if row.code.startswith("vapid.") else 400


@pytest.mark.parametrize("row", REGISTRY.values(), ids=lambda row: row.code)
def test_strict_refuses_every_breach_of_a_must_or_should_that_shows(row):
    judgement = judge(inspection(row.code), RFC_STRICT)
    assert judgement.template.status == strict_status(row)
    assert judgement.codes == (() if judgement.accepted else (row.code,))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_strict_keeps_the_order(first, second):
    judgement = judge(inspection(second, first), RFC_STRICT)
    assert judgement.codes == (first, second)
    assert judgement.template.status == strict_status(REGISTRY[first])


@pytest.mark.parametrize(
    ("code", "scope", "answer"),
    [
        ("vapid.signature.invalid", {"restricted": False}, 403),
        ("vapid.sub.bare_address", {"restricted": False}, 403),
        ("content_encoding.missing", {"managed": False}, 400),
        ("encryption.rs.too_small", {"managed": False}, 201),
        ("encryption.rs.not_greater", {"managed": False}, 201),
    ],
)
def test_strict_looks_at_tokens_everywhere_and_at_ciphertext_only_where_it_has_the_keys(
    code, scope, answer
):
    assert status(RFC_STRICT, code, **scope) == answer


def test_strict_is_another_table_of_the_same_profile():
    assert PROFILES["rfc"] is RFC
    assert STRICT["rfc"] is RFC_STRICT
    assert RFC_STRICT.name == RFC.name
    assert STRICT.keys() <= PROFILES.keys()


@pytest.mark.parametrize("profile", [*PROFILES.values(), *STRICT.values()])
def test_a_profile_is_whole(profile):
    assert {"body", "ttl"} <= profile.limits.keys()
    for prefix in profile.prefixes:
        assert prefix.startswith("/")
        assert prefix.endswith("/")
    assert profile.title
    for row, _, _, bound in profile.measured:
        assert row.when.reports in REGISTRY
        assert isinstance(bound, int | float)


def test_prefixes_of_endpoints_do_not_overlap():
    tables = [profile.prefixes for profile in PROFILES.values()]
    assert not [
        (one, other)
        for ones, others in itertools.permutations(tables, 2)
        for one, other in itertools.product(ones, others)
        if one.startswith(other)
    ]
