from __future__ import annotations

import pytest

from mockpush.client.headers import Headers, linked
from mockpush.protocol.links import PUSH


def test_names_are_compared_without_regard_to_case_and_lines_are_joined():
    headers = Headers([("TTL", "60"), ("link", "<a>"), ("Link", "<b>")])
    assert headers["ttl"] == "60"
    assert headers.get("LINK") == "<a>, <b>"
    assert headers.get_all("Link") == ["<a>", "<b>"]
    assert headers.lines == (("TTL", "60"), ("link", "<a>"), ("Link", "<b>"))
    assert list(headers) == ["ttl", "link"]
    assert len(headers) == 2
    assert "Ttl" in headers
    assert repr(headers) == "Headers([('TTL', '60'), ('link', '<a>'), ('Link', '<b>')])"


def test_a_field_that_is_not_there():
    headers = Headers()
    assert headers.get("ttl") is None
    assert headers.get_all("ttl") == []
    with pytest.raises(KeyError):
        headers["ttl"]


@pytest.mark.parametrize(
    "value",
    [
        '<https://p/1>; rel="urn:ietf:params:push"',
        "<https://p/1>;rel=urn:ietf:params:push",
        '<https://p/1> ; title="a, b; c" ; REL = "urn:ietf:params:push"',
        '<https://s/1>; rel="urn:ietf:params:push:set", <https://p/1>; rel="urn:ietf:params:push"',
        '<https://p/1>; rel="urn:ietf:params:push", <https://p/2>; rel="urn:ietf:params:push"',
        '<https://p/1>; rel="urn:ietf:params:push:set urn:ietf:params:push"',
    ],
)
def test_the_push_resource_is_found_in_a_link(value):
    assert linked(Headers([("Link", value)]), PUSH) == "https://p/1"


@pytest.mark.parametrize(
    "value",
    ["", "<https://p/1>", '<https://p/1>; rel="urn:ietf:params:push:set"', "urn:ietf:params:push"],
)
def test_no_link_with_the_relation(value):
    assert linked(Headers([("Link", value)]), PUSH) is None


def test_links_in_several_lines():
    headers = Headers([("Link", "<https://s>; rel=up"), ("Link", f"<p>; rel={PUSH}")])
    assert linked(headers, PUSH) == "p"
