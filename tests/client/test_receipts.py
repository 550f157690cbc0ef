"""Receipts as an application server reads them, from the service itself."""

from __future__ import annotations

import asyncio
import threading

import pytest
import requests

from mockpush import errors
from mockpush.client import Receipt, ReceiptMonitor


@pytest.fixture
def push(push_server):
    """Pushes to a subscription and asks for a receipt; gives what the service answers."""

    def push(subscription, **headers) -> requests.Response:
        fields = {"TTL": "60", "Prefer": "respond-async", **headers}
        url = subscription.endpoint
        answer = requests.post(url, headers=fields, timeout=10)
        assert answer.status_code in (201, 202), answer.text
        return answer

    return push


@pytest.fixture
def user_agent(push_user_agent):
    return push_user_agent


@pytest.fixture
def subscription(user_agent, push_service):
    return push_service.subscribe(application_server_key=None, online=False)


def url(answer) -> str:
    return answer.links["urn:ietf:params:push:receipt"]["url"]


def test_a_receipt_comes_when_the_message_is_acknowledged(push_service, subscription, push):
    answer = push(subscription)
    monitor = push_service.receipts(url(answer))
    assert monitor.received == []
    push_service.set_online(subscription.id)
    receipt = monitor.wait()
    assert receipt == Receipt(f"/m/{receipt.message_id}", 204)
    assert answer.headers["Location"].endswith(receipt.message_url)
    assert receipt.delivered
    assert monitor.received == [receipt]


def test_a_message_knows_its_receipts(push_service, subscription, push):
    push(subscription)
    message = push_service.wait()
    assert message.receipt["status"] is None
    message.cancel()
    receipt = push_service.receipts(message).wait()
    assert (receipt.message_id, receipt.status, receipt.delivered) == (message.id, 410, False)


def test_a_message_without_a_receipt_has_none(push_service, subscription, push):
    push(subscription, Prefer="")
    message = push_service.wait()
    assert message.receipt is None
    with pytest.raises(ValueError, match="no receipt was asked"):
        push_service.receipts(message)


def test_it_is_the_same_monitor_each_time_and_each_wait_has_the_next(
    push_service, subscription, push
):
    first = push(subscription)
    link = f'<{url(first)}>; rel="urn:ietf:params:push:receipt"'
    for _ in range(2):
        push(subscription, Link=link)
    push_service.set_online(subscription.id)
    messages = push_service.wait_all(3)
    monitor = push_service.receipts(url(first))
    assert push_service.receipts(messages[0]) is monitor
    received = [monitor.wait().message_id for _ in range(3)]
    assert received == [message.id for message in messages]
    assert len(monitor.received) == 3


def test_a_wait_gets_what_comes_while_it_waits(application, in_process):
    answers = [(204, [], b""), (204, [], b""), (410, [("Content-Location", "/m/7")], b"")]

    @application.route("/r/1")
    async def monitor(call):
        return answers.pop(0)

    receipt = ReceiptMonitor(in_process, "https://push.example/r/1").wait(timeout=30)
    assert (receipt.message_id, receipt.delivered) == ("7", False)
    preferences = [call.headers["prefer"] for call in application.calls]
    assert preferences == ["wait=0", "wait=30", "wait=30"]


def test_a_wait_for_what_does_not_come_says_so(push_service, subscription, push):
    monitor = push_service.receipts(url(push(subscription)))
    with pytest.raises(errors.WaitError, match="another receipt within 0 s, got none; before: 0"):
        monitor.wait(timeout=0)


def test_in_an_event_loop_it_does_not_wait(push_service, subscription, push):
    monitor = push_service.receipts(url(push(subscription)))

    async def wait():
        with pytest.raises(errors.BlockingWaitError, match=r"asyncio\.to_thread"):
            monitor.wait()
        push_service.set_online(subscription.id)
        return monitor.wait()

    assert asyncio.run(wait()).delivered


def test_closing_ends_the_receipt_subscription(push_service, subscription, push, push_server):
    monitor = push_service.receipts(url(push(subscription)))
    monitor.close()
    for act in (monitor.close, monitor.wait, lambda: monitor.received):
        with pytest.raises(errors.NotFoundError):
            act()
    other = ReceiptMonitor(push_service.transport, "/r/unknown")
    with pytest.raises(errors.NotFoundError):
        other.wait()


# The emulated browser


def texts(user_agent) -> list[str]:
    return [message.text() for message in user_agent.received]


def sent(push_vapid, subscription, text, **headers) -> None:
    from pywebpush import webpush

    webpush(
        dict(subscription),
        text,
        vapid_private_key=push_vapid.private_key,
        vapid_claims=push_vapid.claims(),
        ttl=60,
        headers=headers,
    )


def test_a_browser_that_saves_its_battery_gets_only_what_is_urgent(user_agent, push_vapid):
    subscription = user_agent.subscribe()
    user_agent.minimum_urgency = "high"
    assert user_agent.minimum_urgency == "high"
    for urgency in ("low", "high", "normal"):
        sent(push_vapid, subscription, urgency, Urgency=urgency)
    assert texts(user_agent) == ["high"]
    user_agent.minimum_urgency = "normal"
    assert texts(user_agent) == ["high", "normal"]
    user_agent.minimum_urgency = None
    assert texts(user_agent) == ["high", "normal", "low"]


def test_its_subscriptions_are_of_one_set(user_agent, push_vapid):
    user_agent.subscribe()
    first = user_agent._connection.registration.resource
    second = user_agent.resubscribe()
    resource = user_agent._connection.registration.resource
    assert (resource.set_url, resource.endpoint) == (first.set_url, second.endpoint)
    assert resource.endpoint != first.endpoint
    user_agent.unsubscribe()
    third = user_agent.subscribe()
    assert user_agent._connection.registration.resource.set_url == first.set_url
    sent(push_vapid, third, "hello")
    assert texts(user_agent) == ["hello"]


def test_it_gets_a_new_set_when_its_own_is_gone(user_agent, push_service, push_vapid):
    user_agent.subscribe()
    old = user_agent._connection.registration.resource.set_url
    push_service.reset()
    subscription = user_agent.subscribe()
    assert user_agent._connection.registration.resource.set_url not in (None, old)
    sent(push_vapid, subscription, "hello")
    assert texts(user_agent) == ["hello"]


def test_it_hears_of_the_end_of_its_subscription_while_it_monitors_the_set(
    user_agent, push_service
):
    ended = threading.Event()
    user_agent.on_subscription_change(lambda change: ended.set())
    subscription = user_agent.subscribe()
    push_service.expire(subscription.id)
    assert ended.wait(10)
    assert [change.new for change in user_agent.subscription_changes] == [None]


def test_messages_come_by_themselves_from_the_set(user_agent, push_vapid):
    come = threading.Event()
    user_agent.on_push(lambda message: come.set())
    subscription = user_agent.subscribe()
    sent(push_vapid, subscription, "hello")
    assert come.wait(10)
