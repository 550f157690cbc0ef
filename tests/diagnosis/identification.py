"""Rows 1 to 21: the contact, the audience, the times, the keys."""

from __future__ import annotations

import time
from email.utils import formatdate

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from pywebpush import WebPushException

from mockpush import errors
from mockpush.protocol.model import base64url_encode
from mockpush.vapid_keys import VapidKeys

from .application import KeyPair
from .table import assert_told, row

HOUR = 3600


@row(1)
def contact_on_localhost(application):
    answer = application.push(application.subscribe("apple"), sub="mailto:me@localhost")
    assert (answer.status_code, answer.json()) == (403, {"reason": "BadJwtToken"})
    assert_told(
        application.told(),
        "403 vapid.sub.local_host: sub names a host that is not public",
        "mailto:me@localhost",
        "Use a contact that someone reads: `mailto:you@your-domain`",
    )


@row(2)
def each_cause_of_bad_jwt_token(application):
    subscription = application.subscribe("apple")
    now = int(time.time())
    signature_of_another = application.authorization(subscription, key=KeyPair())
    causes = {
        "vapid.absent": {"headers": {"Authorization": None}},
        "vapid.signature.invalid": {
            "headers": {
                "Authorization": f"{signature_of_another.partition(' k=')[0]} "
                f"k={application.keys.public}"
            }
        },
        "vapid.sub.missing": {"sub": None},
        "vapid.aud.mismatch": {"aud": "https://example.com"},
        "vapid.exp.too_far": {"exp": now + 25 * HOUR},
    }
    for code, mistake in causes.items():
        assert application.push(subscription, **mistake).status_code == 403
        assert application.service.requests[-1].finding.code == code
        apple = application.service.requests[-1].answers["apple"]
        assert (apple["status"], apple["codes"][0]) == (403, code)
    answer = application.push(subscription, headers={"Topic": "new_event"})
    assert answer.json() == {"reason": "BadWebPushTopic"}
    assert_told(application.told(), "`newEvent` works, `new_event` (9 characters) does not")


@row(3)
def bare_address(application):
    assert application.push(application.subscribe("apple"), sub="me@example.com").status_code == 403
    assert_told(application.told(), "403 vapid.sub.bare_address", "Write `mailto:` before")


@row(4)
def doubled_mailto(application):
    application.push(application.subscribe(), sub="mailto:mailto:me@example.com")
    assert_told(
        application.told(),
        "vapid.sub.doubled_mailto: sub begins with mailto: twice",
        "Your library adds mailto: itself: give it the bare address",
    )


@row(5)
def contact_by_https(application):
    assert application.push(application.subscribe("apple"), sub="https://example.com").ok
    assert_told(application.told(), "vapid.sub.https", "Apple", "mailto:")


@row(6)
def no_contact(application):
    assert application.push(application.subscribe("mozilla"), sub=None).ok
    assert_told(application.told(), "vapid.sub.missing: there is no sub claim", "Mozilla")


@row(7)
def audience_missing_or_wrong(application):
    subscription = application.subscribe()
    origin = subscription.endpoint.partition("/push/")[0]
    assert application.push(subscription, aud=None).status_code == 403
    assert_told(application.told(), "403 vapid.aud.missing", f"expected {origin}, got none")
    assert application.push(subscription, aud="https://example.com").status_code == 403
    assert_told(
        application.told(), "403 vapid.aud.mismatch", f"expected {origin}, got https://example.com"
    )


@row(8)
def one_dict_of_claims(application, push_server):
    first = application.subscribe()
    second = application.subscribe("apple", origin=push_server.url)
    claims = {"sub": "mailto:push@example.com"}
    application.webpush(first, claims, ttl=60)
    with pytest.raises(WebPushException):
        application.webpush(second, claims, ttl=60)
    assert_told(
        application.told(),
        "403 vapid.aud.mismatch",
        "aud is the origin of another push service: "
        f"{push_server.https_url}, that of subscription {first.id} (profile rfc), to which request",
        "webpush(…, vapid_claims=dict(claims))",
    )
    field = application.authorization(first)
    assert application.push(first, headers={"Authorization": field}).ok
    assert application.push(second, headers={"Authorization": field}).status_code == 403
    assert_told(
        application.told(),
        f"the same token was sent to another push service before: the token of request 3, for "
        f"{push_server.https_url}",
        "needs the origin of the endpoint as its key",
    )


@row(9)
def audience_without_port(application):
    assert application.push(application.subscribe(), aud="https://localhost").ok
    assert_told(
        application.told(),
        "vapid.aud.port_missing: aud lacks the port",
        "got https://localhost.",
        "Add the port unless it is 443",
    )


@row(10)
def exp_too_far(application):
    subscription = application.subscribe()
    now = int(time.time())
    application.push(subscription, exp=now + 27 * HOUR)
    assert_told(application.told(), "403 vapid.exp.too_far", "(27 h ahead, 3 h too far)", "12 h")
    assert "vapid.clock" not in application.told()
    application.push(subscription, exp=now + 27 * HOUR, iat=now + 3 * HOUR)
    assert_told(
        application.told(),
        "the sender's clock is ahead of the service's: 3 h ahead, by the claim iat of its token",
        "Set the sender's clock",
    )
    application.push(subscription, exp=1000 * now)
    assert_told(application.told(), "403 vapid.exp.too_far", "exp counts milliseconds")


