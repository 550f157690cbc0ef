"""pywebpush as a ready sender: how its failures become results, and that its three ways work."""

from types import SimpleNamespace

import pytest
from pywebpush import WebPushException

from mockpush.harness.python_sender import load
from mockpush.harness.runner import run_checks
from mockpush.harness.senders.registry import READY
from mockpush.harness.verdict import Verdict


@pytest.fixture
def answer(monkeypatch):
    """What the sender makes of what `webpush()` raises."""
    sender = READY["pywebpush"]
    answer = load(f"{sender.source / sender.entry}")

    def make(error: Exception) -> dict:
        def webpush(*_, **__):
            raise error

        monkeypatch.setitem(answer.__globals__, "webpush", webpush)
        vapid = {"private_key": "AA", "subject": "mailto:push@example.com"}
        job = {"op": "send", "subscription": {}, "payload": None, "ttl": 0, "vapid": vapid}
        return answer({**job, "urgency": None, "topic": None})

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


@pytest.mark.parametrize(
    ("name", "coding", "gone"),
    [
        ("pywebpush", Verdict.PASSED, Verdict.PASSED),
        ("pywebpush-async", Verdict.PASSED, Verdict.PASSED),
        ("pywebpush-aesgcm", Verdict.FAILED, Verdict.PASSED),
    ],
)
def test_its_three_ways_are_driven(name, coding, gone):
    select = ["rfc8291/4/aes128gcm", "rfc8030/7.3/410-is-gone"]
    report = run_checks(READY[name], cases=select)
    verdicts = {each.id: each.verdict for each in report.results}
    assert [verdicts[each] for each in select] == [coding, gone]
