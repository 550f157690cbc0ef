from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from mockpush import errors
from mockpush.client.api import Api
from mockpush.client.records import Finding, Message, Request
from mockpush.protocol.model import MessageState, Urgency

TIME = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def message(raw) -> Message:
    return Message(raw, None)


def payload(data: bytes) -> dict:
    return {"base64": base64.b64encode(data).decode(), "size": len(data)}


def test_a_message_shows_its_members(message_json, finding_json):
    raw = message_json("m1", topic="inbox", urgency="high", findings=[finding_json("a.b")])
    shown = message(raw)
    assert (shown.id, shown.subscription, shown.tenant) == ("m1", "s1", "default")
    assert (shown.ttl, shown.topic, shown.urgency) == (3600, "inbox", "high")
    assert shown.urgency is Urgency.HIGH
    assert shown.state is MessageState.ACKNOWLEDGED
    assert shown.received_at == TIME
    assert shown.expires_at == TIME.replace(hour=4)
    assert (shown.content_encoding, shown.size, shown.decryption) == ("aes128gcm", 144, "ok")
    assert shown.vapid["sub"] == "mailto:a@example.com"
    assert shown.answers["rfc"]["status"] == 201
    assert shown.timeline[0]["event"] == "accepted"
    assert [finding.code for finding in shown.findings] == shown.codes == ["a.b"]
    assert shown.request == "r-m1"
    assert shown.raw is raw


def test_members_that_are_null_are_none(message_json):
    shown = message(message_json("m1", urgency=None, vapid=None, content_encoding=None))
    assert (shown.topic, shown.urgency, shown.vapid, shown.content_encoding) == (None,) * 4


def test_a_view_cannot_be_written_to(message_json):
    with pytest.raises(AttributeError):
        message(message_json("m1")).ttl = 5


def test_the_payload_as_octets_text_and_json(message_json):
    shown = message(message_json("m1", payload=payload('{"ordér": 7}'.encode())))
    assert shown.bytes == '{"ordér": 7}'.encode()
    assert shown.text() == '{"ordér": 7}'
    assert shown.json() == {"ordér": 7}


def test_no_payload_is_empty(message_json):
    shown = message(message_json("m1", None))
    assert shown.bytes == b""
    assert shown.text() == ""


def test_a_payload_that_cannot_be_read_says_why_and_what_to_do(message_json, finding_json):
    other = finding_json("vapid.not_sent", text="no token", level="information")
    cause = finding_json(
        "encryption.tag.invalid",
        text="the record does not authenticate",
        section="RFC 8188, Section 2",
        hint="Use the subscription's own keys.",
        expected="a tag",
        actual="another",
    )
    earlier = finding_json("encryption.rs.not_greater", text="rs is small")
    raw = message_json("m1", None, decryption="failed", findings=[earlier, cause, other])
    for read in (message(raw).text, message(raw).json, lambda: message(raw).bytes):
        with pytest.raises(errors.DecryptionError) as caught:
            read()
        assert caught.value.code == "encryption.tag.invalid"
        assert (
            str(caught.value) == "encryption.tag.invalid: the payload of message m1 cannot be "
            "read, the record does not authenticate (expected a tag, got another) "
            "[RFC 8188, Section 2]. Use the subscription's own keys."
        )


@pytest.mark.parametrize(
    ("decryption", "words"),
    [
        ("opaque", "does not hold the private key"),
        ("pending", "read the message again"),
        ("failed", "does not say why"),
    ],
)
def test_a_payload_that_the_service_has_not_read(message_json, decryption, words):
    with pytest.raises(errors.DecryptionError, match=words) as caught:
        message(message_json("m1", None, decryption=decryption)).text()
    assert caught.value.code == f"decryption.{decryption}"


def test_records_of_the_same_content_are_equal(message_json, request_json):
    assert message(message_json("m1")) == message(message_json("m1"))
    assert message(message_json("m1")) != message(message_json("m2"))
    assert Request(request_json("1")) != message(request_json("1"))


