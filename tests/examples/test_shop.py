import pytest
from pywebpush import WebPushException, webpush

from .shop import notify


def test_order_shipped(push_service, push_subscription):
    notify([push_subscription], {"order": 7})
    message = push_service.wait()
    assert message.json() == {"order": 7}
    assert (message.ttl, message.topic, message.urgency) == (3600, "order-7", "high")


def test_gone_subscription_is_pruned(push_service, push_subscription):
    subscribers = [push_subscription, push_service.subscribe()]
    push_subscription.expire()  # the push service now answers 410
    notify(subscribers, {"order": 8})
    assert push_subscription not in subscribers
    assert len(subscribers) == 1


def test_only_the_last_of_a_topic_survives_the_night(push_service, push_user_agent, push_clock):
    subscription = push_user_agent.subscribe()
    push_user_agent.go_offline()
    notify([subscription], "1 new", topic="inbox", ttl=86400)
    notify([subscription], "2 new", topic="inbox", ttl=86400)
    push_clock.advance("8h")
    push_user_agent.go_online()
    assert [m.text() for m in push_user_agent.received] == ["2 new"]


def test_a_topic_with_spaces_is_refused(push_service, push_subscription):
    with push_service.expect_refused("topic.*"), pytest.raises(WebPushException):
        notify([push_subscription], "hello", topic="two words")


def test_the_receipt_of_a_message(push_service, push_subscription, push_vapid):
    webpush(
        push_subscription,
        "hello",
        vapid_private_key=push_vapid.private_key,
        vapid_claims=push_vapid.claims(),
        ttl=60,
        headers={"Prefer": "respond-async"},
    )
    message = push_service.wait()
    receipt = push_service.receipts(message).wait()
    assert receipt.delivered
    assert receipt.message_id == message.id


def test_every_push_service_takes_it(push_service, push_subscription):
    notify([push_subscription], {"order": 10})
    assert push_service.wait().accepted_by("apple")
    push_service.assert_portable()  # fcm, mozilla, apple and wns
