"""Annotations, and the summary of a workflow."""

import re
from urllib.parse import unquote

import pytest

from mockpush.harness.report.github import append_summary, in_github, workflow_commands
from mockpush.harness.report.markdown import markdown
from mockpush.harness.verdict import Verdict

COMMAND = re.compile(r"::(error|warning|notice) title=([^:,]*)::(.*)")


def read(text):
    """What GitHub makes of it: kind, title, message."""
    found = []
    for line in text.splitlines():
        kind, title, message = COMMAND.fullmatch(line).groups()
        found.append((kind, unquote(title), unquote(message)))
    return found


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({"GITHUB_ACTIONS": "true"}, True), ({"GITHUB_ACTIONS": ""}, False), ({}, False)],
)
def test_a_workflow_is_recognised(environ, expected):
    assert in_github(environ) == expected


def test_failures_are_errors_then_come_warnings_then_what_is_fixed(record, case_result, failed):
    run = record(
        case_result(),
        failed(id="rfc8292/2/token", verdict=Verdict.WARNING),
        failed(id="rfc8292/2/known"),
        failed(),
        case_result(id="rfc8030/5.4/topic", verdict=Verdict.SKIPPED),
        known=["rfc8292/2/known", "rfc8030/5.2/ttl-present"],
    )
    shown = read(workflow_commands([run]))
    assert [each[:2] for each in shown] == [
        ("error", "scripted rfc8292/2/aud-is-origin"),
        ("warning", "scripted rfc8292/2/token"),
        ("notice", "scripted rfc8030/5.2/ttl-present"),
    ]
    assert shown[0][2].splitlines() == [
        "vapid.aud.port_missing: aud is not the origin [RFC 8030, Section 5.2]",
        "expected: https://localhost:1",
        "actual: https://localhost",
        "reproduce: mockpush check -k rfc8292/2/aud-is-origin -- node 'x y.js'",
    ]


def test_where_all_passed_there_is_nothing_to_annotate(record, case_result):
    assert workflow_commands([record(case_result())]) == ""


def test_nothing_that_others_say_is_a_command(record, hostile):
    (shown,) = read(workflow_commands([record(hostile, name="a::b,c%0A\n::error::d")]))
    assert shown[1] == r"a::b,c%0A\n::error::d rfc8292/2/aud-is-origin"
    assert "::error::x % ]]>" in shown[2]


def test_a_message_is_shown_as_it_is(record, failed):
    (shown,) = read(workflow_commands([record(failed(reason="100%0A, 5%25: x"))]))
    assert shown[2].startswith("100%0A, 5%25: x [")


def test_the_summary_is_appended(record, failed, tmp_path):
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    run = record(failed())
    assert append_summary([run], {"GITHUB_STEP_SUMMARY": str(file)}) is None
    assert file.read_text(encoding="utf-8") == f"before\n{markdown([run])}"


def test_a_summary_that_cannot_be_written_is_a_sentence(record, failed, tmp_path):
    run = record(failed())
    file = str(tmp_path / "no" / "summary.md")
    problem = append_summary([run], {"GITHUB_STEP_SUMMARY": file})
    assert problem == f"{file}: No such file or directory"
    assert append_summary([run], {}) == "GITHUB_STEP_SUMMARY is not set"
