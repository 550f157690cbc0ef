"""What real push services would have said, in words."""

from __future__ import annotations

import pytest

from mockpush.client.portability import Acceptance, matrix, paragraphs, report, summary
from mockpush.client.records import Message, Request
from mockpush.errors import InvalidRequestError


@pytest.fixture
def answer():
    def make(status=201, reason=None, *codes):
        return {"accepted": status < 300, "status": status, "reason": reason, "codes": list(codes)}

    return make


@pytest.fixture
def objection(finding_json):
    def make(code="vapid.sub.local_host", status=403, reason="BadJwtToken", **members):
        return {"status": status, "reason": reason, "finding": finding_json(code, **members)}

    return make


def mistake(objection, count=1, **answers):
    given = {name: {"status": status, "reason": word} for name, (status, word) in answers.items()}
    return {"finding": objection["finding"], "answers": given, "count": count}


def test_a_line_has_all_answers_with_the_words_of_the_vendors(message_json, finding_json, answer):
    answers = {
        "rfc": answer(),
        "fcm": answer(201),
        "apple": answer(403, "BadJwtToken", "vapid.sub.local_host", "ttl.zero"),
        "wns": answer(400, "TTL is 0", "ttl.zero"),
    }
    raw = message_json("m", answers=answers, findings=[finding_json("ttl.zero", text="TTL is 0")])
    line = "rfc 201 · fcm 201 · apple 403 BadJwtToken (vapid.sub.local_host) · wns 400 (ttl.zero)"
    assert Message(raw, None).matrix == line
    assert [each.accepted for each in matrix(answers)] == [True, True, False, False]


def test_a_long_word_is_cut_in_the_line(answer):
    [shown] = matrix({"fcm": answer(403, "x" * 61, "a.b")})
    assert shown.text == f"fcm 403 {'x' * 59}… (a.b)"


def test_an_acceptance_is_true_and_a_refusal_is_false_and_says_why(message_json, objection):
    objections = {"apple": [objection(hint="Do this."), objection("ttl.zero", 400, "BadTtl")]}
    answers = {"fcm": {}, "apple": {}}
    message = Message(message_json("m", objections=objections, answers=answers), None)
    taken, refused = message.accepted_by("fcm"), message.accepted_by("apple")
    assert taken
    assert (taken.status, taken.reason, taken.objections) == (None, None, ())
    assert str(taken) == "fcm takes it"
    assert not refused
    assert (refused.status, refused.reason) == (403, "BadJwtToken")
    assert len(refused.objections) == 2
    assert str(refused) == (
        "apple answers 403 BadJwtToken: vapid.sub.local_host: the request has no TTL header field "
        "[RFC 8030, Section 5.2] → Do this."
    )
    assert repr(refused) == f"<{refused}>"


def test_a_refusal_is_short_enough_for_pytest_to_quote(objection):
    refused = Acceptance("apple", [objection(hint="x" * 500)])
    assert len(repr(refused)) == 240
    assert repr(refused).endswith("x…>")
    assert "x" * 500 in str(refused)


def test_only_profiles_that_there_are_can_be_asked(request_json):
    with pytest.raises(InvalidRequestError, match="no profile 'aple'; there is: rfc"):
        Request(request_json("r")).accepted_by("aple")


def test_a_mistake_is_a_paragraph(objection):
    many = mistake(
        objection("a.b", text="it is so", actual="this", hint="Do that."),
        100,
        apple=(403, "Bad"),
        wns=(401, None),
    )
    assert list(paragraphs([many])) == [
        "a.b: it is so [RFC 8030, Section 5.2], 100 pushes",
        "    sent: this",
        "    apple answers 403 Bad",
        "    wns answers 401",
        "    → Do that.",
    ]
    [first, second, *_] = paragraphs([mistake(objection(actual=None), apple=(403, "Bad"))])
    assert first.endswith(", 1 push")
    assert second == "    apple answers 403 Bad"


@pytest.mark.parametrize(
    ("names", "requests", "words"),
    [
        (["apple"], 1, "apple would have refused 1 of 1 push"),
        (["apple", "wns"], 9, "apple and wns would have refused 1 of 9 pushes"),
        (["fcm", "apple", "wns"], 2, "fcm, apple and wns would have refused 1 of 2 pushes"),
    ],
)
def test_a_summary_names_who_refused_and_how_much(objection, names, requests, words):
    answers = dict.fromkeys(names, (403, None))
    found = {"requests": requests, "refused": 1, "mistakes": [mistake(objection(), **answers)]}
    assert summary(found) == words
    assert report(found).splitlines()[0] == f"{words}:"
    assert report(found).splitlines()[1].startswith("  vapid.sub.local_host: ")


@pytest.mark.parametrize(
    ("status", "level", "fault", "is_its_fault"),
    [
        (400, "must", None, True),
        (410, "information", None, False),
        (503, "must", {"id": "f1"}, False),
        (201, "must", None, False),
    ],
)
def test_what_a_test_arranges_is_no_fault_of_the_sender(
    request_json, finding_json, status, level, fault, is_its_fault
):
    findings = [finding_json("ttl.missing", level=level)]
    raw = request_json("r", status, "ttl.missing", findings=findings, fault=fault)
    assert Request(raw).senders_fault is is_its_fault
