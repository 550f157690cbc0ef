"""Each case, judged by the real service: what a right sender passes and a mistaken one fails."""

import pytest

from mockpush.harness.cases import CASES
from mockpush.harness.service import running_service

OF_MESSAGES = [case for case in CASES if not (case.takes_turns or case.thorough)]
BY_ID = {case.id: case for case in OF_MESSAGES}

F, W, INFO, S, P = "failed", "warning", "info", "skipped", "passed"

BODIES = ("fcm", "mozilla", "apple")
ERRORS = (
    *("15.5.1/400", "15.5.2/401", "15.5.4/403", "15.5.14/413"),
    *("15.6.1/500", "15.6.3/502", "15.6.4/503", "15.6.5/504"),
)
ODD_BODIES = ("empty-body", "huge-body", "cut-json", "other-json", "html")
WAITS = (
    "rfc8030/8.4/429-retry-after",
    "rfc9110/10.2.3/retry-after-is-a-date",
    "rfc9110/10.2.3/406-of-wns",
    "rfc9110/15.6.4/503-retry-after",
)

CERTIFICATES = ("unknown-authority", "other-host", "expired-certificate")
LENGTHS = (3994, 4079, 4080, 4100, 10000)

MISTAKES = [
    ("rfc8030/5/post", "Gets", F, "request.method"),
    ("rfc8030/5/sent-once", "SendsTwice", W, "the number of requests"),
    ("rfc8030/5/sent-once", "SendsNothing", W, "no request arrived"),
    ("rfc8030/5/201-is-success", "AlwaysFails", F, "the sender reports that the push failed"),
    ("rfc8030/5/201-is-success", "NoTtl", F, "did not accept the message"),
    ("rfc8030/5/no-payload", "EncryptsNull", F, "the body is not empty"),
    ("rfc8030/5/no-payload", "EncryptsNothing", W, "the body is not empty"),
    ("rfc8030/5/empty-payload", "EncryptsNull", F, "the payload is not"),
    ("rfc8030/5/empty-payload", "EncryptsNothing", P, None),
    ("rfc8030/5/empty-payload", "GivesUp", W, "refuses a payload of 0 octets"),
    ("rfc8030/5/empty-payload", "SendsNothing", F, "no request arrived"),
    ("rfc8030/5/options-do-not-stay", "KeepsItsOptions", F, "the Topic field"),
    ("rfc8030/5.1/asks-for-receipts-rightly", "InventsReceipts", F, "receipt.subscription.unknown"),
    ("rfc8030/5.1/asks-for-receipts-rightly", "AsksForReceipts", P, None),
    ("rfc8030/5/201-is-success", "AsksForReceipts", P, None),
    ("rfc8030/6/each-arrives-once", "SendsTwice", W, "more than once"),
    ("rfc8030/6/each-arrives-once", "LosesEveryThird", F, "no request arrived"),
    ("rfc8030/6/each-arrives-once", "Holds", F, "does not get what was sent"),
    ("rfc8030/6/each-waits-for-the-user-agent", "Hurries", F, "does not get what was sent"),
    ("rfc8030/6/each-user-agent-gets-its-own", "KeepsKeysByOrigin", F, "does not get what was"),
    ("rfc8030/7.2/4096-octets", "Pads", W, "body.too_large"),
    ("rfc8030/7.2/4096-octets", "GivesUp", S, "refuses such a payload by itself"),
    ("rfc8030/7.2/4096-octets", "SendsNothing", W, "no request arrived"),
    ("rfc8030/5.2/ttl-present", "NoTtl", F, "ttl.missing"),
    ("rfc8030/5.2/ttl-as-asked", "TtlPlusOne", F, "the TTL field"),
    ("rfc8030/5.2/ttl-as-asked", "NoTtl", F, "the TTL field"),
    ("rfc8030/5.2/ttl-as-asked", "SendsTwice", P, None),
    ("rfc8030/5.2/ttl-zero-as-asked", "NoZeroTtl", F, "the TTL field"),
    ("rfc8030/5.2/expires", "LongTtl", F, "the message's state"),
    ("rfc8030/5.2/waits-for-the-user-agent", "ShortTtl", F, "the message's state"),
    ("rfc8030/5.2/ttl-zero-is-now-or-never", "NoZeroTtl", F, "the message's state"),
    ("rfc8030/5.2/ttl-longer-than-any", "ShortTtl", F, "the TTL is another one"),
    ("rfc8030/5.2/ttl-longer-than-any", "FourWeeks", W, "the TTL is another one"),
    ("rfc8030/5.3/urgency-valid", "Urgent", F, "urgency.unknown"),
    ("rfc8030/5.3/urgency-as-asked", "NoUrgency", F, "the Urgency field"),
    ("rfc8030/5.3/urgency-as-asked", "HurriesWhatIsNowOrNever", F, "the Urgency field"),
    ("rfc8030/5.3/urgency-normal-by-default", "AlwaysHigh", F, "the Urgency field"),
    ("rfc8030/5.4/topic-valid", "PaddedTopic", F, "topic.padded"),
    ("rfc8030/5.4/topic-valid", "WithoutTopics", S, "the sender has no option for topic"),
    ("rfc8030/5.4/topic-as-asked", "ShortTopic", F, "the Topic field"),
    ("rfc8030/5.4/topic-never-changed", "CutsTopics", F, "the topic is another one"),
    ("rfc8030/5.4/topic-never-changed", "CleansTopics", F, "the topic is another one"),
    ("rfc8030/5.4/topic-never-changed", "FillsTopics", F, "the topic is another one"),
    ("rfc8030/5.4/topic-never-changed", "AlwaysSucceeds", F, "reports success"),
    ("rfc8030/5.4/no-topic-unless-asked", "OneTopic", F, "the Topic field"),
    ("rfc8030/5.4/topic-collapses", "NoTopic", F, "what the user agent gets"),
    ("rfc8030/5.4/topics-are-kept-apart", "OneTopic", F, "what the user agent gets"),
    ("rfc8030/7.3/410-is-not-success", "AlwaysSucceeds", F, "reports success"),
    ("rfc8030/7.3/410-is-not-success", "HandsOverTheStatus", W, "reports success"),
    ("rfc8030/7.3/404-is-not-success", "AlwaysSucceeds", F, "reports success"),
    ("rfc8030/7.3/404-is-not-success", "HandsOverTheStatus", W, "reports success"),
    ("rfc8030/7.3/410-is-gone", "HidesTheReason", W, "does not tell"),
    ("rfc8030/7.3/410-is-gone", "SaysGone", P, None),
    ("rfc8030/7.3/404-is-gone", "HidesTheReason", W, "does not tell"),
    ("rfc8030/7.3/404-is-gone", "SaysGone", P, None),
    ("rfc8030/8.2/no-cookies", "KeepsCookies", INFO, "keeps cookies"),
    ("rfc8188/2.1/header", "TinyRecordSize", F, "encryption.rs.too_small"),
    ("rfc8188/2.1/fresh-salt", "OneSalt", F, "messages share a salt"),
    ("rfc8188/2.1/fresh-salt", "KeepsSaltsForAWhile", F, "messages share a salt"),
    ("rfc8188/2.1/fresh-salt", "CountsSalts", W, "salts are not random"),
    ("rfc8188/2.1/fresh-salt", "SendsPlainText", F, "messages share a salt"),
    ("rfc8188/2.1/fresh-salt", "Empties", F, "no salt can be read"),
    ("rfc8291/3.1/fresh-key", "OneKey", F, "messages share a public key"),
    ("rfc8291/3.1/fresh-key", "FewKeys", F, "messages share a public key"),
    ("rfc8291/3.4/many-payloads", "CorruptsTheTenth", F, "3 of 30 messages did not arrive"),
    ("rfc8291/3.4/many-payloads", "SendsTwice", P, None),
    ("rfc8291/3.4/many-payloads", "NoTtl", F, "30 of 30 messages did not arrive"),
    ("rfc8291/3.4/many-payloads", "GivesUp", F, "no request arrived"),
    ("rfc8188/2.1/fresh-salt", "Draft", P, None),
    ("rfc8291/3.1/fresh-key", "Draft", P, None),
    ("rfc8291/4/aes128gcm", "Draft", F, "content_encoding.aesgcm"),
    ("rfc8291/4/aes128gcm", "Gzip", F, "content_encoding.unknown"),
    ("rfc8291/4/no-draft-fields", "DraftFields", W, "crypto_key.with_aes128gcm"),
    ("rfc8291/4/one-record", "SeveralRecords", F, "encryption.records.several"),
    ("rfc8291/3.4/decrypts", "Corrupts", F, "encryption."),
    ("rfc8291/3.4/payload-text", "Capitals", F, "the payload is not"),
    ("rfc8291/3.4/payload-text", "Corrupts", F, "cannot read the payload"),
    ("rfc8291/3.4/payload-text", "GivesUp", F, "no request arrived"),
    ("rfc8291/3.4/payload-json", "Reformats", F, "the payload is not"),
    ("rfc8291/3.4/payload-emoji", "Ascii", F, "the payload is not"),
    ("rfc8291/3.4/payload-binary", "Ascii", F, "the payload is not"),
    ("rfc8291/3.4/payload-byte-order-mark", "StripsMark", F, "the payload is not"),
    ("rfc8291/3.4/payload-nul", "StripsNul", F, "the payload is not"),
    ("rfc8291/3.4/payload-one-octet", "SendsNoZero", F, "the payload is not"),
    ("rfc8291/3.4/payload-one-octet", "Empties", F, "the payload is not"),
    ("rfc8291/3.4/payload-white-space", "Strips", F, "the payload is not"),
    ("rfc8291/3.4/payload-long", "Truncates", F, "the payload is not"),
    ("rfc8291/3.4/payload-long", "GivesUp", W, "refuses a payload of 3000 octets"),
    ("rfc8291/3.4/payload-long", "SendsNothing", F, "no request arrived"),
    ("rfc8291/3.4/payload-longest", "Truncates", F, "the payload is not"),
    ("rfc8291/3.4/payload-longest", "GivesUp", W, "refuses a payload of 3993 octets"),
    ("rfc8292/2/token", "PaddedToken", F, "vapid.token.padded"),
    ("rfc8292/2/signature", "DerSignature", F, "vapid.signature.der"),
    ("rfc8292/2/aud-is-origin", "NoPort", F, "vapid.aud.port_missing"),
    ("rfc8292/2/aud-of-each-push-service", "OneAudience", F, "vapid.aud.mismatch"),
    ("rfc8292/2/aud-of-each-push-service", "NoPort", P, None),
    ("rfc8292/2/exp-within-24-hours", "LivesTooLong", F, "vapid.exp.too_far"),
    ("rfc8292/2.1/sub-is-a-contact", "BareAddress", W, "vapid.sub.bare_address"),
    ("rfc8292/2.1/sub-as-given", "OwnContact", INFO, "sub is not"),
    ("rfc8292/2.2/small-claims", "ManyClaims", W, "vapid.claims.large"),
    ("rfc8292/4.2/identified", "Anonymous", F, "vapid.absent"),
    ("rfc8292/3/vapid-scheme", "WebPushScheme", F, "vapid.scheme.webpush"),
    ("rfc8292/3.2/key-form", "PaddedKey", F, "vapid.key.padded"),
    ("rfc8292/4.2/key-of-the-subscription", "OtherKey", F, "vapid.key.mismatch"),
    ("rfc8292/3.2/key-of-its-own", "OneKeyForAll", F, "vapid.key.equals_encryption_key"),
    ("rfc8291/7/refuses-points-off-the-curve", "LooksAtNoKey", F, "not on the curve"),
    ("rfc8291/7/refuses-points-off-the-curve", "SwallowsErrors", F, "though it sent nothing"),
    ("rfc8292/2/aud-of-each-push-service", "KeepsTokensByHost", F, "vapid.aud."),
    ("rfc8292/5/reuses-tokens", "FreshTokens", INFO, "each message has a token of its own"),
    ("rfc8292/3.2/private-key-stays", "LeaksItsKey", F, "the private key is in the request"),
    ("rfc8292/3.2/private-key-stays", "LeaksItsKeyInTheBody", F, "the private key is in"),
    ("rfc8291/3.1/coordinates-that-begin-with-zeros", "DropsZeros", F, "no request arrived"),
    ("rfc8291/3.2/secrets-of-every-shape", "StripsTheSecret", F, "cannot read the payload"),
    ("rfc8292/2/keys-that-begin-with-zeros", "DropsZerosOfItsKey", F, "did not accept"),
    ("rfc8292/4.2/key-of-each-application-server", "KeepsTokensByOrigin", F, "did not accept"),
    ("rfc8292/4.2/other-key-is-not-gone", "PrunesWhatIsRefused", F, "which it is not"),
    ("rfc8292/4.2/other-key-is-not-gone", "AlwaysSucceeds", F, "reports success"),
    *(
        (f"rfc8292/4.2/reason-of-{each}", "HidesTheReason", W, "does not say why")
        for each in BODIES
    ),
    ("rfc8292/4.2/reason-of-wns", "HidesTheReason", INFO, "does not say why"),
    ("rfc8292/4.2/reason-of-wns", "NoZeroTtl", S, "there is no reason"),
    ("rfc9110/15.3.1/200-is-success", "OnlyCreated", F, "reports that the push failed"),
    ("rfc9110/15.3.3/202-is-success", "OnlyCreated", F, "reports that the push failed"),
    ("rfc9110/15.3.5/204-is-success", "OnlyCreated", W, "reports that the push failed"),
    *((f"rfc9110/{each}-is-an-error", "AlwaysSucceeds", F, "reports success") for each in ERRORS),
    *((f"rfc9110/{each}-is-an-error", "HandsOverTheStatus", W, "success") for each in ERRORS),
    *((f"rfc9110/{each}-is-an-error", "PrunesWhatFails", F, "is gone") for each in ERRORS),
    *((f"rfc9110/15.5/{each}", "Crashes", F, "ended before it answered") for each in ODD_BODIES),
    *((f"rfc9110/15.5/{each}", "AlwaysSucceeds", F, "reports success") for each in ODD_BODIES),
    ("rfc9110/15.5/not-repeated-as-it-was", "TriesAgain", W, "that was answered 400"),
    ("rfc9110/15.5/not-repeated-as-it-was", "TriesOnceMoreAsItWas", W, "that was answered 413"),
    ("rfc9110/15.5/not-repeated-as-it-was", "TriesOnceMore", P, None),
    ("rfc9110/15.6/few-repetitions", "TriesAgain", W, "does not give up"),
    ("rfc9110/15.6/pauses-before-it-repeats", "TriesAgain", W, "repeats the push at once"),
    *((each, "TriesAgain", W, "before the time that Retry-After names") for each in WAITS),
    *((each, "AlwaysSucceeds", F, "reports success") for each in WAITS),
    *((each, "HidesTheReason", W, "cannot tell that it is to wait") for each in WAITS),
    ("rfc9110/15.4.2/301-loses-nothing", "Follows", F, "lost by the 301"),
    ("rfc9110/15.4.3/302-loses-nothing", "Follows", F, "lost by the 302"),
    ("rfc9110/15.4.8/307-loses-nothing", "Follows", P, None),
    ("rfc9110/15.4.9/308-loses-nothing", "Follows", P, None),
    ("rfc9110/15.4.8/307-loses-nothing", "AlwaysSucceeds", F, "lost by the 307"),
    ("rfc9110/15.4.9/308-loses-nothing", "AlwaysSucceeds", F, "lost by the 308"),
    ("rfc9110/15.4.9/308-loses-nothing", "HandsOverTheStatus", W, "lost by the 308"),
    ("rfc9110/15.4/credentials-stay", "FollowsWithItsToken", F, "its token to another host (302)"),
    ("rfc9110/15.4/credentials-stay", "Follows", P, None),
    ("rfc9110/15.4/circles-end", "FollowsForEver", W, "follows redirections for ever"),
    ("rfc9110/15.4/circles-end", "Follows", P, None),
    *((f"rfc9110/4.3.4/{each}", "LooksAtNoCertificate", F, "shows a") for each in CERTIFICATES),
    ("rfc9110/4.3.4/unknown-authority", "GoesWithoutTls", F, "shows a certificate"),
    *((f"rfc9110/4.3.4/{each}", "SwallowsErrors", F, "reports success") for each in CERTIFICATES),
    ("rfc9110/4.3.4/other-host", "LooksAtNoHostName", F, "a certificate for push.example.net"),
    ("rfc9110/4.3.4/unknown-authority", "LooksAtNoHostName", P, None),
    ("rfc9110/5.3/one-line-for-each-field", "SaysItTwice", F, "several Content-Type fields"),
    ("rfc9110/5.3/one-line-for-each-field", "WithoutTopics", P, None),
    ("rfc9110/5.5/no-fields-by-the-way", "WritesFieldsItself", F, "became a header field"),
    ("rfc9112/3.2.1/endpoint-as-given", "DropsTheQuery", F, "the request target"),
    ("rfc9112/3.2.1/endpoint-as-given", "Decodes", F, "the request target"),
    ("rfc9112/3.2.1/endpoint-as-given", "OtherHost", F, "the Host field"),
    ("rfc9112/3.2/any-push-service", "AudienceWithPath", F, "vapid.aud.path"),
    ("rfc9112/3.2/any-push-service", "NoPort", P, None),
    ("rfc9112/3.2/any-push-service", "DropsTheQuery", F, "no request arrived"),
    *((f"rfc8291/4/payload-of-{each}", "CutsOff", F, "is not the payload") for each in LENGTHS),
    *((f"rfc8291/4/payload-of-{each}", "SkipsWhatIsLong", F, "sent nothing") for each in LENGTHS),
    *((f"rfc8291/4/payload-of-{each}", "AlwaysSucceeds", F, "answered 413") for each in LENGTHS),
    *((f"rfc8291/4/payload-of-{each}", "GivesUp", P, None) for each in LENGTHS),
    ("rfc8291/4/payload-of-4079", "RecordsOf4096", F, "encryption.rs.not_greater"),
    ("rfc8291/4/payload-of-4080", "RecordsOf4096", F, "encryption.records.several"),
    ("rfc8030/5/options-do-not-stay", "KeepsTheUrgency", F, "the Urgency field"),
    ("rfc8030/5/options-do-not-stay", "KeepsTheTtl", F, "the TTL field"),
    ("rfc8030/5/options-do-not-stay", "KeepsThePayload", F, "the payload is not"),
    ("rfc8030/5/options-do-not-stay", "WithoutTopics", P, None),
    ("rfc8291/3.2/secrets-of-every-shape", "ReplacesOnce", F, "no request arrived"),
    ("rfc8292/3.2/private-key-stays", "LeaksItsKeyInTheToken", F, "the private key is in"),
    ("rfc8291/7/auth-secret-stays", "LeaksTheAuthSecret", F, "the auth secret"),
    ("rfc8291/7/payload-stays", "LeaksThePayload", F, "the payload is in the request"),
    ("rfc8292/2/token", "OtherAlphabet", F, "vapid.token.standard_base64"),
    ("rfc8291/2.1/standard-base64", "OnlyBase64url", INFO, "no request arrived"),
    ("rfc8291/2.1/unknown-members", "KnowsAllMembers", INFO, "no request arrived"),
    ("rfc8291/2.1/expiration-time", "KnowsAllMembers", INFO, "no request arrived"),
    ("rfc8291/2.1/expiration-time-is-over", "SkipsWhatIsOver", F, "though it sent nothing"),
    ("rfc9112/9.5/reset-is-an-error", "SwallowsErrors", F, "gave no answer"),
    ("rfc9112/9.5/reset-is-an-error", "TriesAgain", W, "does not give up"),
    ("rfc9112/9.5/silence-is-an-error", "NeverGivesUp", F, "not come to an end"),
    ("rfc9112/9.5/silence-is-an-error", "SwallowsErrors", F, "gave no answer"),
    ("rfc9112/8/reset-in-the-answer", "SwallowsErrors", F, "answered 503"),
    ("rfc9112/8/wrong-length", "SwallowsErrors", F, "answered 400"),
    ("rfc9112/8/acceptance-breaks-off", "PrunesWhatFails", F, "is gone"),
    ("rfc9112/8/acceptance-breaks-off", "SwallowsErrors", P, None),
    ("rfc9112/8/acceptance-breaks-off", "DoesNotSeeItBreak", F, "not come to an end"),
    ("rfc9112/8/reset-in-the-answer", "DoesNotSeeItBreak", F, "not come to an end"),
]
"""Case, the sender of `mistaken` that breaks it, the verdict, and a part of the reason."""


