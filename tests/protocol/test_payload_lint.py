"""What a payload shows when somebody looks at it: UTF-8, sizes, declarative push messages."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.encryption import OVERHEAD
from mockpush.protocol.findings import REGISTRY, Level
from mockpush.protocol.inspection import Decryption, Payload
from mockpush.protocol.payload import lint, linted
from mockpush.protocol.registry import payload as table

URL = "https://email.example/message/12"
VALID = {"web_push": 8030, "notification": {"title": "Ada emailed", "navigate": URL}}


def declared(**members: object) -> bytes:
    """A declarative push message with these members beside or instead of its own."""
    return json.dumps({**VALID, **members}).encode()


def shown(**members: object) -> bytes:
    """One with these members in its notification."""
    return declared(notification={**VALID["notification"], **members})


def without(name: str) -> bytes:
    own = {key: value for key, value in VALID["notification"].items() if key != name}
    return declared(notification=own)


def codes(data: bytes) -> list[str]:
    return [finding.code for finding in lint(data)]


PLAIN = [
    b"",
    b"hello",
    "Grüße 👋🏽".encode(),
    b"\x00",
    b"\xef\xbb\xbf{}",
    b"{}",
    b"8030",
    b"[8030]",
]


@pytest.mark.parametrize("data", [*PLAIN, b'{"title": "x"}', b"{" * 5000, b"[" * 2900, b"1" * 2000])
def test_an_ordinary_payload_shows_nothing_wrong(data):
    assert [code for code in codes(data) if not code.endswith("large")] == []


PROVOKED = {
    "payload.not_utf8": b"\x80",
    "payload.too_large": b"x" * 3994,
    "payload.large": b"x" * 2968,
    "payload.declarative": declared(),
    "payload.declarative.web_push": declared(web_push="8030"),
    "payload.declarative.notification": declared(notification="Ada emailed"),
    "payload.declarative.title": without("title"),
    "payload.declarative.navigate": without("navigate"),
    "payload.declarative.navigate.relative": shown(navigate="/message/12"),
    "payload.declarative.member": shown(silent="no"),
    "payload.declarative.misplaced": shown(app_badge=3),
    "payload.declarative.unknown": shown(require_interaction=True),
    "payload.declarative.conflict": shown(renotify=True),
}
"""A payload for each code."""

STILL_DECLARATIVE = {
    "payload.declarative.navigate.relative",
    "payload.declarative.member",
    "payload.declarative.misplaced",
    "payload.declarative.unknown",
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_code_is_provoked_and_nothing_is_found_beside_it(code):
    declarative = ["payload.declarative"] if code in STILL_DECLARATIVE else []
    assert codes(PROVOKED[code]) == [*declarative, code]


def test_no_code_is_without_its_payload():
    assert [row.code for row in table.CODES] == [*PROVOKED]


@pytest.mark.parametrize("row", table.CODES, ids=lambda row: row.code)
def test_a_payload_never_fails_a_sender(row):
    assert row.level in (Level.PRACTICE, Level.INFORMATION)
    assert row.needs_keys


@pytest.mark.parametrize("code", [code for code in PROVOKED if code != "payload.declarative"])
def test_each_finding_says_what_was_expected_and_what_came(code):
    finding = lint(PROVOKED[code])[-1]
    assert finding.expected
    assert finding.actual
    assert finding.expected != finding.actual
    assert finding.rule is REGISTRY[code]


@pytest.mark.parametrize(
    ("size", "code"),
    [(2967, None), (2968, "payload.large"), (3993, "payload.large"), (3994, "payload.too_large")],
)
def test_sizes_are_those_that_fit_into_a_body(size, code):
    assert codes(b"x" * size) == ([] if code is None else [code])
    assert (2967 + OVERHEAD, 3993 + OVERHEAD) == (3070, 4096)


@pytest.mark.parametrize(
    ("data", "place"),
    [(b"\x80", "0x80 at 0"), ("é".encode("latin-1"), "0xe9 at 0"), (b"a\xed\xa0\x80", "0xed at 1")],
)
def test_what_is_not_utf_8_is_shown(data, place):
    [finding] = lint(data)
    assert (finding.code, finding.actual) == ("payload.not_utf8", place)


FULL = {
    "title": "Ada emailed 'London'",
    "navigate": URL,
    "lang": "en-US",
    "dir": "ltr",
    "body": "Did you hear about the tube strikes?",
    "tag": "mail",
    "image": "https://email.example/i.png",
    "icon": "/icon.png",
    "badge": "badge.png",
    "vibrate": [100, 50, 100],
    "timestamp": 1738324800000,
    "renotify": True,
    "silent": False,
    "requireInteraction": True,
    "data": {"any": ["thing"]},
    "actions": [
        {"action": "read", "title": "Read", "navigate": URL},
        {"action": "x", "title": "Archive", "navigate": "/archive", "icon": "/x.png"},
    ],
}


@pytest.mark.parametrize("badge", [0, 17, 2**64 - 1, 3.0])
@pytest.mark.parametrize("mutable", [True, False])
def test_a_message_with_every_member_is_recognised(badge, mutable):
    data = declared(notification=FULL, app_badge=badge, mutable=mutable, other="for the worker")
    [finding] = lint(data)
    assert finding.code == "payload.declarative"
    assert finding.actual == f'title "{FULL["title"]}", navigate "{URL}"'


@pytest.mark.parametrize("mark", [None, "8030", 9001, True, 8030.5, [8030], {}])
def test_only_the_number_marks_a_declarative_message(mark):
    [finding] = lint(declared(web_push=mark))
    assert (finding.code, finding.expected) == ("payload.declarative.web_push", "8030")


@pytest.mark.parametrize("mark", [8030, 8030.0])
def test_the_number_is_a_json_number(mark):
    assert codes(declared(web_push=mark)) == ["payload.declarative"]


@pytest.mark.parametrize("title", [None, "", 5, ["x"]])
def test_a_title_is_a_text_that_is_not_empty(title):
    assert codes(shown(title=title)) == ["payload.declarative.title"]


@pytest.mark.parametrize("navigate", [None, "", " ", 5, "https://", "https://[a", "http://a:x/"])
def test_a_url_to_navigate_to_is_one_that_a_browser_can_parse(navigate):
    assert codes(shown(navigate=navigate)) == ["payload.declarative.navigate"]


WRONG = {
    "lang": 5,
    "dir": "up",
    "body": None,
    "tag": True,
    "icon": "https://[",
    "image": "",
    "badge": 3,
    "vibrate": [1, -1],
    "timestamp": "now",
    "renotify": 1,
    "silent": "no",
    "requireInteraction": "yes",
    "actions": [{"action": "x", "title": "X"}],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_member_of_the_wrong_type_is_named(name):
    found = lint(shown(**{name: WRONG[name]}))
    assert [each.code for each in found] == ["payload.declarative", "payload.declarative.member"]
    assert found[1].expected.startswith(f"notification.{name}: ")
    assert found[1].actual.startswith(f"notification.{name}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app_badge", "3"),
        ("app_badge", -1),
        ("app_badge", 2**64),
        ("app_badge", 1.5),
        ("app_badge", True),
        ("app_badge", 1e400),
        ("mutable", "true"),
    ],
)
def test_so_is_one_at_the_top_level(name, value):
    [_, finding] = lint(declared(**{name: value}))
    assert finding.code == "payload.declarative.member"
    assert finding.actual.startswith(f"{name}: ")


def test_all_wrong_members_are_one_finding():
    [_, finding] = lint(declared(notification={**VALID["notification"], **WRONG}, mutable=1))
    assert finding.actual.count("; ") == len(WRONG)


@pytest.mark.parametrize("notification", [{"renotify": True, "tag": ""}, {"renotify": True}])
def test_to_notify_again_takes_a_tag(notification):
    assert codes(shown(**notification)) == ["payload.declarative.conflict"]
    assert codes(shown(renotify=True, tag="x")) == ["payload.declarative"]


def test_what_is_silent_does_not_vibrate():
    assert codes(shown(silent=True, vibrate=[1])) == ["payload.declarative.conflict"]
    assert codes(shown(silent=False, vibrate=[1])) == ["payload.declarative"]


def test_reading_adds_the_findings_once():
    payload = linted(Payload(Decryption.OK, b"\x80"))
    assert [each.code for each in payload.findings] == ["payload.not_utf8"]
    assert payload.explained


values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.dictionaries(st.sampled_from([*FULL, "app_badge", "mutable", "x"]), values)


@given(members=MEMBERS, mark=st.just(8030) | values, outside=MEMBERS, inside=st.booleans())
def test_any_declaration_is_explained(members, mark, outside, inside):
    message = {**outside, "web_push": mark, "notification": members if inside else mark}
    found = lint(json.dumps(message).encode())
    assert found
    assert all(finding.rule and json.dumps(finding.as_json()) for finding in found)


@given(st.binary())
def test_any_octets_are_looked_at(data):
    assert ("payload.not_utf8" in codes(data)) == (data.decode("utf-8", "replace").encode() != data)
