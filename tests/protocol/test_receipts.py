"""What a push says about receipts, and what becomes of messages."""

from __future__ import annotations

import pytest

from mockpush.profiles.rfc import RFC
from mockpush.protocol.delivery import OPEN
from mockpush.protocol.headers import collect
from mockpush.protocol.inspection import Context, inspect
from mockpush.protocol.judging import judge
from mockpush.protocol.links import PUSH, RECEIPT, link
from mockpush.protocol.model import MessageState, PushRequest, Urgency
from mockpush.protocol.receipts import STATUS, ReceiptRequest, read_receipt

ASK = (b"prefer", b"respond-async")
LINKED = (b"link", link("/r/1", RECEIPT).encode())
OTHER = (b"link", link("/p/1", PUSH).encode())


@pytest.mark.parametrize(
    ("lines", "request_", "codes"),
    [
        ([], None, []),
        ([(b"prefer", b"wait=1")], None, []),
        ([OTHER], None, []),
        ([ASK], ReceiptRequest(True, None), ["receipt.requested"]),
        ([ASK, OTHER], ReceiptRequest(True, None), ["receipt.requested"]),
        ([OTHER, ASK, LINKED], ReceiptRequest(True, "/r/1"), ["receipt.requested"]),
        ([LINKED], ReceiptRequest(False, "/r/1"), ["receipt.not_requested"]),
        ([(b"push-receipt", b"/r/1")], None, ["receipt.draft"]),
        ([(b"push-receipt", b"\xff")], None, ["receipt.draft"]),
        ([(b"link", b'<\xff>; rel="' + RECEIPT.encode() + b'"'), ASK],
         ReceiptRequest(True, "ÿ"), ["receipt.requested"]),
    ],
)  # fmt: skip
def test_what_a_request_says(lines, request_, codes):
    findings = []
    assert read_receipt(collect(lines), findings) == request_
    assert [finding.code for finding in findings] == codes
    request = PushRequest("POST", "/", [(b"ttl", b"1"), *lines], b"", 0, 0)
    inspection = inspect(request, Context(None, (), 0))
    assert inspection.head.receipt == request_
    assert inspection.wants_receipt is (ASK in lines)
    assert set(codes) <= set(inspection.codes)


def test_a_profile_answers_202_only_if_it_gives_receipts_and_one_is_wanted():
    def template(*lines):
        request = PushRequest("POST", "/", [(b"ttl", b"1"), *lines], b"", 0, 0)
        inspection = inspect(request, Context(None, (), 0))
        known = [each for each in inspection.findings if each.code != "subscription.unknown"]
        inspection.findings = tuple(known)
        judgement = judge(inspection, RFC)
        assert judgement.accepted
        return judgement.template.status

    assert template() == 201
    assert template(LINKED) == 201
    assert template(ASK) == 202
    assert template(ASK, (b"topic", b"abcde")) == 202


def test_every_end_of_a_message_has_a_receipt_but_to_be_replaced():
    ends = set(MessageState) - OPEN
    assert ends - STATUS.keys() == {MessageState.REPLACED}
    assert {state for state, status in STATUS.items() if status == 204} == {"acknowledged"}
    assert set(STATUS.values()) == {204, 410}


def test_urgencies_are_ordered():
    assert [each for each in Urgency if each.at_least(Urgency.NORMAL)] == ["normal", "high"]
    assert all(each.at_least(Urgency.VERY_LOW) and each.at_least(each) for each in Urgency)
