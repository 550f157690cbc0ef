"""The report as Markdown, read by an independent parser of CommonMark and of GitHub's tables."""

import re

import pytest
from markdown_it import MarkdownIt

from mockpush.harness.report.markdown import LIMIT, code, escaped, fence, markdown

OURS = {"html_block": r"<details><summary>. <code>[\w./-]+</code></summary>\s*|</details>\s*"}


def tokens(text):
    """All tokens, those in lines as well."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def cells(text):
    """The cells of all tables, as text."""
    found, inside = [], False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "tr_open":
            found.append([])
        inside = token.type in ("td_open", "th_open") or (inside and token.type == "inline")
        if token.type == "inline" and inside:
            found[-1].append("".join(each.content or "\n" for each in token.children))
    return found


def test_a_line_sums_it_up(mixed):
    title, _, line, *_ = markdown([mixed]).splitlines()
    assert title == "### ✗ mockpush check: scripted 1.2 (Go), profile rfc"
    assert line == "5 cases in 1.2 s: 2 failed (1 of them known), 1 warning, 1 passed, 1 skipped"


def test_where_nothing_new_failed_the_line_says_so(record, failed):
    shown = markdown([record(failed(), known=["rfc8292/2/aud-is-origin"])])
    assert shown.startswith("### ✓ mockpush check")


def test_the_table_has_what_did_not_pass_the_heaviest_first(mixed):
    head, *rows = cells(markdown([mixed]))
    assert head == ["", "case", "requirement", "what came of it"]
    assert [row[:2] for row in rows] == [
        ["✗ failed", "rfc8292/2/aud-is-origin"],
        ["✗ failed (known)", "rfc8292/2/known"],
        ["! warning", "rfc8292/2/token"],
        ["- skipped", "rfc8030/5.4/topic"],
    ]
    assert "expected https://localhost:1" in rows[0][3]
    assert rows[3][2:] == ["Every push message has a TTL. [RFC 8030, Section 5.2]", "no option"]


def test_details_are_folded_and_can_be_repeated(mixed):
    shown = markdown([mixed])
    assert shown.count("<details>") == shown.count("</details>") == 3
    fences = [each.content for each in tokens(shown) if each.type == "fence"]
    assert len(fences) == 3
    assert "request   POST /push/x HTTP/1.1" in fences[0]
    assert fences[0].endswith("mockpush check -k rfc8292/2/aud-is-origin -- node 'x y.js'\n")


def test_what_is_fixed_is_listed(mixed):
    shown = markdown([mixed])
    assert "Known failures that are none any more" in shown
    assert "- `rfc8030/5.2/ttl-present`" in shown


def test_a_run_in_which_all_passed_is_one_line(record, case_result):
    assert markdown([record(case_result())]).splitlines()[2:] == ["1 case in 1.2 s: 1 passed"]


def test_several_runs_begin_with_a_matrix(record, case_result, failed):
    runs = [record(case_result(), failed()), record(case_result(), name="a|b", version=None)]
    shown = markdown(runs)
    assert cells(shown)[:2] == [
        ["case", "scripted 1.2", "a|b"],
        ["rfc8292/2/aud-is-origin", "✗", ""],
    ]
    assert len(re.findall(r"^### . mockpush check", shown, re.MULTILINE)) == 2


def test_a_comment_can_hold_it_and_it_says_what_is_left_out(record, failed):
    shown = markdown([record(*(failed(id=f"rfc8030/5/x{number}") for number in range(150)))])
    assert LIMIT - 2000 < len(shown) < 65_536
    left = int(re.search(r"The details of (\d+) more", shown)[1])
    assert shown.count("<details>") == 150 - left > 0
    assert len(cells(shown)) == 151


def test_nothing_that_others_say_is_more_than_text(record, hostile, words):
    shown = markdown([record(hostile, name=words)])
    for token in tokens(shown):
        assert (
            token.type not in ("html_inline", "link_open", "image")
            or token.content == "<br>"
            or (token.content == "<!-- -->")
        )
        if token.type == "html_block":
            assert re.fullmatch(OURS["html_block"], token.content), token.content
    (row,) = cells(shown)[1:]
    assert len(row) == 4
    prose = "|".join(each.content for each in tokens(shown) if each.type == "text")
    assert "@team" not in prose
    shown.encode()


@pytest.mark.parametrize("text", ["a", "`", "``a`", "a | b", r"a\|b", "*_<b>"])
def test_code_is_shown_as_it_is(text):
    (table,) = [cells(f"| x |\n|---|\n| {code(text)} |\n")]
    assert table[1] == [text]


@pytest.mark.parametrize("text", ["*a* _b_ <b> [x](y) ~z~ `c` | # &amp; \\"])
def test_escaped_text_is_shown_as_it_is(text):
    (table,) = [cells(f"| x |\n|---|\n| {escaped(text)} |\n")]
    assert table[1] == [text.replace("\\\\", "\\")]


def test_nothing_in_a_block_ends_it():
    lines = ["```", "````text", "</details>", "a"]
    (block,) = [each for each in tokens(fence(lines)) if each.type == "fence"]
    assert block.content.splitlines() == lines
