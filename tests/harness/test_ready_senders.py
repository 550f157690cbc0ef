"""Ready senders: how their libraries' failures become results."""

from types import SimpleNamespace

import pytest
from pywebpush import WebPushException

from mockpush.errors import ConfigurationError
from mockpush.harness.senders import pywebpush
from mockpush.harness.senders.registry import READY, ready_sender


@pytest.fixture
def answer(monkeypatch):
    """What the sender makes of what `webpush()` raises."""

    def make(error: Exception) -> dict:
        def webpush(*_, **__):
            raise error

        monkeypatch.setattr(pywebpush, "webpush", webpush)
        vapid = {"private_key": "AA", "subject": "mailto:push@example.com"}
        job = {"op": "send", "subscription": {}, "payload": None, "ttl": 0, "vapid": vapid}
        return pywebpush.answer({**job, "urgency": None, "topic": None})

    return make


def response(status: int, **headers: str) -> SimpleNamespace:
    return SimpleNamespace(status_code=status, headers=headers, text="")


@pytest.mark.parametrize(
    ("status", "gone"), [(404, True), (410, True), (400, False), (403, False), (413, False)]
)
def test_pywebpush_tells_what_is_gone(answer, status, gone):
    result = answer(WebPushException("Push failed", response=response(status)))
    assert result == {
        "ok": False,
        "status": status,
        "gone": gone,
        "retry_after": None,
        "error": "Push failed",
    }


@pytest.mark.parametrize(
    ("field", "retry_after"),
    [("120", 120), ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT")],
)
def test_pywebpush_hands_on_retry_after(answer, field, retry_after):
    failure = response(429, **{"Retry-After": field})
    result = answer(WebPushException("Push failed", response=failure))
    assert (result["status"], result["retry_after"]) == (429, retry_after)


def test_pywebpush_may_fail_before_it_sends(answer):
    result = answer(WebPushException("Missing 'sub' from claims"))
    assert (result["status"], result["gone"]) == (None, False)
    assert result["error"] == "Missing 'sub' from claims"


def test_a_ready_sender_is_found_by_its_name():
    assert ready_sender("pywebpush") is READY["pywebpush"]


@pytest.mark.parametrize(
    ("name", "hint"), [("pywebpus", "do you mean pywebpush"), ("node", "there is: pywebpush")]
)
def test_a_name_that_is_none_brings_those_that_are(name, hint):
    with pytest.raises(ConfigurationError, match=hint):
        ready_sender(name)
