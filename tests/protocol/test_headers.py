"""The header fields of a push, in every form in which they come."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.findings import REGISTRY
from mockpush.protocol.headers import (
    FIELDS,
    MAX_TTL,
    NO_PARAMETERS,
    DraftParameters,
    Preferences,
    collect,
    findings_with_body,
    parse_content_encoding,
    parse_draft_parameters,
    parse_prefer,
    parse_topic,
    parse_ttl,
    parse_urgency,
    shown,
)
from mockpush.protocol.model import Urgency

DIGITS = [str(digit).encode() for digit in range(10)]


def read(parse, lines, **options):
    """What the parser makes of the lines, and the codes of what it found odd."""
    findings = []
    value = parse(lines, findings, **options)
    return value, [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("lines", "ttl", "codes"),
    [
        ([b"60"], 60, []),
        ([b"  60\t"], 60, []),
        ([b"1"], 1, []),
        ([b"007"], 7, []),
        ([b"000000000000000000060"], 60, []),
        ([b"2147483648"], MAX_TTL, []),
        ([b"2147483649"], MAX_TTL, ["ttl.overflow"]),
        ([b"9" * 5000], MAX_TTL, ["ttl.overflow"]),
        ([b"0"], 0, ["ttl.zero"]),
        ([b"0000000000000"], 0, ["ttl.zero"]),
        (None, None, ["ttl.missing"]),
        ([b"-1"], None, ["ttl.negative"]),
        ([b"-0"], None, ["ttl.negative"]),
        ([b"60", b"60"], None, ["ttl.doubled"]),
        ([b"60, 60"], None, ["ttl.doubled"]),
        ([b"60,"], None, ["ttl.doubled"]),
        ([b"", b"60"], None, ["ttl.doubled"]),
        *(
            ([value], None, ["ttl.not_a_number"])
            for value in (
                b"",
                b" ",
                b"+60",
                b"--1",
                b"-",
                b"60.0",
                b"6e1",
                b"60s",
                b"6 0",
                b"1_0",
                b'"60"',
                b"0x3c",
                b"NaN",
                b"null",
                b"undefined",
                b"\xb2",  # superscript two, a digit to str.isdigit()
                "٦٠".encode(),
                b"\x00",
            )
        ),
    ],
)
def test_ttl(lines, ttl, codes):
    assert read(parse_ttl, lines) == (ttl, codes)


@given(st.integers(min_value=0, max_value=MAX_TTL), st.integers(min_value=0, max_value=40))
def test_every_number_of_seconds_is_read_whatever_its_leading_zeros(ttl, zeros):
    value, codes = read(parse_ttl, [b"0" * zeros + str(ttl).encode()])
    assert value == ttl
    assert codes == (["ttl.zero"] if ttl == 0 else [])


@pytest.mark.parametrize(
    ("lines", "topic", "codes"),
    [
        (None, None, []),
        ([b"upd"], "upd", []),
        ([b" upd\t"], "upd", []),
        ([b"AZaz09-_"], "AZaz09-_", []),
        ([b"-"], "-", ["topic.length_mod_4"]),
        ([b"x" * 32], "x" * 32, []),
        ([b"new_event"], "new_event", ["topic.length_mod_4"]),
        ([b"x" * 29], "x" * 29, ["topic.length_mod_4"]),
        ([b"x" * 33], "x" * 33, ["topic.too_long"]),
        ([b"x" * 5000], "x" * 5000, ["topic.too_long"]),
        ([b""], None, ["topic.empty"]),
        ([b"  "], None, ["topic.empty"]),
        ([b"dXBk=="], "dXBk==", ["topic.padded"]),
        ([b"="], "=", ["topic.padded"]),
        ([b"x" * 32 + b"="], "x" * 32 + "=", ["topic.padded", "topic.too_long"]),
        ([b"up d"], "up d", ["topic.alphabet"]),
        ([b"up=d"], "up=d", ["topic.alphabet"]),
        ([b"a+b/"], "a+b/", ["topic.alphabet"]),
        ([b"order.7"], "order.7", ["topic.alphabet"]),
        ([b"a,b"], "a,b", ["topic.alphabet"]),
        ([b'"upd"'], '"upd"', ["topic.alphabet"]),
        (["täglich".encode()], "tÃ¤glich", ["topic.alphabet"]),
        ([b"\xff"], "ÿ", ["topic.alphabet"]),
        ([b" x" * 20], "x" + " x" * 19, ["topic.alphabet", "topic.too_long"]),
        ([b"upd", b"upd"], None, ["topic.doubled"]),
        ([b"", b""], None, ["topic.doubled"]),
    ],
)
def test_topic(lines, topic, codes):
    assert read(parse_topic, lines) == (topic, codes)


@pytest.mark.parametrize(
    ("lines", "urgency", "codes"),
    [
        (None, Urgency.NORMAL, []),
        *(([urgency.encode()], urgency, []) for urgency in Urgency),
        ([b" high "], Urgency.HIGH, []),
        ([b"High"], Urgency.HIGH, ["urgency.case"]),
        ([b"VERY-LOW"], Urgency.VERY_LOW, ["urgency.case"]),
        ([b"high", b"low"], None, ["urgency.several"]),
        ([b"high", b"high"], None, ["urgency.several"]),
        ([b"high, high"], None, ["urgency.several"]),
        ([b"high,"], None, ["urgency.several"]),
        ([b""], None, ["urgency.unknown"]),
        ([b"urgent"], None, ["urgency.unknown"]),
        ([b"very_low"], None, ["urgency.unknown"]),
        ([b'"high"'], None, ["urgency.unknown"]),
        ([b"hi\xffgh"], None, ["urgency.unknown"]),
    ],
)
def test_urgency(lines, urgency, codes):
    assert read(parse_urgency, lines) == (urgency, codes)


@pytest.mark.parametrize(
    ("lines", "body", "coding", "codes"),
    [
        (None, b"", None, []),
        (None, b"hello", None, ["content_encoding.missing"]),
        ([b"aes128gcm"], b"x", "aes128gcm", []),
        ([b" aes128gcm "], b"x", "aes128gcm", []),
        ([b"AES128GCM"], b"x", "aes128gcm", ["content_encoding.case"]),
        ([b"aesgcm"], b"x", "aesgcm", ["content_encoding.aesgcm"]),
        ([b"AesGcm"], b"x", "aesgcm", ["content_encoding.case", "content_encoding.aesgcm"]),
        ([b"aesgcm"], b"", "aesgcm", []),
        ([b"aes128gcm, aes128gcm"], b"x", None, ["content_encoding.several"]),
        ([b"aes128gcm", b"aes128gcm"], b"x", None, ["content_encoding.several"]),
        ([b"aes128gcm", b"gzip"], b"x", None, ["content_encoding.several"]),
        ([b"gzip"], b"x", None, ["content_encoding.unknown"]),
        ([b"identity"], b"x", None, ["content_encoding.unknown"]),
        ([b"aesgcm128"], b"x", None, ["content_encoding.unknown"]),
        ([b""], b"x", None, ["content_encoding.unknown"]),
        ([b"aes128gcm\x00"], b"x", None, ["content_encoding.unknown"]),
        ([b"\xe4es128gcm"], b"x", None, ["content_encoding.unknown"]),
    ],
)
def test_content_encoding(lines, body, coding, codes):
    found, odd = read(parse_content_encoding, lines)
    if body:
        odd += [finding.code for finding in findings_with_body(lines, found)]
    assert (found, odd) == (coding, codes)


def parameters(crypto_key, encryption):
    findings = []
    return parse_draft_parameters(crypto_key, encryption, findings), [
        each.code for each in findings
    ]


@pytest.mark.parametrize(
    ("crypto_key", "encryption", "expected"),
    [
        ([b"dh=D;p256ecdsa=P"], [b"salt=S;rs=4096"], DraftParameters(b"D", b"P", b"S", b"4096")),
        ([b"dh=D,p256ecdsa=P"], [b"salt=S"], DraftParameters(b"D", b"P", b"S")),
        ([b"dh=D", b"p256ecdsa=P"], [b"salt=S"], DraftParameters(b"D", b"P", b"S")),
        ([b'keyid=p256dh; dh="D" , P256ECDSA = P'], None, DraftParameters(b"D", b"P")),
        ([b"dh=D=="], None, DraftParameters(b"D==")),
        ([b"dh=D;dh=E"], None, DraftParameters(b"D")),
        ([b"dh="], None, DraftParameters(b"")),
        (None, [b"keyid=p256dh;salt=S"], DraftParameters(salt=b"S")),
        (None, [b"nothing here"], DraftParameters()),
    ],
)
def test_draft_parameters(crypto_key, encryption, expected):
    expected = expected._replace(has_crypto_key=crypto_key is not None)
    assert parameters(crypto_key, encryption) == (expected, [])


@pytest.mark.parametrize("value", [b"", b"dh", b"BAbcd", b";;,", b"aesgcm=x", b"\xff\x00=\xff"])
def test_a_crypto_key_without_any_key_is_malformed(value):
    found, codes = parameters([value], None)
    assert codes == ["crypto_key.malformed"]
    assert (found.dh, found.p256ecdsa) == (None, None)
    assert found.has_crypto_key


def test_a_request_without_the_fields_of_the_drafts_has_no_parameters():
    assert parameters(None, None) == (NO_PARAMETERS, [])
    assert not any(NO_PARAMETERS)


def test_collect_keeps_the_lines_of_each_field_in_order_and_nothing_else():
    headers = [
        (b"host", b"localhost"),
        (b"ttl", b"1"),
        (b"content-length", b"0"),
        (b"ttl", b"2"),
        (b"topic", b""),
    ]
    assert collect(headers) == {b"ttl": [b"1", b"2"], b"topic": [b""]}
    assert collect((name, b"x") for name in FIELDS).keys() == FIELDS


PARSERS = {
    "ttl": parse_ttl,
    "topic": parse_topic,
    "urgency": parse_urgency,
    "content_encoding": parse_content_encoding,
    "crypto_key": lambda lines, findings: parse_draft_parameters(lines, lines, findings),
}

near_misses = st.sampled_from(
    [
        *DIGITS,
        b"-",
        b"+",
        b"=",
        b",",
        b";",
        b" ",
        b"\t",
        b'"',
        b"a",
        b"high",
        b"aes128gcm",
        b"dh=",
        b"\xff",
    ]
)
values = st.one_of(st.binary(max_size=40), st.lists(near_misses, max_size=8).map(b"".join))


@pytest.mark.parametrize("theme", PARSERS)
@given(lines=st.none() | st.lists(values, min_size=1, max_size=3))
def test_no_octets_make_a_parser_raise_or_speak_of_anything_but_its_field(theme, lines):
    findings = []
    PARSERS[theme](lines, findings)
    for finding in findings:
        assert finding.code.startswith(theme + ".")
        assert finding.code in REGISTRY
        assert finding.expected
        assert finding.actual.replace("…", "").isascii()
        assert finding.actual.isprintable()
        assert 0 < len(finding.actual) < 200


@given(value=values)
def test_what_is_read_without_a_finding_is_what_was_sent(value):
    """The grammars of RFC 8030, Section 5, as regular expressions of our own."""
    for parse, legal in (
        (parse_ttl, rb"\d+"),
        (parse_topic, rb"[\w-]{1,32}"),
        (parse_urgency, b"very-low|low|normal|high"),
    ):
        found, codes = read(parse, [value])
        if not codes or codes in (["ttl.zero"], ["topic.length_mod_4"]):
            sent = value.strip()
            assert re.fullmatch(legal, sent)
            assert str(found) == sent.decode() or found == int(sent)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"", "nothing"),
        (b"plain", "plain"),
        (b"\xff\n\x00", r"\xff\n\x00"),
        (b"x" * 100, "x" * 100),
        (b"x" * 101, "x" * 100 + "… (101 octets)"),
        (b"\xff" * 60, r"\xff" * 25 + "… (60 octets)"),
    ],
)
def test_values_are_shown_printable_and_short(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("lines", "preferences", "codes"),
    [
        (None, (False, None), []),
        ([b"respond-async"], (True, None), []),
        ([b" Respond-Async ; x=y"], (True, None), []),
        ([b'respond-async=""'], (True, None), []),
        ([b"respond-async=1"], (True, None), ["prefer.respond_async.value"]),
        ([b"wait=10"], (False, 10), []),
        ([b'WAIT = "0"'], (False, 0), []),
        ([b"wait=soon, wait=5, wait=7"], (False, 5), []),
        ([b"wait=-1"], (False, None), []),
        ([b"wait=1.5"], (False, None), []),
        ([b"wait=" + b"9" * 5000], (False, None), []),
        ([b"handling=lenient", b"respond-async, wait=10"], (True, 10), []),
        ([b'foo="a, respond-async; b", wait=1'], (False, 1), []),
        ([b'foo="a" ;b="c, respond-async"'], (False, None), []),
        ([b"foo; respond-async"], (False, None), []),
        ([b"foo=respond-async"], (False, None), []),
        ([b""], (False, None), []),
        ([b",, ,"], (False, None), []),
        ([b"respond async"], (False, None), ["prefer.malformed"]),
        ([b"=1"], (False, None), ["prefer.malformed"]),
        ([b"\xff"], (False, None), ["prefer.malformed"]),
        ([b'"respond-async'], (True, None), []),
    ],
)
def test_preferences(lines, preferences, codes):
    assert read(parse_prefer, lines) == (Preferences(*preferences), codes)


@given(st.lists(st.binary(max_size=80), max_size=3))
def test_any_prefer_is_read(lines):
    preferences, codes = read(parse_prefer, lines)
    assert preferences.wait is None or 0 <= preferences.wait < 10**9
    assert set(codes) <= {"prefer.malformed", "prefer.respond_async.value"}


def test_the_parts_of_a_long_prefer_are_read_in_linear_time():
    lines = [b'"\\' * 30_000 + b", respond-async"]
    assert read(parse_prefer, lines)[0].respond_async is True
