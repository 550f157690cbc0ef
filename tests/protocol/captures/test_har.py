"""HTTP Archives and single requests as JSON."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mockpush.errors import CaptureError
from mockpush.protocol.captures import Format, read_captures

URL = "https://push.example/p/1"
BODY = bytes(range(256))


def entry(post_data: object = None, *, headers=(), **members: object) -> dict:
    fields = [{"name": name, "value": value} for name, value in headers]
    request = {"method": "POST", "url": URL, "headers": fields, **members}
    if post_data is not None:
        request["postData"] = post_data
    return {"startedDateTime": "2025-01-31T12:00:00.000Z", "request": request}


def har(*entries: object) -> dict:
    return {"log": {"version": "1.2", "entries": list(entries)}}


def read(*entries: object):
    return read_captures(json.dumps(har(*entries)))


def test_every_request_is_read_in_order():
    found = read(entry(headers=[("TTL", "60"), (":path", "/p/1")]), entry(method="GET"))
    assert [each.method for each in found] == ["POST", "GET"]
    assert [each.format for each in found] == [Format.HAR, Format.HAR]
    assert found[0].url == URL
    assert found[0].headers == ((b"ttl", b"60"),)
    assert found[0].at == datetime(2025, 1, 31, 12, tzinfo=UTC).timestamp()
    assert [each.is_push for each in found] == [True, False]


FORMS = {
    "base64": {"text": base64.b64encode(BODY).decode(), "encoding": "base64"},
    "_base64": {"text": base64.b64encode(BODY).decode(), "_encoding": "base64"},
    "characters": {"text": BODY.decode("latin-1")},
    "surrogates": {"text": BODY.decode("utf-8", "surrogateescape")},
}
"""How tools write octets that are not text."""


@pytest.mark.parametrize("form", FORMS)
def test_a_binary_body_is_read_in_every_form_that_tools_write(form):
    [captured] = read(entry(FORMS[form], headers=[("Content-Length", "256")]))
    assert captured.body == BODY
    assert captured.remarks == ()


@pytest.mark.parametrize(("length", "body"), [(1, b"\xe9"), (2, b"\xc3\xa9")])
def test_of_two_readings_the_one_with_the_right_length_counts(length, body):
    [captured] = read(entry({"text": "é"}, bodySize=length))
    assert captured.body == body


def test_a_text_body_is_utf_8():
    [captured] = read(entry({"text": "世"}))
    assert captured.body == "世".encode()


def test_a_body_that_a_tool_has_damaged_is_remarked_upon():
    damaged = BODY.decode("utf-8", "replace")
    [captured] = read(entry({"text": damaged}, headers=[("content-length", "256")]))
    [remark] = captured.remarks
    assert "damaged by a tool that takes it for text" in remark


def test_a_body_that_was_not_recorded_is_unknown():
    [captured] = read(entry(bodySize=230))
    assert captured.body is None


@pytest.mark.parametrize("size", [-1, 0, True, "9"])
def test_a_size_that_says_nothing_says_nothing(size):
    [captured] = read(entry(bodySize=size))
    assert captured.body == b""


@pytest.mark.parametrize("started", [None, 5, "yesterday", "10000-01-01"])
def test_a_time_that_cannot_be_read_is_none(started):
    [captured] = read({**entry(), "startedDateTime": started})
    assert captured.at is None


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"log": 5}, "log of the HAR must be an object"),
        ({"log": {}}, "entries of log must be an array"),
        (har(5), "request of log.entries[0] must be an object"),
        (har(entry(), {"request": {}}), "headers of log.entries[1].request must be an array"),
        (har(entry(url=5)), "url of log.entries[0].request must be a text"),
        (har(entry(headers=[("x", 5)])), "value of log.entries[0].request must be a text"),
        (har(entry("text")), "postData of log.entries[0].request must be an object"),
        (har(entry({"text": 5})), "postData of log.entries[0].request must be an object"),
        (
            har(entry({"text": "é", "encoding": "base64"})),
            "postData.text of log.entries[0].request must be base64",
        ),
        ({"url": URL, "verb": "POST"}, "a request has no 'verb', but url, method, headers, body"),
        ({"url": 5}, "url of the request must be a text"),
        ({"url": URL, "method": 5}, "method of the request must be a text"),
        ({"url": URL, "headers": "x"}, "headers of the request must be an object of texts"),
        ({"url": URL, "headers": {"x": 5}}, "headers of the request must be an object of texts"),
        ({"url": URL, "headers": [["x"]]}, "headers of the request must be an object of texts"),
        ({"url": URL, "body": "é"}, "body of the request must be base64"),
        ({"url": URL, "body": {"text": "x"}}, "body of the request must be base64"),
        ({"method": "POST"}, "the JSON has neither log, as a HAR has, nor url"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(document, text):
    with pytest.raises(CaptureError) as caught:
        read_captures(document)
    assert text in str(caught.value)


@pytest.mark.parametrize("headers", [{"TTL": "60"}, [["TTL", "60"]]])
@pytest.mark.parametrize("body", ["aGk=", "aGk", {"base64": "aGk=", "size": 2}])
def test_a_request_as_an_object(headers, body):
    [captured] = read_captures({"url": URL, "headers": headers, "body": body})
    assert (captured.format, captured.method, captured.url) == ("request", "POST", URL)
    assert (captured.headers, captured.body) == (((b"ttl", b"60"),), b"hi")


@pytest.mark.parametrize("given", [{}, {"headers": None, "body": None}])
def test_a_request_needs_no_more_than_a_url(given):
    [captured] = read_captures({"url": URL, **given})
    assert (captured.headers, captured.body) == ((), b"")


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("method", "url", "headers", "postData", "bodySize"), values)
    ),
    values,
)
def test_any_members_are_read_or_explained(members, started):
    request = {**entry()["request"], **members}
    try:
        read_captures(har({"startedDateTime": started, "request": request}))
    except CaptureError:
        event("explained")


@given(st.dictionaries(st.sampled_from(["url", "method", "headers", "body", "x"]), values))
def test_any_request_is_read_or_explained(document):
    try:
        read_captures(document)
    except CaptureError:
        event("explained")


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_a_body(text):
    [captured] = read_captures(har(entry({"text": text})))
    assert captured.body is not None
