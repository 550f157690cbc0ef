"""Messages: each once and in order, whoever gets them and whatever callbacks do."""

from __future__ import annotations

import threading

import pytest

from mockpush import errors
from mockpush.client.transports.asgi import AsgiTransport
from mockpush.client.transports.http import HttpTransport
from mockpush.client.user_agent import UserAgent


def texts(user_agent) -> list[str]:
    return [message.text() for message in user_agent.received]


@pytest.fixture
def subscription(user_agent):
    return user_agent.subscribe()


def errors_of_reading(user_agent) -> list[Exception]:
    """The error that reading meets, or that the thread has met: then it comes a little later."""
    found = []
    while not found:
        try:
            assert len(user_agent.received) <= 1
        except errors.ServiceError as error:
            found.append(error)
    return found


def test_what_was_pushed_is_received_and_acknowledged(user_agent, service, subscription):
    path = service.push(subscription, '{"order": 7}')
    [message] = user_agent.received
    assert message.bytes == b'{"order": 7}'
    assert message.text() == '{"order": 7}'
    assert message.json() == {"order": 7}
    assert (message.content_encoding, message.message_url) == ("aes128gcm", path)
    assert service.acknowledged == [path]
    assert service.waiting(subscription) == 0


def test_messages_come_once_and_in_order(user_agent, service, subscription):
    sent = [f"message {number}" for number in range(30)]
    paths = [service.push(subscription, text) for text in sent]
    assert texts(user_agent) == sent
    assert texts(user_agent) == sent
    assert service.acknowledged == paths


def test_a_message_without_a_payload(user_agent, service, subscription):
    service.push(subscription, None)
    [message] = user_agent.received
    assert message.payload is None
    assert message.bytes == b""
    assert message.content_encoding is None


def test_what_is_returned_is_a_copy(user_agent, service, subscription):
    service.push(subscription)
    user_agent.received.clear()
    assert texts(user_agent) == ["hello"]


def test_messages_come_by_themselves(user_agent, service, subscription):
    come = threading.Event()
    threads = []

    @user_agent.on_push
    def note(message):
        threads.append(threading.current_thread().name)
        come.set()

    assert service.polling.acquire(timeout=10)
    service.push(subscription)
    assert come.wait(10)
    assert threads == ["mockpush-user-agent"]


def test_what_cannot_be_read_is_acknowledged_and_dropped(user_agent, service, subscription):
    pushed = []
    user_agent.on_push(pushed.append)
    fields = [("Content-Encoding", "aes128gcm")]
    path = service.push(subscription, body=b"x" * 120, fields=fields)
    service.push(subscription, "readable")
    assert texts(user_agent) == ["readable"]
    [discarded] = user_agent.discarded
    assert discarded.reason.code.startswith("encryption.")
    assert (discarded.body, discarded.message_url) == (b"x" * 120, path)
    assert discarded.content_encoding == "aes128gcm"
    assert service.acknowledged[0] == path
    assert [message.text() for message in pushed] == ["readable"]


