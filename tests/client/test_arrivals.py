from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mockpush.client.api import Api
from mockpush.client.arrivals import Arrivals, Shortfall, Taken
from mockpush.client.matching import MESSAGES


@pytest.fixture
def messages(application, listing):
    """The service's list of messages."""
    shown = listing(filters=["subscription", "state", "topic"])
    application.handlers["/_mockpush/v1/messages"] = shown
    return shown


@pytest.fixture
def arrivals(in_process):
    return Arrivals(MESSAGES, Api(in_process, "default"), Taken())


def ids(taken) -> list[str]:
    assert not isinstance(taken, Shortfall), taken
    return [record.id for record in taken]


def test_each_message_is_taken_once_oldest_first(messages, arrivals, message_json):
    messages.items = [message_json(name) for name in "abc"]
    assert ids(arrivals.take(1, {}, 0)) == ["a"]
    assert ids(arrivals.take(2, {}, 0)) == ["b", "c"]
    assert arrivals.take(1, {}, 0) == Shortfall(0, [])


def test_what_does_not_suffice_is_not_taken(messages, arrivals, message_json):
    messages.items = [message_json("a")]
    assert arrivals.take(2, {}, 0) == Shortfall(1, [])
    assert ids(arrivals.take(1, {}, 0)) == ["a"]


def test_a_match_leaves_the_others_for_later(messages, arrivals, message_json):
    messages.items = [message_json("a"), message_json("b", topic="t"), message_json("c")]
    assert ids(arrivals.take(1, {"topic": "t"}, 0)) == ["b"]
    assert ids(arrivals.take(2, {}, 0)) == ["a", "c"]


def test_what_is_there_needs_no_wait(messages, arrivals, message_json):
    messages.items = [message_json("a")]
    arrivals.take(1, {}, 2)
    assert ["wait" in query for query in messages.queries] == [False]


def test_the_service_is_asked_to_wait_for_what_is_missing(messages, arrivals, message_json):
    messages.items = [message_json("a"), message_json("b")]
    messages.arriving = [message_json("c"), message_json("d")]
    arrivals.take(1, {}, 0)
    assert ids(arrivals.take(3, {}, 2)) == ["b", "c", "d"]
    assert messages.queries[-1]["wait"] == "4"
    assert 0 < float(messages.queries[-1]["timeout"]) <= 2


def test_a_wait_longer_than_the_service_s_own_is_asked_for_in_parts(
    messages, arrivals, monkeypatch
):
    class Deadline:
        """Each wait of the service takes 600 seconds."""

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        @property
        def remaining(self) -> float:
            return max(0.0, self.seconds - 600 * (len(messages.queries) - 1))

    monkeypatch.setattr("mockpush.client.arrivals.Deadline", Deadline)
    assert isinstance(arrivals.take(1, {}, 1500.0), Shortfall)
    assert [query.get("timeout") for query in messages.queries] == [
        None, "600.000", "600.000", "300.000",
    ]  # fmt: skip


def test_only_matching_messages_are_waited_for(messages, arrivals, message_json):
    messages.items = [message_json("a")]
    messages.arriving = [message_json("b", topic="t")]
    assert ids(arrivals.take(1, {"topic": "t"}, 2)) == ["b"]
    assert messages.queries[-1]["wait"] == "1"


def test_a_match_that_the_service_cannot_judge_goes_on_waiting(messages, arrivals, message_json):
    messages.arriving = [message_json(text, text) for text in ("one", "two", "three")]
    assert ids(arrivals.take(1, {"text": "three"}, 2)) == ["three"]
    assert [query.get("wait") for query in messages.queries] == [None, "1", "2", "3"]


