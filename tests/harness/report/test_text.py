"""The report for people."""

from types import SimpleNamespace

import click
import pytest

from mockpush.harness.evidence import Evidence, Unanswered
from mockpush.harness.report.text import mark, sender_list, text
from mockpush.harness.verdict import Problem, Verdict
from mockpush.protocol.findings import Level

COMMAND = "mockpush check -k rfc8292/2/aud-is-origin -- node 'x y.js'"


@pytest.fixture
def lines(record):
    """The lines of a report without their colours."""
    return lambda *results, **given: click.unstyle(text([record(*results, **given)])).splitlines()


def test_it_begins_with_the_sender_and_ends_with_the_counts(lines, case_result):
    shown = lines(case_result(), case_result(verdict=Verdict.FAILED), case_result())
    assert shown[0] == "scripted 1.2 (Go), profile rfc"
    assert shown[-1] == "3 cases in 1.2 s: 1 failed, 2 passed"


def test_a_sender_need_not_have_a_version(lines, case_result):
    assert lines(case_result(), version=None, language=None)[0] == "scripted, profile rfc"


def test_one_case_is_one(lines, case_result):
    assert lines(case_result())[-1] == "1 case in 1.2 s: 1 passed"


def test_cases_stand_under_their_document_and_section(lines, case_result):
    names = ("rfc8030/5/post", "rfc8030/5/sent-once", "rfc8030/5.2/x", "rfc8292/2/y", "app/z")
    shown = lines(*(case_result(id=name) for name in names))
    said = "  Every push message has a TTL."
    assert shown[2:-2] == [
        "RFC 8030",
        "  Section 5",
        f"    ✓ post{said}",
        f"    ✓ sent-once{said}",
        "  Section 5.2",
        f"    ✓ x{said}",
        "",
        "RFC 8292",
        "  Section 2",
        f"    ✓ y{said}",
        "",
        "Applications",
        f"    ✓ z{said}",
    ]


@pytest.mark.parametrize(
    ("verdict", "sign"),
    [("passed", "✓"), ("failed", "✗"), ("warning", "!"), ("info", "i"), ("skipped", "-")],
)
def test_each_verdict_has_a_mark_of_its_own(verdict, sign):
    assert click.unstyle(mark(Verdict(verdict))) == sign


def test_verdicts_are_coloured(record, failed):
    assert "\x1b[31m✗" in text([record(failed())])


def test_a_skipped_case_says_why(lines, case_result):
    shown = lines(case_result(verdict=Verdict.SKIPPED, reason="the sender has no option for topic"))
    assert shown[4].endswith("  (the sender has no option for topic)")


def test_below_the_cases_stands_all_that_there_is_to_say_of_a_failure(lines, failed):
    shown = lines(failed())
    start = shown.index("✗ rfc8292/2/aud-is-origin  Every push message has a TTL.")
    assert shown[start + 1 : -2] == [
        "    must  vapid.aud.port_missing: aud is not the origin  [RFC 8292, Section 2]",
        "      expected  https://localhost:1",
        "      actual    https://localhost",
        "      hint      Add the port.",
        '    asked     {"op": "send", "payload": "aGVsbG8=", "ttl": 2}',
        "    request   POST /push/x HTTP/1.1",
        "              TTL: 60",
        "              (18 octets: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f…)",
        "    answered  400, vapid.absent",
        '    answer    {"ok": true, "status": 201}',
        "    | Traceback",
        "    |     KeyError: 'x'",
        f"    reproduce {COMMAND}",
    ]


def test_failures_come_before_warnings(lines, failed):
    warning = failed(id="rfc8030/5/a", verdict=Verdict.WARNING)
    shown = [line for line in lines(warning, failed()) if line[:2] in ("✗ ", "! ")]
    assert [line.split()[1] for line in shown] == ["rfc8292/2/aud-is-origin", "rfc8030/5/a"]


def test_what_is_not_known_is_left_out(lines, case_result):
    problem = Problem(level=Level.SHOULD, section="RFC 8030, Section 5", text="it is late")
    shown = "\n".join(lines(case_result(verdict=Verdict.WARNING, problems=(problem,))))
    assert "should  it is late" in shown
    assert "expected" not in shown
    assert "asked" not in shown


def test_a_job_without_an_answer_says_why(lines, failed, send_job):
    job = send_job(payload=b"x" * 3000)
    shown = lines(failed(evidence=Evidence(jobs=(Unanswered(job=job, error="it died"),))))
    assert "    request   none came" in shown
    assert "    answer    none: it died" in shown
    (asked,) = [line for line in shown if line.startswith("    asked")]
    assert "… (4000 characters)" in asked
    assert len(asked) < 200


def test_a_body_is_summed_up(lines, failed, send_job, request_record):
    shown = "\n".join(lines(failed()))
    assert "AAECAwQF" not in shown


def test_the_words_of_others_do_not_control_the_terminal(record, hostile):
    shown = text([record(hostile, name="x\x1b[2J")])
    assert r"actual    \x1b[2J\r\n::error::x %" in shown
    left = click.unstyle(shown).replace("\n", "")
    assert left.isprintable()


def test_a_known_failure_is_said_to_be_known(lines, failed):
    shown = lines(failed(), known=["rfc8292/2/aud-is-origin"])
    assert sum(line.endswith("  (known)") for line in shown) == 2
    assert shown[-1] == "1 case in 1.2 s: 1 failed (1 of them known)"


def test_a_known_failure_that_is_none_any_more_is_told(lines, case_result):
    shown = lines(case_result(), known=["rfc8030/5.2/ttl-present"])
    assert shown[-3:-1] == [
        "Known failures that are none any more; take them out with --update-baseline:",
        "  rfc8030/5.2/ttl-present",
    ]


def test_several_runs_end_with_the_cases_that_not_all_passed(record, case_result, failed):
    runs = [
        record(case_result(), failed()),
        record(case_result(), failed(verdict=Verdict.PASSED, problems=()), name="other"),
    ]
    shown = click.unstyle(text(runs)).splitlines()
    assert shown[-5:] == [
        "Cases that not all passed",
        "                         1  2",
        "rfc8292/2/aud-is-origin  ✗  ✓",
        "1: scripted 1.2 (Go), profile rfc",
        "2: other 1.2 (Go), profile rfc",
    ]


@pytest.mark.parametrize(
    ("own", "installed", "missing", "shown"),
    [
        ("2.4.0", True, None, "installed beside mockpush"),
        (None, True, None, "installed"),
        (None, False, None, "is installed when it is used"),
        (None, True, "java not found: get it", "java not found: get it"),
    ],
)
def test_ready_senders_are_listed_with_what_becomes_of_them(own, installed, missing, shown):
    sender = SimpleNamespace(
        name="x",
        library="lib-x",
        version="2.4.0",
        own_version=own,
        installed=installed,
        missing=missing,
        toolchain=SimpleNamespace(language="Java"),
    )
    assert sender_list([sender]) == f"x  Java  lib-x 2.4.0  {shown}"
