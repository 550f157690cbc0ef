"""PushManager: subscribing, its errors, leaving, permission."""

from __future__ import annotations

import json
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mockpush import errors
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_decode, base64url_encode

_, KEY = generate_key_pair()
_, OTHER_KEY = generate_key_pair()
TEXT = base64url_encode(KEY)


def subscribing(application):
    return [call for call in application.calls if call.path == "/subscribe"]


def test_a_subscription_has_the_shape_that_browsers_give(user_agent):
    subscription = user_agent.subscribe()
    assert set(subscription) == {"endpoint", "expirationTime", "keys"}
    assert subscription.endpoint == f"https://push.example/push/{subscription.id}"
    assert subscription["expirationTime"] is None
    assert user_agent.subscription is subscription


def test_its_keys_are_a_point_on_the_curve_and_a_secret_of_16_octets(user_agent):
    subscription = user_agent.subscribe()
    point = base64url_decode(subscription.p256dh)
    assert len(point) == 65
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    assert len(base64url_decode(subscription.auth)) == 16


def test_every_subscription_has_keys_and_an_endpoint_of_its_own(user_agents):
    user_agent = user_agents()
    made = [user_agent.subscribe(), user_agent.resubscribe(), user_agents().subscribe()]
    assert len({each.p256dh for each in made}) == 3
    assert len({each.auth for each in made}) == 3
    assert len({each.endpoint for each in made}) == 3


def test_the_service_never_learns_the_keys(user_agent, application):
    subscription = user_agent.subscribe()
    [call] = subscribing(application)
    sent = json.dumps(call.headers).encode() + call.body
    assert subscription.p256dh.encode() not in sent
    assert subscription.auth.encode() not in sent


def test_the_private_key_does_not_show(user_agent):
    subscription = user_agent.subscribe()
    registration = user_agent._connection.registration
    keys = registration.keys
    shown = repr(keys) + repr(registration) + repr(vars(user_agent))
    for form in (repr(keys.private_key), keys.private_key.hex()):
        assert form not in shown
    assert keys.private_key not in pickle.dumps(subscription)


@pytest.mark.parametrize("key", [KEY, TEXT])
def test_a_restricted_subscription_tells_the_service_its_key(user_agents, application, key):
    user_agents(tenant="t").subscribe(key)
    [call] = subscribing(application)
    assert call.headers["mockpush-tenant"] == "t"
    assert call.headers["content-type"] == "application/webpush-options+json"
    assert json.loads(call.body) == {"vapid": TEXT}


def test_without_a_key_nothing_is_said(user_agent, application):
    user_agent.subscribe()
    [call] = subscribing(application)
    assert call.body == b""
    assert "content-type" not in call.headers


def test_the_key_given_to_the_user_agent_is_used_when_there_is_no_other(user_agents, application):
    user_agents(application_server_key=TEXT).subscribe()
    user_agents(application_server_key=TEXT).subscribe(OTHER_KEY)
    sent = [json.loads(call.body)["vapid"] for call in subscribing(application)]
    assert sent == [TEXT, base64url_encode(OTHER_KEY)]


@pytest.mark.parametrize("key", [TEXT + "=", "a+b/", "no key", "é", "A"])
def test_a_key_that_is_not_base64url(user_agent, key):
    with pytest.raises(errors.InvalidCharacterError, match="base64url"):
        user_agent.subscribe(key)


@pytest.mark.parametrize(
    "key", ["", b"", TEXT[:-4], KEY[1:], b"\x02" + KEY[1:33], b"\x04" + bytes(64), bytes(65)]
)
def test_a_key_that_is_not_a_point_on_the_curve(user_agent, key, application):
    with pytest.raises(errors.InvalidAccessError, match="applicationServerKey"):
        user_agent.subscribe(key)
    assert application.calls == []


def test_the_same_key_gives_the_same_subscription(user_agent, application):
    assert user_agent.subscribe(KEY) is user_agent.subscribe(TEXT)
    assert len(subscribing(application)) == 1