def test_a_message_that_comes_to_match_is_found(messages, arrivals, message_json, monkeypatch):
    messages.items = [message_json("a", state="pending"), message_json("b")]

    def acknowledged(query, since, limit):
        messages.items[0] = message_json("a")
        return type(messages)._page(messages, query, since, limit)

    assert ids(arrivals.take(1, {"state": "acknowledged"}, 0)) == ["b"]
    monkeypatch.setattr(messages, "_page", acknowledged)
    assert ids(arrivals.take(1, {"state": "acknowledged"}, 0)) == ["a"]


def test_near_misses_come_from_the_service_and_from_here(messages, arrivals, message_json):
    difference = {"field": "topic", "expected": "t", "actual": None}
    messages.closest = [{"id": "a", "differences": [difference]}]
    messages.items = [message_json("b", "hello", topic="t", urgency="low")]
    outcome = arrivals.take(1, {"topic": "t", "text": "bye", "urgency": "low"}, 0)
    assert outcome.found == 0
    assert [str(miss) for miss in outcome.closest] == [
        "a (topic: expected 't', got None)",
        "b (text: expected 'bye', got 'hello')",
    ]


def test_the_nearest_of_the_misses_come_first_and_are_few(messages, arrivals, message_json):
    messages.items = [
        message_json(str(number), "x", urgency="low" if number < 8 else "high")
        for number in range(10)
    ]
    outcome = arrivals.take(1, {"text": "y", "urgency": "high"}, 0)
    assert [miss.id for miss in outcome.closest] == ["8", "9", "0"]


def test_a_message_that_was_taken_is_no_near_miss(messages, arrivals, message_json):
    messages.items = [message_json("a")]
    messages.closest = [{"id": "a", "differences": []}]
    arrivals.take(1, {}, 0)
    assert arrivals.take(1, {"topic": "t"}, 0) == Shortfall(0, [])


def test_more_than_a_page(messages, arrivals, message_json):
    messages.items = [message_json(str(number)) for number in range(1000)]
    assert len(ids(arrivals.take(999, {}, 0))) == 999
    messages.arriving = [message_json(str(number)) for number in range(1000, 2500)]
    assert ids(arrivals.take(1501, {}, 30)) == [str(number) for number in range(999, 2500)]


def test_everything_from_a_cursor_on(messages, arrivals, message_json):
    assert arrivals.end() == "0"
    messages.items = [message_json(name) for name in "ab"]
    assert arrivals.end() == "2"
    messages.items += [message_json(name) for name in "cd"]
    assert ids(arrivals.all(since="2")) == ["c", "d"]
    assert ids(arrivals.take(1, {}, 0, since="2")) == ["c"]
    assert ids(arrivals.take(1, {}, 0)) == ["a"]


def test_a_fresh_look_has_taken_nothing(messages, arrivals, message_json):
    messages.items = [message_json("a")]
    arrivals.take(1, {}, 0)
    assert ids(arrivals.anew().take(1, {}, 0)) == ["a"]


def test_waits_in_several_threads_take_different_messages(messages, arrivals, message_json):
    messages.items = [message_json(str(number)) for number in range(40)]
    together = threading.Barrier(8)

    def take_five(_: int) -> list[str]:
        together.wait()
        return [name for _ in range(5) for name in ids(arrivals.take(1, {}, 0))]

    with ThreadPoolExecutor(8) as threads:
        taken = [name for names in threads.map(take_five, range(8)) for name in names]
    assert sorted(taken, key=int) == [str(number) for number in range(40)]


def test_records_go_on_with_the_transport_of_their_owner(messages, arrivals, message_json, loop):
    class Line:
        """Only reads."""

        def get(self, *path, **query):
            return arrivals._api.get(*path, **query)

    messages.items = [message_json("a")]
    [record] = arrivals.through(Line()).take(1, {}, 0)
    assert record._api is arrivals._api
    assert isinstance(arrivals.take(1, {}, 0), Shortfall)


def test_an_unknown_field_is_refused_before_anything_is_asked(messages, arrivals):
    with pytest.raises(TypeError):
        arrivals.take(1, {"subject": "x"}, 0)
    assert messages.queries == []