def test_a_message_is_shown_in_a_line(message_json, finding_json):
    full = message_json("m1", "x" * 100, topic="t", findings=[finding_json("a.b")])
    assert repr(message(full)) == (
        "<Message m1 acknowledged ttl=3600 topic='t' urgency=normal "
        f"'{'x' * 59}…' findings=['a.b']>"
    )
    bare = message_json("m2", None, urgency=None, state="pending")
    assert repr(message(bare)) == "<Message m2 pending ttl=3600>"
    binary = message_json("m3", payload=payload(b"\xff\xff"))
    assert "payload=2 octets" in repr(message(binary))


def test_acknowledging_and_cancelling(application, in_process, message_json):
    for path in ("m%2F1/acknowledge", "m%2F1"):
        route = f"/_mockpush/v1/messages/{path.replace('%2F', '/')}"

        @application.route(route)
        async def answer(call):
            return 204, [], b""

    shown = Message(message_json("m/1"), Api(in_process, "default"))
    shown.acknowledge()
    shown.cancel()
    assert [(call.method, call.scope["raw_path"]) for call in application.calls] == [
        ("POST", b"/_mockpush/v1/messages/m%2F1/acknowledge"),
        ("DELETE", b"/_mockpush/v1/messages/m%2F1"),
    ]


def test_a_request_shows_its_members(request_json):
    shown = Request(request_json("1"))
    assert (shown.method, shown.target, shown.http_version) == ("POST", "/push/abc", "1.1")
    assert shown.headers.get("TTL") == "60"
    assert shown.headers["x-a"] == "1, 2"
    assert shown.body == b"\x00\xff"
    assert (shown.status, shown.refused, shown.finding, shown.codes) == (201, False, None, [])
    assert shown.message == "m-1"
    assert repr(shown) == "<Request 1 POST /push/abc -> 201>"
    assert shown.received_at == TIME


def test_a_refused_request_names_the_finding_that_decided(request_json, finding_json):
    raw = request_json("1", 400, "ttl.missing")
    raw["findings"] = [finding_json("vapid.not_sent"), *raw["findings"]]
    raw["answers"] = {"apple": {"status": 400, "codes": ["vapid.absent"]}, **raw["answers"]}
    shown = Request(raw)
    assert shown.refused
    assert shown.finding.code == "ttl.missing"
    assert shown.codes == ["ttl.missing", "vapid.not_sent"]
    assert str(shown) == (
        "400 ttl.missing: the request has no TTL header field [RFC 8030, Section 5.2]"
    )
    assert repr(shown).endswith("-> 400 ['ttl.missing', 'vapid.not_sent']>")


def test_a_refusal_is_told_with_its_cause(request_json, finding_json):
    raw = request_json("1", 403, "vapid.aud.mismatch")
    cause = finding_json(
        "vapid.aud.other_service",
        text="aud is another's",
        actual="https://a.example",
        explains=["vapid.aud.mismatch"],
    )
    raw["findings"] += [finding_json("ttl.zero", explains=["vapid.nothing"]), cause]
    shown = Request(raw)
    assert shown.explanation.code == "vapid.aud.other_service"
    assert str(shown).endswith("[RFC 8030, Section 5.2]; aud is another's: https://a.example")
    accepted = request_json("2")
    accepted["findings"] = raw["findings"]
    assert Request(accepted).explanation is None


def test_a_service_that_explains_nothing_is_understood(request_json, finding_json):
    raw = request_json("1", 400, "ttl.missing")
    del raw["findings"][0]["explains"]
    assert Request(raw).explanation is None


def test_a_refusal_without_a_finding_shows_its_answer(request_json):
    raw = request_json("1", 503)
    assert str(Request(raw)) == "503 without a finding"
    raw["answer"]["body"] = "later"
    assert str(Request(raw)) == "503 later"


def test_a_finding_as_text(finding_json):
    finding = Finding(finding_json())
    text = "ttl.missing: the request has no TTL header field [RFC 8030, Section 5.2]"
    assert str(finding) == text
    assert repr(finding) == f"<Finding {text}>"
    assert (finding.level, finding.expected, finding.actual) == ("must", "TTL: <seconds>", "no TTL")
    assert finding.hint == "Add `TTL: <seconds>`."


def test_a_member_describes_itself_on_its_class():
    assert Message.ttl is Message.__dict__["ttl"]
