"""Fault plans from a test's point of view."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mockpush import errors
from mockpush.client.control import Control
from mockpush.client.records import Request
from mockpush.protocol.fault_kinds import FaultKind

PLAN = {
    "id": "f1",
    "created_at": "2026-01-01T00:00:00.000Z",
    "match": {"topic": None},
    "times": 2,
    "action": {"kind": "answer", "status": 429},
    "seen": 3,
    "hits": 1,
    "state": "active",
}


@pytest.fixture
def control(application, in_process):
    @application.route("/_mockpush/v1/faults")
    async def faults(call):
        answers = {
            "POST": (201, PLAN),
            "GET": (200, {"items": [PLAN], "next": "f1", "more": False}),
            "DELETE": (204, None),
        }
        status, body = answers[call.method]
        return status, [], b"" if body is None else json.dumps(body).encode()

    @application.route("/_mockpush/v1/faults/f1")
    async def fault(call):
        if call.method == "DELETE":
            return 204, [], b""
        return 200, [], json.dumps(PLAN).encode()

    return Control(in_process)


@pytest.fixture
def posted(application):
    """The body of the last request."""
    return lambda: json.loads(application.calls[-1].body)


def test_a_plan_is_what_the_service_says(control):
    fault = control.faults.add(status=429)
    assert (fault.id, fault.times, fault.seen, fault.hits, fault.state) == ("f1", 2, 3, 1, "active")
    assert fault.kind is FaultKind.ANSWER
    assert fault.match == {"topic": None}
    assert repr(fault) == "<Fault f1 answer active, 1 of 2 hits>"
    assert control.faults.list() == [fault] == [control.faults.get("f1")]


def test_members_one_by_one_or_as_in_the_control_api(control, posted):
    control.faults.add(topic="inbox", nth="4-", status=503, times=2)
    plan = {
        "match": {"topic": "inbox", "nth": "4-"},
        "times": 2,
        "action": {"status": 503},
    }
    assert posted() == plan
    control.faults.add(**plan)
    assert posted() == plan


@pytest.mark.parametrize(
    ("members", "sent"),
    [
        ({"retry_after": timedelta(minutes=2)}, {"retry_after": 120.0}),
        ({"retry_after": "2m"}, {"retry_after": "2m"}),
        (
            {"retry_after": datetime(2027, 1, 15, 9, tzinfo=timezone(timedelta(hours=1)))},
            {"retry_after": "Fri, 15 Jan 2027 08:00:00 GMT"},
        ),
        ({"retry_after": {"date": timedelta(hours=1)}}, {"retry_after": {"date": 3600.0}}),
        ({"kind": FaultKind.RESET}, {"kind": "reset"}),
        (
            {"limit": {"requests": 3, "window": timedelta(minutes=1)}},
            {"limit": {"requests": 3, "window": 60.0}},
        ),
    ],
)
def test_durations_and_times_as_python_has_them(control, posted, members, sent):
    control.faults.add(**members)
    assert posted()["action"] == sent


def test_what_a_plan_matches_as_python_has_it(control, posted):
    subscription = type("Subscription", (dict,), {"id": "s1"})()
    control.faults.add(
        status=503,
        subscription=subscription,
        from_=datetime(2027, 1, 1, tzinfo=UTC),
        until=timedelta(hours=1),
    )
    assert posted()["match"] == {
        "subscription": "s1",
        "from": "2027-01-01T00:00:00+00:00",
        "until": 3600.0,
    }


def test_the_next_pushes_fail(control, posted):
    control.fail_next(429, retry_after=120)
    assert posted() == {"match": {}, "times": 1, "action": {"status": 429, "retry_after": 120}}
    control.fail_next("throttled", 3, topic="inbox")
    assert posted() == {"match": {"topic": "inbox"}, "times": 3, "action": {"answer": "throttled"}}


def test_plans_are_ended(control, application):
    control.faults.add(status=429).remove()
    control.faults.clear()
    calls = [(call.method, call.path.rpartition("/")[2]) for call in application.calls[1:]]
    assert calls == [("DELETE", "f1"), ("DELETE", "faults")]


# What requests say


def request(request_json, status: int | None, fault, *codes: str) -> Request:
    raw = request_json("1", status or 201, *codes)
    if status is None:
        raw["answer"] = None
    return Request({**raw, "fault": fault})


@pytest.mark.parametrize(
    ("status", "kind", "replaces", "codes", "text", "refused"),
    [
        (429, "answer", True, (), "429 by fault f1 (answer)", True),
        (400, "answer", True, ("ttl.missing",), "400 by fault f1 (answer)", True),
        (307, "redirect", True, (), "307 by fault f1 (redirect)", True),
        (None, "reset", True, (), "no answer by fault f1 (reset)", True),
        (201, "delay", False, (), "201 by fault f1 (delay)", False),
    ],
)
def test_what_was_struck_says_by_what(request_json, status, kind, replaces, codes, text, refused):
    fault = {"id": "f1", "kind": kind, "replaces": replaces}
    record = request(request_json, status, fault, *codes)
    assert (str(record), record.refused, record.finding) == (text, refused, None)
    assert (record.status, record.injected) == (status, replaces)
    assert repr(record).endswith(f"-> {status or 'no answer'}{f' {list(codes)}' if codes else ''}>")


def test_a_refusal_that_was_only_delayed_has_its_finding(request_json):
    fault = {"id": "f1", "kind": "delay", "replaces": False}
    record = request(request_json, 400, fault, "ttl.missing")
    assert record.finding.code == "ttl.missing"
    assert str(record).startswith("400 by fault f1 (delay) ttl.missing: ")


def test_what_the_service_refuses_is_an_error_with_its_words(control, application):
    @application.route("/_mockpush/v1/faults")
    async def refuse(call):
        return 400, [], b'{"detail": "status and answer are two answers"}'

    with pytest.raises(errors.InvalidRequestError, match="two answers"):
        control.faults.add(status=429, answer="throttled")
