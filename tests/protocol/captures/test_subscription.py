"""Subscriptions as an offline inspection reads them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mockpush.errors import CaptureError
from mockpush.protocol.captures.subscription import UNKNOWN, read_subscription
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_encode

SECRET, POINT = generate_key_pair()
AUTH = bytes(16)
KEYS = {"p256dh": base64url_encode(POINT), "auth": base64url_encode(AUTH)}
PRIVATE = base64url_encode(SECRET)


def test_a_subscription_of_a_browser():
    known = read_subscription({"endpoint": "https://a/p", "expirationTime": None, "keys": KEYS})
    assert known.keys is not None
    assert (known.keys.p256dh, known.keys.auth, known.keys.private_key) == (POINT, AUTH, None)
    assert known.application_server_key is None


def test_with_the_private_key_and_the_key_that_it_is_restricted_to():
    keys = {
        "p256dh": base64.b64encode(POINT).decode(),
        "auth": base64.urlsafe_b64encode(AUTH).decode(),
        "private_key": PRIVATE,
    }
    known = read_subscription({"keys": keys, "applicationServerKey": KEYS["p256dh"]})
    assert known.keys is not None
    assert known.keys.private_key == SECRET
    assert known.application_server_key == POINT


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}])
def test_without_keys_nothing_is_known(document):
    assert read_subscription(document) == UNKNOWN


OTHER = base64url_encode(generate_key_pair()[0])


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "the subscription must be a JSON object"),
        ({"keys": 5}, "keys of the subscription must be an object"),
        ({"keys": {"auth": KEYS["auth"]}}, "keys.p256dh of the subscription must be a text"),
        ({"keys": {**KEYS, "p256dh": "AA"}}, "keys.p256dh of the subscription cannot be read"),
        ({"keys": {**KEYS, "auth": "AA"}}, "it has 1 octets instead of 16"),
        ({"keys": {**KEYS, "auth": "é"}}, "keys.auth of the subscription cannot be read"),
        ({"keys": {**KEYS, "private_key": 5}}, "keys.private_key of the subscription must be"),
        ({"keys": {**KEYS, "private_key": OTHER}}, "does not belong to keys.p256dh"),
        ({"applicationServerKey": "x"}, "applicationServerKey of the subscription cannot be read"),
    ],
)
def test_the_member_that_cannot_be_read_is_named(document, text):
    with pytest.raises(CaptureError) as caught:
        read_subscription(document)
    assert text in str(caught.value)


@pytest.mark.parametrize("secret", [f"{PRIVATE}A", f"{PRIVATE[:-2]}", f"-----BEGIN {PRIVATE}"])
def test_a_private_key_is_never_shown(secret):
    with pytest.raises(CaptureError) as caught:
        read_subscription({"keys": {**KEYS, "private_key": secret}})
    assert secret[:20] not in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(["p256dh", "auth", "private_key"]),
        st.text(st.characters(exclude_categories=())) | st.none() | st.integers(),
    )
)
def test_any_keys_are_read_or_explained(keys):
    try:
        read_subscription({"keys": {**KEYS, **keys}})
    except CaptureError:
        event("explained")
