"""The report as JSON: what it holds, what its schema says, and that it can be read back."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from mockpush import __version__
from mockpush.errors import ConfigurationError
from mockpush.harness.cases import CASES
from mockpush.harness.evidence import Answered, Evidence, FanOut, Push, Unanswered
from mockpush.harness.jobs import SendResult
from mockpush.harness.keeping import KeptResult, NotifyJob, NotifyResult, SubscriptionsJob
from mockpush.harness.report.document import document, dump, listed, parse, ready
from mockpush.harness.report.record import recorded
from mockpush.harness.runner import run_checks
from mockpush.harness.senders.registry import READY
from mockpush.harness.verdict import Problem, Verdict
from mockpush.protocol.findings import Level

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "check-report.schema.json").read_text(encoding="utf-8")
)
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def violations(value, schema, place="$"):
    """Where a value is not what the schema says; members that it does not declare are wrong."""
    if "$ref" in schema:
        return violations(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], place)
    if "anyOf" in schema:
        tried = [violations(value, each, place) for each in schema["anyOf"]]
        return min(tried, key=len)
    found = [
        f"{place} {word}"
        for word, holds in RULES.items()
        if word in schema and not holds(value, schema[word])
    ]
    if isinstance(value, dict) and "properties" in schema:
        found += [f"{place}.{name} is missing" for name in schema["required"] if name not in value]
        for name, member in value.items():
            inner = schema["properties"].get(name)
            found += (
                [f"{place}.{name} is not declared"]
                if inner is None
                else violations(member, inner, f"{place}.{name}")
            )
    if isinstance(value, list):
        for index, member in enumerate(value):
            found += violations(member, schema["items"], f"{place}[{index}]")
    return found


def has_type(value, names):
    names = [names] if isinstance(names, str) else names
    return any(isinstance(value, TYPES[each]) for each in names) and (
        not isinstance(value, bool) or "boolean" in names
    )


RULES = {
    "type": has_type,
    "const": lambda value, wanted: value == wanted,
    "enum": lambda value, words: value in words,
    "pattern": lambda value, pattern: re.search(pattern, value),
    "minimum": lambda value, low: value >= low,
    "minItems": lambda value, low: len(value) >= low,
    "maxItems": lambda value, high: len(value) <= high,
}


def of(run):
    return json.loads(dump(document(run)))


def test_the_run_as_a_whole(record, case_result):
    whole = of(record(case_result(), case_result(verdict=Verdict.FAILED)))
    cases = whole.pop("cases")
    assert whole == {
        "schema": 1,
        "mockpush": __version__,
        "sender": {"name": "scripted", "version": "1.2", "ops": ["send"], "language": "Go"},
        "profile": "rfc",
        "strict": False,
        "started_at": "2026-01-02T03:04:05+00:00",
        "duration_ms": 1235,
        "exit_code": 1,
        "baseline": None,
        "summary": {
            "cases": 2,
            "failed": 1,
            "warning": 0,
            "info": 0,
            "passed": 1,
            "skipped": 0,
            "known": 0,
        },
    }
    assert [case["verdict"] for case in cases] == ["passed", "failed"]


def test_a_case(record, case_result):
    problem = Problem(
        level=Level.MUST, section="RFC 8030, Section 5.2", text="no TTL", expected="1", request="r1"
    )
    result = case_result(verdict=Verdict.FAILED, reason="no TTL", problems=(problem,))
    (case,) = of(record(result))["cases"]
    assert case == {
        "id": "rfc8030/5.2/ttl-present",
        "title": "Every push message has a TTL.",
        "level": "must",
        "requirement": "RFC 8030, Section 5.2",
        "verdict": "failed",
        "known": False,
        "reason": "no TTL",
        "expected": "1",
        "actual": None,
        "problems": [
            {
                "level": "must",
                "section": "RFC 8030, Section 5.2",
                "text": "no TTL",
                "expected": "1",
                "actual": None,
                "hint": None,
                "code": None,
                "request": "r1",
            }
        ],
        "evidence": {"jobs": [], "log": ""},
        "reproduce": "mockpush check -k rfc8030/5.2/ttl-present --sender pywebpush",
        "duration_ms": 250,
    }


def test_evidence_holds_the_job_the_result_and_what_arrived(
    record, case_result, send_job, request_record
):
    job = send_job(payload=b"x" * 3000)
    result = SendResult(ok=False, status=410, gone=True)
    push = Push(job=job, result=result, requests=(request_record(id="r1"),), messages=())
    (case,) = of(record(case_result(evidence=Evidence(jobs=(push,), log="oops"))))["cases"]
    assert case["evidence"]["log"] == "oops"
    (shown,) = case["evidence"]["jobs"]
    assert shown["job"] == job.shown()
    assert (shown["result"]["status"], shown["error"], shown["messages"]) == (410, None, [])
    assert shown["requests"] == [
        {
            "id": "r1",
            "method": "POST",
            "target": "/push/x",
            "http_version": "1.1",
            "headers": [["TTL", "60"]],
            "body": {"base64": "", "size": 0},
            "status": 400,
            "codes": ["vapid.absent"],
        }
    ]


def test_evidence_of_a_job_without_a_result_says_why(record, case_result, send_job):
    evidence = Evidence(jobs=(Unanswered(job=send_job(), error="it died"),))
    (case,) = of(record(case_result(evidence=evidence)))["cases"]
    (shown,) = case["evidence"]["jobs"]
    assert (shown["result"], shown["error"], shown["requests"]) == (None, "it died", [])


# The schema


def test_the_schema_fits_a_run_with_everything(record, failed, case_result, hostile, send_job):
    unanswered = Evidence(jobs=(Unanswered(job=send_job(), error="it died"),))
    run = record(
        failed(),
        case_result(verdict=Verdict.SKIPPED, reason="no option", evidence=unanswered),
        hostile,
        known=["rfc8292/2/aud-is-origin", "rfc8030/9/gone"],
    )
    assert violations(of(run), SCHEMA) == []


def test_the_schema_fits_what_a_real_sender_makes():
    report = run_checks(READY["pywebpush"], cases=["rfc8030/5/post", "rfc8030/7.3"])
    assert violations(of(recorded(report)), SCHEMA) == []


def test_the_schema_fits_what_an_application_makes(record, failed):
    keeps = Answered(job=SubscriptionsJob(), result=KeptResult(endpoints=("https://x/",)))
    fan_out = FanOut(
        job=NotifyJob(payload=None, ttl=60, urgency=None, topic=None),
        result=NotifyResult(ok=True, sent=1, failed=0),
        requests=(),
        messages=(),
    )
    run = record(failed(id="app/prunes-410", evidence=Evidence(jobs=(keeps, fan_out))))
    assert violations(of(run), SCHEMA) == []


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda run: run.update(schema=2), "$.schema const"),
        (lambda run: run.pop("cases"), "$.cases is missing"),
        (lambda run: run.update(more=1), "$.more is not declared"),
        (lambda run: run["cases"][0].update(verdict="bad"), "$.cases[0].verdict enum"),
        (lambda run: run["cases"][0].update(id="A b"), "$.cases[0].id pattern"),
        (lambda run: run["summary"].update(cases=-1), "$.summary.cases minimum"),
        (lambda run: run["sender"].update(name=None), "$.sender.name type"),
        (
            lambda run: run["cases"][0]["evidence"]["jobs"][0]["requests"][0].update(headers=[[1]]),
            "$.cases[0].evidence.jobs[0].requests[0].headers[0] minItems",
        ),
    ],
)
def test_the_schema_says_what_does_not_fit(record, failed, spoil, place):
    run = of(record(failed()))
    spoil(run)
    assert any(each == place for each in violations(run, SCHEMA))


# Reading


def test_what_is_read_is_what_was_written(record, failed, case_result, send_job, hostile):
    unanswered = Evidence(jobs=(Unanswered(job=send_job(), error="it died"),))
    run = record(failed(), hostile, case_result(evidence=unanswered), known=["rfc8030/9/gone"])
    assert parse(dump(document(run)), "x.json") == run


def test_members_of_later_versions_are_ignored(record, failed):
    run = of(record(failed()))
    run["cases"][0]["colour"] = run["weather"] = "fine"
    assert "colour" not in of(parse(json.dumps(run), "x.json"))["cases"][0]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it has no schema"),
        ('{"schema": 2}', "its schema is 2, and this mockpush reads 1"),
        ('{"schema": 1}', "mockpush must be a text"),
    ],
)
def test_what_is_no_report_is_named_with_the_cause(text, cause):
    with pytest.raises(ConfigurationError, match=f"^x.json is not a report: {re.escape(cause)}$"):
        parse(text, "x.json")


# Lists


def test_a_case_in_the_list():
    first = CASES[0]
    assert json.loads(dump(listed(first))) == {
        "id": first.id,
        "title": first.requirement,
        "level": first.level,
        "requirement": first.section,
        "thorough": False,
    }


def test_a_ready_sender_in_the_list():
    sender = READY["pywebpush"]
    assert ready(sender) == {
        "name": "pywebpush",
        "language": "Python",
        "library": "pywebpush",
        "version": version("pywebpush"),
        "pinned": sender.pinned,
        "installed": True,
        "missing": None,
    }
