"""Requests as they went over the wire, or as `curl -v` prints them."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mockpush.errors import CaptureError
from mockpush.protocol.captures import Format, read_captures
from mockpush.protocol.captures.wire import read_wire

BODY = bytes(range(256))


def raw(*lines: bytes, body: bytes = b"", end: bytes = b"\r\n") -> bytes:
    return end.join((b"POST /p/1?a HTTP/1.1", b"Host: push.example", *lines, b"", body))


def read(data: bytes):
    [captured] = read_captures(data)
    assert captured.format is Format.RAW
    return captured


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_request_with_a_binary_body(end):
    captured = read(raw(b"TTL:60", b"Content-Length: 256", body=BODY, end=end))
    assert (captured.method, captured.url) == ("POST", "https://push.example/p/1?a")
    assert captured.headers[1:] == ((b"ttl", b"60"), (b"content-length", b"256"))
    assert captured.body == BODY
    assert captured.scheme_assumed
    assert captured.remarks == ()


@given(st.binary(), st.sampled_from([b"\r\n", b"\n"]))
def test_any_body_is_read_as_it_is(body, end):
    length = b"Content-Length: %d" % len(body)
    assert read(raw(b"TTL: 1", length, body=body, end=end)).body == body


def test_a_line_end_that_an_editor_added_is_none_of_the_body():
    assert read(raw(b"Content-Length: 2", body=b"ab\r\n")).body == b"ab"
    assert read(raw(body=b"\n")).body == b""
    assert read(raw(body=b"ab\n")).body == b"ab\n"


def test_a_body_that_is_too_long_is_remarked_upon():
    captured = read(raw(b"Content-Length: 2", body=b"abc"))
    assert captured.body == b"abc"
    assert "3 octets of body, of 2 that were sent" in captured.remarks[0]


def test_a_body_that_is_not_there_is_unknown():
    captured = read(raw(b"Content-Length: 9"))
    assert captured.body is None
    assert captured.remarks == (
        "the capture does not hold the body of 9 octets: it was not inspected",
    )


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_chunks_are_joined(end):
    body = end.join((b"3", b"abc", b"A;x=y", b"0123456789", b"0", b"", b""))
    assert read(raw(b"Transfer-Encoding: chunked", body=body, end=end)).body == b"abc0123456789"


def test_chunks_that_were_joined_before_stay_as_they_are():
    assert read(raw(b"Transfer-Encoding: chunked", body=b"abc")).body == b"abc"


def test_folded_fields_are_one():
    captured = read(raw(b"Authorization: vapid t=a,", b"  k=b"))
    assert captured.values(b"authorization") == [b"vapid t=a, k=b"]


@pytest.mark.parametrize(
    ("request_line", "host", "url"),
    [
        (b"POST /p HTTP/1.1", b"a:8031", "https://a:8031/p"),
        (b"POST /p HTTP/1.1", b"a:80", "http://a:80/p"),
        (b"POST /p HTTP/2", b"a", "https://a/p"),
        (b"POST http://b/p HTTP/1.1", b"a", "http://b/p"),
        (b"POST https://b/p", b"a", "https://b/p"),
    ],
)
def test_the_url_is_put_together(request_line, host, url):
    captured = read(request_line + b"\nHost: " + host + b"\n\n")
    assert captured.url == url
    assert captured.scheme_assumed == (b"/p HTTP" in request_line and b"http:" not in request_line)


def test_pseudo_fields_name_the_host_and_are_no_fields():
    captured = read(b"POST /p HTTP/2\n:authority: a\nttl: 1\n\n")
    assert captured.url == "https://a/p"
    assert captured.headers == ((b"ttl", b"1"),)


def test_without_a_host_there_is_only_the_path():
    assert read(b"POST /p HTTP/1.1\n\n").url == "/p"


def test_what_curl_prints_with_v():
    captured = read(
        b"*   Trying 127.0.0.1:8030...\n> POST /push/x HTTP/1.1\n> Host: localhost:8030\n"
        b"> TTL: 60\r\n> Content-Length: 230\n> \n* upload completely sent off\n"
        b"< HTTP/1.1 201 Created\n< TTL: 5\n"
    )
    assert captured.url == "https://localhost:8030/push/x"
    assert captured.values(b"ttl") == [b"60"]
    assert captured.body is None


def test_a_line_that_is_no_field_is_named():
    with pytest.raises(CaptureError, match="line 3 is no header field such as TTL: 60, but oops"):
        read(raw(b"oops"))


def test_a_request_line_is_needed():
    with pytest.raises(CaptureError, match="is no request line"):
        read_wire(b"oops")


@given(st.binary())
def test_any_octets_behind_a_request_line_are_read_or_explained(data):
    for start in (b"POST /p HTTP/1.1\r\n", b"* x\n> POST /p HTTP/1.1\n> "):
        try:
            assert read(start + data).method == "POST"
        except CaptureError:
            event("explained")
