"""Command lines, split as bash splits them."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mockpush.errors import CaptureError
from mockpush.protocol.captures.shell_words import split_words

BY_BASH = {
    rb"""$'\x41\x7f\xff\101\u00e9\U0001f600'""": [b"A\x7f\xffA\xc3\xa9\xf0\x9f\x98\x80"],
    rb"""$'\n\t\\\'\"\?\z\e\cA\0'""": [b"\n\t\\'\"?\\z\x1b\x01\x00"],
    rb'"b\$c\"d\e\\"': [rb'b$c"d\e' + b"\\"],
    rb"""'x'"y"z\ q""": [b"xyz q"],
    rb"""'' "" a""": [b"", b"", b"a"],
    b"a\\\nb c": [b"ab", b"c"],
    b"a \\\r\n  b": [b"a", b"b"],
    b'"a\\\nb"': [b"ab"],
    b'$"hi" b$': [b"hi", b"b$"],
    b"'$HOME `x`'": [b"$HOME `x`"],
    b"a | b": [b"a"],
    b"a>b": [b"a"],
    b"": [],
}
"""What bash makes of each, but for octets 0, which its words cannot have."""


@pytest.mark.parametrize("command", BY_BASH)
def test_words_are_those_of_bash(command):
    assert split_words(command) == BY_BASH[command]


def test_a_command_that_lost_its_form_when_it_was_pasted_is_read():
    assert split_words(b"a \\ \n  b\nc") == [b"a", b"b", b"c"]


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)))))
def test_what_the_standard_library_quotes_is_read_back(words):
    assert split_words(shlex.join(words).encode()) == [word.encode() for word in words]


@given(st.lists(st.binary(), min_size=1))
def test_any_octets_can_be_written_in_ansi_quotes(words):
    quoted = (b"$'%b'" % b"".join(b"\\x%02x" % octet for octet in word) for word in words)
    assert split_words(b" ".join(quoted)) == words


@pytest.mark.parametrize("command", [b"'a", b'"a', b"$'a", b"a\\"])
def test_an_open_quote_is_shown(command):
    with pytest.raises(CaptureError, match="a quote is not closed"):
        split_words(b"x " + command)


@pytest.mark.parametrize("command", [b"$TOKEN", b'"x ${TOKEN}"', b"$(cat x)", b'"`cat x`"', b"`x`"])
def test_what_the_shell_would_put_in_is_asked_for(command):
    with pytest.raises(CaptureError, match="put the value in its place"):
        split_words(command)


def test_a_number_that_is_no_character_is_named():
    with pytest.raises(CaptureError, match="is no character"):
        split_words(rb"$'\UFFFFFFFF'")


@given(st.binary())
def test_any_octets_are_split_or_explained(command):
    try:
        assert all(isinstance(word, bytes) for word in split_words(command))
    except CaptureError:
        event("explained")
