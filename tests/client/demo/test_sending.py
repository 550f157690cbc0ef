"""How the demo sends: what it tries again, what it does not, and what it says about it."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import certifi
import pytest

from mockpush.client.demo import sending
from mockpush.client.demo.sending import (
    AT_ONCE,
    ATTEMPTS,
    LONGEST_WAIT,
    PATIENCE,
    Fate,
    Outcome,
    Push,
    Sender,
)
from mockpush.vapid_keys import VapidKeys


@pytest.fixture
def service(demo):
    return demo.control


@pytest.fixture
def subscription(service):
    return service.subscribe()


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def send(demo, subscription, pauses):
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    def send(*, ttl: int = 60, to=subscription, ca_file=demo.server.ca_file):
        sender = Sender(VapidKeys.generate(), ca_file, lambda _: {}, sleep)
        return asyncio.run(sender.send(dict(to), Push(data="x", ttl=ttl)))

    return send


def ttls(service) -> list[str]:
    return [dict(each.headers)["ttl"] for each in service.requests]


def test_what_is_accepted_is_sent_once(send, service, pauses):
    outcome = send()
    assert (outcome.fate, outcome.status, outcome.attempts) == (Fate.ACCEPTED, 201, 1)
    assert [each.raw["body"] for each in service.messages] == [b64encode(outcome.body).decode()]
    assert pauses == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_help_is_tried_again(send, service, pauses, status):
    service.fail_next(status)
    outcome = send()
    assert (outcome.fate, outcome.attempts) == (Fate.ACCEPTED, 2)
    assert len(service.messages) == len(pauses) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_what_would_be_refused_again_is_not(send, service, pauses, status):
    service.fail_next(status)
    outcome = send()
    assert (outcome.fate, outcome.status, outcome.attempts) == (Fate.REFUSED, status, 1)
    assert pauses == []


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_gone(send, subscription, status):
    subscription.expire(status)
    outcome = send()
    assert (outcome.fate, outcome.status, outcome.attempts) == (Fate.GONE, status, 1)


def test_it_waits_as_long_as_it_is_told(send, service, pauses):
    service.fail_next(503, retry_after=4)
    assert send().fate is Fate.ACCEPTED
    assert pauses == [4]


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_a_date_says_how_long_too(send, service, pauses, zone):
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)
    headers = {"Retry-After": at.replace("GMT", zone)}
    service.faults.add(status=503, times=1, headers=headers)
    assert send().fate is Fate.ACCEPTED
    assert 4 < pauses[0] <= 7


@pytest.mark.parametrize("text", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 -1200", "1e9"])
def test_a_wait_of_ages_is_told_as_a_number(send, service, text):
    service.faults.add(status=503, times=1, headers={"Retry-After": text})
    assert (send().retry_after or 0) <= LONGEST_WAIT


@pytest.mark.parametrize("text", ["soon", "-1", "²"])
def test_a_wait_that_is_none_is_the_usual_one(send, service, pauses, text):
    service.faults.add(status=503, times=1, headers={"Retry-After": text})
    assert send().fate is Fate.ACCEPTED
    assert pauses == [1]


def test_who_is_to_wait_longer_than_somebody_waits_for_us_says_so_and_sends_no_more(
    send, service, pauses
):
    service.fail_next(429, retry_after=PATIENCE + 50)
    outcome = send()
    assert (outcome.fate, outcome.retry_after) == (Fate.LATER, PATIENCE + 50)
    assert (outcome.attempts, pauses) == (1, [])


def test_it_gives_up_in_the_end(send, service, pauses):
    service.fail_next(503, times=99)
    outcome = send()
    assert (outcome.fate, outcome.status, outcome.attempts) == (Fate.LATER, 503, ATTEMPTS)
    assert pauses == [1, 2]
    assert len(service.requests) == ATTEMPTS


def test_the_time_that_it_waits_is_none_of_the_ttl(send, service):
    service.fail_next(503, retry_after=4)
    send(ttl=60)
    send(ttl=2)
    assert ttls(service) == ["60", "56", "2"]


def test_what_nobody_answered_is_not_repeated_since_it_may_have_been_accepted(
    send, service, pauses
):
    service.faults.add(kind="reset", times=1)
    outcome = send()
    assert (outcome.fate, outcome.status, outcome.attempts) == (Fate.UNKNOWN, None, 1)
    assert pauses == []


def test_it_follows_no_redirection(send, service, subscription):
    elsewhere = service.subscribe()
    service.faults.add(
        subscription=subscription, status=307, times=1, headers={"Location": elsewhere.endpoint}
    )
    outcome = send()
    assert (outcome.fate, outcome.status) == (Fate.REFUSED, 307)
    assert elsewhere.messages == []


def test_no_proxy_of_the_environment_sees_a_push(send, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert send().fate is Fate.ACCEPTED


def test_the_service_is_trusted_by_its_own_certificate_only(send, monkeypatch):
    assert send(ca_file=certifi.where()).fate is Fate.UNKNOWN


def test_the_reason_is_what_the_problem_document_says(send, subscription):
    subscription.expire()
    assert send().reason == "the subscription has expired or the user agent has unsubscribed"


def test_an_answer_in_many_slow_parts_has_a_time_limit(send, service, monkeypatch):
    monkeypatch.setattr(sending, "TIME_LIMIT", 0.2)
    service.faults.add(kind="slow_headers", delay=2, times=1)
    outcome = send()
    assert (outcome.fate, outcome.reason) == (Fate.UNKNOWN, "no answer within 0.2 s")


def test_what_leads_elsewhere_is_never_sent(service, subscription, demo):
    sender = Sender(VapidKeys.generate(), demo.server.ca_file, lambda _: None)
    outcome = asyncio.run(sender.send(dict(subscription), Push(data="x", ttl=60)))
    assert (outcome.fate, outcome.status) == (Fate.GONE, None)
    assert service.requests == []


def test_a_long_reason_is_cut(send, service):
    problem = {"title": "x" * 1000}
    service.faults.add(status=400, times=1, body=json.dumps(problem))
    assert send().reason == "x" * 200


def test_many_get_it_in_turn(monkeypatch):
    everybody = [{"endpoint": str(number)} for number in range(20)]
    sender = Sender(VapidKeys.generate(), "", lambda _: {})
    under_way, counts = set(), []

    async def send(_, subscription, push) -> Outcome:
        under_way.add(subscription["endpoint"])
        counts.append(len(under_way))
        await asyncio.sleep(0)
        under_way.remove(subscription["endpoint"])
        return Outcome(fate=Fate.ACCEPTED, reason=subscription["endpoint"])

    monkeypatch.setattr(Sender, "send", send)
    outcomes = asyncio.run(sender.send_all(everybody, Push(data="x", ttl=60)))
    assert [each.reason for each in outcomes] == [each["endpoint"] for each in everybody]
    assert max(counts) == AT_ONCE
    monkeypatch.setattr(sending, "PATIENCE_FOR_ALL", -1)
    late = asyncio.run(sender.send_all(everybody, Push(data="x", ttl=60)))
    assert {(each.fate, each.status) for each in late} == {(Fate.LATER, None)}
