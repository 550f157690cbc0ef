"""The format of a capture is recognised by itself; what is none is explained."""

from __future__ import annotations

import json

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mockpush.errors import CaptureError
from mockpush.protocol.captures import Format, origin_of, read_captures
from mockpush.protocol.captures.captured import Captured

URL = "https://push.example/p/1"
EXAMPLES = {
    Format.HAR: json.dumps(
        {"log": {"entries": [{"request": {"method": "POST", "url": URL, "headers": []}}]}}
    ),
    Format.REQUEST: json.dumps({"url": URL}),
    Format.RAW: "POST /p/1 HTTP/1.1\nHost: push.example\n\n",
    Format.CURL: f"curl -X POST {URL}",
}


@pytest.mark.parametrize("form", EXAMPLES)
@pytest.mark.parametrize("before", ["", "\ufeff", "\r\n  ", "\ufeff\n"])
def test_each_format_is_recognised(form, before):
    [captured] = read_captures(before + EXAMPLES[form])
    assert (captured.format, captured.method, captured.url) == (form, "POST", URL)
    assert read_captures((before + EXAMPLES[form]).encode()) == [captured]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", "there is no request to be read: it is empty"),
        ("vapid t=x", "it begins with vapid t=x; what can be read is a HAR file, raw HTTP"),
        (b"\xff\xfe", r"it begins with \\xff\\xfe"),
        ("{", "the capture is no JSON"),
        ("[" * 100_000, "the capture is no JSON: it is nested too deeply"),
        ("[]", "the JSON has neither log, as a HAR has, nor url"),
    ],
)
def test_what_is_no_capture_is_explained(source, text):
    with pytest.raises(CaptureError, match=text):
        read_captures(source)


@given(st.binary() | st.text(st.characters(exclude_categories=())))
def test_anything_is_read_or_explained(source):
    try:
        read_captures(source)
    except CaptureError:
        event("explained")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Push.Example/p", "https://push.example"),
        ("https://push.example:443/p", "https://push.example"),
        ("HTTP://a:80", "http://a"),
        ("http://a:8030/p", "http://a:8030"),
        ("https://me@a/p", "https://a"),
        ("https://[::1]:8031/p", "https://[::1]:8031"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["", "/p", "a/b", "ftp://a", "https://", "https://[a", "https://a:x"]
)
def test_what_has_no_origin_is_named(url):
    with pytest.raises(CaptureError, match="is not the URL of an endpoint"):
        origin_of(url)


def captured(**headers: str) -> Captured:
    fields = tuple(
        (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
    )
    return Captured(Format.RAW, "POST", URL, fields, b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"ttl": "x"},
        {"crypto_key": ""},
        {"content_encoding": "aes128gcm"},
        {"content_encoding": "AESGCM"},
        {"authorization": "vapid t=x"},
        {"authorization": "WebPush x"},
    ],
)
def test_a_push_is_known_by_its_fields(headers):
    assert captured(**headers).is_push


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer x"}, {"content_encoding": "gzip"}]
)
def test_other_requests_are_none(headers):
    assert not captured(**headers).is_push


@pytest.mark.parametrize(
    ("date", "seconds"),
    [("Fri, 31 Jan 2025 12:00:00 GMT", 1738324800.0), ("yesterday", None), ("é", None)],
)
def test_the_date_field_is_read(date, seconds):
    assert captured(date=date).date == seconds
    assert captured().date is None
