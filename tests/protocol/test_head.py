"""The head of a push: read once, the same whoever asks, and what of it reaches the user agent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.head import Head, read_head
from mockpush.protocol.headers import DraftParameters
from mockpush.protocol.model import Urgency

RIGHT = (
    (b"ttl", b"60"),
    (b"topic", b"news"),
    (b"urgency", b"high"),
    (b"content-type", b"application/octet-stream"),
    (b"content-encoding", b"aes128gcm"),
)
DRAFT = (
    (b"ttl", b"60"),
    (b"content-encoding", b"aesgcm"),
    (b"crypto-key", b"dh=AAAA;p256ecdsa=BBBB"),
    (b"encryption", b"salt=CCCC;rs=24"),
)


def codes(head: Head) -> list[str]:
    return [finding.code for finding in head.findings]


def test_a_head_says_what_its_fields_say():
    head = read_head(RIGHT)
    assert (head.ttl, head.topic, head.urgency) == (60, "news", Urgency.HIGH)
    assert head.content_encoding == "aes128gcm"
    assert (head.findings, head.findings_with_body) == ((), ())
    parameters = DraftParameters(b"AAAA", b"BBBB", b"CCCC", b"24", has_crypto_key=True)
    assert read_head(DRAFT).parameters == parameters


def test_what_nobody_sent_is_none():
    head = read_head(())
    assert (head.ttl, head.topic, head.urgency) == (None, None, Urgency.NORMAL)
    assert (head.content_encoding, head.relayed) == (None, ())
    assert codes(head) == ["ttl.missing"]
    assert [finding.code for finding in head.findings_with_body] == ["content_encoding.missing"]


def test_all_oddities_of_a_head_are_found():
    head = read_head(
        (
            (b"ttl", b"x"),
            (b"topic", b""),
            (b"urgency", b"HIGH"),
            (b"crypto-key", b"x"),
            (b"content-encoding", b"gzip"),
        )
    )
    assert codes(head) == [
        "ttl.not_a_number",
        "topic.empty",
        "urgency.case",
        "crypto_key.malformed",
        "content_encoding.unknown",
    ]


# What reaches the user agent


@pytest.mark.parametrize("coding", [b"aes128gcm", b"gzip"])
def test_only_what_describes_the_body_is_relayed(coding):
    """Neither Topic nor Urgency (RFC 8030, 5.3 and 5.4), nor token and key (RFC 8292, 4.2)."""
    described = ((b"content-type", b"text/plain"), (b"content-encoding", coding))
    others = tuple(
        (name, b"x")
        for name in (
            *(b"ttl", b"topic", b"urgency", b"crypto-key", b"encryption", b"authorization"),
            *(b"cookie", b"prefer", b"push-receipt", b"x-own", b"content-length", b"host"),
        )
    )
    assert read_head((*others, *described)).relayed == described


def test_of_the_draft_coding_the_parameters_of_the_body_are_relayed_too():
    assert read_head(DRAFT).relayed == (
        (b"content-encoding", b"aesgcm"),
        (b"encryption", b"salt=CCCC;rs=24"),
        (b"crypto-key", b"dh=AAAA"),
    )
    without_dh = (*DRAFT[:2], (b"crypto-key", b"p256ecdsa=BBBB"))
    assert read_head(without_dh).relayed == DRAFT[1:2]


SECRETS = st.sampled_from([b"p256ecdsa=KEYKEY", b"p256ecdsa=KEYKEY;dh=AAAA", b'p256ecdsa="KEYKEY"'])


@given(st.lists(SECRETS, min_size=1, max_size=3), st.sampled_from([b"aesgcm", b"aes128gcm"]))
def test_the_key_of_the_application_server_is_never_relayed(keys, coding):
    fields = [(b"content-encoding", coding), *((b"crypto-key", each) for each in keys)]
    assert b"KEYKEY" not in b"".join(value for _, value in read_head(tuple(fields)).relayed)


# Read once

NAMES = (b"ttl", b"topic", b"urgency", b"content-encoding", b"crypto-key", b"encryption", b"x")
VALUES = (b"", b"60", b"high", b"aesgcm", b"aes128gcm", b"dh=AA", b"salt=AA", b"\xff")
LINES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.binary(max_size=9)), max_size=6
).map(tuple)


@given(LINES)
def test_a_head_is_a_function_of_its_fields(lines):
    again = tuple((bytes(bytearray(name)), bytes(bytearray(value))) for name, value in lines)
    assert read_head(lines) is read_head(again)
    assert read_head.__wrapped__(lines) == read_head(lines)


def test_what_is_kept_of_heads_is_bounded():
    def use(number: int) -> int:
        for each in range(number):
            read_head((*RIGHT, (b"x", b"%d" % each)))
        return read_head.cache_info().currsize

    assert use(1000) == use(2000) == read_head.cache_info().maxsize


def test_messages_whose_heads_differ_share_what_is_relayed():
    heads = [read_head((*RIGHT, (b"traceparent", b"%d" % each))) for each in range(3)]
    assert len(set(map(id, heads))) == 3
    assert len({id(head.relayed) for head in heads}) == 1
