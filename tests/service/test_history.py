"""What earlier requests and other subscriptions tell about a request, and what they do not."""

from __future__ import annotations

import time
from email.utils import formatdate

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mockpush.correlation import correlate
from mockpush.history import History
from mockpush.protocol.model import SubscriptionState
from mockpush.protocol.records import WireAnswer
from mockpush.server_journal import NO_TENANT
from mockpush.storage.base import Limits

SALT = bytes(range(16))


@pytest.fixture
def look(service):
    """The findings that the history adds to the last request, and to its message."""

    async def look(tenant="default"):
        history = await service.history(tenant)
        record = history.requests[-1]
        message = None if record.message is None else await service.storage.message(record.message)
        return list(correlate(history, record=record, message=message))

    return look


@pytest.fixture
def codes(look):
    async def codes(tenant="default"):
        return [finding.code for finding in await look(tenant)]

    return codes


def sealed(subscription, data=b"hello", *, salt=None, key=None, coding="aes128gcm"):
    return http_ece.encrypt(
        data,
        salt=salt,
        private_key=key or ec.generate_private_key(ec.SECP256R1()),
        dh=subscription.keys.p256dh,
        auth_secret=subscription.keys.auth,
        version=coding,
    )


# Nobody is blamed for nothing


async def test_a_right_sender_hears_nothing(service, sender, codes):
    subscriptions = [await sender.subscribe() for _ in range(3)]
    for subscription in subscriptions * 2:
        assert (await sender.push(subscription)).status == 201
        assert await codes() == []


async def test_the_same_body_again_is_no_new_message(sender, codes):
    subscription = await sender.subscribe()
    body = sealed(subscription)
    for _ in range(3):
        await sender.push(subscription, body=body)
        assert await codes() == []


async def test_no_body_reuses_nothing(sender, codes):
    subscription = await sender.subscribe()
    for _ in range(2):
        await sender.push(subscription, body=b"", headers={"Content-Encoding": None})
    assert await codes() == []


@pytest.mark.parametrize("body", [b"short", bytes(20), bytes(100), b"\xff" * 4097])
async def test_a_body_that_is_none_reuses_nothing(sender, codes, body):
    subscription = await sender.subscribe()
    for _ in range(2):
        await sender.push(subscription, body=body)
        assert await codes() == []
    for last in (b"1", b"2"):
        await sender.push(subscription, body=body[:20] + last)
    assert await codes() == []


async def test_a_token_for_nobody_is_left_alone(sender, codes):
    subscription = await sender.subscribe(origin="https://push.example")
    claims = {"aud": "https://fcm.googleapis.com", "exp": int(time.time()) - 100}
    await sender.push(subscription, token="nowhere", claims=claims)
    assert await codes(NO_TENANT) == []


# What must be new


@pytest.mark.parametrize(
    ("salt", "same_key", "same_subscription", "code"),
    [
        (SALT, False, True, "reuse.salt"),
        (SALT, False, False, "reuse.salt"),
        (None, True, True, "reuse.key"),
        (None, True, False, "reuse.key"),
        (SALT, True, True, "reuse.nonce"),
    ],
)
async def test_what_is_used_again_is_named(sender, look, salt, same_key, same_subscription, code):
    first = await sender.subscribe()
    second = first if same_subscription else await sender.subscribe()
    key = ec.generate_private_key(ec.SECP256R1()) if same_key else None
    await sender.push(first, body=sealed(first, b"one", salt=salt, key=key))
    assert await look() == []
    await sender.push(second, body=sealed(second, b"two", salt=salt, key=key))
    [finding] = await look()
    assert finding.code == code
    assert finding.actual == "the same as in request 1, with another body"


async def test_the_same_salt_and_key_for_another_subscription_give_another_nonce(sender, codes):
    first, second = await sender.subscribe(), await sender.subscribe()
    key = ec.generate_private_key(ec.SECP256R1())
    for each in (first, second):
        await sender.push(each, body=sealed(each, salt=SALT, key=key))
    assert await codes() == ["reuse.salt", "reuse.key"]


async def test_the_draft_coding_reuses_its_salt_too(sender, codes):
    subscription = await sender.subscribe()
    for data in (b"one", b"two"):
        key = ec.generate_private_key(ec.SECP256R1())
        body = sealed(subscription, data, salt=SALT, key=key, coding="aesgcm")
        point = sender.point(key)
        fields = {
            "Content-Encoding": "aesgcm",
            "Encryption": "salt=AAECAwQFBgcICQoLDA0ODw",
            "Crypto-Key": f"dh={point}",
        }
        await sender.push(subscription, body=body, headers=fields)
    assert await codes() == ["reuse.salt"]


# Whose audience, whose key


