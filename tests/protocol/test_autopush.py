"""A conversation in Mozilla's push protocol: what may be said when, and what is on its way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.autopush import (
    GIVEN_UP,
    NOT_JSON,
    OUT_OF_TURN,
    Closing,
    Conversation,
)
from mockpush.protocol.autopush_frames import Hello, Ping, Register, Update
from mockpush.protocol.delivery import AUTOPUSH
from mockpush.protocol.head import Head
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.records import PushMessage

HELLO = '{"messageType":"hello"}'
CHANNEL = "01234567-89ab-cdef-0123-456789abcdef"
PLAIN = Inspection((), Head(), None, 0, None, restricted=False, managed=False)


def message(name: str, *, topic: str | None = None, ttl: int = 60) -> PushMessage:
    inspection = replace(PLAIN, head=Head(topic=topic))
    return PushMessage(name, "t", "s", 1, b"", inspection, ttl, 0.0, 60.0)


def talk() -> Conversation:
    return Conversation(AUTOPUSH)


def greeted() -> Conversation:
    conversation = talk()
    conversation.receive(HELLO, now=0.0)
    return conversation


def done(conversation: Conversation, *versions: str) -> list[str]:
    """What is done with when these are acknowledged, one after another."""
    return [
        ended.id
        for version in versions
        for ended, _ in conversation.acknowledge(Update(version, 100))
    ]


def test_hello_comes_first_and_once():
    conversation = talk()
    assert not conversation.greeted
    assert conversation.receive(HELLO, now=0.0) == Hello(None, {})
    assert conversation.greeted
    assert conversation.receive(HELLO, now=0.0) == OUT_OF_TURN == Closing(1011, "SM")


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"messageType":"ack","updates":[]}',
        f'{{"messageType":"register","channelID":"{CHANNEL}"}}',
    ],
)
def test_nothing_but_hello_comes_first(text):
    assert talk().receive(text, now=0.0) == OUT_OF_TURN


@pytest.mark.parametrize("text", ["", "{", "[]", '{"messageType":"x"}', "[" * 60_000])
def test_what_cannot_be_read_ends_it(text):
    assert talk().receive(text, now=0.0) == NOT_JSON == Closing(1011, "Json")
    assert greeted().receive(text, now=0.0) == NOT_JSON


@pytest.mark.parametrize(
    "channel", [CHANNEL.upper(), CHANNEL.replace("-", ""), f"{{{CHANNEL}}}", "nonsense", ""]
)
def test_a_channel_to_be_registered_is_a_plain_uuid(channel):
    text = json.dumps({"messageType": "register", "channelID": channel})
    assert greeted().receive(text, now=0.0) == OUT_OF_TURN
    text = json.dumps({"messageType": "register", "channelID": CHANNEL})
    assert greeted().receive(text, now=0.0) == Register(CHANNEL, None)


def test_pings_may_not_come_too_often():
    conversation = greeted()
    assert conversation.receive("{}", now=100.0) == Ping()
    assert conversation.receive("{}", now=145.0) == Ping()
    assert conversation.receive("{}", now=189.9) == OUT_OF_TURN


def test_what_is_sent_as_it_comes_is_done_with_when_it_is_acknowledged():
    conversation = talk()
    first, second = message("a"), message("b", topic="t")
    conversation.direct(first)
    conversation.direct(second)
    assert conversation.sent("a") is first
    assert done(conversation, "b") == ["b"]
    assert not conversation.settled
    assert done(conversation, "a") == ["a"]
    assert conversation.settled
    assert conversation.sent("a") is None


def test_what_is_not_known_is_not_acknowledged():
    conversation = talk()
    conversation.direct(message("a"))
    assert done(conversation, "nonsense", "a", "a") == ["a"]


def test_the_code_is_told():
    conversation = talk()
    conversation.direct(message("a"))
    assert [code for _, code in conversation.acknowledge(Update("a", 101))] == [101]


def test_a_batch_is_done_with_as_a_whole():
    conversation = talk()
    assert conversation.batch([message(name) for name in "abc"]) is None
    assert done(conversation, "a", "c") == []
    assert not conversation.settled
    assert done(conversation, "b") == ["a", "c", "b"]
    assert conversation.settled


def test_a_topic_in_a_batch_is_done_with_at_once():
    conversation = talk()
    conversation.batch([message("a", topic="t"), message("b")])
    assert done(conversation, "a") == ["a"]
    assert done(conversation, "b") == ["b"]


def test_a_batch_waits_for_what_was_sent_as_it_came():
    conversation = talk()
    conversation.batch([message("a")])
    conversation.direct(message("b"))
    assert done(conversation, "a") == []
    assert done(conversation, "b") == ["b", "a"]


def test_nothing_waits_for_what_is_not_kept():
    conversation = talk()
    conversation.direct(message("a", ttl=0))
    assert conversation.settled
    assert done(conversation, "a") == ["a"]
    conversation.batch([message("b", ttl=0)])
    assert not conversation.settled


def test_what_is_taken_back_is_forgotten():
    conversation = talk()
    conversation.batch([message("a"), message("b")])
    conversation.direct(message("c"))
    done(conversation, "a")
    conversation.take_back()
    assert conversation.settled
    assert done(conversation, "b", "c") == []


def test_who_has_been_sent_more_than_the_limit_is_given_up():
    conversation = Conversation(replace(AUTOPUSH, backlog_limit=3))
    conversation.checking = True
    assert conversation.batch([message("a"), message("b", topic="t")]) is None
    done(conversation, "a", "b")
    assert conversation.batch([message("c"), message("d")]) == GIVEN_UP == Closing(1000, "SM")


def test_the_limit_counts_until_nothing_waits():
    conversation = Conversation(replace(AUTOPUSH, backlog_limit=3))
    for _ in range(5):
        conversation.checking = True
        assert conversation.batch([message("a"), message("b")]) is None
        assert conversation.checking
        assert conversation.batch([]) is None
        assert not conversation.checking


def test_without_a_limit_nobody_is_given_up():
    conversation = Conversation(replace(AUTOPUSH, backlog_limit=None))
    assert conversation.batch([message(str(number)) for number in range(1000)]) is None


MEMBERS = st.dictionaries(
    st.sampled_from(
        ["messageType", "uaid", "channelID", "channelIDs", "updates", "version", "code", "key"]
    ),
    st.sampled_from(
        ["hello", "register", "unregister", "ack", "nack", "ping", "broadcast_subscribe", CHANNEL]
    )
    | st.none()
    | st.integers()
    | st.lists(st.fixed_dictionaries({"channelID": st.just(CHANNEL), "version": st.just("a")})),
)


@given(st.lists(MEMBERS.map(json.dumps) | st.text()), st.floats(0, 1000))
def test_any_frames_in_any_order_are_commands_or_an_end(texts, now):
    conversation = talk()
    for text in texts:
        command = conversation.receive(text, now=now)
        assert isinstance(command, tuple)
        if isinstance(command, Closing):
            break


@given(
    st.lists(
        st.tuples(st.just("direct"), st.sampled_from([0, 60]))
        | st.tuples(st.just("batch"), st.integers(0, 3))
        | st.tuples(st.just("ack"), st.integers(0, 20)),
        max_size=60,
    )
)
def test_everything_is_done_with_once_and_nothing_that_was_not_acknowledged(steps):
    conversation = Conversation(replace(AUTOPUSH, backlog_limit=None))
    sent: list[str] = []
    acknowledged: set[str] = set()
    ended: list[str] = []
    for step, value in steps:
        if step == "direct":
            conversation.direct(message(name := f"m{len(sent)}", ttl=value))
            sent.append(name)
        elif step == "batch":
            names = [f"m{len(sent) + number}" for number in range(value)]
            conversation.batch([message(name) for name in names])
            sent += names
        elif value < len(sent):
            acknowledged.add(sent[value])
            ended += done(conversation, sent[value])
        assert set(ended) <= acknowledged
        if acknowledged == set(sent):
            assert conversation.settled
    ended += done(conversation, *sent)
    assert sorted(ended) == sorted(sent)
