"""The report for people."""

import click
import pytest

from mockpush.harness.evidence import Evidence, Push, Unanswered
from mockpush.harness.jobs import Hello, SendResult
from mockpush.harness.report.text import mark, sender_list, text
from mockpush.harness.senders.registry import READY, ReadySender
from mockpush.harness.verdict import Problem, Report, Verdict
from mockpush.protocol.findings import Level

PROBLEM = Problem(
    level=Level.MUST,
    section="RFC 8292, Section 2",
    text="aud is not the origin",
    expected="https://localhost:1",
    actual="https://localhost",
    hint="Add the port.",
    code="vapid.aud.port_missing",
    request="r2",
)


def report_of(*results, seconds=1.23, **sender):
    given = {"name": "scripted", "version": "1.2", "ops": ("send",), "language": "Go", **sender}
    hello = Hello(**given)
    return Report(sender=hello, profile="rfc", strict=False, results=results, seconds=seconds)


def lines(*results, **given):
    return click.unstyle(text(report_of(*results, **given))).splitlines()


def test_it_begins_with_the_sender_and_ends_with_the_counts(case_result):
    shown = lines(case_result(), case_result(verdict=Verdict.FAILED), case_result())
    assert shown[0] == "scripted 1.2 (Go), profile rfc"
    assert shown[-1] == "3 cases in 1.2 s: 1 failed, 2 passed"


def test_a_sender_need_not_have_a_version(case_result):
    assert lines(case_result(), version=None, language=None)[0] == "scripted, profile rfc"


def test_one_case_is_one(case_result):
    assert lines(case_result())[-1] == "1 case in 1.2 s: 1 passed"


def test_cases_stand_under_their_document(case_result):
    shown = lines(case_result(id="rfc8030/5/post"), case_result(id="rfc8292/2/token"))
    assert [line for line in shown if line.startswith("RFC")] == ["RFC 8030", "RFC 8292"]
    assert (
        shown.index("RFC 8292")
        == shown.index("  ✓ rfc8292/2/token  Every push message has a TTL.") - 1
    )


@pytest.mark.parametrize(
    ("verdict", "sign"),
    [("passed", "✓"), ("failed", "✗"), ("warning", "!"), ("info", "i"), ("skipped", "-")],
)
def test_each_verdict_has_a_mark_of_its_own(case_result, verdict, sign):
    result = case_result(verdict=Verdict(verdict))
    assert click.unstyle(mark(result)) == f"{sign} rfc8030/5.2/ttl-present"


def test_verdicts_are_coloured(case_result):
    assert "\x1b[31m✗" in text(report_of(case_result(verdict=Verdict.FAILED)))


def test_a_skipped_case_says_why(case_result):
    shown = lines(case_result(verdict=Verdict.SKIPPED, reason="the sender has no option for topic"))
    assert "      the sender has no option for topic" in shown


def test_a_problem_shows_what_was_expected_and_what_came(case_result):
    shown = lines(case_result(verdict=Verdict.FAILED, problems=(PROBLEM,)))
    start = shown.index(
        "      must  vapid.aud.port_missing: aud is not the origin  [RFC 8292, Section 2]"
    )
    assert shown[start + 1 : start + 5] == [
        "        expected  https://localhost:1",
        "        actual    https://localhost",
        "        hint      Add the port.",
        "      reproduce   mockpush check -k rfc8030/5.2/ttl-present --sender pywebpush",
    ]


def test_what_is_not_known_is_left_out(case_result):
    problem = Problem(level=Level.SHOULD, section="RFC 8030, Section 5", text="it is late")
    shown = "\n".join(lines(case_result(verdict=Verdict.WARNING, problems=(problem,))))
    assert "should  it is late" in shown
    assert "expected" not in shown


def test_the_job_whose_request_shows_the_problem_is_there_to_repeat(
    case_result, send_job, request_record
):
    evidence = Evidence(
        jobs=tuple(
            Push(
                job=send_job(ttl=ttl),
                result=SendResult(ok=True, status=201),
                requests=(request_record(id=f"r{ttl}"),),
                messages=(),
            )
            for ttl in (1, 2, 3)
        )
    )
    shown = lines(case_result(problems=(PROBLEM,), evidence=evidence))
    (job,) = [line for line in shown if line.startswith("      job")]
    assert '"ttl": 2' in job
    assert '      answer      {"ok": true, "status": 201}' in shown


def test_long_members_of_a_job_are_cut(case_result, send_job):
    evidence = Evidence(jobs=(Unanswered(job=send_job(payload=b"x" * 3000), error="it died"),))
    shown = lines(case_result(problems=(PROBLEM,), evidence=evidence))
    (job,) = [line for line in shown if line.startswith("      job")]
    assert "… (4000 characters)" in job
    assert len(job) < 1200
    assert "      answer      none: it died" in shown


def test_what_the_sender_logged_stands_below(case_result):
    evidence = Evidence(log="Traceback\n  KeyError: 'x'\n")
    shown = lines(case_result(problems=(PROBLEM,), evidence=evidence))
    assert shown[-4:-2] == ["      | Traceback", "      |   KeyError: 'x'"]


def test_the_words_of_others_do_not_control_the_terminal(case_result):
    problem = Problem(level=Level.MUST, section="", text="x", actual="\x1b[2J\r\nfine \u202e")
    shown = text(report_of(case_result(problems=(problem,))))
    assert r"actual    \x1b[2J\r\nfine \u202e" in shown


def test_ready_senders_are_listed_with_their_versions():
    assert sender_list(READY.values()) == f"pywebpush  Python  {READY['pywebpush'].version}"


def test_a_ready_sender_that_is_missing_says_how_to_install_it():
    missing = ReadySender(
        name="x", language="Go", distribution="no-such", target="x:y", install="go get x"
    )
    assert sender_list([missing]) == "x  Go  not installed: go get x"