async def test_the_host_of_a_vendor_is_known_without_a_request_to_it(sender, look):
    subscription = await sender.subscribe(profile="apple", origin="https://web.push.apple.com")
    await sender.push(subscription, claims={"aud": "https://fcm.googleapis.com"})
    [finding] = await look()
    assert finding.code == "vapid.aud.other_service"
    assert finding.expected == "https://web.push.apple.com"
    assert finding.actual.startswith("https://fcm.googleapis.com, that of ")
    assert finding.actual.endswith(", profile fcm")


async def test_hosts_are_known_by_pattern_and_the_first_push_there_is_named(sender, look):
    edge = await sender.subscribe(profile="wns", origin="https://wns2-par02p.notify.windows.com")
    chrome = await sender.subscribe(profile="fcm", origin="https://fcm.googleapis.com")
    await sender.push(edge)
    await sender.push(chrome, claims={"aud": edge.origins[0]})
    [finding] = await look()
    assert finding.actual.endswith(", profile wns, to which request 1 went")


@pytest.mark.parametrize(
    "audience", ["https://example.com", "http://fcm.googleapis.com", "https://[", "", 7, None]
)
async def test_an_audience_of_nobody_known_is_left_alone(sender, codes, audience):
    await sender.push(await sender.subscribe(), claims={"aud": audience})
    assert await codes() == []


async def test_keys_are_rotated_when_only_newer_subscriptions_have_the_new_one(
    sender, make_sender, service, look
):
    new = make_sender(service)
    old, newer = await sender.subscribe(), await new.subscribe()
    await new.push(old)
    [finding] = await look()
    assert (finding.code, newer.id in finding.actual) == ("vapid.key.rotated", True)
    await sender.subscribe()
    await new.push(old)
    [finding] = await look()
    assert finding.code == "vapid.key.other_subscription"


async def test_a_key_of_nobody_is_changed_only_if_the_right_one_came_before(
    sender, make_sender, service, codes
):
    other = make_sender(service)
    subscription = await sender.subscribe()
    await other.push(subscription)
    assert await codes() == []
    await sender.push(subscription)
    await other.push(subscription)
    assert await codes() == ["vapid.key.changed"]


async def test_tenants_do_not_explain_each_other(sender, make_sender, service, codes):
    other = make_sender(service)
    await other.subscribe("other")
    await other.push(await sender.subscribe())
    assert await codes() == []


# Times


async def test_tokens_that_are_all_late_by_the_same_time_tell_of_the_clock(
    sender, look, monkeypatch
):
    subscription = await sender.subscribe()
    now = int(time.time())
    for later in (0, 1, 60):
        monkeypatch.setattr("mockpush.service.process_time", lambda at=now + later: at)
        await sender.push(subscription, claims={"exp": now + later - 7200})
        found = [finding.actual for finding in await look()]
        assert found == ([f"2 h behind, {EVIDENCE}"] if later == 60 else [])


EVIDENCE = "at least: so long ago each of its tokens expired"


async def test_one_late_token_that_comes_again_tells_nothing_of_the_clock(
    sender, codes, monkeypatch
):
    subscription = await sender.subscribe()
    now = int(time.time())
    for later in (0, 60, 120):
        monkeypatch.setattr("mockpush.service.process_time", lambda at=now + later: at)
        await sender.push(subscription, claims={"exp": now - 7200})
        assert await codes() == []


@pytest.mark.parametrize(
    ("ahead", "date", "code"),
    [
        (27, 3, ["vapid.clock.ahead"]),
        (27, 0, []),
        (-1, -3, ["vapid.clock.behind"]),
        (-1, 0, []),
        (12, 3, []),
        (27, None, []),
    ],
)
async def test_the_date_of_a_wrong_token_tells_of_the_clock(sender, codes, ahead, date, code):
    now = int(time.time())
    text = "soon" if date is None else formatdate(now + date * 3600, usegmt=True)
    claims = {"exp": now + ahead * 3600}
    await sender.push(await sender.subscribe(), headers={"Date": text}, claims=claims)
    assert await codes() == code


@pytest.mark.parametrize("issued", [10**400, 1e308, float(10**15), -1, "soon", True, None, [], {}])
@pytest.mark.parametrize("date", ["Mon, 1 Jan 2024 0:0:0 +99999999999", "1", "", "é", "0 0 0 0"])
async def test_odd_times_explain_nothing(sender, codes, issued, date):
    claims = {"exp": int(time.time()) + 100_000, "iat": issued}
    await sender.push(await sender.subscribe(), headers={"Date": date}, claims=claims)
    assert await codes() == []


# Back-off and removal


def asked_to_wait(record, status, value):
    record.answer = WireAnswer(status, ((b"retry-after", value),))


