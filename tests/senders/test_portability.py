"""One mistake of real senders for each vendor that minds it, and what it makes of an assertion."""

from __future__ import annotations

import time

import jwt
import py_vapid
import pytest
import requests
from pywebpush import WebPusher, webpush

from mockpush.errors import InvalidRequestError, PortabilityError

LOCAL_HOST = "mailto:me@localhost"


@pytest.fixture
def push(push_subscription, push_vapid):
    """Pushes with pywebpush, right unless told otherwise."""

    def send(*, ttl=60, sub="mailto:me@example.com", **headers):
        webpush(
            dict(push_subscription),
            "hello",
            vapid_private_key=push_vapid.private_key,
            vapid_claims={"sub": sub},
            ttl=ttl,
            headers=headers,
        )

    return send


@pytest.fixture
def refused_by(push_service):
    """The vendors that would have refused the only push, with status and code."""

    def read() -> dict[str, tuple[int, str | None, str]]:
        message = push_service.wait()
        [request] = push_service.requests
        assert message.objections == request.objections
        names = [name for name in message.answers if not message.accepted_by(name)]
        assert names == [name for name in request.answers if not request.accepted_by(name)]
        return {
            name: (
                message.accepted_by(name).status,
                message.accepted_by(name).reason,
                message.objections[name][0]["finding"]["code"],
            )
            for name in names
        }

    return read


def test_a_right_push_is_taken_by_all(push, push_service, refused_by):
    push(Topic="inbox1")
    assert refused_by() == {}
    push_service.assert_portable()
    push_service.assert_portable("rfc", "apple")


def test_apple_minds_a_local_contact(push, refused_by):
    push(sub=LOCAL_HOST)
    assert refused_by() == {"apple": (403, "BadJwtToken", "vapid.sub.local_host")}


def test_apple_minds_a_topic_that_is_no_base64(push, refused_by):
    push(Topic="inbox")
    assert refused_by() == {"apple": (400, "BadWebPushTopic", "topic.length_mod_4")}


def test_wns_minds_a_ttl_of_0(push, refused_by):
    push(ttl=0)
    word = "Ttl value conflicts with X-WNS-Cache-Policy."
    assert refused_by() == {"wns": (400, word, "ttl.zero")}


def test_mozilla_minds_several_audiences(push_subscription, push_vapid, push_server, refused_by):
    claims = {"aud": [push_server.https_url], "exp": int(time.time()) + 3600}
    token = jwt.encode(
        {**claims, "sub": "mailto:a@b.example"}, push_vapid.private_key_pem, algorithm="ES256"
    )
    identified = {"Authorization": f"vapid t={token}, k={push_vapid.public_key}"}
    webpush(dict(push_subscription), "hello", ttl=60, headers=identified)
    refused = refused_by()
    assert list(refused) == ["mozilla"]
    status, word, code = refused["mozilla"]
    assert (status, code) == (401, "vapid.aud.array")
    assert word.startswith("Invalid VAPID token: A value in the vapid claims")


def test_fcm_minds_a_padded_key(push_subscription, push_vapid, push_server, refused_by):
    claims = {
        "aud": push_server.https_url,
        "exp": int(time.time()) + 3600,
        "sub": "mailto:a@b.example",
    }
    signed = py_vapid.Vapid01.from_string(push_vapid.private_key).sign(claims)
    encoded = WebPusher(dict(push_subscription)).encode(b"hello", "aesgcm")
    answer = requests.post(
        push_subscription.endpoint,
        data=encoded["body"],
        headers={
            "TTL": "60",
            "Content-Encoding": "aesgcm",
            "Encryption": f"salt={encoded['salt'].decode()}",
            "Authorization": signed["Authorization"],
            "Crypto-Key": f"dh={encoded['crypto_key'].decode()};{signed['Crypto-Key']}=",
        },
        timeout=10,
    )
    assert answer.status_code == 201
    status, word, code = refused_by()["fcm"]
    assert (status, code) == (403, "vapid.key.padded")
    assert word.startswith("crypto-key header had invalid format.")


# Assertions


def test_an_acceptance_says_why_not(push, push_service):
    push(sub=LOCAL_HOST)
    message = push_service.wait()
    assert repr(message.accepted_by("fcm")) == "<fcm takes it>"
    said = repr(message.accepted_by("apple"))
    assert said.startswith("<apple answers 403 BadJwtToken: vapid.sub.local_host: ")
    assert "→ Apple refuses localhost" in said
    with pytest.raises(InvalidRequestError, match="there is: rfc, fcm, mozilla, apple, wns"):
        message.accepted_by("aple")


def test_a_hundred_pushes_with_one_mistake_are_one_paragraph(push, push_service):
    for _ in range(10):
        push(sub=LOCAL_HOST)
    push(ttl=0)
    with pytest.raises(PortabilityError) as caught:
        push_service.assert_portable()
    lines = str(caught.value).splitlines()
    assert lines[0] == "apple and wns would have refused 11 of 11 pushes:"
    [stated] = [line for line in lines if line.endswith(", 10 pushes")]
    assert stated.startswith("  vapid.sub.local_host: sub names a host that is not public [")
    assert "      sent: mailto:me@localhost" in lines
    assert "      apple answers 403 BadJwtToken" in lines
    assert "      wns answers 400 Ttl value conflicts with X-WNS-Cache-Policy." in lines
    assert sum(line.startswith("      → ") for line in lines) == 2


def test_only_those_that_are_named_are_asked(push, push_service):
    push(sub=LOCAL_HOST)
    push_service.assert_portable("fcm", "wns")
    with pytest.raises(PortabilityError, match=r"^apple would have refused 1 of 1 push:"):
        push_service.assert_portable("fcm", "apple")
    with pytest.raises(InvalidRequestError, match="there is no profile 'aple'"):
        push_service.assert_portable("aple")


def test_what_the_test_did_to_the_subscription_does_not_count(
    push, push_service, push_subscription
):
    push_subscription.expire()
    for options in ({}, {"sub": LOCAL_HOST}):
        with pytest.raises(Exception, match="410"):
            push(**options)
    first, second = push_service.requests
    assert first.accepted_by("apple")
    assert not second.accepted_by("apple")
    with pytest.raises(PortabilityError, match=r"^apple would have refused 1 of 2 pushes:"):
        push_service.assert_portable()
