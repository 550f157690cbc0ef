import pytest
from pywebpush import WebPushException
from requests import RequestException

from .shop import notify


def test_throttled_twice_then_fine(push_service, push_subscription):
    push_service.fail_next("throttled", times=2, retry_after=120)
    for _ in range(2):
        with pytest.raises(WebPushException) as throttled:
            notify([push_subscription], "hello")
        assert throttled.value.response.headers["Retry-After"] == "120"
    notify([push_subscription], "hello")
    assert push_service.wait().text() == "hello"


def test_an_outage_of_an_hour(push_service, push_subscription, push_clock):
    push_service.faults.add(answer="unavailable", until="1h")
    with pytest.raises(WebPushException):
        notify([push_subscription], "during the outage")
    push_clock.advance("1h")
    notify([push_subscription], "after it")
    assert [message.text() for message in push_service.messages] == ["after it"]


def test_a_push_whose_answer_breaks_off_has_arrived(push_service, push_subscription):
    push_service.faults.add(kind="reset_midway", times=1)
    with pytest.raises(RequestException):
        notify([push_subscription], "hello")
    assert push_service.wait().text() == "hello"  # whoever sends it again sends it twice


def test_gone_after_three_messages(push_service, push_subscription):
    push_service.faults.add(status=410, nth="4-", subscription=push_subscription)
    subscribers = [push_subscription]
    for number in range(5):
        notify(subscribers, str(number))
    assert subscribers == []
    assert [message.text() for message in push_service.messages] == ["0", "1", "2"]


def test_a_redirection_is_followed_with_the_message(push_service, push_subscription):
    moved = push_service.subscribe().endpoint
    push_service.faults.add(location=moved, subscription=push_subscription)
    notify([push_subscription], "hello")
    assert [(request.method, request.status) for request in push_service.requests] == [
        ("POST", 307),
        ("POST", 201),
    ]
