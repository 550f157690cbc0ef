"""What the judge and a sender say to each other."""

import base64

import pytest

from mockpush.harness.errors import SenderError
from mockpush.harness.jobs import Hello, HelloJob, SendJob, SendResult, parse_line, quoted
from mockpush.protocol.model import Urgency
from mockpush.vapid_keys import VapidKeys

VAPID = VapidKeys.generate()
SUBSCRIPTION = {
    "endpoint": "https://localhost:1/push/x",
    "expirationTime": None,
    "keys": {"p256dh": "BA", "auth": "AA"},
}


def send_job(**given):
    asked = {"payload": b"\x00\xff", "ttl": 60, "urgency": None, "topic": None, **given}
    return SendJob(subscription=SUBSCRIPTION, vapid=VAPID, **asked).as_json()


def test_a_send_job_has_the_members_of_the_protocol():
    assert send_job(urgency=Urgency.HIGH, topic="inbox") == {
        "op": "send",
        "subscription": SUBSCRIPTION,
        "payload": base64.b64encode(b"\x00\xff").decode(),
        "ttl": 60,
        "urgency": "high",
        "topic": "inbox",
        "vapid": {
            "subject": VAPID.subject,
            "public_key": VAPID.public_key,
            "private_key": VAPID.private_key,
            "private_key_pem": VAPID.private_key_pem,
        },
    }


def test_what_is_not_asked_for_is_null():
    job = send_job()
    assert (job["urgency"], job["topic"]) == (None, None)


@pytest.mark.parametrize(("payload", "member"), [(None, None), (b"", "")])
def test_no_payload_and_an_empty_one_differ(payload, member):
    assert send_job(payload=payload)["payload"] == member


def test_a_hello_job_has_the_members_of_the_protocol():
    job = HelloJob(ca_file="/ca.pem", control="http://127.0.0.1:1/_mockpush/v1", timeout=2.5)
    assert job.as_json() == {
        "op": "hello",
        "protocol": 1,
        "ca_file": "/ca.pem",
        "control": "http://127.0.0.1:1/_mockpush/v1",
        "timeout_s": 2.5,
    }


def test_a_hello_is_read_whatever_else_it_says():
    members = {"name": "mine", "version": "1.2", "ops": ["send"], "language": "Go", "more": [1]}
    assert Hello.parse(members) == Hello(name="mine", version="1.2", ops=("send",), language="Go")


def test_a_hello_needs_only_a_name_and_operations():
    hello = Hello.parse({"name": "mine", "ops": ["send", "notify"]})
    assert (hello.version, hello.language, hello.ops) == (None, None, ("send", "notify"))


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({}, "'name': the sender's name, not nothing"),
        ({"name": "", "ops": ["send"]}, "'name': the sender's name, not ''"),
        ({"name": 7, "ops": ["send"]}, "'name': a string, not 7"),
        ({"name": "x"}, "'ops': a list of operations"),
        ({"name": "x", "ops": []}, "'ops': a list of operations"),
        ({"name": "x", "ops": "send"}, "'ops': a list, not 'send'"),
        ({"name": "x", "ops": [1]}, "'ops': a list of operations"),
        ({"name": "x", "ops": ["send"], "version": 2}, "'version': a string, not 2"),
    ],
)
def test_a_hello_that_says_too_little_is_named(members, text):
    with pytest.raises(SenderError, match=f"the sender's answer must have {text}"):
        Hello.parse(members)


def test_a_result_is_read_whatever_else_it_says():
    members = {"ok": False, "status": 429, "gone": False, "retry_after": 120, "error": "slow"}
    assert SendResult.parse({**members, "more": 1}) == SendResult(**members)


def test_a_result_needs_only_ok():
    assert SendResult.parse({"ok": True}) == SendResult(ok=True)


def test_null_is_as_good_as_nothing():
    assert SendResult.parse({"ok": True, "status": None, "error": None}) == SendResult(ok=True)


def test_retry_after_may_be_a_date():
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    assert SendResult.parse({"ok": False, "retry_after": date}).retry_after == date


def test_of_a_long_error_the_beginning_is_kept():
    result = SendResult.parse({"ok": False, "error": "refused: " + "x" * 1_000_000})
    assert result.error.startswith("refused: xxx")
    assert result.error.endswith("x… (1000009 characters)")
    assert len(result.error) < 5000


def test_an_option_that_is_not_supported_needs_no_ok():
    assert SendResult.parse({"unsupported": "topic"}).unsupported == "topic"


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({}, "'ok': true or false, not nothing: {}"),
        ({"ok": "yes"}, "'ok': true or false, not 'yes'"),
        ({"ok": 1}, "'ok': true or false, not 1"),
        ({"ok": True, "status": "201"}, "'status': a whole number, not '201'"),
        ({"ok": True, "status": True}, "'status': a whole number, not True"),
        ({"ok": False, "gone": "410"}, "'gone': true or false, not '410'"),
        ({"ok": False, "retry_after": []}, r"'retry_after': a number .* date, not \[\]"),
        ({"ok": False, "error": {"code": 1}}, "'error': a string, not {'code': 1}"),
        ({"unsupported": True}, "'unsupported': a string, not True"),
    ],
)
def test_a_result_of_another_shape_is_named(members, text):
    with pytest.raises(SenderError, match=text):
        SendResult.parse(members)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"Sent!", "a line that is not JSON: 'Sent!'"),
        (b"", "a line that is not JSON: ''"),
        (b'{"ok": true', "a line that is not JSON"),
        (b"[" * 200_000, "a line that is not JSON"),
        (b"[true]", r"JSON that is not an object: '\[true\]'"),
        (b"\xff\xfe", "octets that are not UTF-8"),
        (b'{"ok": false, "retry_after": NaN}', "a line that is not JSON"),
        (b'{"ok": false, "retry_after": -Infinity}', "a line that is not JSON"),
        (b'{"ok": false, "retry_after": 1e999}', "a line that is not JSON"),
        (b'{"ok": true, "status": %s}' % (b"9" * 5000), "a line that is not JSON"),
    ],
)
def test_a_line_that_is_no_result_is_quoted(line, text):
    with pytest.raises(SenderError, match=text):
        parse_line(line)


def test_rubbish_is_quoted_in_part():
    assert quoted(b"x" * 1000) == "'" + "x" * 199 + "… (1002 characters)"