UNRELATED = {
    *("rfc8030/5/post", "rfc8030/5.2/ttl-as-asked", "rfc8030/5.3/urgency-as-asked"),
    *("rfc8030/5.4/topic-as-asked", "rfc8291/4/aes128gcm", "rfc8292/2/aud-is-origin"),
    *("rfc8292/2/exp-within-24-hours", "rfc8292/3.2/key-form"),
    *("rfc9110/15.5.1/400-is-an-error", "rfc9110/15.6.4/503-is-an-error"),
}
"""Cases of all themes, which stay green unless the mistake is theirs."""

TTL, URGENCY = {"rfc8030/5.2/ttl-as-asked"}, {"rfc8030/5.3/urgency-as-asked"}
TOPIC = {"rfc8030/5.4/topic-as-asked"}
RESULTS = {"rfc9110/15.5.1/400-is-an-error", "rfc9110/15.6.4/503-is-an-error"}
RELATED = {
    **dict.fromkeys(("SendsNothing", "GivesUp", "LosesEveryThird"), UNRELATED),
    # Some keys are like that by chance.
    **dict.fromkeys(
        ("DropsZeros", "DropsZerosOfItsKey", "ReplacesOnce", "StripsTheSecret"), UNRELATED
    ),
    **dict.fromkeys(("Hurries", "KeepsTheTtl", "LongTtl", "ShortTtl"), TTL),
    **dict.fromkeys(("Urgent", "AlwaysHigh"), URGENCY),
    **dict.fromkeys(("PaddedTopic", "OneTopic", "NoTopic", "WithoutTopics"), TOPIC),
    **dict.fromkeys(("SwallowsErrors", "AlwaysSucceeds", "Crashes"), RESULTS),
    "PrunesWhatIsRefused": {"rfc9110/15.5.1/400-is-an-error"},
    "WebPushScheme": {"rfc8292/3.2/key-form"},
}
"""What else a mistake shows in."""


