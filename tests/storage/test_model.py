"""Any sequence of operations, against a model so plain that it can be read at a glance."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from mockpush.protocol.delivery import Delivery
from mockpush.protocol.model import SubscriptionState

START = 1_800_000_000.0
STATES = {
    "accepted": "pending",
    "delivered": "delivered",
    "released": "pending",
    "acknowledged": "acknowledged",
    "expired": "expired",
    "replaced": "replaced",
    "dropped": "dropped",
    "cancelled": "cancelled",
}
"""What each event makes of a message."""


@dataclass
class Receiver:
    """A subscription of the model."""

    held: bool
    online: bool
    active: bool = True


@dataclass
class Sent:
    """A message of the model."""

    to: str
    topic: str | None
    ttl: int
    until: float
    state: str = "pending"

    @property
    def open(self) -> bool:
        return self.state in {"pending", "delivered"}


class Machine(RuleBasedStateMachine):
    """Does the same to a storage and to the model."""

    make = None

    @initialize(
        window=st.sampled_from([None, 1, 2]),
        collapse=st.booleans(),
        limit=st.sampled_from([None, 2]),
    )
    def begin(self, window, collapse, limit):
        self.runner = asyncio.Runner()
        self.bench = type(self).make()
        self.delivery = Delivery(window, collapse, limit)
        self.now = START
        self.receivers: dict[str, Receiver] = {}
        self.sent: dict[str, Sent] = {}

    def teardown(self):
        if hasattr(self, "runner"):
            self.runner.close()

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def queue(self, name: str) -> list[Sent]:
        return [each for each in self.sent.values() if each.to == name and each.open]

    def pick(self, data, *, of: str = "receivers") -> str:
        return data.draw(st.sampled_from(list(getattr(self, of))))

    @rule(held=st.booleans(), online=st.booleans())
    def subscribe(self, held, online):
        name = f"s{len(self.receivers)}"
        self.run(self.bench.add(name, held=held, online=online))
        self.receivers[name] = Receiver(held, online)

    @precondition(lambda self: any(each.active for each in self.receivers.values()))
    @rule(
        data=st.data(),
        topic=st.sampled_from([None, "a", "b"]),
        ttl=st.sampled_from([0, 10, 100]),
    )
    def push(self, data, topic, ttl):
        to = data.draw(
            st.sampled_from([name for name, each in self.receivers.items() if each.active])
        )
        message = self.run(
            self.bench.push(to, topic=topic, ttl=ttl, at=self.now, delivery=self.delivery)
        )
        receiver = self.receivers[to]
        replaceable = {"pending", "delivered"} if self.delivery.collapse_delivered else {"pending"}
        latest = [each for each in self.queue(to) if topic is not None and each.topic == topic][-1:]
        for each in latest:
            if each.state in replaceable:
                each.state = "replaced"
        sent = self.sent[message.id] = Sent(to, topic, ttl, self.now + ttl)
        if receiver.online and not receiver.held:
            sent.state = "acknowledged"
        elif ttl == 0 and not receiver.online:
            sent.state = "dropped"
        elif self.delivery.message_limit and len(self.queue(to)) > self.delivery.message_limit:
            self.queue(to)[0].state = "dropped"

    @precondition(lambda self: self.receivers)
    @rule(data=st.data())
    def claim(self, data):
        name = self.pick(data)
        claimed = self.run(self.bench.claim(name, delivery=self.delivery, now=self.now))
        queue = self.queue(name) if self.receivers[name].online else []
        pending = [each for each in queue if each.state == "pending"]
        if self.delivery.window is not None:
            pending = pending[: max(0, self.delivery.window - (len(queue) - len(pending)))]
        assert [self.sent[message_id] for message_id in claimed] == pending
        for each in pending:
            each.state = "delivered"

    def give_back(self, name: str) -> None:
        for each in self.queue(name):
            if each.state == "delivered":
                late = "expired" if each.until <= self.now else "pending"
                each.state = late if each.ttl else "dropped"
                same = [other for other in self.queue(name) if other.topic == each.topic]
                if each.topic is not None and each.open and same[-1] is not each:
                    each.state = "replaced"

    @precondition(lambda self: self.receivers)
    @rule(data=st.data())
    def release(self, data):
        name = self.pick(data)
        self.run(self.bench.storage.release("t", name, now=self.now))
        self.give_back(name)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), step=st.sampled_from(["acknowledge", "cancel"]))
    def close(self, data, step):
        message_id = self.pick(data, of="sent")
        events = self.run(getattr(self.bench.storage, step)(message_id, now=self.now))
        needed, after = {
            "acknowledge": ("delivered", "acknowledged"),
            "cancel": ("pending", "cancelled"),
        }[step]
        message = self.sent[message_id]
        assert len(events) == (message.state == needed)
        if message.state == needed:
            message.state = after

    @precondition(lambda self: self.receivers)
    @rule(data=st.data(), online=st.booleans())
    def presence(self, data, online):
        name = self.pick(data)
        self.run(self.bench.presence(name, online=online, now=self.now))
        receiver = self.receivers[name]
        if receiver.online is online:
            return
        receiver.online = online
        if not online:
            self.give_back(name)
        for each in self.queue(name):
            if not online and each.ttl == 0:
                each.state = "dropped"
            if online and not receiver.held:
                each.state = "acknowledged"

    @precondition(lambda self: self.receivers)
    @rule(data=st.data(), state=st.sampled_from(["expired", "removed"]))
    def end(self, data, state):
        name = self.pick(data)
        self.run(self.bench.end(name, state=SubscriptionState(state), now=self.now))
        self.receivers[name].active = False
        for each in self.queue(name):
            each.state = "dropped"

    @rule(seconds=st.sampled_from([1, 10, 200]))
    def pass_time(self, seconds):
        self.now += seconds
        self.run(self.bench.storage.expire("t", until=self.now))
        for each in self.sent.values():
            if each.state == "pending" and each.ttl and each.until <= self.now:
                each.state = "expired"

    @invariant()
    def every_message_is_in_the_state_that_the_model_says(self):
        if hasattr(self, "bench"):
            expected = {message_id: each.state for message_id, each in self.sent.items()}
            assert self.run(self.bench.states()) == expected

    @invariant()
    def the_events_tell_the_same_story_in_order(self):
        if not hasattr(self, "bench"):
            return
        told = {message_id: STATES[step] for step, message_id in self.run(self.bench.happened())}
        assert told == {message_id: each.state for message_id, each in self.sent.items()}
        events = self.run(self.bench.storage.events("t"))
        assert [event.sequence for event in events] == [*range(1, len(events) + 1)]
        times = [event.at for event in events if event.message]
        assert times == sorted(times)

    @invariant()
    def nothing_expires_before_it_is_said_to(self):
        if not hasattr(self, "bench"):
            return
        said = self.run(self.bench.storage.next_expiry("t"))
        for each in self.sent.values():
            if each.state == "pending" and each.ttl:
                assert said is not None
                assert said <= each.until


def test_any_sequence_of_operations_agrees_with_the_model(make):
    machine = type("AgainstTheModel", (Machine,), {"make": staticmethod(make)})
    run_machine(machine, settings=settings(max_examples=150, stateful_step_count=40))
