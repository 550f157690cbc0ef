"""What the judge and an application that keeps subscriptions say to each other."""

import pytest

from mockpush.harness.errors import SenderError
from mockpush.harness.jobs import SendResult
from mockpush.harness.keeping import (
    KeptResult,
    NotifyJob,
    NotifyResult,
    ResetJob,
    SubscribeJob,
    SubscriptionsJob,
)
from mockpush.protocol.model import Urgency
from mockpush.vapid_keys import VapidKeys

VAPID = VapidKeys.generate()
SUBSCRIPTION = {"endpoint": "https://localhost:1/push/x", "keys": {"p256dh": "BA", "auth": "AA"}}
SUBSCRIBE = SubscribeJob(subscription=SUBSCRIPTION, vapid=VAPID)
NOTIFY = NotifyJob(payload=b"hello", ttl=60, urgency=Urgency.HIGH, topic=None)


def test_a_subscription_comes_with_its_key_pair():
    assert SUBSCRIBE.as_json() == {
        "op": "subscribe",
        "subscription": SUBSCRIPTION,
        "vapid": {
            "subject": VAPID.subject,
            "public_key": VAPID.public_key,
            "private_key": VAPID.private_key,
            "private_key_pem": VAPID.private_key_pem,
        },
    }


def test_no_private_key_is_shown():
    assert SUBSCRIBE.shown()["vapid"] == {
        "subject": VAPID.subject,
        "public_key": VAPID.public_key,
    }


def test_a_message_to_everybody_names_nobody():
    assert NOTIFY.as_json() == {
        "op": "notify",
        "payload": "aGVsbG8=",
        "ttl": 60,
        "urgency": "high",
        "topic": None,
    }


@pytest.mark.parametrize(
    ("job", "op"), [(SubscriptionsJob(), "subscriptions"), (ResetJob(), "reset")]
)
def test_what_needs_no_more_is_the_operation(job, op):
    assert job.as_json() == job.shown() == {"op": op}


@pytest.mark.parametrize(
    ("job", "members", "result"),
    [
        (SUBSCRIBE, {"ok": True}, SendResult(ok=True)),
        (ResetJob(), {"ok": False, "error": "no"}, SendResult(ok=False, error="no")),
        (NOTIFY, {"ok": True, "sent": 3, "failed": 0}, NotifyResult(ok=True, sent=3, failed=0)),
        (
            NOTIFY,
            {"ok": False, "sent": 0, "failed": 2, "error": "no", "more": 1},
            NotifyResult(ok=False, sent=0, failed=2, error="no"),
        ),
        (NOTIFY, {"unsupported": "topic"}, NotifyResult(ok=False, unsupported="topic")),
        (SubscriptionsJob(), {"endpoints": []}, KeptResult(endpoints=())),
        (SubscriptionsJob(), {"endpoints": ["a", "b"]}, KeptResult(endpoints=("a", "b"))),
    ],
)
def test_each_job_has_its_result(job, members, result):
    assert job.result(members) == result


@pytest.mark.parametrize(
    ("job", "members", "text"),
    [
        (SUBSCRIBE, {}, "'ok': true or false, not nothing"),
        (NOTIFY, {"sent": 1, "failed": 0}, "'ok': true or false, not nothing"),
        (NOTIFY, {"ok": True, "failed": 0}, "'sent': how many, not nothing"),
        (NOTIFY, {"ok": True, "sent": 1}, "'failed': how many, not nothing"),
        (NOTIFY, {"ok": True, "sent": "1", "failed": 0}, "'sent': a whole number, not '1'"),
        (NOTIFY, {"ok": True, "sent": 1, "failed": -1}, "'failed': how many, not -1"),
        (SubscriptionsJob(), {"ok": True}, "'endpoints': a list of endpoints, not nothing"),
        (SubscriptionsJob(), {"endpoints": "a"}, "'endpoints': a list, not 'a'"),
        (SubscriptionsJob(), {"endpoints": [None]}, "'endpoints': a list of endpoints"),
    ],
)
def test_a_result_of_another_shape_is_named(job, members, text):
    with pytest.raises(SenderError, match=text):
        job.result(members)