@pytest.fixture(scope="module")
def service():
    with running_service(profile="rfc") as running:
        yield running


@pytest.fixture
def run(service, mistaken, careless, begin):
    """A run of the sender of this name."""
    senders = {**vars(mistaken), **vars(careless)}
    return lambda name: begin(service, senders[name](service.ca_file))


@pytest.mark.parametrize("sender", ["Right", "Cautious"])
@pytest.mark.parametrize("case", OF_MESSAGES, ids=lambda case: case.id)
def test_a_right_sender_passes(run, case, sender):
    result = run(sender).judge(case)
    assert (result.verdict, result.problems) == ("passed", ())


@pytest.mark.parametrize(
    ("case", "sender", "verdict", "reason"), MISTAKES, ids=lambda value: str(value)
)
def test_a_mistaken_sender_does_not(run, case, sender, verdict, reason):
    result = run(sender).judge(BY_ID[case])
    assert result.verdict == verdict
    assert reason is None or reason in result.reason


@pytest.mark.parametrize("sender", sorted({sender for _, sender, _, _ in MISTAKES}))
def test_a_mistake_shows_in_no_unrelated_case(run, sender):
    begun = run(sender)
    own = {case for case, each, _, _ in MISTAKES if each == sender}
    unrelated = UNRELATED - own - RELATED.get(sender, set())
    results = [begun.judge(BY_ID[each]) for each in sorted(unrelated)]
    assert [each.id for each in results if each.verdict != P] == []


