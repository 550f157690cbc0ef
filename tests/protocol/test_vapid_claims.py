"""The claims of a token: its audience and its times."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.findings import REGISTRY
from mockpush.protocol.jwt import Token
from mockpush.protocol.vapid import Scheme, Vapid, check_vapid

NOW = 1_800_000_000
ORIGIN = "https://localhost:8031"
CLAIMS = {"aud": ORIGIN, "exp": NOW + 43_200}


def check(claims, *, origins=(ORIGIN,)):
    """The codes, and the seconds until exp."""
    token = Token({"alg": "ES256"}, claims, b"", b"")
    vapid = Vapid(Scheme.VAPID, b"key", token, verified=True, findings=())
    findings = []
    exp_in = check_vapid(vapid, findings, origins=origins, now=NOW, application_server_key=b"key")
    for finding in findings:
        assert finding.code in REGISTRY
        assert finding.expected
        assert 0 < len(finding.actual) < 800
    return [finding.code for finding in findings], exp_in


def codes_with(origins=(ORIGIN,), **claims):
    """The codes of a token with these claims changed; None takes one out."""
    changed = {**CLAIMS, **claims}
    claims = {name: value for name, value in changed.items() if value is not None}
    return check(claims, origins=origins)[0]


@pytest.mark.parametrize(
    ("audience", "code"),
    [
        (None, "vapid.aud.missing"),
        (ORIGIN + "/", "vapid.aud.path"),
        (ORIGIN + "/push/abc", "vapid.aud.path"),
        (ORIGIN + "?a=b", "vapid.aud.path"),
        (ORIGIN + "#a", "vapid.aud.path"),
        ("https://localhost", "vapid.aud.port_missing"),
        ("http://localhost", "vapid.aud.mismatch"),
        ("https://localhost/", "vapid.aud.mismatch"),
        ("https://localhost:8032", "vapid.aud.mismatch"),
        ("http://localhost:8031", "vapid.aud.mismatch"),
        ("HTTPS://LOCALHOST:8031", "vapid.aud.mismatch"),
        ("https://user@localhost:8031", "vapid.aud.mismatch"),
        ("https://fcm.googleapis.com", "vapid.aud.mismatch"),
        ("localhost:8031", "vapid.aud.mismatch"),
        ("https://[::1", "vapid.aud.mismatch"),
        ("https://localhost:99999999", "vapid.aud.mismatch"),
        ("", "vapid.aud.mismatch"),
        (0, "vapid.aud.type"),
        (True, "vapid.aud.type"),
        ({}, "vapid.aud.type"),
        ({"a": ORIGIN}, "vapid.aud.type"),
        ([1], "vapid.aud.type"),
        ([ORIGIN, 1], "vapid.aud.type"),
        ([[ORIGIN]], "vapid.aud.type"),
        ([ORIGIN], "vapid.aud.array"),
        (["https://example.net", ORIGIN], "vapid.aud.array"),
    ],
)
def test_the_audience_is_the_origin_of_the_endpoint_and_nothing_else(audience, code):
    assert codes_with(aud=audience) == [code]


@pytest.mark.parametrize("audience", [[], ["https://example.net"], [ORIGIN + "/"]])
def test_a_list_without_the_origin_does_not_match(audience):
    assert codes_with(aud=audience) == ["vapid.aud.array", "vapid.aud.mismatch"]


@pytest.mark.parametrize(
    ("origins", "audience", "codes"),
    [
        (("https://a.example", ORIGIN), ORIGIN, []),
        (("https://a.example", ORIGIN), "https://a.example", []),
        (("https://a.example",), "https://a.example:443", ["vapid.aud.mismatch"]),
        (("http://[::1]:8030",), "http://[::1]:8030", []),
        (("http://[::1]:8030",), "http://[::1]", ["vapid.aud.port_missing"]),
        (("http://[::1]",), "http://[", ["vapid.aud.mismatch"]),
        (("http://[::1]",), "http:", ["vapid.aud.mismatch"]),
        ((), ORIGIN, ["vapid.aud.mismatch"]),
    ],
)
def test_any_origin_of_the_subscription_will_do(origins, audience, codes):
    assert codes_with(origins, aud=audience) == codes


@pytest.mark.parametrize(
    ("origins", "expected"),
    [((ORIGIN, "https://a.example"), ORIGIN), ((), "the endpoint's origin")],
)
def test_a_finding_about_the_audience_tells_the_right_one(origins, expected):
    findings = []
    token = Token({}, {"aud": "x", "exp": NOW + 3600}, b"", b"")
    vapid = Vapid(Scheme.VAPID, None, token, verified=True, findings=())
    check_vapid(vapid, findings, origins=origins, now=NOW, application_server_key=None)
    assert [(finding.expected, finding.actual) for finding in findings] == [(expected, "x")]


@pytest.mark.parametrize(
    ("exp", "code"),
    [
        (NOW + 43_200.5, None),
        (NOW + 121, None),
        (NOW + 86_340, None),
        (NOW + 86_341, "vapid.exp.near_limit"),
        (NOW + 86_400, "vapid.exp.near_limit"),
        (NOW + 86_400.5, "vapid.exp.too_far"),
        (NOW + 86_401, "vapid.exp.too_far"),
        ((NOW + 3600) * 1000, "vapid.exp.too_far"),
        (10**300, "vapid.exp.too_far"),
        (1e300, "vapid.exp.too_far"),
        (NOW + 120, "vapid.exp.soon"),
        (NOW + 5, "vapid.exp.soon"),
        (NOW, "vapid.exp.soon"),
        (NOW - 1, "vapid.exp.past"),
        (0, "vapid.exp.past"),
        (-1, "vapid.exp.past"),
        (-(10**300), "vapid.exp.past"),
        (43_200, "vapid.exp.past"),
        (None, "vapid.exp.missing"),
        (str(NOW + 3600), "vapid.exp.type"),
        ("2027-01-01T00:00:00Z", "vapid.exp.type"),
        (True, "vapid.exp.type"),
        (False, "vapid.exp.type"),
        ([NOW + 3600], "vapid.exp.type"),
        ({}, "vapid.exp.type"),
        (10**400, "vapid.exp.type"),
    ],
)
def test_exp_is_a_number_of_seconds_within_the_next_24_hours(exp, code):
    assert codes_with(exp=exp) == ([] if code is None else [code])


def test_null_claims_count_as_missing():
    assert check({"aud": None, "exp": None})[0] == ["vapid.aud.missing", "vapid.exp.missing"]


@pytest.mark.parametrize(
    ("nbf", "codes"),
    [(NOW - 1, []), (NOW, []), (NOW + 1, ["vapid.nbf.future"]), ("soon", []), (10**400, [])],
)
def test_a_token_that_is_not_valid_yet_is_worth_knowing(nbf, codes):
    assert codes_with(nbf=nbf) == codes


@pytest.mark.parametrize("ahead", [-5, 0, 0.5, 43_200, 10**9])
def test_the_seconds_until_exp_are_measured(ahead):
    assert check({"aud": ORIGIN, "exp": NOW + ahead})[1] == ahead


def test_a_finding_about_times_tells_how_far_off_it_is():
    findings = []
    for ahead in (-172_800, -7200, -120, -30, 0, 30, 86_400 * 10, 90 * 60):
        token = Token({}, {"aud": ORIGIN, "exp": NOW + ahead}, b"", b"")
        vapid = Vapid(Scheme.VAPID, None, token, verified=True, findings=())
        check_vapid(vapid, findings, origins=(ORIGIN,), now=NOW, application_server_key=None)
    assert [finding.actual.partition(" ")[2] for finding in findings] == [
        "(2 days ago)",
        "(2 h ago)",
        "(2 min ago)",
        "(30 s ago)",
        "(0 s ahead)",
        "(30 s ahead)",
        "(10 days ahead)",
    ]
    assert findings[0].expected == f"{NOW} to {NOW + 86_400}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("aud", "exp", "nbf"), json_values)))
def test_no_claims_make_the_check_raise(claims):
    codes, exp_in = check(claims)
    assert (exp_in is None) == bool({"vapid.exp.missing", "vapid.exp.type"} & set(codes))
    wrong = any(code.startswith("vapid.aud.") for code in codes)
    assert wrong == (claims.get("aud") != ORIGIN)


@given(st.text(alphabet="htps:/localhst0123456789.[]@#?", max_size=30))
def test_only_the_origin_itself_has_no_finding(audience):
    codes = codes_with(aud=audience)
    assert codes == ([] if audience == ORIGIN else codes)
    assert codes
    if codes == ["vapid.aud.path"]:
        parts = urlsplit(audience)
        assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