@pytest.mark.parametrize("readers", [2, 5])
def test_several_threads_drain_at_once(user_agent, service, subscription, readers):
    order = []
    user_agent.on_push(lambda message: order.append(message.text()))
    sent = [f"message {number}" for number in range(20)]
    together = threading.Barrier(readers)
    results = []

    def read() -> None:
        together.wait()
        results.append(texts(user_agent))

    for text in sent:
        service.push(subscription, text)
    threads = [threading.Thread(target=read) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == sent
    assert results == [sent] * readers
    assert len(service.acknowledged) == len(sent)


def test_reading_waits_for_a_message_that_is_being_processed(user_agent, service, subscription):
    begun, go_on = threading.Event(), threading.Event()
    finished = []

    @user_agent.on_push
    def slow(message):
        begun.set()
        assert go_on.wait(10)
        finished.append(message)

    assert service.polling.acquire(timeout=10)
    service.push(subscription)
    assert begun.wait(10)
    reader = threading.Thread(target=lambda: finished.append(len(user_agent.received)))
    reader.start()
    go_on.set()
    reader.join()
    assert finished[1:] == [1]


def test_a_message_that_comes_twice_is_processed_once(user_agent, service, subscription):
    pushed = []
    user_agent.on_push(pushed.append)
    service.failures["DELETE", "/m/"] = (503, b'{"detail": "not now"}')
    path = service.push(subscription)
    [error] = errors_of_reading(user_agent)
    assert "not now" in str(error)
    assert texts(user_agent) == ["hello"]
    assert len(pushed) == 1
    assert service.acknowledged == [path]


def test_what_a_callback_raises_is_raised_where_the_test_can_see_it(
    user_agent, service, subscription
):
    @user_agent.on_push
    def fail(message):
        raise LookupError(message.text())

    service.push(subscription, "one")
    with pytest.raises(LookupError, match="one"):
        user_agent.received  # noqa: B018
    assert texts(user_agent) == ["one"]


def test_what_several_callbacks_raise_is_raised_together(user_agent, service, subscription):
    user_agent.go_offline()

    @user_agent.on_push
    def fail(message):
        raise LookupError(message.text())

    for text in ("one", "two"):
        service.push(subscription, text)
    user_agent.go_online()
    with pytest.raises(ExceptionGroup) as caught:
        user_agent.discarded  # noqa: B018
    assert [str(error) for error in caught.value.exceptions] == ["one", "two"]


def test_close_raises_what_nobody_has_seen(user_agent, service, subscription):
    failed = threading.Event()

    @user_agent.on_push
    def fail(message):
        failed.set()
        pytest.fail("seen in the background")

    assert service.polling.acquire(timeout=10)
    service.push(subscription)
    assert failed.wait(10)
    with pytest.raises(pytest.fail.Exception, match="seen in the background"):
        user_agent.close()
    user_agent.close()


def test_a_context_raises_it_too_but_not_over_another_error(user_agents, service):
    def fail_in_a_callback(*, then=lambda: None):
        with user_agents() as user_agent:
            subscription = user_agent.subscribe()
            user_agent.go_offline()
            user_agent.on_push(lambda _: 1 / 0)
            service.push(subscription)
            user_agent.go_online()
            then()

    with pytest.raises(ZeroDivisionError):
        fail_in_a_callback()
    with pytest.raises(KeyError) as caught:
        fail_in_a_callback(then=lambda: {}["x"])
    assert "ZeroDivisionError" in caught.value.__notes__[0]


def test_a_callback_may_read_what_was_received(user_agent, service, subscription):
    seen = []
    user_agent.on_push(lambda _: seen.append(texts(user_agent)))
    service.push(subscription, "one")
    service.push(subscription, "two")
    assert texts(user_agent) == ["one", "two"]
    assert max(seen, key=len) == ["one", "two"]


def test_a_callback_may_unsubscribe_and_close(user_agent, service, subscription):
    user_agent.go_offline()
    user_agent.on_push(lambda _: user_agent.unsubscribe())
    user_agent.on_push(lambda _: user_agent.close())
    service.push(subscription, "one")
    service.push(subscription, "two")
    user_agent.go_online()
    assert [message.text() for message in user_agent.received] == ["one"]
    assert not service.knows(subscription)


def test_a_callback_registered_as_a_decorator_stays_what_it_is(user_agent):
    @user_agent.on_push
    def push(message):
        return 1

    @user_agent.on_subscription_change
    def change(event):
        return 2

    assert (push(None), change(None)) == (1, 2)


def test_a_message_is_acknowledged_before_anybody_hears_of_it(user_agent, service, subscription):
    user_agent._connection._stop_monitors()
    acknowledged = []
    user_agent.on_push(lambda _: acknowledged.extend(service.acknowledged))
    path = service.push(subscription)
    assert texts(user_agent) == ["hello"]
    assert acknowledged == [path]


class HeldBack:
    """A transport whose forks send nothing before they are let go."""

    def __init__(self, transport) -> None:
        self.transport = transport
        self.let_go = threading.Event()

    def __getattr__(self, name: str):
        return getattr(self.transport, name)

    def fork(self):
        fork = self.transport.fork()
        request = fork.request

        def late_request(*arguments, **options):
            assert self.let_go.wait(10)
            return request(*arguments, **options)

        fork.request = late_request
        return fork


def test_nothing_there_counts_only_while_nobody_else_is_asking(service, in_process):
    """The monitor's request overtakes ours, which is then answered as if there were nothing."""
    transport = HeldBack(in_process)
    with UserAgent(transport) as user_agent:
        subscription = user_agent.subscribe()
        user_agent.on_push(lambda _: transport.let_go.set())
        [monitor] = user_agent._connection._monitors
        while not monitor.asking:
            pass
        service.push(subscription)
        service.failures["GET", "/s/"] = (204, b"")
        assert texts(user_agent) == ["hello"]


# Event loops


async def test_in_an_event_loop_a_server_in_another_thread_may_be_asked(
    user_agent, service, subscription
):
    service.push(subscription)
    assert texts(user_agent) == ["hello"]


def test_on_the_server_s_own_loop_reading_says_that_it_would_block(
    user_agent, submit, subscription, monkeypatch
):
    monkeypatch.setattr("mockpush.client.transports.asgi._PATIENCE", 0.05)

    async def read():
        return user_agent.received

    with pytest.raises(errors.BlockingWaitError):
        submit(read()).result()


def test_it_works_over_http(service, application, serve):
    come = threading.Event()
    with (
        HttpTransport(serve(application)) as transport,
        UserAgent(transport) as user_agent,
    ):
        user_agent.on_push(lambda _: come.set())
        subscription = user_agent.subscribe()
        assert service.polling.acquire(timeout=10)
        service.push(subscription, "by itself")
        assert come.wait(10)
        service.push(subscription, "when read")
        assert texts(user_agent) == ["by itself", "when read"]
    assert len(service.acknowledged) == 2


def test_a_service_that_fails_in_the_background_is_told_of(user_agent, service, subscription):
    assert service.polling.acquire(timeout=10)
    service.failures["GET", "/s/"] = (500, b'{"detail": "a bug in the service"}')
    [error] = errors_of_reading(user_agent)
    assert str(error) == "a bug in the service"
    come = threading.Event()
    user_agent.on_push(lambda _: come.set())
    assert user_agent.received == []
    service.push(subscription)
    assert come.wait(10)


def test_a_transport_may_be_closed_first(service, application, submit):
    transport = AsgiTransport(application, submit)
    user_agent = UserAgent(transport)
    user_agent.subscribe()
    transport.close()
    user_agent.close()
    assert user_agent.received == []


def test_what_comes_for_another_subscription_of_the_set_is_only_acknowledged(
    user_agent, service, subscription
):
    link = '<https://push.example/push/given-up>; rel="urn:ietf:params:push"'
    path = service.push(subscription, None, fields=[("Link", link)])
    service.push(subscription)
    assert texts(user_agent) == ["hello"]
    assert user_agent.discarded == []
    assert path in service.acknowledged
