"""Codes on the request itself: method, resource, size, TTL, Topic, Urgency, Content-Encoding."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.registry.row import Code, Level

_MUST, _SHOULD, _PRACTICE, _VENDOR, _INFO = Level

CODES: Final = (
    Code(
        "request.method",
        _MUST,
        "RFC 8030, Section 5",
        "a push message is sent with POST",
        "Send POST. A GET at a push resource is often an HTTP client that followed a 301 or 302 "
        "redirect and dropped the message: do not follow redirects when pushing.",
    ),
    Code(
        "subscription.unknown",
        _INFO,
        "RFC 8030, Section 7.3",
        "there is no subscription at this URL",
        "Use the endpoint exactly as it was given out, without decoding or re-encoding it. A real "
        "push service answers 404 for good: remove this subscription.",
    ),
    Code(
        "subscription.expired",
        _INFO,
        "RFC 8030, Section 7.3",
        "the subscription has expired or the user agent has unsubscribed",
        "Remove this subscription: both 404 and 410 mean that it never comes back.",
    ),
    Code(
        "subscription.expired.404",
        _INFO,
        "RFC 8030, Section 7.3",
        "the subscription has expired and the test asked for the answer 404",
        "Remove this subscription: both 404 and 410 mean that it never comes back.",
    ),
    Code(
        "subscription.expired.410",
        _INFO,
        "RFC 8030, Section 7.3",
        "the subscription has expired and the test asked for the answer 410",
        "Remove this subscription: both 404 and 410 mean that it never comes back.",
    ),
    Code(
        "service.full",
        _INFO,
        "mockpush",
        "the service keeps as many pending messages as it may",
        "Acknowledge or delete messages, reset the tenant, or raise the limit (--max-messages).",
    ),
    Code(
        "fault.injected",
        _INFO,
        "mockpush",
        "a fault plan of the test answers in the place of the push service",
        "Nothing is wrong with this request: `mockpush fault list` shows the plan, and "
        "`mockpush fault clear` ends it.",
    ),
    Code(
        "fault.needs_connection",
        _INFO,
        "mockpush",
        "a fault plan disturbs the connection, and this request came without one, in process",
        "Push over HTTP to the service's own port, or take a fault that answers.",
    ),
    Code(
        "body.too_large",
        _PRACTICE,
        "RFC 8030, Section 7.2",
        "the body is larger than the 4096 octets that every push service must take",
        "Shorten the payload: 3993 octets of plaintext make 4096 with aes128gcm (86 header, "
        "1 delimiter, 16 tag). Send an identifier and let the page fetch the rest.",
    ),
    Code(
        "ttl.missing",
        _MUST,
        "RFC 8030, Section 5.2",
        "the request has no TTL header field",
        "Add `TTL: <seconds>`, for example `TTL: 86400`. Chrome's, Firefox's and Apple's services "
        "refuse a message without it.",
    ),
    Code(
        "ttl.not_a_number",
        _MUST,
        "RFC 8030, Section 5.2",
        "TTL is not a number of seconds",
        "TTL takes digits only: no sign, no unit, no fraction, no quotes.",
    ),
    Code(
        "ttl.negative",
        _MUST,
        "RFC 8030, Section 5.2",
        "TTL is negative",
        "Use 0 for `now or never`, otherwise the number of seconds to keep the message.",
    ),
    Code(
        "ttl.doubled",
        _MUST,
        "RFC 8030, Section 5.2",
        "the request has more than one TTL",
        "Send TTL once: a library's default and your own header may both be there.",
    ),
    Code(
        "ttl.overflow",
        _INFO,
        "RFC 8030, Section 5.2",
        "TTL is above 2147483648 and counts as that",
        "Push services keep messages for four weeks at most; ask for what you need.",
    ),
    Code(
        "ttl.zero",
        _VENDOR,
        "RFC 8030, Section 5.2",
        "TTL is 0: the message is lost unless the user agent is connected at this moment",
        "Set a TTL. 0 is the default of several libraries; a user agent that is offline never gets "
        "the message, and Edge's service (WNS) refuses TTL 0 with 400.",
    ),
    Code(
        "topic.empty",
        _MUST,
        "RFC 8030, Section 5.4",
        "Topic is empty",
        "Leave the header field away, or name a topic of 1 to 32 characters.",
    ),
    Code(
        "topic.too_long",
        _MUST,
        "RFC 8030, Section 5.4",
        "Topic is longer than 32 characters",
        "Use at most 32 characters of the base64url alphabet, for example a truncated hash.",
    ),
    Code(
        "topic.alphabet",
        _MUST,
        "RFC 8030, Section 5.4",
        "Topic has characters outside the base64url alphabet",
        "Use only A-Z, a-z, 0-9, - and _.",
    ),
    Code(
        "topic.padded",
        _MUST,
        "RFC 8030, Section 5.4",
        "Topic ends with base64 padding",
        "Remove the `=`.",
    ),
    Code(
        "topic.doubled",
        _MUST,
        "RFC 8030, Section 5.4",
        "the request has more than one Topic",
        "Send Topic once.",
    ),
    Code(
        "topic.length_mod_4",
        _VENDOR,
        "Apple, BadWebPushTopic",
        "Apple decodes the topic as base64url, and no base64url text has this length",
        "Use a length that does not leave the remainder 1 when divided by 4: `newEvent` works, "
        "`new_event` (9 characters) does not.",
    ),
    Code(
        "urgency.several",
        _MUST,
        "RFC 8030, Section 5.3",
        "the request has several urgencies",
        "Send one of very-low, low, normal, high.",
    ),
    Code(
        "urgency.unknown",
        _MUST,
        "RFC 8030, Section 5.3",
        "Urgency is none of very-low, low, normal, high",
        "Send one of very-low, low, normal, high, or leave the header field away (normal).",
    ),
    Code(
        "urgency.case",
        _PRACTICE,
        "RFC 8030, Section 5.3",
        "Urgency is not in lower case",
        "Send it in lower case: the grammar ignores case, push services may not.",
    ),
    Code(
        "cache_policy.no_cache",
        _INFO,
        "WNS, X-WNS-Cache-Policy",
        "X-WNS-Cache-Policy asks Edge's push service not to keep the message",
        "With it Edge's service (WNS) takes TTL 0; the other push services do not know the field.",
    ),
    Code(
        "content_encoding.missing",
        _MUST,
        "RFC 8291, Section 4",
        "the request has a body but no Content-Encoding",
        "Encrypt the payload with the subscription's keys and send `Content-Encoding: aes128gcm`.",
    ),
    Code(
        "content_encoding.unknown",
        _MUST,
        "RFC 8291, Section 4",
        "the Content-Encoding is neither aes128gcm nor the draft's aesgcm",
        "Send exactly `Content-Encoding: aes128gcm`; a push message has no other coding.",
    ),
    Code(
        "content_encoding.several",
        _MUST,
        "RFC 8291, Section 4",
        "the request has several content codings",
        "Send exactly `Content-Encoding: aes128gcm`: no compression on top, no second field.",
    ),
    Code(
        "content_encoding.case",
        _PRACTICE,
        "RFC 9110, Section 8.4.1",
        "the Content-Encoding is not in lower case",
        "Send it in lower case: Mozilla's service compares it exactly.",
    ),
    Code(
        "content_encoding.aesgcm",
        _MUST,
        "RFC 8291, Section 4",
        "the body uses aesgcm, the coding of a draft",
        "Switch to aes128gcm (often `contentEncoding: 'aes128gcm'`): Apple refuses aesgcm.",
    ),
    Code(
        "crypto_key.malformed",
        _MUST,
        "draft-ietf-webpush-encryption-04, Section 4",
        "Crypto-Key cannot be read",
        "Send `Crypto-Key: dh=<base64url>;p256ecdsa=<base64url>`, or better: use aes128gcm and the "
        "`vapid` scheme, which need no Crypto-Key.",
    ),
    Code(
        "crypto_key.dh_with_aes128gcm",
        _VENDOR,
        "RFC 8291, Section 4",
        "Crypto-Key carries `dh` although aes128gcm has the key in its header",
        "Remove Crypto-Key: Mozilla's service refuses it.",
    ),
    Code(
        "crypto_key.with_aes128gcm",
        _PRACTICE,
        "RFC 8291, Section 4",
        "a Crypto-Key header field goes with aes128gcm, which does not use it",
        "Remove Crypto-Key: the `vapid` scheme has the key in `k`.",
    ),
    Code(
        "encryption_header.with_aes128gcm",
        _VENDOR,
        "RFC 8291, Section 4",
        "an Encryption header field goes with aes128gcm, which has the salt in its body",
        "Remove Encryption: Mozilla's service refuses a `salt` there.",
    ),
)