@row(11)
def token_kept_too_long(application):
    subscription = application.subscribe()
    kept = {"Authorization": application.authorization(subscription)}
    assert application.push(subscription, headers=kept).ok
    with time_machine.travel(time.time() + 13 * HOUR):
        assert application.push(subscription, headers=kept).status_code == 403
    assert_told(
        application.told(),
        "403 vapid.exp.past: the token has expired",
        "(60 min ago)",
        "the same claims were still valid when they were first sent: the claims of request 1, 13 h",
        "make new ones some minutes before exp",
    )
    late = time.time() - 3 * HOUR
    date = {"Date": formatdate(late, usegmt=True)}
    application.push(subscription, headers=date, exp=int(late) + HOUR)
    assert_told(
        application.told(),
        "403 vapid.exp.past",
        "the sender's clock is behind the service's: 3 h behind, by its Date field",
    )


@row(12)
def no_authorization(application):
    answer = application.push(application.subscribe(), headers={"Authorization": None})
    assert answer.status_code == 401
    assert_told(application.told(), "401 vapid.absent", "made with an applicationServerKey: sign")


ROTATED = {
    "fcm": (403, "do not correspond to the credentials used to create the subscriptions"),
    "mozilla": (401, '"errno":109'),
    "apple": (400, "VapidPkHashMismatch"),
    "wns": (401, ""),
}


@row(13)
def rotated_key(application):
    for profile, (status, words) in ROTATED.items():
        old, new = KeyPair(), KeyPair()
        subscription = application.subscribe(profile, key=old)
        application.subscribe(profile, key=new)
        answer = application.push(subscription, key=new)
        assert answer.status_code == status
        assert words in answer.text
        assert_told(
            application.told(),
            f"{status} vapid.key.mismatch",
            "do not delete subscriptions",
            "the key is one with which only newer subscriptions were made: the key of subscription",
            f"expected {old.public}, got {new.public}",
        )


@row(14)
def other_credentials(application):
    answer = application.push(application.subscribe("fcm"), key=KeyPair())
    assert answer.text == (
        "the VAPID credentials in the authorization header do not correspond to the credentials "
        "used to create the subscriptions.\n"
    )
    assert_told(application.told(), "403 vapid.key.mismatch: the key is not the one")


@row(15)
def subscription_of_another_project(application):
    theirs, ours = KeyPair(), KeyPair()
    meant = application.subscribe("fcm", key=ours)
    hit = application.subscribe("fcm", key=theirs)
    assert application.push(hit, key=ours).status_code == 403
    assert_told(
        application.told(),
        "the key is one with which other subscriptions were made: the key of "
        f"subscription {meant.id} (profile fcm)",
        "two applications",
    )


@row(16)
def one_mistake_in_the_words_of_each(application):
    application.push(application.subscribe("fcm"), key=KeyPair())
    answers = application.service.requests[-1].answers
    given = {name: (each["status"], each["codes"][0]) for name, each in answers.items()}
    assert {given[name] for name in ROTATED} == {
        (status, "vapid.key.mismatch") for status, _ in ROTATED.values()
    }
    assert "do not correspond" in answers["fcm"]["reason"]
    assert answers["apple"]["reason"] == "VapidPkHashMismatch"


@row(17)
def still_refused_after_rotation(application):
    subscription = application.subscribe()
    assert application.push(subscription).ok
    assert application.push(subscription, key=KeyPair()).status_code == 403
    assert_told(
        application.told(),
        "earlier pushes to this subscription came with the right key",
        "as in request 1",
        "browsers must subscribe again",
    )


@row(18)
def refused_authorization_at_fcm(application):
    answer = application.push(application.subscribe("fcm"), headers={"Authorization": None})
    assert (answer.status_code, answer.text) == (403, "sender is not authenticated.\n")
    assert_told(application.told(), "403 vapid.absent: the subscription is restricted to a key")


@row(19)
def signature_in_der_or_by_another_key(application):
    subscription = application.subscribe()
    [head, claims, raw] = application.authorization(subscription)[8:].partition(",")[0].split(".")
    signed = f"{head}.{claims}".encode()
    der = application.keys.private.sign(signed, ec.ECDSA(SHA256()))
    field = f"vapid t={head}.{claims}.{base64url_encode(der)}, k={application.keys.public}"
    assert application.push(subscription, headers={"Authorization": field}).status_code == 403
    assert_told(application.told(), "403 vapid.signature.der", "the 64 octets r and s")
    other = KeyPair()
    theirs = application.subscribe(key=other)
    field = application.authorization(subscription, key=other).partition(" k=")[0]
    field = f"{field} k={application.keys.public}"
    assert application.push(subscription, headers={"Authorization": field}).status_code == 403
    assert_told(
        application.told(),
        "403 vapid.signature.invalid",
        "the token is signed with the key of "
        f"another subscription, and another key is sent along: signed with the key of subscription "
        f"{theirs.id}",
    )
    assert raw


@row(20)
def one_pair_in_all_formats(application):
    pair = VapidKeys.generate()
    forms = pair.formats()
    assert forms.keys() >= {"private_key", "private_key_pem", "private_key_der", "jwk"}
    token = jwt.encode({"a": 1}, forms["private_key_pem"], algorithm="ES256")
    assert jwt.decode(token, forms["public_key_pem"], algorithms=["ES256"]) == {"a": 1}
    der = forms["public_key_pem"].partition("-\n")[2].partition("\n-")[0].replace("\n", "")
    subscription = application.subscribe()
    field = application.authorization(subscription).partition(" k=")[0] + f" k={der}"
    application.push(subscription, headers={"Authorization": field})
    assert_told(application.told(), "vapid.key.der: the public key is in DER", "The last 65 octets")


@row(21)
def p256dh_and_auth_swapped(application):
    right = application.subscribe()["keys"]
    with pytest.raises(errors.InvalidRequestError) as caught:
        application.subscribe(keys={"p256dh": right["auth"], "auth": right["p256dh"]})
    assert_told(str(caught.value), "p256dh", "65 octets", "auth", "16 octets", "swapped")
