import pytest

from .guarded import notify_all


def test_every_vendor_is_pushed_to(push_service, push_vendor_hosts):
    subscribers = [push_service.subscribe(profile=name) for name in push_vendor_hosts]
    statuses = notify_all(subscribers, "hello", lambda: {"sub": "mailto:shop@example.com"})
    assert statuses == [201, 201, 201, 201]
    origins = {message.vapid["aud"] for message in push_service.wait_all(4)}
    assert {"https://fcm.googleapis.com", "https://web.push.apple.com"} < origins


def test_nothing_is_pushed_into_our_own_network(push_service, push_vendor_hosts):
    inside = push_service.subscribe(origin="https://localhost")
    with pytest.raises(ValueError, match="not a push service"):
        notify_all([inside], "hello", dict)
    push_service.assert_none()


def test_one_dict_of_claims_for_several_vendors(push_service, push_vendor_hosts):
    names = (*push_vendor_hosts, "rfc")  # the fifth is a push service of our own
    subscribers = [push_service.subscribe(profile=name) for name in names]
    claims = {"sub": "mailto:shop@example.com"}
    with push_service.expect_refused("vapid.aud.*") as refused:
        statuses = notify_all(subscribers, "hello", lambda: claims, own=("localhost",))
    assert statuses == [201, 401, 403, 401, 403]
    assert {each.explanation.code for each in refused} == {"vapid.aud.other_service"}
    assert claims["aud"] == "https://fcm.googleapis.com"  # pywebpush wrote it into the dict
