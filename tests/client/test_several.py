"""Several responses in one answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush import errors
from mockpush.client.headers import Headers
from mockpush.client.several import responses
from mockpush.client.transports.base import Response
from mockpush.gateways.pushed import Pushed, answer

KIND = ("Content-Type", 'multipart/mixed; boundary="b"')
PART = b"--b\r\nContent-Length: 38\r\n\r\nHTTP/1.1 200 OK\r\nContent-Location: a\r\n\r\n"


def read(pushed) -> list[Response]:
    response = answer(pushed, {"Preference-Applied": "wait=0"})
    lines = [(name.decode(), value.decode()) for name, value in response.raw_headers]
    return responses(Response(response.status_code, Headers(lines), response.body))


@given(st.lists(st.tuples(st.sampled_from([200, 204, 410]), st.binary()), max_size=4))
def test_what_the_service_writes_is_read(sent):
    pushed = [
        Pushed("message", f"m{number}", status, ((b"x", b"a: b"),), b"" if status == 204 else body)
        for number, (status, body) in enumerate(sent)
    ]
    read_back = read(pushed)
    assert [(each.status, each.body) for each in read_back] == [
        (each.status, each.body) for each in pushed
    ]
    assert [each.headers["Content-Location"] for each in read_back] == [each.url for each in pushed]
    assert all(each.headers["X"] == "a: b" for each in read_back)


def test_a_message_that_is_multipart_itself_is_one_message():
    response = Response(200, Headers([KIND, ("Content-Location", "/m/1")]), b"--b--")
    assert responses(response) == [response]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([], b""),
        ([("Content-Type", "multipart/mixed")], b""),
        ([KIND], b""),
        ([KIND], b"--b\r\n"),
        ([KIND], b"--b\r\nContent-Type: a\r\n\r\n--b--"),
        ([KIND], b"--b\r\nContent-Length: x\r\n\r\n--b--"),
        ([KIND], PART),
        ([KIND], PART[:-4] + b"\r\n--b--"),
        ([KIND], b"--b\r\nContent-Length: 4\r\n\r\n\r\n\r\n\r\n--b--"),
        ([KIND], b"--b\r\nContent-Length: 8\r\n\r\nHTTP\r\n\r\n\r\n--b--"),
        ([KIND], b"--b\r\nContent-Length: 10\r\n\r\nHTTP x\r\n\r\n\r\n--b--"),
    ],
)
def test_what_cannot_be_read_is_an_error(headers, body):
    with pytest.raises(errors.ServiceError):
        responses(Response(200, Headers(headers), body))
