from __future__ import annotations

import pytest

from mockpush import errors
from mockpush.client.matching import MESSAGES, REQUESTS, Difference, NearMiss
from mockpush.client.records import Message, Request


@pytest.fixture
def message(message_json):
    def make(text="hello", **members):
        return Message(message_json("m1", text, **members), None)

    return make


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"subscription": "s1"},
        {"state": "acknowledged"},
        {"urgency": "normal", "topic": None},
        {"text": '{"a": [1]}'},
        {"json": {"a": [1]}},
    ],
)
def test_a_message_that_matches_has_no_difference(message, match):
    assert MESSAGES.differences(message('{"a": [1]}'), match) == ()


def test_each_difference_tells_what_was_expected_and_what_came(message):
    match = {"topic": "inbox", "state": "acknowledged", "urgency": "high", "text": "bye"}
    differences = MESSAGES.differences(message(), match)
    assert differences == (
        Difference("topic", "inbox", None),
        Difference("urgency", "high", "normal"),
        Difference("text", "bye", "hello"),
    )
    assert str(differences[0]) == "topic: expected 'inbox', got None"
    assert str(NearMiss("m1", differences[:2])) == (
        "m1 (topic: expected 'inbox', got None; urgency: expected 'high', got 'normal')"
    )


def test_a_payload_that_is_no_json_differs(message):
    assert MESSAGES.differences(message("{"), {"json": {}}) == (Difference("json", {}, b"{"),)


def test_a_payload_that_cannot_be_read_differs(message):
    [difference] = MESSAGES.differences(message(None, decryption="opaque"), {"text": "hello"})
    assert isinstance(difference.actual, errors.DecryptionError)
    assert str(difference) == (
        "text: expected 'hello', got what cannot be read (decryption.opaque)"
    )


@pytest.mark.parametrize(
    ("match", "fields"),
    [
        ({"status": 400, "code": "ttl.*", "refused": True, "subscription": "s1"}, []),
        ({"status": 401, "code": "vapid.*", "refused": False}, ["status", "code", "refused"]),
    ],
)
def test_requests_match_by_status_and_code(request_json, match, fields):
    request = Request(request_json("1", 400, "ttl.missing"))
    assert [each.field for each in REQUESTS.differences(request, match)] == fields


def test_a_field_that_does_not_exist_names_those_that_do():
    with pytest.raises(TypeError, match="push message by subject, titel: use subscription, state"):
        MESSAGES.check({"titel": 1, "subject": 2, "topic": "t"})


def test_the_service_gets_only_what_it_can_filter_by():
    match = {"topic": "t", "state": "pending", "text": "x", "urgency": "high"}
    assert MESSAGES.query(match) == {"topic": "t", "state": "pending"}
    assert REQUESTS.query({"status": 400, "code": "*", "refused": True}) == {"status": 400}