@pytest.mark.parametrize(
    "sender",
    ["LeastRecordSize", "Chunks", "Expects", "Quotes", "SaysMore", "RefusesAllThatIsOdd"],
)
def test_what_is_unusual_is_not_blamed(run, sender):
    begun = run(sender)
    results = map(begun.judge, OF_MESSAGES)
    assert [each.id for each in results if each.verdict != P] == []


@pytest.mark.parametrize(("lasting", "count"), [(True, 30), (False, 5)])
def test_who_keeps_nothing_is_asked_for_fewer_messages(run, lasting, count):
    begun = run("Right")
    with begun.conversations.one() as conversation:
        conversation._adapter.lasting = lasting
    for each in ("rfc8188/2.1/fresh-salt", "rfc8291/3.1/fresh-key"):
        result = begun.judge(BY_ID[each])
        assert (result.verdict, len(result.evidence.jobs)) == (P, count)


def test_a_case_leaves_no_tenant_behind(run, service):
    begun = run("Right")
    begun.judge(BY_ID["rfc8030/5/post"])
    assert service.tenant("default", vapid=begun.vapid).tenants == []


def test_a_right_sender_is_not_blamed_for_what_a_push_service_does_not_take(mistaken, begin):
    """WNS refuses a TTL of 0."""
    with running_service(profile="wns") as service:
        run = begin(service, mistaken.Right(service.ca_file))
        result = run.judge(BY_ID["rfc8030/5.2/ttl-zero-is-now-or-never"])
    assert (result.verdict, result.reason) == ("skipped", "this push service takes no TTL of 0")


def test_every_case_can_fail():
    assert {case for case, _, verdict, _ in MISTAKES if verdict != P} == BY_ID.keys()
