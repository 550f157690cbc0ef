"""Rows and profiles as values: what a condition may name, the shapes of endpoints, variants."""

from __future__ import annotations

import pytest

from mockpush.protocol.judging import (
    Codes,
    Compare,
    Measure,
    Operator,
    Profile,
    Row,
    Template,
    Variant,
    on,
)

CREATED, OTHER, GONE = Template(201), Template(200), Template(410)
PROFILE = Profile(
    "p",
    "a profile",
    "/p/v2/",
    (
        Row(on("ttl.zero"), GONE, variant="strict"),
        Row(Compare(Measure.TTL, Operator.ABOVE, 5, "ttl.overflow"), GONE, variant="short"),
        Row(on("ttl.missing", unless=("topic.empty",)), GONE),
    ),
    CREATED,
    Template(503),
    {},
    open_prefix="/p/v1/",
    aliases=("/p/",),
    hosts=("p.example",),
    host_prefixes=("/", "/old/"),
    variants={"strict": Variant("a"), "short": Variant("b", OTHER)},
)


def test_exceptions_are_codes_of_the_registry_too():
    condition = on("ttl.zero", unless=("topic.empty",))
    assert condition == Codes(frozenset({"ttl.zero"}), frozenset({"topic.empty"}))
    with pytest.raises(ValueError, match=r"topic\.lost"):
        on("ttl.zero", unless=("topic.lost",))


def test_endpoints_of_all_shapes():
    assert PROFILE.prefixes == ("/p/v1/", "/p/v2/", "/p/")
    assert PROFILE.endpoint("t") == "/p/v2/t"
    assert PROFILE.endpoint("t", restricted=False) == "/p/v1/t"
    assert PROFILE.endpoint("t", own_host=True) == "/t"


def test_rows_of_a_variant_count_where_it_is_chosen():
    assert PROFILE.active == PROFILE.rows[2:]
    assert PROFILE.named_codes == {"ttl.missing", "topic.empty"}
    strict = PROFILE.with_variants(["strict"])
    assert strict.active == (PROFILE.rows[0], PROFILE.rows[2])
    assert strict.success is CREATED
    both = PROFILE.with_variants(["strict", "short"])
    assert both.active == PROFILE.rows
    assert [each.row for each in both.measured] == [PROFILE.rows[1]]
    assert both.success is OTHER
    with pytest.raises(KeyError):
        PROFILE.with_variants(["lost"])
