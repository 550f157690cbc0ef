"""A push that somebody captured, judged without a push service."""

import mockpush


def test_a_captured_push_is_judged():
    push = mockpush.inspect(
        "curl -X POST https://push.example/p/1 -H 'TTL: one day' -H 'Topic: news'",
        at="2025-01-31T12:00:00Z",
    )
    assert push.codes == ["ttl.not_a_number", "vapid.not_sent"]
    assert "digits only" in push.findings[0].hint
    assert not push.accepted
    assert push.answers["rfc"] == 400