@pytest.mark.parametrize("clock", ["service", "process"])
@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_passes_on_either_clock(
    service, sender, codes, observer, monkeypatch, clock, status
):
    subscription = await sender.subscribe()
    await sender.push(subscription)
    asked_to_wait(await observer.last_request(), status, b"120")
    for seconds, expected in ((2, ["retry_after.not_awaited"]), (118, [])):
        if clock == "service":
            await service.advance("default", seconds)
        else:
            at = time.time() + 120 - 118 * bool(expected)
            monkeypatch.setattr("mockpush.service.process_time", lambda at=at: at)
        await sender.push(subscription)
        assert await codes() == expected


async def test_the_wait_can_be_a_date_and_is_told_in_seconds(service, sender, look, observer):
    subscription = await sender.subscribe()
    await sender.push(subscription)
    until = formatdate(time.time() + 120, usegmt=True).encode()
    asked_to_wait(await observer.last_request(), 429, until)
    await service.advance("default", 30)
    await sender.push(subscription)
    [finding] = await look()
    assert finding.expected in (
        f"after {seconds} s, as the answer 429 to request 1 said" for seconds in (119, 120)
    )
    assert finding.actual == "after 30 s"
    await service.advance("default", 90)
    await sender.push(subscription)
    assert await look() == []


@pytest.mark.parametrize("value", [b"soon", b"", b"-5", b"0"])
async def test_what_is_no_time_is_not_waited_for(sender, codes, observer, value):
    subscription = await sender.subscribe()
    await sender.push(subscription)
    asked_to_wait(await observer.last_request(), 429, value)
    await sender.push(subscription)
    assert await codes() == []


async def test_other_subscriptions_need_not_wait(sender, codes, observer):
    first, second = await sender.subscribe(), await sender.subscribe()
    await sender.push(first)
    asked_to_wait(await observer.last_request(), 429, b"120")
    await sender.push(second)
    assert await codes() == []


async def test_who_pushes_on_after_the_end_is_told_how_often(service, sender, look):
    subscription = await sender.subscribe()
    await service.end_subscription(subscription, state=SubscriptionState.EXPIRED)
    for _ in range(3):
        await sender.push(subscription)
    [finding] = await look()
    assert finding.code == "subscription.not_removed"
    assert finding.expected == "no push after the answer 410 to request 1"
    assert "2 times before" in finding.actual


async def test_what_reaches_no_subscription_is_explained_too(sender, look, codes):
    subscription = await sender.subscribe()
    for token, expected in (("a", []), ("b", []), ("a", ["subscription.not_removed"])):
        await sender.push(subscription, token=token)
        assert await codes(NO_TENANT) == expected


# What is lost, what is forgotten, what it costs


async def test_a_message_that_nobody_waited_for_is_said_to_be_lost(sender, codes):
    for online, expected in ((True, []), (False, ["ttl.zero.dropped"])):
        subscription = await sender.subscribe(online=online)
        await sender.push(subscription, headers={"TTL": "0"})
        assert await codes() == expected


async def test_a_message_whose_request_is_forgotten_keeps_what_it_shows_itself(
    service, sender, observer
):
    await sender.push(await sender.subscribe(online=False), headers={"TTL": "0"})
    await service.storage.forget_requests("default")
    history = await service.history("default")
    message = await observer.last_message()
    assert message.request not in history.by_number
    [finding] = correlate(history, record=None, message=message)
    assert finding.code == "ttl.zero.dropped"


async def test_a_list_is_explained_in_a_few_passes(service, make_service, make_sender):
    class Counted(list):
        passes = 0

        def __iter__(self):
            Counted.passes += 1
            return super().__iter__()

    service = make_service(limits=Limits(requests=500))
    sender, other = make_sender(service), make_sender(service)
    subscription = await sender.subscribe()
    await other.subscribe()
    wrong = {"aud": "https://example.com", "exp": int(time.time()) + 100_000}
    for number in range(300):
        await (other, sender)[number % 2].push(subscription, claims=wrong if number % 3 else {})
    history = await service.history("default")
    history.requests = Counted(history.requests)
    for record in list(history.requests):
        correlate(history, record=record, message=None)
    assert 0 < Counted.passes < 12


async def test_no_more_than_the_newest_requests_are_looked_at(service, sender, monkeypatch):
    monkeypatch.setattr("mockpush.history.MAX_REQUESTS", 2)
    subscription = await sender.subscribe()
    for _ in range(3):
        await sender.push(subscription)
    assert [record.id for record in (await service.history("default")).requests] == [2, 3]
    assert isinstance(await service.history("nobody"), History)


async def test_explaining_changes_neither_the_request_nor_its_answer(
    service, sender, observer, codes
):
    subscription = await sender.subscribe()
    await service.end_subscription(subscription, state=SubscriptionState.EXPIRED)
    for _ in range(2):
        await sender.push(subscription)
    record = await observer.last_request()
    before = (record.answer, record.inspection.findings, record.judgement)
    assert await codes() == ["subscription.not_removed"]
    assert (record.answer, record.inspection.findings, record.judgement) == before
