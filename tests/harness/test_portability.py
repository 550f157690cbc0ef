"""Push services that must take every push that a sender was rightly asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockpush.errors import InvalidRequestError
from mockpush.harness import run_checks
from mockpush.harness.baseline import fixed
from mockpush.harness.evidence import Evidence, Push, Unanswered
from mockpush.harness.jobs import SendResult
from mockpush.harness.portability import judged_by
from mockpush.harness.sender import PythonSender
from mockpush.harness.verdict import Verdict
from mockpush.protocol.findings import Level

LOCAL = "vapid.sub.local_host"


def objection(code, status=400, reason="Word"):
    finding = {
        "code": code,
        "text": "it is so",
        "section": "Apple",
        "expected": "that",
        "actual": "this",
        "hint": "Do that.",
    }
    return {"status": status, "reason": reason, "finding": finding}


@pytest.fixture
def result_of(case_result, send_job, request_record):
    """The result of a case with one push, to which `apple` and `wns` object for these codes."""

    def make(*codes, status=201, asked=None, verdict=Verdict.PASSED, **request):
        request = request_record(
            objections={"apple": [objection(code) for code in codes], "wns": []},
            answer={"status": status, "headers": [], "body": ""},
            **request,
        )
        push = Push(
            job=send_job(**(asked or {})),
            result=SendResult(ok=True),
            requests=(request,),
            messages=(),
        )
        return case_result(evidence=Evidence(jobs=(push,)), verdict=verdict)

    return make


def judged(*results, name="apple"):
    return judged_by(name, results, reproduce="mockpush check --require apple")


def found(*results, name="apple"):
    return [problem.code for problem in judged(*results, name=name).problems]


def test_a_push_service_is_a_case_of_its_own(result_of):
    result = judged(result_of(LOCAL), result_of(), result_of(LOCAL))
    assert (result.id, result.verdict, result.level) == ("vendors/apple", "failed", Level.MUST)
    assert result.reproduce == "mockpush check --require apple"
    [problem] = result.problems
    assert str(problem) == f"{LOCAL}: it is so (apple answers 400 Word, 2 of 3 pushes)"
    assert result.reason == str(problem)
    assert (problem.section, problem.expected, problem.actual) == ("Apple", "that", "this")
    assert problem.hint == "Do that."


def test_the_evidence_is_the_first_push_that_shows_each_mistake(result_of):
    first, second = result_of(LOCAL, "ttl.x", id="r1"), result_of(LOCAL, "topic.x", id="r2")
    result = judged(first, second, result_of(LOCAL, id="r3"))
    assert [problem.request for problem in result.problems] == ["r1", "r1", "r2"]
    assert result.evidence.jobs == (*first.evidence.jobs, *second.evidence.jobs)


def test_where_a_redirection_led_is_no_matter_of_the_push_service(result_of):
    first = result_of()
    led = result_of("vapid.aud.mismatch", subscription="s2")
    [push], [elsewhere] = first.evidence.jobs, led.evidence.jobs
    together = replace(push, requests=(*push.requests, *elsewhere.requests))
    assert found(replace(first, evidence=Evidence(jobs=(together,)))) == []
    assert found(led) == ["vapid.aud.mismatch"]


def test_that_it_takes_all_is_a_case_that_passed(result_of):
    result = judged(result_of(LOCAL), name="wns")
    assert (result.id, result.verdict, result.reason) == ("vendors/wns", "passed", None)
    assert result.evidence.jobs == ()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ttl": 0}, "ttl.zero"),
        ({"topic": "inbox"}, "topic.length_mod_4"),
        ({"topic": "two words"}, "topic.alphabet"),
        ({"payload": b"x" * 4000}, "body.too_large"),
    ],
)
def test_what_the_judge_asked_for_is_not_the_senders_doing(result_of, asked, code):
    assert found(result_of(code)) == [code]
    assert found(result_of(code, asked=asked)) == []
    assert found(result_of(code, LOCAL, asked=asked)) == [LOCAL]


def test_what_the_service_itself_refused_is_a_matter_of_the_case(result_of, case_result, send_job):
    unanswered = Evidence(jobs=(Unanswered(job=send_job(), error="died"),))
    result = judged(result_of(LOCAL, status=400), case_result(evidence=unanswered))
    assert (result.verdict, result.reason) == ("skipped", "there was no push to judge")


def test_a_known_failure_stays_known_in_runs_that_do_not_require_it(result_of):
    known = ["vendors/apple", "vendors/wns", "rfc8030/9/gone"]
    assert fixed(known, []) == ["rfc8030/9/gone"]
    assert fixed(known, [judged(result_of())]) == ["rfc8030/9/gone", "vendors/apple"]


# Whole runs


@pytest.fixture
def sender(tmp_path, monkeypatch):
    """A right sender with pywebpush, but for its contact."""

    def make(contact: str) -> PythonSender:
        (tmp_path / "portable_sender.py").write_text(PROGRAM.replace("CONTACT", contact))
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        return PythonSender("portable_sender:answer")

    return make


PROGRAM = """
import base64
import requests
from pywebpush import WebPushException, webpush

session = requests.Session()
session.max_redirects = 0

def answer(job):
    if job["op"] == "hello":
        return {"name": "portable", "ops": ["send"]}
    if len(job["payload"] or "") > 4 * 3993 / 3:
        return {"ok": False, "error": "too long"}
    fields = {"Urgency": job["urgency"], "Topic": job["topic"]}
    try:
        answer = webpush(
            job["subscription"],
            None if job["payload"] is None else base64.b64decode(job["payload"]),
            vapid_private_key=job["vapid"]["private_key"],
            vapid_claims={"sub": "CONTACT"},
            ttl=job["ttl"],
            timeout=2,
            requests_session=session,
            headers={name: value for name, value in fields.items() if value is not None},
        )
    except WebPushException as error:
        return {"ok": False, "status": error.response.status_code}
    return {"ok": True, "status": answer.status_code}
"""
VENDORS = ("fcm", "mozilla", "apple", "wns")


def test_a_right_sender_is_taken_by_all_whatever_the_cases_ask_for(sender):
    report = run_checks(sender("mailto:me@example.com"), require=VENDORS)
    cases = {result.id: result.verdict for result in report.results[-4:]}
    assert cases == {f"vendors/{name}": "passed" for name in VENDORS}
    assert report.exit_code == 0


def test_a_mistake_that_one_vendor_minds_fails_the_run(sender):
    local = sender("mailto:me@localhost")
    report = run_checks(local, require=("fcm", "apple"), cases=["rfc8030/5/post"])
    assert [result.verdict for result in report.results] == ["passed", "passed", "failed"]
    assert report.exit_code == 1
    result = report.results[-1]
    assert result.reason.endswith("(apple answers 403 BadJwtToken, 1 of 1 pushes)")
    assert result.reproduce == ("mockpush check --require apple --python portable_sender:answer")


def test_a_known_failure_of_a_vendor_does_not_fail_the_run(sender):
    local = sender("mailto:me@localhost")
    options = {"require": ["apple"], "cases": ["rfc8030/5/post"], "baseline": ["vendors/apple"]}
    assert run_checks(local, **options).exit_code == 0


def test_a_name_that_is_none_is_refused_before_the_sender_starts(sender):
    with pytest.raises(InvalidRequestError, match="there is no profile 'aple'"):
        run_checks(sender("mailto:me@example.com"), require=("aple",))
