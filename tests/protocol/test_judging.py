"""Judgement: a profile is a table, and the first row that matches decides."""

from __future__ import annotations

import pytest

from mockpush.protocol.findings import Finding
from mockpush.protocol.head import Head
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import (
    Codes,
    Compare,
    Judgement,
    Measure,
    Operator,
    Profile,
    Row,
    Scope,
    Template,
    judge,
    on,
)

CREATED, GONE, BAD, BIG, FULL = (Template(status) for status in (201, 410, 400, 413, 503))


def inspection(
    *codes, restricted=True, managed=True, body_size=100, ttl=60, topic=None, exp_in=3600.0
) -> Inspection:
    return Inspection(
        tuple(Finding(code) for code in codes),
        Head(ttl, topic),
        vapid=None,
        body_size=body_size,
        exp_in=exp_in,
        restricted=restricted,
        managed=managed,
    )


def profile(*rows: Row, **limits) -> Profile:
    return Profile("p", "a profile", "/p/", rows, CREATED, FULL, limits)


def decide(table: Profile, *codes, **options) -> tuple[int, tuple[str, ...]]:
    judgement = judge(inspection(*codes, **options), table)
    assert judgement.profile is table
    assert judgement.accepted == (judgement.template is CREATED)
    return judgement.template.status, judgement.codes


TABLE = profile(
    Row(on("subscription.expired"), GONE),
    Row(on("ttl.missing", "ttl.negative"), BAD),
    Row(Compare(Measure.BODY_SIZE, Operator.ABOVE, "body", "body.too_large"), BIG),
    body=4096,
)


@pytest.mark.parametrize(
    ("codes", "size", "decision"),
    [
        ([], 100, (201, ())),
        (["ttl.zero"], 100, (201, ())),
        (["ttl.missing"], 100, (400, ("ttl.missing",))),
        (["ttl.negative"], 100, (400, ("ttl.negative",))),
        ([], 4096, (201, ())),
        ([], 4097, (413, ("body.too_large",))),
        (["body.too_large"], 4096, (201, ())),
        (
            ["body.too_large", "ttl.missing", "subscription.expired", "ttl.zero"],
            5000,
            (410, ("subscription.expired", "ttl.missing", "body.too_large")),
        ),
        (["ttl.zero"], 5000, (413, ("body.too_large",))),
    ],
)
def test_the_first_row_that_matches_decides_and_the_others_are_told(codes, size, decision):
    assert decide(TABLE, *codes, body_size=size) == decision


def test_two_rows_on_one_code_report_it_once():
    twice = profile(Row(on("ttl.missing"), BAD), Row(on("ttl.missing", "ttl.zero"), GONE))
    assert decide(twice, "ttl.missing") == (400, ("ttl.missing",))


@pytest.mark.parametrize(
    ("scope", "restricted", "managed", "status"),
    [
        (Scope.ANY, False, False, 400),
        (Scope.RESTRICTED, True, False, 400),
        (Scope.RESTRICTED, False, True, 201),
        (Scope.MANAGED, False, True, 400),
        (Scope.MANAGED, True, False, 201),
    ],
)
@pytest.mark.parametrize(
    "when", [on("ttl.missing"), Compare(Measure.TTL, Operator.ABOVE, 0, "ttl.zero")]
)
def test_a_row_applies_within_its_scope(when, scope, restricted, managed, status):
    table = profile(Row(when, BAD, scope))
    assert decide(table, "ttl.missing", restricted=restricted, managed=managed)[0] == status


@pytest.mark.parametrize(
    ("measure", "operator", "value", "matching", "other"),
    [
        (Measure.TTL, Operator.EQUALS, 0, {"ttl": 0}, {"ttl": 1}),
        (Measure.TTL, Operator.ABOVE, "ttl", {"ttl": 2_419_201}, {"ttl": 2_419_200}),
        (Measure.EXP_IN, Operator.BELOW, 0, {"exp_in": -0.5}, {"exp_in": 0.0}),
        (Measure.EXP_IN, Operator.ABOVE, 86_400, {"exp_in": 86_400.5}, {"exp_in": 86_400.0}),
        (Measure.TOPIC_LENGTH, Operator.MOD_4, 1, {"topic": "new_event"}, {"topic": "newEvent"}),
        (Measure.BODY_SIZE, Operator.BELOW, 86, {"body_size": 85}, {"body_size": 86}),
    ],
)
def test_measures_are_compared_with_numbers_and_limits(measure, operator, value, matching, other):
    table = profile(Row(Compare(measure, operator, value, "ttl.zero"), BAD), ttl=2_419_200)
    assert decide(table, **matching) == (400, ("ttl.zero",))
    assert decide(table, **other) == (201, ())
    assert decide(table, "ttl.overflow", **matching) == (400, ("ttl.zero",))


@pytest.mark.parametrize("operator", Operator)
def test_what_the_request_does_not_show_is_not_compared(operator):
    row = Row(Compare(Measure.TTL, operator, 0, "ttl.zero"), BAD)
    assert decide(profile(row), ttl=None) == (201, ())


def test_a_condition_names_codes_of_the_registry_only():
    assert on("ttl.missing") == Codes(frozenset({"ttl.missing"}))
    with pytest.raises(ValueError, match=r"ttl\.lost"):
        on("ttl.missing", "ttl.lost")


def test_endpoints_have_the_token_in_path_or_query():
    assert profile().endpoint("abc") == "/p/abc"
    query = Profile("w", "a profile", "/w/", (), CREATED, FULL, {}, query="token")
    assert query.endpoint("abc") == "/w/?token=abc"


def test_an_answer_that_only_looks_like_success_is_none():
    """The vendors answer some refusals with 201, too."""
    table = profile(Row(on("ttl.zero"), Template(202)))
    judgement = judge(inspection("ttl.zero"), table)
    assert judgement == Judgement(table, table.rows[0].answer, ("ttl.zero",))
    assert not judgement.accepted
