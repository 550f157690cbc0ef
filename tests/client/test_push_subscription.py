from __future__ import annotations

import copy
import json
import pickle

import pytest

from mockpush.client.operations import Operations
from mockpush.client.push_subscription import PushSubscription
from mockpush.protocol.model import SubscriptionState

PLAIN = {
    "endpoint": "https://localhost:8031/push/abc",
    "expirationTime": None,
    "keys": {"p256dh": "BPub", "auth": "c2VjcmV0"},
}


@pytest.fixture
def subscription(in_process) -> PushSubscription:
    return PushSubscription(
        "s1", Operations(in_process), endpoint=PLAIN["endpoint"], keys=PLAIN["keys"]
    )


def test_it_is_a_dict_of_the_shape_that_browsers_give(subscription):
    assert isinstance(subscription, dict)
    assert subscription == PLAIN
    assert json.loads(json.dumps(subscription)) == PLAIN
    assert {**subscription} == PLAIN
    assert subscription["keys"]["auth"] == "c2VjcmV0"


def test_its_attributes(subscription):
    assert (subscription.id, subscription.endpoint) == ("s1", PLAIN["endpoint"])
    assert (subscription.p256dh, subscription.auth) == ("BPub", "c2VjcmV0")
    assert repr(subscription) == "<PushSubscription s1 https://localhost:8031/push/abc>"


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.copy,
        copy.deepcopy,
        dict.copy,
        *(
            lambda subscription, protocol=protocol: pickle.loads(
                pickle.dumps(subscription, protocol)
            )
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_copies_and_pickles_are_plain_dicts(subscription, duplicate):
    made = duplicate(subscription)
    assert type(made) is dict
    assert made == PLAIN


def test_a_deep_copy_shares_nothing(subscription):
    copy.deepcopy(subscription)["keys"]["auth"] = "other"
    assert subscription.auth == "c2VjcmV0"


def test_as_any_dict_it_cannot_be_hashed(subscription):
    with pytest.raises(TypeError, match="unhashable"):
        hash(subscription)


def test_an_expiration_time_and_no_keys(in_process):
    made = PushSubscription(
        "s1", Operations(in_process), endpoint="https://x", keys=None, expiration_time=5
    )
    assert made == {"endpoint": "https://x", "expirationTime": 5, "keys": {}}


@pytest.mark.parametrize(
    ("act", "call"),
    [
        (lambda each: each.expire(), ("POST", "/expire", b"{}")),
        (lambda each: each.expire(404), ("POST", "/expire", b'{"status": 404}')),
        (lambda each: each.online(), ("POST", "/online", b"")),
        (lambda each: each.offline(), ("POST", "/offline", b"")),
        (lambda each: each.unsubscribe(), ("DELETE", "", b"")),
    ],
)
def test_what_can_be_done_to_it(application, subscription, act, call):
    path = f"/_mockpush/v1/subscriptions/s1{call[1]}"

    @application.route(path)
    async def answer(_):
        return 204, [], b""

    act(subscription)
    [done] = application.calls
    assert (done.method, done.path, done.body) == (call[0], path, call[2])


def test_its_state_and_its_messages(application, subscription, listing, message_json):
    @application.route("/_mockpush/v1/subscriptions/s1")
    async def answer(_):
        return 200, [], json.dumps({**PLAIN, "id": "s1", "state": "expired"}).encode()

    application.handlers["/_mockpush/v1/messages"] = listing(
        [message_json("a"), message_json("b", subscription="s2")], filters=["subscription"]
    )
    assert subscription.state is SubscriptionState.EXPIRED
    assert [message.id for message in subscription.messages] == ["a"]
