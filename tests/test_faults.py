"""Fault plans as values: which requests they strike, and what makes no sense."""

from __future__ import annotations

import pytest

from mockpush.errors import InvalidRequestError
from mockpush.fault_answers import injected_answer
from mockpush.faults import (
    Action,
    Fault,
    FaultState,
    Match,
    Push,
    RateLimit,
    RetryAfter,
    Span,
    meet,
)
from mockpush.profiles import PROFILES
from mockpush.protocol.fault_kinds import KINDS, NAMING, FaultKind
from mockpush.protocol.head import Head
from mockpush.protocol.inspection import Inspection

START = 1_800_000_000.0
REAL = 1_000_000_000.0
RFC = PROFILES["rfc"]
PUSH = Push("s", RFC, "inbox")
NOTHING = Inspection((), Head(), None, 0, None, restricted=False, managed=False)


def plan(*, times: int | None = None, status: int = 503, **match) -> Fault:
    return Fault(START, Match(**match), Action(status=status), times)


def struck(fault: Fault, pushes, *, now: float = START) -> list[int]:
    """The numbers of the pushes that it strikes, from 1 on."""
    numbers = []
    for number, push in enumerate(pushes, 1):
        met = meet(fault, push, now, struck=False)
        if met.hits > fault.hits:
            numbers.append(number)
        fault = met
    return numbers


# Which requests


@pytest.mark.parametrize(
    ("match", "strikes"),
    [
        ({}, True),
        ({"subscription": "s"}, True),
        ({"subscription": "other"}, False),
        ({"profile": "rfc"}, True),
        ({"profile": "apple"}, False),
        ({"topic": "inbox"}, True),
        ({"topic": "other"}, False),
        ({"subscription": "s", "topic": "other"}, False),
        ({"begins_at": START}, True),
        ({"begins_at": START + 1}, False),
        ({"ends_at": START + 1}, True),
        ({"ends_at": START}, False),
    ],
)
def test_it_strikes_what_its_match_describes(match, strikes):
    assert struck(plan(**match), [PUSH]) == ([1] if strikes else [])


@pytest.mark.parametrize(
    ("nth", "numbers"), [("2", [2]), ("2-3", [2, 3]), ("4-", [4, 5, 6]), ("7", [])]
)
def test_it_counts_the_requests_that_match_otherwise(nth, numbers):
    foreign = PUSH._replace(topic="other")
    pushes = [each for _ in range(6) for each in (foreign, PUSH)]
    fault = plan(topic="inbox", nth=Span.parse(nth))
    assert struck(fault, pushes) == [2 * number for number in numbers]


def test_it_strikes_at_most_so_often():
    assert struck(plan(times=2), [PUSH] * 5) == [1, 2]
    assert struck(plan(times=2, nth=Span(3, None)), [PUSH] * 6) == [3, 4]


def test_chance_is_the_same_in_every_run_and_another_with_another_seed():
    drawn = [struck(plan(probability=0.3, seed=seed), [PUSH] * 400) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert 80 < len(drawn[0]) < 160
    assert struck(plan(probability=0.0, seed=1), [PUSH] * 50) == []
    assert struck(plan(probability=1.0, seed=1), [PUSH] * 3) == [1, 2, 3]


def test_another_plan_that_strikes_first_leaves_it_counting():
    fault = plan(times=1, nth=Span(2, None))
    fault = meet(fault, PUSH, START, struck=True)
    fault = meet(fault, PUSH, START, struck=True)
    assert (fault.seen, fault.hits) == (2, 0)
    assert struck(fault, [PUSH, PUSH]) == [1]


def test_a_vendor_that_does_not_know_the_answer_is_left_alone():
    fault = Fault(START, Match(), Action(answer="internal_error"))
    known = [name for name in PROFILES if "internal_error" in PROFILES[name].named_answers]
    unknown = next(each for each in PROFILES.values() if each.name not in known)
    assert struck(fault, [PUSH._replace(profile=unknown), PUSH]) == [2]


def test_of_a_limit_the_first_of_each_window_pass():
    fault = Fault(START, Match(), Action(limit=RateLimit(2, 60)))
    passed = []
    for after in (0, 1, 2, 59, 60, 61, 62, 200):
        met = meet(fault, PUSH, START + after, struck=False)
        passed += [after] if met.hits == fault.hits else []
        fault = met
    assert passed == [0, 1, 60, 61, 200]


def test_what_another_plan_strikes_does_not_use_up_a_limit():
    fault = Fault(START, Match(), Action(limit=RateLimit(1, 60)))
    fault = meet(fault, PUSH, START, struck=True)
    assert struck(fault, [PUSH, PUSH]) == [2]


def test_the_states_of_a_plan():
    fault = plan(times=1, begins_at=START + 10, ends_at=START + 20)
    assert [fault.state(START + after) for after in (0, 10, 20)] == ["waiting", "active", "over"]
    assert meet(fault, PUSH, START + 10, struck=False).state(START + 10) is FaultState.SPENT


@pytest.mark.parametrize("text", ["", "0", "-3", "3-2", "x", "1-2-3", "1.5"])
def test_what_is_no_range(text):
    with pytest.raises(ValueError, match=r"not a number|before it begins"):
        Span.parse(text)


@pytest.mark.parametrize("text", ["3", "2-5", "4-"])
def test_a_range_is_written_as_it_is_read(text):
    assert str(Span.parse(text)) == text


# What happens


@pytest.mark.parametrize("member", NAMING)
def test_a_member_names_the_kind(member):
    value = {"status": 503, "limit": RateLimit(1, 60), "delay": 1.0}.get(member, "x")
    assert Action(**{member: value}).kind is NAMING[member]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_does_something_and_says_what_it_needs(kind):
    values = {"status": 503, "limit": RateLimit(1, 60), "delay": 1.0, "location": "/x"}
    needs = KINDS[kind].needs[:1]
    assert Action(kind=kind, **{name: values[name] for name in needs}).kind is kind
    if needs:
        with pytest.raises(InvalidRequestError, match=f"{kind} needs {needs[0]}"):
            Action(kind=kind)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "does not say what happens"),
        ({"headers": (("A", "b"),)}, "does not say what happens"),
        ({"status": 503, "answer": "throttled"}, "two answers"),
        ({"kind": FaultKind.RESET, "status": 503}, "status does not go with reset"),
        ({"kind": FaultKind.NO_ANSWER, "delay": 1.0}, "delay does not go with no_answer"),
        ({"kind": FaultKind.DELAY, "delay": 1.0, "body": "x"}, "body does not go with delay"),
        ({"location": "/x", "status": 200}, "status 200 is no redirection"),
        ({"location": "/x", "answer": "throttled"}, "answer does not go with redirect"),
        ({"status": 204, "body": "x"}, "has no body"),
        ({"kind": FaultKind.WRONG_LENGTH, "body": "x"}, "body belongs to an answer"),
        ({"status": 503, "headers": (("Content-Length", "3"),)}, "written by the connection"),
        ({"status": 503, "headers": (("A b", "c"),)}, "no header field"),
        ({"status": 503, "headers": (("A", "b\r\nC: d"),)}, "no header field"),
        ({"location": "/x\r\nA: b"}, "no header field"),
    ],
)
def test_members_that_make_no_sense_are_named(members, told):
    with pytest.raises(InvalidRequestError, match=told):
        Action(**members)


