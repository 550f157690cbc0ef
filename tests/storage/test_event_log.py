"""The log of events: receptions are folded into one entry, and nobody can tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.profiles import PROFILES
from mockpush.protocol.events import Event, EventKind
from mockpush.protocol.head import Head
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Judgement
from mockpush.protocol.model import PushRequest
from mockpush.protocol.records import RequestRecord, WireAnswer
from mockpush.storage.event_log import EventLog

NOTHING = Inspection((), Head(), None, 0, None, restricted=False, managed=False)
RFC = PROFILES["rfc"]


def record(number: int, *, status: int = 201) -> RequestRecord:
    at = 1000.0 + number
    request = PushRequest("POST", "/push/x", [], b"", at, at)
    judgement = Judgement(RFC, RFC.success)
    answer = WireAnswer(status, ())
    message = f"m{number}" if status == 201 else None
    return RequestRecord(number, "t", "s", message, request, NOTHING, judgement, answer)


def unfolded(log: EventLog, record: RequestRecord) -> list[Event]:
    """Writes one by one what a reception is."""
    at, where = record.request.received_at, (record.subscription, record.message)
    return [
        log.add(at, EventKind.MESSAGE_ACCEPTED, *where),
        log.add(at, EventKind.MESSAGE_DELIVERED, *where),
        log.add(at, EventKind.MESSAGE_ACKNOWLEDGED, *where),
        log.add_request(record),
    ]


def test_a_reception_is_four_events():
    log = EventLog(100)
    log.add(1.0, EventKind.SUBSCRIPTION_CREATED, "s")
    reception = log.add_reception(record(7))
    rows = [
        (2, EventKind.MESSAGE_ACCEPTED, None, None),
        (3, EventKind.MESSAGE_DELIVERED, None, None),
        (4, EventKind.MESSAGE_ACKNOWLEDGED, None, None),
        (5, EventKind.REQUEST, 7, "201"),
    ]
    expected = [
        Event(number, 1007.0, kind, "s", "m7", request, detail)
        for number, kind, request, detail in rows
    ]
    assert list(reception) == list(reception) == expected
    assert log.after(1) == expected


def test_a_request_that_made_no_message_is_one_event():
    log = EventLog(100)
    event = log.add_request(record(3, status=400))
    assert event == Event(1, 1003.0, EventKind.REQUEST, "s", None, 3, "400")
    assert log.after(0) == [event]


@pytest.mark.parametrize("after", range(10))
def test_one_can_read_on_from_the_middle_of_a_reception(after):
    log = EventLog(100)
    for number in (1, 2):
        log.add_reception(record(number))
    assert [event.sequence for event in log.after(after)] == list(range(after + 1, 9))


@pytest.mark.parametrize("limit", range(10))
def test_the_limit_is_exact_also_within_a_reception(limit):
    log = EventLog(limit)
    for number in range(5):
        log.add_reception(record(number))
        log.add(1.0, EventKind.TENANT_RESET)
    assert [event.sequence for event in log.after(0)] == list(range(26 - limit, 26))


OPERATIONS = st.lists(st.sampled_from(["reception", "request", "event"]), max_size=30)


@given(OPERATIONS, st.integers(0, 12), st.integers(0, 130))
def test_nobody_can_tell_that_entries_are_folded(operations, limit, after):
    log, model = EventLog(limit), EventLog(limit)
    history: list[Event] = []
    for number, operation in enumerate(operations, 1):
        if operation == "reception":
            assert [*log.add_reception(record(number))] == (new := unfolded(model, record(number)))
        elif operation == "request":
            new = [model.add_request(record(number, status=410))]
            assert [log.add_request(record(number, status=410))] == new
        else:
            arguments = (float(number), EventKind.SUBSCRIPTION_ONLINE, "s", None, "why")
            new = [model.add(*arguments)]
            assert [log.add(*arguments)] == new
        history += new
    assert [event.sequence for event in history] == list(range(1, log.sequence + 1))
    for first in (0, after):
        kept = [event for event in history if event.sequence > max(first, log.sequence - limit)]
        assert list(log.after(first)) == list(model.after(first)) == kept


def test_what_is_forgotten_is_not_kept():
    log = EventLog(8)
    for number in range(100):
        log.add_reception(record(number))
        assert len(log._entries) <= 3
