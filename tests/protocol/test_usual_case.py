"""The short paths that the usual request takes agree with the long ones around every edge."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockpush.protocol import jwt, vapid
from mockpush.protocol.vapid import MAX_LIFETIME, NEAR_LIMIT, SOON

NOW = 1_800_000_000.25

# The Authorization field

TEXT = st.text(alphabet="abAB01-_.= ,;\"'\t\xff", max_size=6)
FIELDS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", " ", "\t"]),
        st.sampled_from(["vapid", "Vapid", "webpush", ""]),
        st.sampled_from([" ", "  ", ""]),
        st.sampled_from(["t=", "T=", "t =", "k=", ""]),
        TEXT | st.just("aa.bb.cc"),
        st.sampled_from([", ", ",", " ,", ",  ", ";", ",\t", ""]),
        st.sampled_from(["k=", "K=", "k= ", "t=", "x=", ""]),
        TEXT | st.just("BBBB"),
        st.sampled_from(["", " ", ",", ", k=c", ", x=y"]),
    ),
).map(lambda text: text.encode("latin-1"))


@given(FIELDS)
@example(b"vapid t=aa.bb.cc, k=BBBB")
@example(b"vapid t=aa.bb.cc,k=BBBB")
@example(b"vapid t=aa.bb.cc, k=")
@example(b"vapid t=, k=BBBB")
@example(b"vapid t=aa.bb.cc, k=BBBB, k=CCCC")
@example(b"vapid t=aa.bb.cc, k=BBBB=")
@example(b"vapid t=aa.bb.cc")
def test_the_usual_field_is_read_as_any_other(field):
    usual = vapid._usual(field)
    findings = []
    if usual is not None:
        assert vapid._credentials(field, None, findings) == usual
        assert findings == []


@pytest.mark.parametrize("separator", [b",", b", "])
def test_the_field_that_nearly_all_send_is_usual(separator):
    assert vapid._usual(b"vapid t=aa.bb.cc" + separator + b"k=BB") == ("vapid", b"aa.bb.cc", b"BB")


# Times

EDGES = [0, SOON, MAX_LIFETIME - NEAR_LIMIT, MAX_LIFETIME, 2**53 - NOW, -NOW, 2**60, 10**400]


@given(st.sampled_from(EDGES), st.integers(-2, 2), st.sampled_from([0.0, 0.25, 0.75]))
def test_the_times_of_a_token_are_judged_alike(edge, offset, fraction):
    now = NOW + fraction
    exp = int(NOW) + int(edge) + offset
    short, long = [], []
    remaining = vapid._check_times({"exp": exp}, now, short)
    assert remaining == vapid._check_times({"exp": exp, "nbf": "never"}, now, long)
    assert short == long


@pytest.mark.parametrize("exp", [NOW + 3600, int(NOW) + 3600, True, "1800003600", None, [1]])
@pytest.mark.parametrize("nbf", [NOW + 60, NOW - 60, None, "x"])
def test_what_is_no_usual_time_takes_the_long_path(exp, nbf):
    findings = []
    remaining = vapid._check_times({"exp": exp, "nbf": nbf}, NOW, findings)
    codes = {finding.code for finding in findings}
    late = isinstance(nbf, float) and nbf > NOW
    number = isinstance(exp, int | float) and not isinstance(exp, bool)
    assert remaining == (exp - NOW if number else None)
    if number:
        assert codes == ({"vapid.nbf.future"} if late else set())
    else:
        assert codes == {"vapid.exp.missing" if exp is None else "vapid.exp.type"}


# JSON

SPACE = st.text(alphabet=" \t\r\n", max_size=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(SPACE, JSON, SPACE)
def test_json_is_read_with_and_without_white_space_around_it(before, value, after):
    text = json.dumps(value)
    assert jwt._parse(text) == json.loads(text)
    assert jwt._parse(before + text + after) == json.loads(text)


@given(st.text(alphabet='{}[]",:0.1eE-+ truefalsn\n\\u\u00a0', max_size=12))
@example("")
@example(" ")
@example('{"a":1}x')
@example('{"a":1} x')
@example("\u00a0{}")
@example("\ufeff{}")
@example("1e999")
@example("NaN")
def test_what_is_no_json_is_refused(text):
    try:
        expected = jwt._JSON.decode(text)
    except ValueError as error:
        with pytest.raises(ValueError, match=f"^{re.escape(str(error))}$"):
            jwt._parse(text)
    else:
        assert jwt._parse(text) == expected