@pytest.mark.parametrize(
    ("members", "told"),
    [({"seed": 1}, "seed"), ({"begins_at": START, "ends_at": START}, "until must be later")],
)
def test_a_match_that_makes_no_sense_is_named(members, told):
    with pytest.raises(InvalidRequestError, match=told):
        Match(**members)


# The answer


def answer(profile=RFC, *, now: float = START, window=(START, 0), **members):
    fault = Fault(START, Match(), Action(**members), window=window)
    given = injected_answer(fault, NOTHING, profile, origin="https://o", now=now, real=REAL)
    return (
        given.status,
        {name.decode(): value.decode() for name, value in given.headers},
        given.body,
    )


def test_a_status_explains_itself_unless_it_is_told_what_to_say():
    status, headers, body = answer(status=503)
    assert (status, headers["content-type"]) == (503, "application/problem+json")
    assert b'"code": "fault.injected"' in body
    assert headers["content-length"] == str(len(body))
    said = answer(status=503, body="Nö", headers=(("X-A", "b"), ("Content-Type", "text/html")))
    assert said == (
        503,
        {"x-a": "b", "content-type": "text/html", "content-length": "3"},
        "Nö".encode(),
    )
    assert answer(status=418, body="tea")[1]["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(("status", "length"), [(202, "0"), (204, None), (304, None), (205, "0")])
def test_an_answer_without_content(status, length):
    assert answer(status=status) == (status, {"content-length": length} if length else {}, b"")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
@pytest.mark.parametrize("name", ["throttled", "unavailable"])
def test_every_vendor_is_throttled_and_unavailable_in_its_own_words(profile, name):
    template = profile.named_answers[name]
    status, headers, _ = answer(profile, answer=name)
    assert status == template.status >= 400
    assert {each.lower() for each, _ in template.headers} <= headers.keys()


@pytest.mark.parametrize(
    ("retry_after", "field"),
    [
        (RetryAfter(120.0), "120"),
        (RetryAfter(0.2), "1"),
        (RetryAfter("Wed, 21 Oct 2015 07:28:00 GMT"), "Wed, 21 Oct 2015 07:28:00 GMT"),
        (RetryAfter(60.0, as_date=True), "Sun, 09 Sep 2001 01:47:40 GMT"),
    ],
)
def test_retry_after_is_seconds_or_a_date_in_real_time(retry_after, field):
    assert answer(answer="throttled", retry_after=retry_after)[1]["retry-after"] == field


def test_a_redirection_leads_elsewhere():
    status, headers, body = answer(location="/elsewhere")
    assert (status, headers["location"], body) == (307, "/elsewhere", b"")
    assert answer(location="/x", status=301)[0] == 301


def test_over_the_limit_one_is_throttled_until_the_window_ends():
    limit = RateLimit(1, 60)
    status, headers, _ = answer(limit=limit, now=START + 20)
    assert (status, headers["retry-after"]) == (429, "40")
    assert answer(limit=limit, status=503)[0] == 503
    assert answer(limit=limit, retry_after=RetryAfter(7.0))[1]["retry-after"] == "7"
