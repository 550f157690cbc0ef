"""Link fields, as they are written and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.links import PUSH, PUSH_SET, RECEIPT, link, linked

RELATIONS = [PUSH, PUSH_SET, RECEIPT]


@pytest.mark.parametrize("relation", RELATIONS)
def test_what_is_written_is_read_and_relations_are_not_mixed_up(relation):
    field = ", ".join(link(f"/{each}", each) for each in RELATIONS)
    assert linked(field, relation) == f"/{relation}"
    others = ", ".join(link("/x", each) for each in RELATIONS if each != relation)
    assert linked(others, relation) is None


@pytest.mark.parametrize(
    "field",
    [
        f"<a>; rel={PUSH}",
        f'<a> ; REL = "{PUSH}"',
        f'<a>; title="x, <b>; y"; rel="up {PUSH}"',
        f"<b>; rel=up, <a>; rel={PUSH}",
    ],
)
def test_every_form_of_a_link_is_read(field):
    assert linked(field, PUSH) == "a"


@given(st.text())
def test_any_text_is_read(text):
    assert linked(text, PUSH) is None or "<" in text
