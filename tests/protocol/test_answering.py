"""Answers on the wire: templates filled in, refusals explained as RFC 9457 has it."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

import pytest

from mockpush.protocol.answering import problem, render, stated
from mockpush.protocol.findings import REGISTRY, Finding
from mockpush.protocol.head import Head
from mockpush.protocol.inspection import Inspection, too_large
from mockpush.protocol.judging import (
    Compare,
    Judgement,
    Measure,
    Operator,
    Profile,
    Row,
    Template,
)
from mockpush.protocol.records import PushMessage

ORIGIN = "https://localhost:8031"
REFUSED = Template(400, (("Content-Type", "application/problem+json"),), "{problem}")


def inspection(*findings: Finding) -> Inspection:
    return Inspection(findings, Head(), None, 0, None, restricted=True, managed=True)


def message(found: Inspection) -> PushMessage:
    return PushMessage("mid", "default", "s", 1, b"", found, 60, 0.0, 60.0)


def answer(template: Template, *findings: Finding, codes=(), accepted=False):
    found = inspection(*findings)
    profile = Profile("p", "a profile", "/p/", (), template, template, {})
    return render(
        Judgement(profile, template, codes),
        found,
        message=message(found) if accepted else None,
        origin=ORIGIN,
    )


def test_placeholders_are_filled_in_headers_and_body():
    template = Template(201, (("Location", "{location}"), ("TTL", "{ttl}")), "id {location}")
    sent = answer(template, accepted=True)
    assert sent.status == 201
    assert sent.headers == (
        (b"location", b"https://localhost:8031/m/mid"),
        (b"ttl", b"60"),
        (b"content-length", b"31"),
    )
    assert sent.body == b"id https://localhost:8031/m/mid"


def test_each_uuid_is_fresh_and_in_capitals():
    sent = answer(Template(201, (("apns-id", "{uuid}"),), "{uuid}"))
    values = {sent.headers[0][1].decode(), sent.body.decode()}
    assert len(values) == 2
    for value in values:
        assert str(uuid.UUID(value)).upper() == value


@pytest.mark.parametrize("text", ["", "{}", "{reason}", '{"reason":"BadJwtToken"}', "{ttl", "ü"])
def test_other_braces_are_left_alone(text):
    sent = answer(Template(403, (("x-reason", text),), text))
    assert sent.body == sent.headers[0][1] == text.encode()
    assert sent.headers[-1] == (b"content-length", str(len(text.encode())).encode())


def test_without_a_message_there_is_no_location():
    assert answer(Template(404, (("Location", "{location}"), ("TTL", "{ttl}")))).headers[:2] == (
        (b"location", b""),
        (b"ttl", b""),
    )


def test_a_refusal_is_a_problem_document_about_the_deciding_finding():
    decided = Finding("ttl.missing", "TTL: <seconds>", "no TTL")
    other = Finding("topic.too_long", "at most 32", "40 characters", "Hash it.")
    sent = answer(
        REFUSED, other, Finding("ttl.zero"), decided, codes=("ttl.missing", "topic.too_long")
    )
    assert dict(sent.headers)[b"content-type"] == b"application/problem+json"
    document = json.loads(sent.body)
    rule = REGISTRY["ttl.missing"]
    assert document == {
        "type": "urn:mockpush:finding:ttl.missing",
        "title": rule.text,
        "status": 400,
        "detail": rule.hint,
        "code": "ttl.missing",
        "section": "RFC 8030, Section 5.2",
        "expected": "TTL: <seconds>",
        "actual": "no TTL",
        "findings": [decided.as_json(), other.as_json()],
    }


def test_of_two_findings_of_one_code_the_first_is_told():
    first, second = Finding("vapid.parameter.doubled", "a", "b"), Finding("vapid.parameter.doubled")
    document = json.loads(answer(REFUSED, first, second, codes=(first.code,)).body)
    assert (document["expected"], len(document["findings"])) == ("a", 1)


def test_a_code_without_a_finding_explains_itself():
    """A row on a measure reports a code that the inspection need not have found."""
    document = json.loads(answer(REFUSED, codes=("service.full",)).body)
    assert (document["code"], document["expected"]) == ("service.full", None)
    assert "--max-messages" in document["detail"]


def test_text_beyond_ascii_is_written_as_it_is():
    sent = answer(
        REFUSED,
        Finding("vapid.sub.malformed", "a", "mailto: jürgen@☃"),
        codes=("vapid.sub.malformed",),
    )
    assert "jürgen@☃".encode() in sent.body


def test_what_was_sent_is_never_taken_for_a_placeholder():
    sent = answer(
        Template(400, (), "{problem}"),
        Finding("vapid.aud.mismatch", "{uuid}", "{location}"),
        codes=("vapid.aud.mismatch",),
        accepted=True,
    )
    document = json.loads(sent.body)
    assert (document["expected"], document["actual"]) == ("{uuid}", "{location}")


def test_the_document_can_be_had_by_itself():
    found = inspection(Finding("ttl.missing", "a", "b"))
    profile = Profile("p", "a profile", "/p/", (), REFUSED, REFUSED, {})
    assert (
        json.loads(problem(Judgement(profile, REFUSED, ("ttl.missing",)), found))["status"] == 400
    )


# What a judgement adds to the findings


def judged(*findings: Finding, size: int, bound: float | str = "body", codes=("body.too_large",)):
    rows = (
        Row(Compare(Measure.TTL, Operator.EQUALS, 0, "ttl.zero"), REFUSED),
        Row(Compare(Measure.BODY_SIZE, Operator.ABOVE, bound, "body.too_large"), REFUSED),
    )
    profile = Profile("p", "a profile", "/p/", rows, REFUSED, REFUSED, {"body": 4096})
    found = replace(inspection(*findings), body_size=size)
    return stated(Judgement(profile, REFUSED, codes), found)


def test_a_limit_below_that_of_the_rfc_is_told_in_its_own_terms():
    [finding] = judged(size=4000, bound=3072)
    assert (finding.expected, finding.actual) == (
        "at most 3072 octets",
        "4000 octets: about 3897 of plaintext and 103 of encryption",
    )
    assert "3072 octets: 2969 of plaintext" in finding.hint


def test_a_limit_above_takes_the_place_of_that_of_the_rfc():
    found = judged(Finding("ttl.zero"), too_large(6000), size=6000, bound=5000)
    assert [finding.code for finding in found] == ["body.too_large", "ttl.zero"]
    assert found[0].expected == "at most 5000 octets"


def test_the_usual_limit_keeps_the_usual_hint():
    [finding] = judged(too_large(5000), size=5000)
    assert finding == too_large(5000)
    assert finding.hint == REGISTRY["body.too_large"].hint


def test_what_no_finding_says_comes_first_and_what_is_accepted_stays_as_it_is():
    codes = [each.code for each in judged(Finding("ttl.zero"), size=0, codes=("service.full",))]
    assert codes == ["service.full", "ttl.zero"]
    assert judged(too_large(4097), size=4097, bound=5000, codes=()) == [too_large(4097)]
    assert judged(size=100, bound=5000) == [Finding("body.too_large")]
