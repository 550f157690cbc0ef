"""Conversations with senders: hello first, and again after an end."""

import json
import threading

import pytest

from mockpush.harness.conversation import Conversation, Conversations
from mockpush.harness.errors import SenderError, SenderStartError
from mockpush.harness.jobs import HelloJob, SendJob, SendResult
from mockpush.vapid_keys import VapidKeys

HELLO = HelloJob(ca_file="/ca.pem", control="http://127.0.0.1:1/_mockpush/v1", timeout=3)
GREETING = {"name": "scripted", "ops": ["send"]}
OK = {"ok": True}
SEND = SendJob(
    subscription={}, payload=None, ttl=0, urgency=None, topic=None, vapid=VapidKeys.generate()
)


class Scripted:
    """An adapter that answers what its script says; an exception is raised, and ends the sender."""

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.asked: list[tuple[str, float]] = []
        self.alive = False
        self.closed = False
        self.log = "last words\n"

    def ask(self, job: bytes, *, timeout: float) -> bytes:
        self.asked.append((json.loads(job)["op"], timeout))
        answer = self.script.pop(0)
        self.alive = not isinstance(answer, Exception)
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer).encode()

    def close(self) -> None:
        self.closed = True


def conversation(*script):
    adapter = Scripted(*script)
    return adapter, Conversation(adapter, hello=HELLO, start_timeout=20)


def test_a_sender_is_greeted_before_its_first_job():
    adapter, talk = conversation(GREETING, OK, OK)
    assert talk.send(SEND) == talk.send(SEND) == SendResult(ok=True)
    assert [op for op, _ in adapter.asked] == ["hello", "send", "send"]


def test_the_limits_for_hello_and_for_a_job_are_two():
    adapter, talk = conversation(GREETING, OK)
    talk.send(SEND)
    assert adapter.asked == [("hello", 20), ("send", 3)]


def test_starting_tells_who_the_sender_is():
    _, talk = conversation({**GREETING, "version": "1"})
    hello = talk.start()
    assert (hello.name, hello.version, talk.log) == ("scripted", "1", "last words\n")


def test_a_started_sender_is_not_greeted_again():
    adapter, talk = conversation(GREETING, OK)
    talk.start()
    talk.send(SEND)
    assert [op for op, _ in adapter.asked] == ["hello", "send"]


@pytest.mark.parametrize("answer", [SenderError("it died"), {"ok": True}, "rubbish"])
def test_a_sender_that_does_not_greet_cannot_be_started(answer):
    _, talk = conversation(answer)
    with pytest.raises(SenderStartError, match=r"(?s)^.+\nlast words$"):
        talk.start()


def test_without_last_words_the_reason_stands_alone():
    adapter, talk = conversation(SenderError("it died"))
    adapter.log = ""
    with pytest.raises(SenderStartError, match=r"^it died$"):
        talk.start()


def test_a_sender_that_ended_is_greeted_again():
    adapter, talk = conversation(GREETING, SenderError("it died"), GREETING, OK)
    with pytest.raises(SenderError, match="it died"):
        talk.send(SEND)
    assert talk.send(SEND).ok
    assert [op for op, _ in adapter.asked] == ["hello", "send", "hello", "send"]


def test_a_sender_that_cannot_be_greeted_again_fails_the_job():
    adapter, talk = conversation(GREETING, OK, SenderError("no port"))
    talk.send(SEND)
    adapter.alive = False
    with pytest.raises(SenderError, match="no port"):
        talk.send(SEND)


def test_nobody_gets_a_conversation_that_another_has():
    talks = Conversations(lambda: conversation()[1], count=2)
    with talks.one() as first, talks.one() as second:
        assert first is not second
        taken = []

        def take() -> None:
            with talks.one() as third:
                taken.append(third)

        thread = threading.Thread(target=take)
        thread.start()
        assert taken == []
    thread.join()
    assert taken[0] in (first, second)


def test_closing_ends_every_sender():
    adapters = []

    def make() -> Conversation:
        adapter, talk = conversation(GREETING)
        adapters.append(adapter)
        return talk

    talks = Conversations(make, count=3)
    assert talks.start().name == "scripted"
    talks.close()
    assert [each.closed for each in adapters] == [True, True, True]


def test_an_interruption_while_senders_are_closed_still_closes_all():
    adapters = []

    class Interrupted(Scripted):
        def close(self) -> None:
            super().close()
            raise KeyboardInterrupt

    def make() -> Conversation:
        adapters.append(Interrupted())
        return Conversation(adapters[-1], hello=HELLO, start_timeout=20)

    with pytest.raises(KeyboardInterrupt):
        Conversations(make, count=3).close()
    assert [each.closed for each in adapters] == [True, True, True]
