"""curl command lines as requests."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from pywebpush import WebPusher

from mockpush.errors import CaptureError
from mockpush.protocol.captures import Format, read_captures
from mockpush.protocol.captures.curl import is_curl, read_curl
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_encode

URL = "https://push.example/p/1"


def read(command: str | bytes):
    [captured] = read_captures(command)
    assert captured.format is Format.CURL
    return captured


def test_a_command_as_tools_copy_it():
    captured = read(
        rf"""$ curl '{URL}' \
  -X POST \
  -H 'TTL: 60' -H "Authorization: vapid t=a.b.c, k=d" -H 'Topic;' -H 'Accept:' \
  --data-binary $'\x00\xff\u0021' --compressed"""
    )
    assert (captured.method, captured.url, captured.body) == ("POST", URL, b"\x00\xff!")
    assert captured.headers == (
        (b"ttl", b"60"),
        (b"authorization", b"vapid t=a.b.c, k=d"),
        (b"topic", b""),
    )
    assert captured.is_push
    assert captured.remarks == ()


@pytest.mark.parametrize(
    ("options", "method", "body"),
    [
        ("", "GET", b""),
        ("-d a", "POST", b"a"),
        ("-da -d b", "POST", b"a&b"),
        ("--data-raw @a", "POST", b"@a"),
        ("--json {}", "POST", b"{}"),
        ("-I", "HEAD", b""),
        ("-XPUT -d a", "PUT", b"a"),
        ("-sSkd a", "POST", b"a"),
        ("-T x -I", "HEAD", None),
        ("-T x", "PUT", None),
        ("-X GET --request DELETE", "DELETE", b""),
        ("--max-time 5 -o x --http2", "GET", b""),
        ("-d ''", "POST", b""),
    ],
)
def test_method_and_body_are_those_of_curl(options, method, body):
    captured = read(f"curl {options} {URL}")
    assert (captured.method, captured.body, captured.url) == (method, body, URL)


@pytest.mark.parametrize(
    "command", [f"curl --url {URL}", f"curl -- {URL}", f"curl.exe -s {URL}", f"curl {URL} | jq ."]
)
def test_the_url_is_found(command):
    assert read(command).url == URL


def test_a_url_without_a_scheme_is_http_as_curl_has_it():
    assert read("curl localhost:8030/push/x").url == "http://localhost:8030/push/x"


@pytest.mark.parametrize(
    ("option", "place"),
    [
        ("--data-binary @body.bin", "the file body.bin"),
        ("-d@body.bin", "the file body.bin"),
        ("-T body.bin -X POST", "the file body.bin"),
        ("--data-binary @-", "standard input"),
    ],
)
def test_a_body_in_a_file_is_not_in_the_capture(option, place):
    captured = read(f"curl {option} {URL}")
    assert captured.body is None
    assert captured.method == "POST"
    [remark] = captured.remarks
    assert f"the body is in {place}, which is not part of the command" in remark
    assert "--data-binary $'…'" in remark


def test_the_command_that_pywebpush_prints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keys = {
        "p256dh": base64url_encode(generate_key_pair()[1]),
        "auth": base64url_encode(bytes(16)),
    }
    pusher = WebPusher({"endpoint": URL, "keys": keys})
    captured = read(pusher.send("hello", ttl=60, headers={"authorization": "vapid t=a"}, curl=True))
    assert (captured.method, captured.url) == ("POST", URL)
    assert captured.values(b"ttl") == [b"60"]
    assert captured.values(b"content-encoding") == [b"aes128gcm"]
    assert captured.values(b"authorization") == [b"vapid t=a"]
    assert captured.body is None
    assert "the file encrypted.data" in captured.remarks[0]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("curl", "has 0 URLs"),
        (f"curl {URL} {URL}", "has 2 URLs"),
        (f"curl -F a=b {URL}", "--form of curl is not understood here"),
        (f"curl --next {URL}", "--next of curl is not understood here"),
        (f"curl -y 5 {URL}", "-y of curl is not understood here"),
        (f"curl -G {URL}", "--get of curl is not understood here"),
        (f"curl {URL} -H", "ends where --header needs a value"),
        (f"curl {URL} --url", "ends where --url needs a value"),
        (f"curl {URL} -H novalue", "is no header field"),
        (f'curl ^"{URL}^"', "quoted for cmd.exe"),
        (f"curl {URL} -H 'x", "a quote is not closed"),
        (f'curl {URL} -H "Authorization: $TOKEN"', "put the value in its place"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_way_out(command, text):
    with pytest.raises(CaptureError, match=text):
        read_curl(command.encode())


def test_a_body_of_another_length_than_was_sent_is_remarked_upon():
    [remark] = read(f"curl {URL} -H 'Content-Length: 9' -d abc").remarks
    assert "the capture has 3 octets of body, of 9 that were sent" in remark


@pytest.mark.parametrize("data", [b"curl x", b"$ curl x", b"curl\tx", b"curl \\\n x"])
def test_a_command_is_recognised(data):
    assert is_curl(data)


@pytest.mark.parametrize("data", [b"curling", b"wget x", b"", b"curl-x"])
def test_other_text_is_none(data):
    assert not is_curl(data)


@given(st.lists(st.sampled_from([b"-d", b"-H", b"a:b", b"--json", b"-X", URL.encode(), b"@f"])))
def test_any_words_are_read_or_explained(words):
    try:
        assert read_curl(b"curl " + b" ".join(words)).url
    except CaptureError:
        event("explained")


@given(st.binary())
def test_any_octets_are_read_or_explained(data):
    try:
        assert read_curl(b"curl " + data).url
    except CaptureError:
        event("explained")