@pytest.mark.parametrize("other", [OTHER_KEY, None])
def test_another_key_is_an_invalid_state(user_agent, other):
    subscription = user_agent.subscribe(KEY)
    with pytest.raises(errors.InvalidStateError, match="unsubscribe it first"):
        user_agent.subscribe(other)
    assert user_agent.subscription is subscription


def test_silent_push_is_not_allowed(user_agent):
    with pytest.raises(errors.NotAllowedError, match="userVisibleOnly"):
        user_agent.subscribe(user_visible_only=False)


def test_a_service_that_refuses(user_agent, service):
    service.failures["POST", "/subscribe"] = (503, b'{"detail": "too many subscriptions"}')
    with pytest.raises(errors.AbortError, match="too many subscriptions"):
        user_agent.subscribe()
    assert user_agent.subscription is None


def test_a_service_that_cannot_be_reached(user_agent, in_process):
    user_agent.subscribe()
    in_process.close()
    for _ in range(2):
        with pytest.raises(errors.AbortError, match="is closed"):
            user_agent.subscribe()
        user_agent._connection.registration = None


def test_offline_and_closed_browsers_cannot_subscribe(user_agent):
    user_agent.go_offline()
    with pytest.raises(errors.AbortError, match="offline"):
        user_agent.subscribe()
    user_agent.close()
    with pytest.raises(errors.AbortError, match="closed"):
        user_agent.subscribe()


def test_unsubscribing(user_agent, service):
    subscription = user_agent.subscribe()
    assert user_agent.unsubscribe() is True
    assert not service.knows(subscription)
    assert user_agent.subscription is None
    assert user_agent.unsubscribe() is False
    assert user_agent.subscription_changes == []


def test_unsubscribing_what_the_service_has_forgotten(user_agent, service):
    service.expire(user_agent.subscribe())
    user_agent.unsubscribe()
    assert user_agent.subscription is None


def test_unsubscribed_offline_the_service_is_told_later(user_agent, service):
    subscription = user_agent.subscribe()
    user_agent.go_offline()
    assert user_agent.unsubscribe() is True
    assert service.knows(subscription)
    user_agent.go_online()
    assert not service.knows(subscription)


def test_refreshing_gives_up_the_old_subscription(user_agent, service):
    old = user_agent.subscribe(KEY)
    service.push(old, "the last one")
    new = user_agent.resubscribe()
    assert user_agent.subscription is new
    assert not service.knows(old)
    assert user_agent.subscription_changes == [(old, new)]
    assert user_agent.subscribe(KEY) is new
    service.push(new, "the first one")
    assert [message.text() for message in user_agent.received] == ["the last one", "the first one"]


def test_refreshing_nothing_subscribes(user_agents):
    user_agent = user_agents(application_server_key=KEY)
    subscription = user_agent.resubscribe()
    assert user_agent.subscribe(KEY) is subscription
    assert user_agent.subscription_changes == []


# Permission


def test_denied(user_agents):
    user_agent = user_agents(permission="denied")
    with pytest.raises(errors.NotAllowedError, match="denied"):
        user_agent.subscribe()
    user_agent.permission = "granted"
    assert user_agent.subscribe()


def test_a_user_who_is_asked_consents(user_agents):
    user_agent = user_agents(permission="prompt")
    user_agent.subscribe()
    assert user_agent.permission == "granted"


@pytest.mark.parametrize("state", ["denied", "prompt"])
def test_taking_back_the_permission_ends_the_subscription(user_agent, service, state):
    told = []
    user_agent.on_subscription_change(told.append)
    subscription = user_agent.subscribe()
    user_agent.permission = state
    assert not service.knows(subscription)
    assert user_agent.subscription is None
    assert user_agent.subscription_changes == told == [(subscription, None)]
    user_agent.permission = state
    assert len(told) == 1


def test_granting_what_is_granted_changes_nothing(user_agent, service):
    subscription = user_agent.subscribe()
    user_agent.permission = "granted"
    assert user_agent.subscription is subscription


def test_no_such_permission(user_agents):
    with pytest.raises(ValueError, match="perhaps"):
        user_agents(permission="perhaps")
