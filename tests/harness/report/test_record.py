"""What of a run a report tells."""

import base64
import json

import pytest

from mockpush.harness.evidence import Evidence, Push, Unanswered
from mockpush.harness.jobs import SendResult
from mockpush.harness.report.document import document, dump
from mockpush.harness.report.record import summary
from mockpush.harness.report.secrets import HIDDEN
from mockpush.harness.report.text import text as as_text
from mockpush.harness.verdict import Problem, Verdict
from mockpush.protocol.findings import Level


def test_a_case_tells_what_the_heaviest_problem_expected(record, case_result):
    problems = (
        Problem(level=Level.SHOULD, section="", text="late", expected="1", actual="2"),
        Problem(level=Level.MUST, section="", text="none", expected="3", actual="4"),
    )
    (case,) = record(case_result(verdict=Verdict.FAILED, problems=problems)).cases
    assert (case.expected, case.actual) == ("3", "4")


def test_a_case_knows_its_place(record, case_result):
    case, application = record(case_result(), case_result(id="app/prunes-410")).cases
    assert (case.document, case.section, case.slug) == ("rfc8030", "5.2", "ttl-present")
    assert (application.document, application.section, application.slug) == (
        "app",
        "",
        "prunes-410",
    )


def test_without_a_baseline_nothing_is_known(record, failed):
    run = record(failed())
    assert (run.baseline, run.known, run.exit_code) == (None, 0, 1)
    assert run.cases[0].fails


def test_a_known_failure_does_not_fail_the_run(record, failed):
    run = record(failed(), known=["rfc8292/2/aud-is-origin"])
    assert (run.baseline.known, run.exit_code) == (("rfc8292/2/aud-is-origin",), 0)
    assert run.cases[0].known
    assert not run.cases[0].fails
    assert summary(run)["failed"] == summary(run)["known"] == 1


def test_a_new_failure_fails_the_run(record, failed):
    assert record(failed(), known=["rfc8030/5.2/ttl-present"]).exit_code == 1


def test_a_known_failure_that_passes_is_fixed(record, case_result):
    run = record(case_result(), known=["rfc8030/5.2/ttl-present"])
    assert (run.baseline.known, run.baseline.fixed) == ((), ("rfc8030/5.2/ttl-present",))
    assert (run.known, run.exit_code) == (0, 0)


@pytest.mark.parametrize("form", ["private_key", "private_key_pem"])
@pytest.mark.parametrize("place", ["log", "error", "header", "problem", "unanswered", "body"])
def test_no_private_key_is_told_wherever_the_sender_puts_it(
    record, failed, send_job, request_record, form, place
):
    job = send_job()
    secret = getattr(job.vapid, form)
    parts = [line for line in secret.splitlines() if not line.startswith("---")]
    octets = secret.encode()
    bodies = {True: {"base64": base64.b64encode(octets).decode(), "size": len(octets)}}
    push = Push(
        job=job,
        result=SendResult(ok=False, error=secret if place == "error" else None),
        requests=(
            request_record(
                headers=[["X-Key", secret if place == "header" else ""]],
                body=bodies.get(place == "body", {"base64": "", "size": 0}),
            ),
        ),
        messages=(),
    )
    problem = Problem(
        level=Level.MUST, section="", text="x", actual=secret if place == "problem" else None
    )
    jobs = (Unanswered(job=job, error=repr(secret)),) if place == "unanswered" else (push,)
    evidence = Evidence(jobs=jobs, log=f"sent {secret!r}" if place == "log" else "")
    run = record(failed(problems=(problem,), evidence=evidence))
    told = dump(document(run))
    shown = [told, *(base64.b64decode(each).decode() for each in bodies_of(json.loads(told)))]
    assert parts
    assert not any(part in text for part in parts for text in shown)
    assert (HIDDEN in told) == (place != "body")
    assert ("not shown: a private key is in them" in as_text([run])) == (place == "body")


def bodies_of(told):
    (case,) = told["cases"]
    requests = [each for job in case["evidence"]["jobs"] for each in job["requests"]]
    return [each["body"]["base64"] for each in requests if each["body"]["base64"] is not None]


def test_the_public_half_of_a_job_is_told(record, failed, send_job):
    job = send_job()
    (case,) = record(failed(evidence=Evidence(jobs=(Unanswered(job=job, error="x"),)))).cases
    assert case.evidence.jobs[0].job["vapid"] == {
        "subject": job.vapid.subject,
        "public_key": job.vapid.public_key,
    }
