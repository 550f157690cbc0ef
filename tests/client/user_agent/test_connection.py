"""Being online, offline, gone and closed."""

from __future__ import annotations

import threading

import pytest

from mockpush import errors


def texts(user_agent) -> list[str]:
    return [message.text() for message in user_agent.received]


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "mockpush-user-agent"]


@pytest.fixture
def subscription(user_agent):
    return user_agent.subscribe()


def test_no_thread_before_there_is_a_subscription(user_agent, service):
    assert threads() == []
    assert user_agent.received == []
    assert service.requests == {}


def test_one_daemon_thread_while_there_is_one(user_agent, service, subscription):
    [thread] = threads()
    assert thread.daemon
    user_agent.received  # noqa: B018
    assert threads() == [thread]


def test_offline_messages_wait_until_it_is_online_again(user_agent, service, subscription):
    user_agent.go_offline()
    assert not user_agent.online
    for text in ("one", "two"):
        service.push(subscription, text)
    assert texts(user_agent) == []
    assert service.waiting(subscription) == 2
    user_agent.go_online()
    assert user_agent.online
    assert service.waiting(subscription) == 0
    assert texts(user_agent) == ["one", "two"]


def test_what_has_come_is_received_before_it_goes_offline(user_agent, service, subscription):
    user_agent._connection._stop_monitors()
    service.push(subscription)
    user_agent.go_offline()
    assert service.waiting(subscription) == 0
    assert texts(user_agent) == ["hello"]


def test_going_offline_ends_monitoring_and_tells_the_service(user_agent, service, subscription):
    [thread] = threads()
    assert service.polling.acquire(timeout=10)
    user_agent.go_offline()
    thread.join(10)
    assert threads() == []
    user_agent.go_offline()
    assert service.requests["POST", "/s/sN/offline"] == 1


def test_monitoring_goes_on_when_it_is_online_again(user_agent, service, subscription):
    come = threading.Event()
    user_agent.on_push(lambda _: come.set())
    user_agent.go_offline()
    user_agent.go_online()
    service.push(subscription)
    assert come.wait(10)


def test_going_online_and_offline_without_a_subscription(user_agent, service):
    user_agent.go_offline()
    user_agent.go_online()
    assert service.requests == {}


def test_a_subscription_that_expires_while_it_is_monitored(user_agent, service, subscription):
    changed = threading.Event()
    user_agent.on_subscription_change(lambda _: changed.set())
    assert service.polling.acquire(timeout=10)
    service.expire(subscription)
    assert changed.wait(10)
    assert user_agent.subscription is None
    assert user_agent.subscription_changes == [(subscription, None)]


def test_a_subscription_that_has_expired_is_noticed_by_looking(user_agent, service, subscription):
    user_agent._connection._stop_monitors()
    service.expire(subscription)
    assert user_agent.subscription is None
    assert user_agent.subscription_changes == [(subscription, None)]
    assert user_agent.subscribe() != subscription


def test_a_subscription_that_expires_while_offline(user_agent, service, subscription):
    user_agent.go_offline()
    service.expire(subscription)
    assert user_agent.subscription is subscription
    user_agent.go_online()
    assert user_agent.subscription_changes == [(subscription, None)]


def test_a_subscription_that_expires_on_the_way_offline(user_agent, service, subscription):
    service.failures["POST", "/s/"] = (410, b"")
    user_agent.go_offline()
    assert user_agent.subscription_changes == [(subscription, None)]


def test_a_page_may_subscribe_again_at_once(user_agent, service, subscription):
    made = []
    user_agent.on_subscription_change(lambda change: made.append(user_agent.subscribe()))
    service.expire(subscription)
    new = user_agent.subscription
    assert made == [new]
    service.push(new)
    assert texts(user_agent) == ["hello"]


def test_what_a_callback_on_a_change_raises(user_agent, service, subscription):
    user_agent.on_subscription_change(lambda _: 1 / 0)
    service.expire(subscription)
    with pytest.raises(ZeroDivisionError):
        user_agent.received  # noqa: B018


def test_close_ends_a_long_poll_at_once(user_agent, service, subscription):
    [thread] = threads()
    assert service.polling.acquire(timeout=10)
    user_agent.close()
    assert not thread.is_alive()
    assert not user_agent.online
    assert service.knows(subscription)
    assert service.requests["POST", "/s/sN/offline"] == 1


def test_closing_in_a_callback_waits_for_no_thread_that_waits_for_the_callback(
    user_agent, service, subscription
):
    [monitor] = user_agent._connection._monitors
    assert service.polling.acquire(timeout=10)
    with user_agent._connection.turn:
        service.push(subscription)
        while monitor.asking:
            pass
        user_agent.close()
    monitor.join()
    assert user_agent.received == []


def test_after_closing_nothing_comes_any_more(user_agent, service, subscription):
    service.push(subscription)
    assert texts(user_agent) == ["hello"]
    user_agent.close()
    service.push(subscription)
    assert texts(user_agent) == ["hello"]
    assert user_agent.subscription is subscription
    with pytest.raises(errors.ConnectError, match="closed"):
        user_agent.go_online()


def test_closing_what_is_offline_says_nothing_to_the_service(user_agent, service, subscription):
    user_agent.go_offline()
    user_agent.close()
    assert service.requests["POST", "/s/sN/offline"] == 1


def test_closing_after_the_subscription_has_gone(user_agent, service, subscription):
    user_agent.go_offline()
    service.expire(subscription)
    user_agent._connection.online = True
    user_agent.close()


@pytest.fixture
def too_late(user_agent, service, subscription):
    """A message that some thread has got when the connection ends: it is not acknowledged."""
    registration = user_agent._connection.registration
    user_agent._connection._stop_monitors()
    service.push(subscription)
    [delivery] = registration.resource.monitor(wait=0)

    def take(monitor=None) -> None:
        user_agent._connection.take(registration, delivery, monitor)
        assert service.acknowledged == []

    return take


def test_what_comes_after_it_went_offline_is_left_to_the_service(user_agent, too_late):
    user_agent._connection.online = False
    too_late()
    user_agent.go_online()
    assert texts(user_agent) == ["hello"]


def test_what_a_stopped_monitor_gets_is_left_to_the_service(user_agent, too_late):
    [monitor] = user_agent._connection._monitors
    too_late(monitor)
    assert texts(user_agent) == ["hello"]


def test_what_comes_for_an_old_subscription_is_left_alone(user_agent, too_late):
    user_agent.unsubscribe()
    too_late()
    assert texts(user_agent) == []
